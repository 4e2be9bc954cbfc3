"""Load the rows of a backup into a schema of their own, and copy them into the tables.

Our own migrations first make the tables of the backup's version in the schema. Then the rows are
loaded and migrated to this version. So nothing from a backup is executed, and a backup of any
version can be restored. All of this happens in the caller's transaction, so nobody else sees the
schema.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Composable, Identifier
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from pitasker_core import database
from pitasker_core.backup import rows
from pitasker_core.backup.contents import Contents, Source, tables
from pitasker_core.base.errors import DatabaseError, InvalidSyntax
from pitasker_core.base.text import marked
from pitasker_core.database import scope
from pitasker_core.database.tables import Base, OperationRow

_SETTINGS = "^(preferences|notifications|template:.*)$"
"""The keys of settings that are restored."""


@contextmanager
def staged(connection: Connection, contents: Contents) -> Iterator[str]:
    """Give the name of a schema with a backup's rows, in tables of this version.

    Raises InvalidSyntax for rows that these tables refuse.
    """
    schema = f"pitasker_restore_{uuid4().hex}"
    main = str(connection.scalar(text("select current_schema()")))
    try:
        _run(connection, "create schema {}", Identifier(schema))
    except psycopg.errors.InsufficientPrivilege as problem:
        raise DatabaseError(
            "A restore makes a temporary schema, and the database's user may not do that.",
            marked("The owner can allow it: `grant create on database NAME to USER`."),
        ) from problem
    try:
        _enter(connection, schema)
        _load(connection, contents)
        _enter(connection, main)
        yield schema
        _run(connection, "drop schema {} cascade", Identifier(schema))
    except (psycopg.Error, DBAPIError) as problem:
        cause = problem.orig if isinstance(problem, DBAPIError) else problem
        if not isinstance(cause, (psycopg.DataError, psycopg.IntegrityError)):
            raise
        reason = str(cause).split("\n", 1)[0]
        raise InvalidSyntax(
            f"{contents.file} has rows that PiTasker did not write: {reason}.",
            "Nothing was changed.",
        ) from problem


def replace_tables(connection: Connection) -> None:
    """Replace all tables, of whatever version, by empty tables of this version."""
    connection.execute(text(_KEEP_TOKENS))
    present = [*rows.tables(connection), *rows.LEFT_OUT, "alembic_version"]
    functions = connection.scalars(_FUNCTIONS, {"tables": present}).all()
    _run(connection, "drop table {}", SQL(", ").join(map(Identifier, present)))
    for function in functions:
        connection.execute(text(f"drop function {function}"))  # as PostgreSQL itself quotes it
    database.upgrade(connection)
    scope.protect(connection)


def restore_tokens(connection: Connection, own: int) -> None:
    """Give a crontab the tokens that there were before `replace_tables`."""
    connection.execute(text(_TAKE_TOKENS), {"own": own})


_KEEP_TOKENS = """
    create temporary table kept_tokens on commit drop as
        select name, sha256, may_write, created_at, used_at from tokens
"""
_TAKE_TOKENS = """
    insert into tokens (crontab, name, sha256, may_write, created_at, used_at)
        select :own, name, sha256, may_write, created_at, used_at from kept_tokens
"""

# The functions of these tables: those of their triggers, and of their columns' defaults.
_FUNCTIONS = text("""
    with ours as (
        select oid from pg_class
        where relname = any(:tables) and relnamespace = current_schema::regnamespace
    )
    select cast(oid::regprocedure as text) from pg_proc
    where pronamespace = current_schema::regnamespace and oid in (
        select tgfoid from pg_trigger where tgrelid in (select oid from ours)
        union select refobjid from pg_depend join pg_attrdef on pg_attrdef.oid = objid
            where classid = 'pg_attrdef'::regclass and refclassid = 'pg_proc'::regclass
                and adrelid in (select oid from ours)
    )
