"""The database: one engine for each process, migrated before its first use.

Its connections see only the rows of one crontab: see `scope`.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg.abc import Buffer
from psycopg.errors import (
    DataError,
    DiskFull,
    LockNotAvailable,
    NumericValueOutOfRange,
    ReadOnlySqlTransaction,
)
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, Engine, Executable, NullPool, Row, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from pitasker_core.base import local_changes, timings
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    DatabaseError,
    ExecutionError,
    NotFound,
    ReadOnly,
    Stale,
    SyncInProgress,
)
from pitasker_core.base.storable import storable, storable_data
from pitasker_core.base.text import marked
from pitasker_core.database import embedded, owner, pool, scope
from pitasker_core.database.owner import Evidence

READ_SECONDS = 20.0
"""The time limit of a query with read-only access."""

# One round trip. PostgreSQL refuses writes.
_READ_ONLY = text(
    f"set transaction read only; set local statement_timeout = {READ_SECONDS * 1000:.0f}"
)

_MIGRATIONS = Path(__file__).with_name("migrations")
_HAS_WRITTEN = "has written"
"""Set in a connection's info by each statement that may change something."""

_MIGRATION_LOCK = 0x7069_7461  # "pita": any number that is ours


def connect(environment: Environment) -> Engine:
    """The engine of the environment's database. Starts and migrates the database if necessary.

    Raises DatabaseError if it cannot be reached. Its connections raise UnknownCrontab while a
    person must decide which crontab is ours.
    """
    private = None if environment.database_url else environment.postgres
    return _engine(environment.database_url, private, evidence(environment))


def evidence(environment: Environment) -> Evidence:
    """The evidence for which crontab is ours."""
    is_private = environment.database_url is None
    return Evidence(environment.identity, is_private, environment.crontab_program)


def start(environment: Environment) -> bool:
    """Start and migrate the database. True if this process started the private server.

    Then this process must also `stop` it. Raises DatabaseError.
    """
    started_here = not environment.database_url and embedded.ensure_running(environment.postgres)
    connect(environment)
    return bool(started_here and started_here.started_here)


def stop(environment: Environment) -> bool:
    """Stop the private server. True if it ran. A server of DATABASE_URL is not stopped."""
    if environment.database_url:
        return False
    _engine.cache_clear()
    return embedded.stop_in(environment.postgres)


@contextmanager
def administer(environment: Environment, *, migrated: bool = True) -> Iterator[Connection]:
    """One transaction as the database's owner, on the rows of all crontabs.

    For work on the whole database: the list of crontabs, and backups. Without `migrated`, the
    tables keep their version. Raises DatabaseError.
    """
    engine = _plain_engine(_url(environment))
    try:
        with errors_named():
            if migrated:
                _migrate(engine)
            with engine.begin() as connection:
                yield connection
    finally:
        engine.dispose()
        local_changes.note()


def _url(environment: Environment) -> str:
    if environment.database_url:
        return environment.database_url
    return embedded.ensure_running(environment.postgres).url


def psql_address(database_url: str) -> tuple[str, dict[str, str]]:
    """A URL in psql's format, and environment variables for psql.

    The password is in a variable, because every user of a machine can read a process's arguments.
    """
    url = make_url(_sqlalchemy_url(database_url)).set(drivername="postgresql")
    named = url.query.get("password")
    password = url.password or (named if isinstance(named, str) else None)
    # Not by `set`, which keeps the old value for None.
    plain = url.difference_update_query(["password"])._replace(password=None)
    return plain.render_as_string(), {} if password is None else {"PGPASSWORD": str(password)}


@contextmanager
def session(environment: Environment) -> Iterator[Session]:
    """One transaction, committed at the end or rolled back by an exception.

    Raises DatabaseError for errors of the driver, Stale if somebody changed a row after it was
    read, and ReadOnly if a read-only session writes.
    """
    engine = connect(environment)
    has_written = False
    try:
        with errors_named(), Session(engine, expire_on_commit=False) as current, current.begin():
            if environment.read_only:
                current.execute(_READ_ONLY)
            yield current
            if current.in_transaction():
                current.flush()
                has_written = current.connection().info.pop(_HAS_WRITTEN, False)
    finally:
        if has_written:
            local_changes.note()


def fetch(
    environment: Environment, query: Executable, parameters: Mapping[str, Any] | None = None
) -> Sequence[Row[Any]]:
    """Return the rows of one query, without the two more round trips of a transaction.

    For quick queries that change nothing. Raises DatabaseError.
    """
    with errors_named(), connect(environment).connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        return connection.execute(query, parameters).all()


@contextmanager
def errors_named() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except StaleDataError as problem:
        raise Stale(
            "Somebody else changed this task after it was shown.",
            "Check its new values, then make your change again.",
        ) from problem
    except DBAPIError as problem:
        if isinstance(problem.orig, ReadOnlySqlTransaction):
            raise ReadOnly from problem
        if isinstance(problem.orig, NumericValueOutOfRange):
            # Ids are the only numbers from outside that have no limit of their own.
            raise NotFound("There is nothing with this number: it is larger than any id.") from None
        if isinstance(problem.orig, LockNotAvailable):
            raise SyncInProgress(
                "Another PiTasker process is using this database.",
                "Wait a moment, then try again.",
            ) from problem
        first = str(problem.orig).strip().split("\n", 1)[0]
        if isinstance(problem.orig, DataError):
            raise ExecutionError(f"The database cannot store a value: {first}.") from problem
        advice = "Your jobs go on without it. Check that PostgreSQL runs, then try again."
        if isinstance(problem.orig, DiskFull):
            advice = "The disk is full: free some space, then try again. Your jobs go on."
        raise DatabaseError(f"The database failed: {first}.", advice) from problem
    except SQLAlchemyError as problem:
        raise DatabaseError(f"The database could not be used: {problem}.") from problem


