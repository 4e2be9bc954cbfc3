"""The scope of a connection: the rows of one crontab.

Several hosts and users may share a database. PostgreSQL keeps them apart by row-level security on
every table with a column `crontab`. A filter in each query could be forgotten; this also holds for
raw SQL.

Each of our connections names its crontab in the setting `pitasker.crontab`. A connection without
it (a migration, `pg_dump`, another program) sees all rows. This protects against mistakes in our
code, not against people who have the database's password.

Row-level security does not apply to superusers. So a superuser's connection takes the role
`pitasker_scope`, which has rights to these rows only. (Roles belong to a server, not a database.)
"""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import marked

CRONTAB = "crontab"
"""The key of the crontab's id in a connection's `info`."""

# The sub-select makes PostgreSQL read the setting once for each query, not for each row.
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
        -- Not TRUNCATE, because row-level security does not apply to it.
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
    """Restrict a connection to a crontab until it is closed. Raises DatabaseError."""
    connection.execute(_ENTER, {"crontab": str(crontab_row)})
    if connection.scalar(_PASSES):
        connection.execute(text("set role pitasker_scope"))
    if not connection.scalar(_HOLDS):
        raise DatabaseError("This database does not keep the rows of several crontabs apart.")


def name_crontab(connection: Connection, crontab_row: int) -> None:
    """Set the crontab of new rows for the rest of a transaction that sees all crontabs."""
    connection.execute(_NAME, {"crontab": str(crontab_row)})


def protect(connection: Connection) -> None:
    """Enable row-level security on every table with a column `crontab`.

    Raises DatabaseError if the user bypasses it and may not create the role.
    """
    passes = connection.scalar(_PASSES)
    try:
        connection.execute(text(_PROTECT))
    except ProgrammingError as problem:
        if not passes or not isinstance(problem.orig, InsufficientPrivilege):
            raise
        raise DatabaseError(
            "The database's user bypasses row-level security, and may not create the role "
            "pitasker_scope that keeps several crontabs apart.",
            marked(
                "Let `DATABASE_URL` name an ordinary user who owns the database, or run "
                "`alter role NAME nobypassrls` as a superuser. Nothing was changed."
            ),
        ) from problem


def is_protected(connection: Connection) -> bool:
    """Whether all tables are protected. A restored database may have lost part of it."""
    return not connection.scalar(text(_UNPROTECTED))
