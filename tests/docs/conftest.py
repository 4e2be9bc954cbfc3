"""A home of its own for each page, in which its commands run."""

import os
import pwd
from pathlib import Path

import pytest

from pitasker_core.base.environment import Environment
from tests.helpers.crontabs import InstalledCrontab
from tests.helpers.example_session import ExampleSession, prepare_folder

HOST = "raspberrypi"


@pytest.fixture
def environment(tmp_path: Path, database_url: str, crontab: InstalledCrontab) -> Environment:
    """An empty home where `./pitasker` looks for it."""
    home = tmp_path / "pi" / ".local" / "share" / "pitasker"
    log = tmp_path / "cron.log"
    return Environment(home, database_url, "crontab", demo=False, cron_log=log)


@pytest.fixture
def session(
    tmp_path: Path,
    cli_environment: dict[str, str],
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> ExampleSession:
    """A terminal in that home, with a server that answers at the default port."""
    home = tmp_path / "pi"
    home.mkdir(exist_ok=True)
    variables = {**cli_environment, "HOME": str(home), "PITASKER_HOST": HOST, "TZ": "UTC"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    prepare_folder(home, variables)
    account = pwd.getpwuid(os.getuid())
    replaced = {
        "/home/pi": str(home),
        "http://127.0.0.1:8501": address,
        "127.0.0.1:8501": address.removeprefix("http://"),
        "pi@": f"{account.pw_name}@",
    }
    also_shown = {account.pw_dir: "/home/pi"}  # cron's HOME, whatever ours is
    return ExampleSession(home, {**os.environ, **variables}, replaced, also_shown)