def migrate(url: str) -> None:
    """Migrate the database at a URL to this version's tables. Many may call this at once."""
    engine = _plain_engine(url)
    try:
        _migrate(engine)
    finally:
        engine.dispose()


_CONNECT = {"connect_timeout": 5, "application_name": "pitasker", "client_encoding": "utf8"}


def _plain_engine(url: str) -> Engine:
    """An engine whose connections see the rows of all crontabs."""
    return create_engine(_sqlalchemy_url(url), poolclass=NullPool, connect_args=_CONNECT)


@lru_cache
def _engine(database_url: str | None, private: Path | None, evidence: Evidence) -> Engine:
    """The engine of a database by its URL, or of the private server in a folder."""
    url = embedded.ensure_running(private).url if private else str(database_url)
    engine = create_engine(
        _sqlalchemy_url(url), json_serializer=_json, pool_size=5, connect_args=_CONNECT
    )

    def ensure_running(*_: object) -> None:
        """Restart a private server that was killed."""
        if private:
            embedded.ensure_running(private)

    event.listen(engine, "do_connect", ensure_running)
    pool.replace_ended_connections(engine)
    event.listen(engine, "connect", lambda raw, _: raw.adapters.register_dumper(str, _StorableText))
    event.listen(engine, "before_cursor_execute", _query_begins)
    event.listen(engine, "after_cursor_execute", _query_ends)
    with errors_named():
        migrate(url)

    def enter(connection: Connection) -> None:
        """Recognise our crontab once for each connection. In a restored database it may have
        another id."""
        if scope.CRONTAB in connection.info:
            return
        try:
            with connection.begin():
                number = owner.recognise(connection, evidence)
                scope.enter(connection, number)
        except BaseException:
            connection.close()
            raise
        connection.info[scope.CRONTAB] = number

    event.listen(engine, "engine_connect", enter)
    return engine


class _StorableText(StrDumperUnknown):
    """Converts every text for the database, also in lists."""

    def dump(self, obj: str) -> Buffer | None:
        """The text as bytes that PostgreSQL can store."""
        return super().dump(storable(obj))


def _json(data: Any) -> str:
    """Converts every value of a JSON column."""
    written = json.dumps(data)
    # Text that cannot be stored is rare, and checking each text is slower than writing all again.
    return json.dumps(storable_data(data)) if _MAYBE_NOT_STORABLE.search(written) else written


_MAYBE_NOT_STORABLE = re.compile(r"\\u(?:0000|d[89a-f])")


def _query_begins(connection: Connection, cursor: object, statement: str, *_: object) -> None:
    connection.info["query began"] = time.perf_counter()
    if not statement.lstrip()[:6].lower().startswith(("select", "set ")):
        connection.info[_HAS_WRITTEN] = True


def _query_ends(connection: Connection, *_: object) -> None:
    timings.add("query", time.perf_counter() - connection.info["query began"])


def _sqlalchemy_url(url: str) -> str:
    """The URL with our driver, because people write `postgres://` and `postgresql://`."""
    try:
        parsed = make_url(url)
    except SQLAlchemyError as problem:
        raise DatabaseError(
            "DATABASE_URL cannot be read.", "Write it as postgresql://user:password@host/name."
        ) from problem
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseError(
            f"DATABASE_URL names {parsed.get_backend_name()}, but PiTasker needs PostgreSQL.",
            "Write it as postgresql://user:password@host/name, or leave it unset.",
        )
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def newest_revision() -> str:
    """The revision of this version's tables. Revisions sort by age."""
    return revisions()[-1]


def revisions() -> list[str]:
    """All revisions of the tables, oldest first."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*.py")
    return sorted(path.name.split("_", 1)[0] for path in files)


def revision(connection: Connection) -> str | None:
    """The revision of a database's tables; None if it has none of ours."""
    if connection.scalar(text("select to_regclass('alembic_version')")) is None:
        return None
    version: str | None = connection.scalar(text("select version_num from alembic_version"))
    return version


def upgrade(connection: Connection, to: str = "head") -> None:
    """Migrate the tables in the connection's first schema to a revision."""
    # Importing Alembic takes 0.1 s, so only if there is something to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        version = revision(connection)
        if version == newest_revision() and scope.is_protected(connection):
            return
        if version and version > newest_revision():
            raise DatabaseError(
                "This database is from a newer PiTasker.",
                marked(
                    "Upgrade PiTasker, then try again. Or go back to a backup of this version: "
                    "`./pitasker restore FILE`."
                ),
            )
    with engine.begin() as connection:
        connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        upgrade(connection)
        scope.protect(connection)
