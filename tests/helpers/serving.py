"""PiTasker's settings, its command line and its servers, as `./pitasker` starts them."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError
from pitasker_core.cli import main
from pitasker_core.database.tables import Base
from tests.helpers.crontabs import InstalledCrontab
from tests.helpers.databases import execute
from tests.helpers.waiting import PATIENCE, until


def _is_standing(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("standing") is not None


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, crontab: InstalledCrontab
) -> Environment:
    """Settings of a home, a database and a crontab that are all new, or those of the server that
    stands."""
    if _is_standing(request):
        return request.getfixturevalue("standing").environment
    url = request.getfixturevalue("database_url")
    return Environment(
        tmp_path / "home", url, "crontab", demo=False, cron_log=tmp_path / "cron.log"
    )


def process_environment(environment: Environment) -> dict[str, str]:
    return {
        **os.environ,
        "PITASKER_HOME": str(environment.home),
        "DATABASE_URL": environment.database_url or "",
        "PITASKER_CRON_LOG": str(environment.cron_log),
    }


@pytest.fixture
def cli_environment(environment: Environment) -> Mapping[str, str]:
    """The environment in which a process finds what `environment` name."""
    return process_environment(environment)


@pytest.fixture
def cli(cli_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command of the command line in this process; returns its exit code."""
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: main(words)


@contextmanager
def running_servers(
    variables: Mapping[str, str], folder: Path, prefix: Sequence[str | Path] = ()
) -> Iterator[Callable[..., str]]:
    """Start servers as `./pitasker up` does; each call returns the address of another.

    `prefix` is the beginning of the command: a program that runs the rest of it.
    """
    servers = []

    def start(*options: str, **more: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = (folder / "server.log").open("w")
        server = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pitasker_core", "up", "--port", str(port), *options],
            env={**variables, **more},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        servers.append(server)
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert server.poll() is None, (folder / "server.log").read_text()
            with suppress(httpx.TransportError):
                return httpx.get(f"{address}/_stcore/health").status_code == 200
            return False

        until(answers)
        return address

    start.servers = servers
    try:
        yield start
    finally:  # also when one of them did not answer
        for server in servers:
            server.terminate()
            server.wait(timeout=PATIENCE)


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, cli_environment: Mapping[str, str], tmp_path: Path
) -> Iterator[Callable[..., str]]:
    """Start servers of this test alone; where a server stands, only those that are to differ from
    it or that are asked for by `anew`."""
    with running_servers(cli_environment, tmp_path) as start:
        if not _is_standing(request):
            yield start
            return
        address = request.getfixturevalue("standing").address

        def some(**variables: str) -> str:
            return start(**variables) if variables else address

        some.anew = start
        yield some


@dataclass(frozen=True)
class Standing:
    """A server that is up already, and what it works on: for tests that only need one."""

    address: str
    environment: Environment


@pytest.fixture(scope="session")
def _standing(
    _server: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("standing")
    execute(_server, f"create database standing template {_template}")
    url = _server % "standing"
    log = folder / "cron.log"
    environment = Environment(folder / "home", url, "crontab", demo=False, cron_log=log)
    with running_servers(process_environment(environment), folder) as start:
        yield Standing(start(), environment)


@pytest.fixture
def standing(_standing: Standing, crontab: InstalledCrontab) -> Standing:
    """The standing server, with nothing left of the tests before."""
    home = _standing.environment.home
    for old in home.iterdir():
        # What it logs to and locks by stays open.
        if old.name not in ("lock", "logs", "running"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    # Those of crontabs stay: its background work holds a lock by their number.
    tables = ", ".join(set(Base.metadata.tables) - {"crontabs"})

    def emptied() -> bool:
        # A page that has just been closed may be reading: who waits for whom is for PostgreSQL.
        with suppress(DatabaseError), database.administer(_standing.environment) as connection:
            connection.execute(text(f"truncate {tables} restart identity"))
            return True
        return False

    until(emptied)
    return _standing