""")


def _load(connection: Connection, contents: Contents) -> None:
    database.upgrade(connection, contents.revision)
    # Rows come in any order, so foreign keys are checked when all rows are loaded.
    keys = _drop_foreign_keys(connection)
    with tables(contents) as stream:
        for table in stream:
            if table.name in rows.LEFT_OUT:
                for _ in table.blocks:
                    pass
                continue
            for name in set(table.columns) - set(rows.columns(connection, table.name)):
                # A person may have added columns to the table of tasks.
                if table.name != "tasks":
                    raise psycopg.DataError(f"{table.name} has no column {name}")
                _add_column(connection, table.name, name)
            if rows.load(connection, table.name, table.columns, table.blocks) != contents.rows.get(
                table.name
            ):
                raise psycopg.DataError(f"the table {table.name} has another number of rows")
    _add_foreign_keys(connection, keys)
    database.upgrade(connection)
    # Rows may get new ids in the schema.
    _add_foreign_keys(connection, _drop_foreign_keys(connection), " on update cascade")


def replace_rows(
    connection: Connection, schema: str, source: Source | None, own: int, *, at_home: bool
) -> None:
    """Replace all rows of our crontab by the rows of one crontab in a schema.

    A row gets a new id if another crontab's row has its id. Tokens and the background's state of
    this machine are not restored. On the same machine the position in cron's log is restored, so
    that PiTasker reads the log since the backup again.
    """
    present = rows.tables(connection)
    staging = Identifier(schema)
    number = source.id if source else _only_crontab(connection, schema)
    _keep_own_rows(connection, schema, present, number)
    _run(connection, "delete from {}.settings where key !~ {}", staging, _SETTINGS)
    log_position = f"log:{number}" if at_home else ""
    _run(connection, "delete from {}.state where key <> {}", staging, log_position)
    _run(connection, "update {}.state set key = {}", staging, f"log:{own}")
    # Notices sent since the backup are not sent again.
    _run(connection, _SENT, staging)
    _run(connection, _PINGED, staging)
    _run(connection, "update {}.crontabs set id = {} where id = {}", staging, own, number)
    new_ids = {table: _free_ids(connection, schema, table, own) for table in present}
    for table in reversed(present):
        if table != "crontabs":
            _run(connection, "delete from {}{}", Identifier(table), _of_crontab(table, own))
    for table in present:
        if table != "crontabs":
            _copy(connection, schema, table)
    _rename_in_details(connection, own, new_ids["tasks"])


def _only_crontab(connection: Connection, schema: str) -> int:
    """Return the crontab of a backup without names: the migrations made it. 0 if there is none."""
    result = _run(connection, "select min(id), 0 from {}.crontabs", Identifier(schema))
    return result[0][0] or 0


def _rename_in_details(connection: Connection, own: int, new_ids: dict[int, int]) -> None:
    """Replace the old ids of tasks in recorded operations by the new ids."""
    if not new_ids:
        return
    for row in connection.execute(
        select(OperationRow.id, OperationRow.details).where(OperationRow.crontab_row == own)
    ).all():
        details = dict(row.details)
        for kind in ("pushed", "pulled", "conflicts"):
            details[kind] = [
                {**change, "task": new_ids.get(change["task"], change["task"])}
                for change in details.get(kind, [])
            ]
        failed = details.get("failed", {})
        details["failed"] = {
            str(new_ids.get(int(task), int(task))): reason for task, reason in failed.items()
        }
        connection.execute(
            update(OperationRow).where(OperationRow.id == row.id).values(details=details)
        )


_SENT = """
    update {}.notices as old set sent_at = new.sent_at, deliveries = new.deliveries
    from notices as new where (new.id, new.kind, new.at) = (old.id, old.kind, old.at)
        and old.sent_at is null
"""
_PINGED = """
    update {}.runs as old set pings = new.pings
    from runs as new where (new.id, new.started_at) = (old.id, old.started_at)
        and old.pings is not null
