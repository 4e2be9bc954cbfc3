"""A private world for the tests: they cannot reach the crontab, the database or the home of the
user who runs them. The programs are real: cron's own `crontab`, on a spool that only the tests
and their children see, and PostgreSQL."""

import shutil
import subprocess
from collections.abc import Iterator

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.helpers")

# Before any import of PiTasker.
from tests.helpers import isolation  # noqa: E402

pytest_plugins = [
    "tests.helpers.crontabs",
    "tests.helpers.databases",
    "tests.helpers.serving",
    "tests.helpers.browsing",
    "tests.helpers.pages",
]

# No time limit for an example: it would only measure the load of the machine.
hypothesis.settings.register_profile("pitasker", deadline=None)
hypothesis.settings.load_profile("pitasker")


def pytest_unconfigure() -> None:
    isolation.remove_memory()


@pytest.fixture(scope="session", autouse=True)
def _cron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A process with cron's name, so that no test depends on whether the machine runs cron."""
    program = tmp_path_factory.mktemp("cron") / "cron"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "infinity"]) as process:
        yield
        process.terminate()
