"""Give each row its crontab, each crontab its machine, and what pruning scans its index.

Rows that named no crontab (database-only tasks, settings, events, tokens) go to the only crontab.
Where there are several, a token goes to the oldest crontab, an event to that of its task, and every
crontab gets a copy of the preferences and the notification rules, which were the same for all.
Where there is none yet, the rows belong to whoever runs this migration.
"""

from alembic import op
from sqlalchemy import text

from pitasker_core.base import identity

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        alter table crontabs add column machine text;
        drop index crontabs_host_user;
        create unique index crontabs_identity on crontabs (host, "user", coalesce(machine, ''));

        alter table events add column crontab integer references crontabs;
        alter table tokens add column crontab integer references crontabs;
        alter table settings add column crontab integer references crontabs;
        alter table settings drop constraint settings_pkey;
    """)
    first = oldest_crontab()
    if first is not None:
        give_rows_to(first)
    # The crontab of a new row: that of the connection, or the only one for a program that is not
    # PiTasker, such as psql.
    op.execute("""
        create or replace function pitasker_crontab() returns integer language sql stable as $$
            select coalesce(
                nullif(current_setting('pitasker.crontab', true), '')::integer,
                (select min(id) from crontabs having count(*) = 1)
            )
        $$
    """)
    for table in (
        "tasks",
        "sync_base",
        "sync_operations",
        "snapshots",
        "runs",
        "notices",
        "events",
        "tokens",
        "settings",
    ):
        op.execute(f"""
            alter table {table}
                alter crontab set not null, alter crontab set default pitasker_crontab()
        """)
    op.execute("""
        alter table settings add primary key (crontab, key);

        alter table sync_base drop constraint sync_base_pkey;
        drop index sync_base_crontab;
        alter table sync_base add primary key (crontab, tag);

        drop index tasks_crontab_id;
        create unique index tasks_crontab_id on tasks (crontab, crontab_id);
        create index tasks_deleted on tasks (crontab) where deleted_at is not null;

        alter table runs drop constraint runs_name_key;
        alter table runs add constraint runs_crontab_name unique (crontab, name);

        drop index events_at;
        create index events_at on events (crontab, at);
        create index events_newest on events (crontab, id);
        create index events_task on events (task);

        drop index sync_operations_started_at;
        create index sync_operations_started on sync_operations (crontab, started_at);
        create index sync_operations_newest on sync_operations (crontab, id);
        create index sync_operations_before on sync_operations (before);
        create index sync_operations_after on sync_operations (after);

        create index snapshots_newest on snapshots (crontab, id);
        create index notices_task on notices (task);
    """)


def oldest_crontab() -> int | None:
    """The crontab for rows that name none; None when there are neither crontabs nor such rows."""
    oldest: int | None = op.get_bind().scalar(text("select min(id) from crontabs"))
    if oldest is not None:
        return oldest
    rows = "select 1 from tasks union all select 1 from events"
    rows += " union all select 1 from tokens union all select 1 from settings limit 1"
    if op.get_bind().scalar(text(rows)) is None:
        return None
    us = identity.current()
    made: int | None = op.get_bind().scalar(
        text('insert into crontabs (host, "user", machine) values (:h, :u, :m) returning id'),
        {"h": us.host, "u": us.user, "m": us.machine},
    )
    return made


def give_rows_to(first: int) -> None:
    """Give rows without a crontab theirs: their task's, or else the oldest."""
    op.execute(f"""
        update tasks set crontab = {first} where crontab is null;
        update runs set crontab = coalesce(
            (select tasks.crontab from tasks where tasks.id = runs.task), {first}
        ) where crontab is null;
        update events set crontab = coalesce(
            (select tasks.crontab from tasks where tasks.id = events.task), {first}
        );
        update tokens set crontab = {first};

        -- What the background remembers has the crontab's number at the end of its key.
        update settings set crontab = crontabs.id from crontabs
            where settings.key like '%:' || crontabs.id;
        update settings set crontab = {first} where crontab is null;
        insert into settings (crontab, key, value, updated_at)
            select crontabs.id, settings.key, settings.value, settings.updated_at
            from settings, crontabs
            where crontabs.id <> {first} and settings.key in ('preferences', 'notifications');
    """)  # noqa: S608 - the number is ours
