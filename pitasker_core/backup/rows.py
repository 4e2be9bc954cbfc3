"""The rows of PiTasker's tables, as PostgreSQL's COPY reads and writes them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from pitasker_core.database.tables import Base

LEFT_OUT = frozenset({"tokens"})
"""Tables that no backup has: by their rows people sign in."""


def tables(connection: Connection) -> list[str]:
    """PiTasker's tables in a database, each behind those that it refers to.

    Also those of a newer version: each has a policy of PiTasker's.
    """
    present = set(connection.scalars(_PRESENT))
    known = [table.name for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]
    newer = sorted(set(connection.scalars(_PROTECTED)) - set(Base.metadata.tables))
    return [name for name in known if name in present] + newer


_PRESENT = text("""
    select relname from pg_class where relkind = 'r'
        and relnamespace = current_schema::regnamespace
""")
_PROTECTED = text("""
    select relname from pg_policy join pg_class on pg_class.oid = polrelid
    where polname = 'own_crontab' and relnamespace = current_schema::regnamespace
""")


def columns(connection: Connection, table: str, schema: str | None = None) -> list[str]:
    """The columns of a table whose values are not computed, in their order."""
    return list(types(connection, table, schema))


def types(connection: Connection, table: str, schema: str | None = None) -> dict[str, str]:
    """The types of those columns, as SQL writes them. Without `schema` in the first one."""
    found = connection.execute(_COLUMNS, {"table": table, "schema": schema})
    return {str(name): str(type_) for name, type_ in found}


_COLUMNS = text("""
    select attname, format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = format(
            '%I.%I', coalesce(cast(:schema as text), current_schema), cast(:table as text)
        )::regclass
        and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum
""")


def crontabs(connection: Connection, own: int | None) -> list[dict[str, Any]]:
    """Whose rows there are: as a backup describes it."""
    found = connection.execute(text("select * from crontabs order by id")).mappings()
    return [
        {name: row.get(name) for name in ("id", "host", "user", "machine")}
        for row in found
        if own in (None, row["id"])
    ]


def read(
    connection: Connection, table: str, names: Sequence[str], own: int | None
) -> Iterator[bytes | bytearray | memoryview]:
    """A table's rows, of one crontab or of all."""
    which: sql.Composable = sql.SQL("")
    if own is not None and table == "crontabs":
        which = sql.SQL("where id = {}").format(own)
    elif own is not None and "crontab" in names:
        which = sql.SQL("where crontab = {}").format(own)
    query = sql.SQL("copy (select {} from {} {}) to stdout").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table), which
    )
    with cursor(connection) as raw, raw.copy(query) as copy:
        yield from copy


def load(connection: Connection, table: str, names: Sequence[str], blocks: Iterable[bytes]) -> int:
    """Put rows into a table. Returns how many these were."""
    query = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with cursor(connection) as raw:
        with raw.copy(query) as copy:
            for block in blocks:
                copy.write(block)
        return raw.rowcount


@contextmanager
def cursor(connection: Connection) -> Iterator[psycopg.Cursor[Any]]:
    """The driver's own cursor in the transaction of a connection: SQLAlchemy knows no COPY."""
    driver = connection.connection.driver_connection
    with cast(psycopg.Connection[Any], driver).cursor() as raw:
        yield raw
