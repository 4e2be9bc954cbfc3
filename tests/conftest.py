"""A private world for the tests: the crontab, the database and the home of whoever runs them are
out of reach. The programs are real: cron's own `crontab`, on a spool that only this process and its
children see, and PostgreSQL."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.helpers")

# First: nothing of PiTasker is imported before the real spool and home are out of reach.
import tests.helpers.isolation  # noqa: E402, F401

pytest_plugins = [
    "tests.helpers.crontabs",
    "tests.helpers.databases",
    "tests.helpers.serving",
    "tests.helpers.browsing",
    "tests.helpers.pages",
]


@pytest.fixture(scope="session", autouse=True)
def _cron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A process with cron's name: whether the machine runs cron shall not decide a test."""
    program = tmp_path_factory.mktemp("cron") / "cron"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "infinity"]) as process:
        yield
        process.terminate()
