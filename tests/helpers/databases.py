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
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from pitasker_core import database
from pitasker_core.database import embedded
from pitasker_core.database.tables import Base
from tests.helpers.isolation import MEMORY
from tests.helpers.waiting import holds_in_time

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
            connections[database] = self.connect(database)
        return connections[database]

    def connect(self, database: str) -> psycopg.Connection:
        """Open a connection. Each statement is a transaction."""
        return psycopg.connect(self.url(database).replace("+psycopg", ""), autocommit=True)

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
        "alter system set autovacuum = off",  # new rows stay behind deleted ones, in their order
        "select pg_reload_conf()",
        f"create database {TEMPLATE}",
    )
    database.migrate(cluster.url(TEMPLATE))
    yield cluster
    embedded.stop_in(server.data.parent)


_SHAPE = " union all ".join(
    f"select count(*), sum(xmin::text::bigint) from {catalog} where {oid} >= 16384"
    for catalog, oid in (
        ("pg_class", "oid"),
        ("pg_attribute", "attrelid"),
        ("pg_constraint", "oid"),
        ("pg_index", "indexrelid"),
        ("pg_policy", "polrelid"),
        ("pg_proc", "oid"),
        ("pg_trigger", "oid"),
        ("pg_namespace", "oid"),
        ("pg_db_role_setting", "setdatabase"),
        ("alembic_version", "16384"),
    )
)
"""A query whose answer changes with a table, its rights or triggers, and with a migration."""

_END = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""

_EMPTY = "; ".join(
    (
        "begin",
        "set local session_replication_role = replica",  # neither triggers nor foreign keys
        *(f"delete from {table}" for table in Base.metadata.tables),
        "select setval(seqrelid::regclass, seqstart, false) from pg_sequence",
        "commit",
    )
)

_USES = 25
"""Deleted rows stay in the files, so a database serves this many tests."""


def read_shape(cluster: Cluster) -> list[tuple[object, ...]]:
    """Return what a database must still have to be emptied for the next test."""
    with cluster.connect(TEMPLATE) as connection:
        return connection.execute(_SHAPE).fetchall()


class ReusedDatabase:
    """A migrated database that serves several tests, one after the other.

    To empty it takes a tenth of the processor time of a new copy.
    """

    def __init__(self, cluster: Cluster, name: str, shape: list[tuple[object, ...]]) -> None:
        self._cluster, self._name, self._shape = cluster, name, shape
        self._uses = 0

    def prepare(self) -> str:
        """Make it a copy of the template, unless it was emptied. Returns its URL."""
        if not self._uses:
            self._cluster.create(self._name, TEMPLATE)
        self._uses += 1
        return self._cluster.url(self._name)

    def clear(self) -> None:
        """Empty it and end its connections. Drop it if a test changed more than rows."""
        if self._uses == _USES or not self._is_emptied():
            self._cluster.drop(self._name)
            self._uses = 0

    def _is_emptied(self) -> bool:
        try:
            with _idle_connection(self._cluster, self._name) as connection:
                return (
                    holds_in_time(lambda: connection.execute(_END).fetchone() == (0,))
                    and connection.execute(_SHAPE).fetchall() == self._shape
                    and bool(connection.execute(_EMPTY))
                )
        except psycopg.Error:
            return False


_newest: dict[str, ConnectionPoolEntry] = {}
"""The newest connection of an engine's pool, by the name of its database."""


@event.listens_for(QueuePool, "connect")
def _note(connection: psycopg.Connection, record: ConnectionPoolEntry) -> None:
    _newest[connection.info.dbname] = record


_AS_NEW = (
    "reset role; reset all; unlisten *; select pg_advisory_unlock_all(); close all; discard temp"
)
"""As `discard all`, but for the prepared statements, which the driver remembers."""


@contextmanager
def _idle_connection(cluster: Cluster, name: str) -> Iterator[psycopg.Connection]:
    """Give a connection to a database, as new: from a pool, which keeps it, or else another one.

    To connect, and to fill PostgreSQL's caches again, takes longer than a short test.
    """
    record = _newest.get(name)
    pooled = record.dbapi_connection if record and not record.in_use else None
    if record and isinstance(pooled, psycopg.Connection) and not pooled.closed:
        pooled.rollback()
        pooled.autocommit = True
        pooled.execute(_AS_NEW)
        record.info.clear()  # its crontab
        yield pooled
        pooled.autocommit = False
    else:
        with cluster.connect(name) as connection:
            yield connection


class _Names:
    """Names of databases, each with the work that follows its previous test.

    An engine of SQLAlchemy belongs to a name, and its compiled statements serve the next test. A
    process that a test left behind would have to outlive several tests before it could use
    another test's database of the same name.
    """

    def __init__(self, cluster: Cluster, executor: ThreadPoolExecutor) -> None:
        self._cluster, self._executor = cluster, executor
        shape = read_shape(cluster)
        names = (f"test_{number}" for number in range(8))
        self._migrated = deque(ReusedDatabase(cluster, name, shape) for name in names)
        self._numbers = count()
        self._clearing: dict[ReusedDatabase, Future[None]] = {}

    def migrated(self) -> Iterator[str]:
        database = self._migrated.popleft()
        if database in self._clearing:
            self._clearing[database].result()
        yield database.prepare()
        # While the next test runs: PostgreSQL may wait 0.1 s for the end of a connection.
        self._clearing[database] = self._executor.submit(database.clear)
        self._migrated.append(database)

    def empty(self) -> Iterator[str]:
        # Under a new name: an existing engine would not migrate it.
        name = f"empty_{next(self._numbers)}"
        yield self._cluster.create(name, "template1")
        self._executor.submit(self._cluster.drop, name)


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
