"""Notify PiTasker when tasks are changed by something else, such as psql."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # PiTasker's own changes are followed by a sync at once: they need no wake-up.
    op.execute("""
        create function notify_pitasker() returns trigger language plpgsql as $$
        begin
            if current_setting('application_name') <> 'pitasker' then
                perform pg_notify('pitasker', tg_op);
            end if;
            return null;
        end $$
    """)
    op.execute("""
        create trigger tasks_notify after insert or update or delete on tasks
        for each statement execute function notify_pitasker()
    """)
