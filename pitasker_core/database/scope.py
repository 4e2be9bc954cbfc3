"""The scope of a connection: one crontab's rows, and no others.

Several hosts and users may share a database. PostgreSQL itself keeps them apart, by row-level
security on every table that has a column `crontab`. A filter in each query could be forgotten in
the next one; this holds for ORM, Core and raw SQL alike.

A connection of PiTasker names its crontab in the setting `pitasker.crontab`. One without it (a
migration, `pg_dump`, another program) sees all rows: this is a guard against our own mistakes,
not against people who have the database's password.

Row-level security does not hold for superusers. A superuser's connection therefore takes the role
`pitasker_scope`, which has no rights but to these rows. (Roles belong to a server, not a database.)
"""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import Code, Text

CRONTAB = "crontab"
"""Where a connection's `info` has the id of its crontab."""

# The policy reads the setting in a sub-select: that is computed once a query, not once a row.
_PROTECT = """
do $$
declare name text;
begin
    for name in
        select attrelid::regclass from pg_attribute join pg_class on pg_class.oid = attrelid
        where attname = 'crontab' and not attisdropped and relkind = 'r'
            and relnamespace = current_schema::regnamespace
    loop
        execute format('alter table %s enable row level security', name);
        execute format('alter table %s force row level security', name);
        execute format('drop policy if exists own_crontab on %s', name);
        execute format(
            $policy$create policy own_crontab on %s
                using (
                    crontab = (select nullif(current_setting('pitasker.crontab', true), '')::int)
                    or (select nullif(current_setting('pitasker.crontab', true), '')) is null
                )$policy$,
            name
        );
    end loop;
    if (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) then
        if not exists (select from pg_roles where rolname = 'pitasker_scope') then
            create role pitasker_scope nologin;
        end if;
        execute format('grant pitasker_scope to %I', current_user);
        execute format('grant usage on schema %I to pitasker_scope', current_schema);
        -- Not TRUNCATE: row-level security does not hold for it.
        execute format(
            'grant select, insert, update, delete on all tables in schema %I to pitasker_scope',
            current_schema
        );
        execute format(
            'grant usage on all sequences in schema %I to pitasker_scope', current_schema
        );
    end if;
end $$
"""

_UNPROTECTED = """
select count(*) from pg_attribute join pg_class on pg_class.oid = attrelid
where attname = 'crontab' and not attisdropped and relkind = 'r'
    and relnamespace = current_schema::regnamespace
    and (
        not (relrowsecurity and relforcerowsecurity)
        or not exists (select from pg_policy where polrelid = attrelid)
        or (
            (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)
            and not coalesce((
                select has_table_privilege(oid, attrelid, 'insert')
                from pg_roles where rolname = 'pitasker_scope'
            ), false)
        )
    )
"""


_ENTER = text("select set_config('pitasker.crontab', :crontab, false)")
_NAME = text("select set_config('pitasker.crontab', :crontab, true)")
_PASSES = text("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
_HOLDS = text("select row_security_active('tasks')")


def enter(connection: Connection, crontab_row: int) -> None:
    """Bind a connection to a crontab until it is closed. Raises DatabaseError if it cannot be."""
    connection.execute(_ENTER, {"crontab": str(crontab_row)})
    if connection.scalar(_PASSES):
        connection.execute(text("set role pitasker_scope"))
    if not connection.scalar(_HOLDS):
        raise DatabaseError("This database does not keep the rows of several crontabs apart.")


def name_crontab(connection: Connection, crontab_row: int) -> None:
    """Name the crontab of new rows for the rest of a transaction on the rows of all crontabs."""
    connection.execute(_NAME, {"crontab": str(crontab_row)})


def protect(connection: Connection) -> None:
    """Let PostgreSQL keep each crontab's rows apart, in every table that has a column `crontab`.

    Raises DatabaseError for a user whom it would not keep apart, and who may not make the role.
    """
    passes = connection.scalar(_PASSES)
    try:
        connection.execute(text(_PROTECT))
    except ProgrammingError as problem:
        if not passes or not isinstance(problem.orig, InsufficientPrivilege):
            raise
        raise DatabaseError(
            "The database's user passes row-level security, and may not make the role "
            "pitasker_scope that keeps several crontabs apart.",
            Text(
                "Let ",
                Code("DATABASE_URL"),
                " name an ordinary user who owns the database, or run ",
                Code("alter role NAME nobypassrls"),
                " as a superuser. Nothing was changed.",
            ),
        ) from problem


def is_protected(connection: Connection) -> bool:
    """Whether `protect` has done its work on all tables. A restored database lost part of it."""
    return not connection.scalar(text(_UNPROTECTED))
