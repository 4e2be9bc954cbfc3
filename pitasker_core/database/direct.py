"""Statements that the driver executes itself, several in one round trip.

SQLAlchemy takes as long again for a statement, and waits for the answer of each. Both count for the
statements of every edit and every sync.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from pitasker_core.base import timings

Values = Mapping[str, Any]

Statement = tuple[str, Values]
"""SQL with psycopg's placeholders, and their values."""

Rows = list[tuple[Any, ...]]


def execute(session: Session, sql: str, values: Values) -> Rows:
    """Execute a statement in a session's transaction.

    Returns its rows. Raises DBAPIError.
    """
    (rows,) = execute_together(session, [(sql, values)])
    return rows


def execute_together(session: Session, statements: Sequence[Statement]) -> list[Rows]:
    """Execute statements one after the other, in one round trip; see `execute`.

    Each statement sees what those before it did, and what was committed before it began.
    """
    connection = session.connection()
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - our only driver
    # The driver begins a transaction by a statement of its own.
    has_begun = driver.info.transaction_status is TransactionStatus.INTRANS
    is_alone = has_begun and len(statements) == 1
    try:
        with timings.timed("query"), nullcontext() if is_alone else driver.pipeline():
            cursors = [_send(connection, driver, *statement) for statement in statements]
        return [_rows(cursor) for cursor in cursors]
    except psycopg.Error as problem:
        if driver.closed:
            connection.invalidate(problem)
        raise DBAPIError(None, None, problem) from problem


def _rows(cursor: psycopg.Cursor[Any]) -> Rows:
    # Not `description`, which describes each column.
    has_rows = cursor.pgresult is not None and cursor.pgresult.nfields > 0
    return cursor.fetchall() if has_rows else []


def _send(
    connection: Connection, driver: psycopg.Connection[Any], sql: str, values: Values
) -> psycopg.Cursor[Any]:
    """Send a statement, and tell the listeners of SQLAlchemy's `before_cursor_execute`."""
    cursor = driver.cursor()
    connection.dispatch.before_cursor_execute(connection, cursor, sql, values, None, False)
    return cursor.execute(sql.encode(), values)
