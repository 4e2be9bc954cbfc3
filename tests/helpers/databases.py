"""Databases of a PostgreSQL server that the tests start."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from pitasker_core import database
from pitasker_core.database import embedded


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL of the tests' own, with %s for the database's name."""
    server = embedded.ensure_running(tmp_path_factory.mktemp("postgres") / "postgres")
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Nothing here needs to survive a power cut, and each test makes a database.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"alter system set {setting} = off"))
        connection.execute(text("select pg_reload_conf()"))
    engine.dispose()
    yield server.url.replace("/pitasker?", "/%s?")
    _DROPPING.shutdown()
    embedded.stop(server)


def execute(address: str, statement: str) -> None:
    engine = create_engine(address % "pitasker", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def _template(_server: str) -> str:
    """A migrated database that others are copied from."""
    execute(_server, "create database template_of_tests")
    database.migrate(_server % "template_of_tests")
    return "template_of_tests"


def _made(address: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    # Copied as files: the usual way, through the write-ahead log, takes four times as long.
    execute(address, f"create database {name} template {template} strategy file_copy")
    yield address % name
    # Beside the next test: PostgreSQL waits a tenth of a second for the connections to end.
    _DROPPING.submit(execute, address, f"drop database {name} with (force)")


_DROPPING = ThreadPoolExecutor(1)


@pytest.fixture
def database_url(_server: str, _template: str) -> Iterator[str]:
    """The address of a migrated database without any rows."""
    yield from _made(_server, _template)


@pytest.fixture
def empty_database_url(_server: str) -> Iterator[str]:
    """The address of a database without any tables."""
    yield from _made(_server, "template1")
