"""Databases of a PostgreSQL server that the tests start."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import psycopg
import pytest
from sqlalchemy import Engine, event

from pitasker_core import database
from pitasker_core.database import embedded
from tests.helpers.isolation import MEMORY

TEMPLATE = "template_of_tests"
"""The name of a migrated database without rows. Other databases are copies of it."""


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server. The tests are its superuser."""

    server: embedded.Server
    _threads: threading.local = field(default_factory=threading.local)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return self.server.url.replace("/pitasker?", f"/{name}?")

    def execute(self, *statements: str, database: str = "pitasker") -> None:
        """Execute statements, each in its own transaction."""
        connection = self._connection(database)
        for statement in statements:
            connection.execute(statement)

    def _connection(self, database: str) -> psycopg.Connection:
        """Return this thread's connection. Connecting takes longer than most statements."""
        connections = self._threads.__dict__
        if database not in connections or connections[database].closed:
            url = self.url(database).replace("+psycopg", "")
            connections[database] = psycopg.connect(url, autocommit=True)
        return connections[database]

    def create(self, name: str, template: str) -> str:
        """Create a database. Returns its URL."""
        # Copying the files takes 10 ms. The default strategy, by the write-ahead log, takes 250 ms.
        self.execute(f"create database {name} template {template} strategy file_copy")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database and end its connections."""
        self.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The PostgreSQL server of this test process, with the template database."""
    server = embedded.ensure_running(MEMORY / "postgres")
    cluster = Cluster(server)
    # Nothing here needs to survive a power cut.
    cluster.execute(
        "alter system set fsync = off",
        "alter system set synchronous_commit = off",
        "alter system set full_page_writes = off",
        "select pg_reload_conf()",
        f"create database {TEMPLATE}",
    )
    database.migrate(cluster.url(TEMPLATE))
    yield cluster
    embedded.stop_in(server.data.parent)


class _Names:
    """Names of databases, each with the drop of its previous database.

    An engine of SQLAlchemy belongs to a name, and its compiled statements serve the next test. A
    process that a test left behind would have to outlive several tests before it could use
    another test's database of the same name.
    """

    def __init__(self, cluster: Cluster, executor: ThreadPoolExecutor) -> None:
        self._cluster, self._executor = cluster, executor
        self._migrated = deque(f"test_{number}" for number in range(8))
        self._numbers = count()
        self._drops: dict[str, Future[None]] = {}

    def migrated(self) -> Iterator[str]:
        name = self._migrated.popleft()
        if name in self._drops:
            self._drops[name].result()
        yield from self._database(name, TEMPLATE)
        self._migrated.append(name)

    def empty(self) -> Iterator[str]:
        # Under a new name: an existing engine would not migrate it.
        yield from self._database(f"empty_{next(self._numbers)}", "template1")

    def _database(self, name: str, template: str) -> Iterator[str]:
        yield self._cluster.create(name, template)
        # Dropped while the next test runs: PostgreSQL may wait 0.1 s for the end of a connection.
        self._drops[name] = self._executor.submit(self._cluster.drop, name)


@pytest.fixture(scope="session")
def _names(cluster: Cluster) -> Iterator[_Names]:
    with ThreadPoolExecutor(1) as executor:
        yield _Names(cluster, executor)


@pytest.fixture
def database_url(_names: _Names) -> Iterator[str]:
    """The URL of a migrated database without rows."""
    yield from _names.migrated()


@pytest.fixture
def empty_database_url(_names: _Names) -> Iterator[str]:
    """The URL of a database without tables."""
    yield from _names.empty()


@contextmanager
def asked() -> Iterator[list[str]]:
    """Collect the executed statements, and `begin` for each transaction."""
    statements = []

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    def begin(_connection):
        statements.append("begin")

    event.listen(Engine, "before_cursor_execute", note)
    event.listen(Engine, "begin", begin)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)
    event.remove(Engine, "begin", begin)
