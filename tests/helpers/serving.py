"""PiTasker's environment, command line and servers, as `./pitasker` starts them."""

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
from psycopg.errors import DeadlockDetected

from pitasker_core.base.environment import Environment
from pitasker_core.cli import main
from pitasker_core.database.tables import Base
from tests.helpers.crontabs import InstalledCrontab
from tests.helpers.databases import TEMPLATE, Cluster
from tests.helpers.waiting import holds_in_time, patience, until


def _uses_shared_server(request: pytest.FixtureRequest) -> bool:
    node = request.node
    return bool(node.get_closest_marker("standing") and not node.get_closest_marker("own_server"))


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, tmp_path: Path, crontab: InstalledCrontab
) -> Environment:
    """A new home, database and crontab. Tests marked `standing` get the shared server's."""
    if _uses_shared_server(request):
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
    """The variables of a process that uses the same home and database as `environment`."""
    return process_environment(environment)


@pytest.fixture
def cli(cli_environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run a command of the command line in this process. Returns its exit code."""
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words: main(words)


class Servers:
    """Starts servers as `./pitasker up` does.

    `prefix` begins the command: a program that runs the rest.
    """

    def __init__(
        self, variables: Mapping[str, str], folder: Path, prefix: Sequence[str | Path] = ()
    ) -> None:
        self._variables, self._folder, self._prefix = variables, folder, prefix
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str, **variables: str) -> str:
        """Start another server. Returns its address."""
        # Tried twice: another process may take the port, or the machine may be too busy.
        return self._try(options, variables) or self._try(options, variables) or self._fail()

    def _try(self, options: Sequence[str], variables: Mapping[str, str]) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "pitasker_core", "up", "--port", str(port), *options]
        with self._log.open("w") as log:
            process = subprocess.Popen(
                [*self._prefix, *command],
                env={**self._variables, **variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        address = f"http://127.0.0.1:{port}"

        def has_ended_or_answers() -> bool:
            if process.poll() is not None:
                return True
            with suppress(httpx.TransportError):
                return httpx.get(f"{address}/_stcore/health").status_code == 200
            return False

        if holds_in_time(has_ended_or_answers) and process.poll() is None:
            return address
        self.processes.remove(process)
        process.kill()
        process.wait()
        return ""

    def _fail(self) -> str:
        pytest.fail(f"The server did not start: {self._log.read_text()}")

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def end(self) -> None:
        """End all servers."""
        for process in self.processes:
            process.terminate()
        stuck = [process for process in self.processes if not _ends(process)]
        for process in stuck:
            process.kill()
            process.wait()
        assert not stuck, "SIGTERM did not end a server"


def _ends(process: subprocess.Popen[bytes]) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience())
    return process.returncode is not None


@contextmanager
def running_servers(
    variables: Mapping[str, str], folder: Path, prefix: Sequence[str | Path] = ()
) -> Iterator[Servers]:
    """Give servers that end with the block."""
    servers = Servers(variables, folder, prefix)
    try:
        yield servers
    finally:
        servers.end()


@dataclass
class Serve:
    """A function that starts a server with options and variables, and returns its address.

    Without these, marked tests get the shared server. `another` always starts a server.
    """

    another: Callable[..., str]
    processes: list[subprocess.Popen[bytes]]
    shared: str | None = None

    def __call__(self, *options: str, **variables: str) -> str:
        if self.shared and not options and not variables:
            return self.shared
        return self.another(*options, **variables)


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, cli_environment: Mapping[str, str], tmp_path: Path
) -> Iterator[Serve]:
    """A function that starts servers, which end with the test."""
    is_shared = _uses_shared_server(request)
    shared = request.getfixturevalue("standing").address if is_shared else None
    with running_servers(cli_environment, tmp_path) as servers:
        yield Serve(servers.start, servers.processes, shared)


@dataclass(frozen=True)
class Standing:
    """The shared server, for tests that do not need their own server."""

    address: str
    environment: Environment


@pytest.fixture(scope="session")
def _start_standing(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Standing]]:
    """Start the shared server once. If that fails, the next test tries again."""
    folder = tmp_path_factory.mktemp("standing")
    url = cluster.create("standing", TEMPLATE)
    log = folder / "cron.log"
    environment = Environment(folder / "home", url, "crontab", demo=False, cron_log=log)
    with running_servers(process_environment(environment), folder) as servers:
        addresses: list[str] = []

        def start() -> Standing:
            if not addresses:
                addresses.append(servers.start())
            return Standing(addresses[0], environment)

        yield start


@pytest.fixture
def standing(
    _start_standing: Callable[[], Standing], cluster: Cluster, crontab: InstalledCrontab
) -> Standing:
    """The shared server, without data of earlier tests."""
    standing = _start_standing()
    for path in standing.environment.home.iterdir():
        # Its logs and locks are open, so they stay. Its background work may just delete a file.
        if path.name not in ("lock", "logs", "running"):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    # Crontabs stay: the background work holds a lock on their id.
    tables = ", ".join(set(Base.metadata.tables) - {"crontabs"})

    def emptied() -> bool:
        # A just closed page may still read, and PostgreSQL may abort our statement for a deadlock.
        with suppress(DeadlockDetected):
            cluster.execute(f"truncate {tables} restart identity", database="standing")
            return True
        return False

    until(emptied)
    return standing
