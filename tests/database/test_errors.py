"""Each error of the database's driver becomes one of ours, with its advice."""

import pytest
from psycopg import errors
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from pitasker_core.base.errors import (
    DatabaseError,
    ExecutionError,
    NotFound,
    ReadOnly,
    Stale,
    SyncInProgress,
)
from pitasker_core.database import embedded, errors_named, programs


def of_driver(problem):
    return OperationalError("select 1", None, problem)


@pytest.mark.parametrize(
    ("problem", "ours", "words"),
    [
        (StaleDataError(), Stale, "Check its new values"),
        (of_driver(errors.ReadOnlySqlTransaction()), ReadOnly, ""),
        (of_driver(errors.NumericValueOutOfRange()), NotFound, "larger than any id"),
        (of_driver(errors.LockNotAvailable()), SyncInProgress, "Wait a moment"),
        (of_driver(errors.InvalidTextRepresentation("no\nLINE 1")), ExecutionError, "value: no."),
        (of_driver(errors.DiskFull("no room\nHINT")), DatabaseError, "free some space"),
        (of_driver(errors.AdminShutdown("shut down")), DatabaseError, "Your jobs go on without it"),
        (ArgumentError("no such dialect"), DatabaseError, "no such dialect"),
    ],
)
def test_each_error_of_the_driver_says_what_to_do(problem, ours, words):
    with pytest.raises(ours) as raised, errors_named():
        raise problem
    assert words in raised.value.user_message
    assert "LINE" not in raised.value.user_message


def test_a_private_database_that_cannot_be_made_names_its_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="file/postgres cannot be started: Not a directory"):
        embedded.ensure_running(tmp_path / "file" / "postgres")


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("initdb: error: No space left on device", "free some space"),
        ("FATAL: could not open file: Permission denied", "Check who owns that folder"),
        ("FATAL: odd\nLOG: the end", "DATABASE_URL can name another"),
    ],
)
def test_an_error_of_the_private_database_says_its_cause_and_what_to_do(output, advice):
    problem = embedded._failed("initdb", output)
    assert output.splitlines()[0] in problem.message
    assert advice in problem.user_message


def test_without_psql_the_package_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotFound) as raised:
        programs.find_psql("/nowhere")
    assert "sudo apt install postgresql-client" in raised.value.user_message