"""


def _keep_own_rows(connection: Connection, schema: str, present: list[str], source: int) -> None:
    for table in reversed(present):
        column = "id" if table == "crontabs" else "crontab"
        if column in {column.name for column in Base.metadata.tables[table].columns}:
            names = map(Identifier, (schema, table, column))
            _run(connection, "delete from {}.{} where {} <> {}", *names, source)


def _free_ids(connection: Connection, schema: str, table: str, own: int) -> dict[int, int]:
    """Give new ids to rows whose ids other crontabs' rows have. Returns {old id: new id}."""
    described = Base.metadata.tables[table].columns
    if table == "crontabs" or "id" not in described or "crontab_row" not in described:
        return {}
    names = {"table": Identifier(table), "staged": Identifier(schema, table), "own": own}
    sequence = SQL("pg_get_serial_sequence(current_schema || '.' || {}, 'id')").format(table)
    _run(connection, _ADVANCE_SEQUENCE, sequence=sequence, **names)
    return dict(_run(connection, _RENUMBER, sequence=sequence, **names))


_ADVANCE_SEQUENCE = """
    select setval({sequence}, greatest(
        (select max(id) from {table}), (select max(id) from {staged}), 1
    ))
"""
_RENUMBER = """
    with taken as materialized (
        select staged.id as old, nextval({sequence}) as new
        from {staged} as staged join {table} as present using (id)
        where present.crontab is distinct from {own}
    )
    update {staged} as staged set id = taken.new from taken where staged.id = taken.old
    returning taken.old, taken.new
"""


def _copy(connection: Connection, schema: str, table: str) -> None:
    """Insert the rows of a schema's table. Adds columns that a person added to the old table."""
    names = rows.columns(connection, table, schema)
    for name in names:
        if name not in rows.columns(connection, table):
            _add_column(connection, table, name)
    types = rows.types(connection, table)
    values = [SQL("cast({} as {})").format(Identifier(name), SQL(types[name])) for name in names]
    _run(
        connection,
        "insert into {} ({}) select {} from {}",
        Identifier(table),
        SQL(", ").join(map(Identifier, names)),
        SQL(", ").join(values),
        Identifier(schema, table),
    )


def _of_crontab(table: str, own: int) -> Composable:
    if "crontab_row" not in Base.metadata.tables[table].columns:
        return SQL("")
    return SQL(" where crontab = {}").format(own)


def _add_column(connection: Connection, table: str, name: str) -> None:
    _run(connection, "alter table {} add column {} text", Identifier(table), Identifier(name))


def _drop_foreign_keys(connection: Connection) -> list[tuple[str, str, str]]:
    """Drop the foreign keys of the current schema. Returns table, name and definition of each."""
    keys = [
        (str(table), str(name), str(definition))
        for table, name, definition in connection.execute(_FOREIGN_KEYS)
    ]
    for table, name, _ in keys:
        names = Identifier(table), Identifier(name)
        _run(connection, "alter table {} drop constraint {}", *names)
    return keys


_FOREIGN_KEYS = text("""
    select relname, conname, pg_get_constraintdef(pg_constraint.oid)
    from pg_constraint join pg_class on pg_class.oid = conrelid
    where contype = 'f' and connamespace = current_schema::regnamespace
""")


def _add_foreign_keys(
    connection: Connection, keys: list[tuple[str, str, str]], more: str = ""
) -> None:
    for table, name, definition in keys:
        parts = Identifier(table), Identifier(name), SQL(definition + more)
        _run(connection, "alter table {} add constraint {} {}", *parts)


def _enter(connection: Connection, schema: str) -> None:
    _run(connection, "set local search_path to {}", Identifier(schema))


def _run(
    connection: Connection, statement: LiteralString, *parts: Any, **named: Any
) -> list[tuple[int, int]]:
    """Run a statement with these parts in its placeholders. Returns its rows, if it has some."""
    with rows.cursor(connection) as raw:
        raw.execute(SQL(statement).format(*parts, **named))
        return raw.fetchall() if raw.description else []
