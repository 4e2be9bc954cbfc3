"""Replace pooled connections that the server ended, so that its restart causes no error."""

import select
import time
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

_TRUSTED_SECONDS = 10.0
"""How long after its last use a connection is not tested by a query."""

_LAST_USE = "last use"


def replace_ended_connections(engine: Engine) -> None:
    """Replace the connections of an engine that the server has ended.

    SQLAlchemy's `pool_pre_ping` would add a query to every transaction. The socket shows the end
    of a connection without a query.
    """

    def check(connection: Any, record: ConnectionPoolEntry, *_: object) -> None:
        used = record.info.get(_LAST_USE, 0.0)
        if time.monotonic() > used + _TRUSTED_SECONDS or _has_news(connection):
            try:
                engine.dialect.do_ping(connection)
            except psycopg.Error as problem:
                raise InvalidatePoolError from problem

    def note_use(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_LAST_USE] = time.monotonic()

    event.listen(engine, "checkout", check)
    event.listen(engine, "checkin", note_use)


def _has_news(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the server sent something unasked, or closed the connection."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
