"""Read and write the rows of PiTasker's tables with PostgreSQL's COPY."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from pitasker_core.database.tables import Base

LEFT_OUT = frozenset({"tokens"})
"""Tables that no backup has: their rows are secrets for signing in."""


def tables(connection: Connection) -> list[str]:
    """Return PiTasker's tables in a database, each after the tables that it refers to.

    Tables of a newer version are included: each has PiTasker's row policy.
    """
    present = set(connection.scalars(_PRESENT))
    ours = [table.name for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]
    newer = sorted(set(connection.scalars(_PROTECTED)) - set(Base.metadata.tables))
    return [name for name in ours if name in present] + newer


_PRESENT = text("""
    select relname from pg_class where relkind = 'r'
        and relnamespace = current_schema::regnamespace
""")
_PROTECTED = text("""
    select relname from pg_policy join pg_class on pg_class.oid = polrelid
    where polname = 'own_crontab' and relnamespace = current_schema::regnamespace
""")


def columns(connection: Connection, table: str, schema: str | None = None) -> list[str]:
    """Return the columns of a table in their order, without computed columns."""
    return list(types(connection, table, schema))


def types(connection: Connection, table: str, schema: str | None = None) -> dict[str, str]:
    """Return the SQL types of the columns. `schema` is the current schema if None."""
    described = connection.execute(_COLUMNS, {"table": table, "schema": schema})
    return {str(name): str(type_) for name, type_ in described}


_COLUMNS = text("""
    select attname, format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = format(
            '%I.%I', coalesce(cast(:schema as text), current_schema), cast(:table as text)
        )::regclass
        and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum
""")


def crontabs(connection: Connection, own: int | None) -> list[dict[str, Any]]:
    """Return the owners of the rows, as a backup describes them."""
    owners = connection.execute(text("select * from crontabs order by id")).mappings()
    return [
        {name: row.get(name) for name in ("id", "host", "user", "machine")}
        for row in owners
        if own in (None, row["id"])
    ]


def read(
    connection: Connection, table: str, names: Sequence[str], own: int | None
) -> Iterator[bytes | bytearray | memoryview]:
    """Yield a table's rows as text, of one crontab or of all."""
    where: sql.Composable = sql.SQL("")
    if own is not None and table == "crontabs":
        where = sql.SQL("where id = {}").format(own)
    elif own is not None and "crontab" in names:
        where = sql.SQL("where crontab = {}").format(own)
    query = sql.SQL("copy (select {} from {} {}) to stdout").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(table), where
    )
    with cursor(connection) as raw, raw.copy(query) as copy:
        yield from copy


def load(connection: Connection, table: str, names: Sequence[str], blocks: Iterable[bytes]) -> int:
    """Put rows into a table. Returns their number."""
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
    """Give the driver's cursor in a connection's transaction: SQLAlchemy does not support COPY."""
    driver = connection.connection.driver_connection
    with cast(psycopg.Connection[Any], driver).cursor() as raw:
        yield raw
