"""The isolation of the tests: they cannot reach the crontab, the database or the home of the
user who runs them. The programs are real: cron's `crontab` on a spool that only the tests and
their children see, and PostgreSQL."""

import gc
import logging
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

pytest.register_assert_rewrite("tests.helpers")

# Modules and tests stay until the end: no collection of garbage needs to look at them.
gc.disable()

# Before any import of PiTasker.
from tests.helpers import isolation  # noqa: E402

FIXTURES = (
    "tests.helpers.crontabs",
    "tests.helpers.databases",
    "tests.helpers.serving",
    "tests.helpers.browsing",
    "tests.helpers.pages",
    "tests.helpers.api_server",
)
"""The modules with the fixtures that several folders use."""

# No time limit per example: it would only measure the load of the machine.
hypothesis.settings.register_profile("pitasker", deadline=None)
hypothesis.settings.load_profile("pitasker")


NOT_FAST = {"environment", "cluster", "empty_database_url", "browser", "victim"}
"""Fixtures that start PostgreSQL, a server or a browser."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out tests that need PostgreSQL, a server, a browser or several seconds",
    )
    parser.addoption(
        "--write-docs",
        action="store_true",
        help="write the real answers of the commands in the documents into their pages",
    )
    parser.addoption(
        "--coverage",
        action="store_true",
        help="print how much of the code the tests run, for each package (the launcher does it)",
    )


def pytest_configure(config: pytest.Config) -> None:
    # The process that hands out the tests runs none. To import the fixtures takes two seconds, for
    # which the others would wait.
    if config.getoption("dist", "no") == "no" or config.option.collectonly:
        for module in FIXTURES:
            config.pluginmanager.import_plugin(module)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # Files with slow tests come first, so that none runs alone at the end.
    slow_files = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow_files)
    if config.getoption("--fast"):
        slow = [item for item in items if not _is_fast(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if _is_fast(item)]


def pytest_collection_finish() -> None:
    # pytest adds its handlers to each logger that does not propagate, three times for each test.
    # Streamlit has 60 of them.
    for name in list(logging.root.manager.loggerDict):
        if name.startswith("streamlit."):
            logging.getLogger(name).propagate = True
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getvalue("dist") != "loadfile":
        return None
    from tests.helpers.sharing import ShareScheduling

    return ShareScheduling(config, log)


def _is_fast(item: pytest.Item) -> bool:
    if item.get_closest_marker("slow"):
        return False
    return not NOT_FAST.intersection(getattr(item, "fixturenames", ()))


def pytest_unconfigure() -> None:
    isolation.remove_memory()
    gc.freeze()  # pytest ends with several full collections


@pytest.fixture(scope="session", autouse=True)
def _cron(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run a process with cron's name, so that tests do not depend on the machine's cron."""
    program = tmp_path_factory.mktemp("cron") / "cron"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "infinity"]) as process:
        yield
        process.terminate()


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    from pitasker_core.server import auth
    from tests.helpers.signing_in import quick_hasher

    monkeypatch.setattr(auth, "PasswordHasher", quick_hasher())


@pytest.fixture(autouse=True)
def _no_old_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests change the crontab with other programs, so no cached answer may be older than that."""
    from pitasker_core.server import tokens
    from pitasker_core.tasks import view

    monkeypatch.setattr(view, "DISPLAY_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "MEMORY_SECONDS", -1.0)
