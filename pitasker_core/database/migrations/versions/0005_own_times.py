"""When a task's definition changed last, and when a crontab was last in step."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIME = sa.TIMESTAMP(timezone=True)
_DEFINITION = ("cron_schedule", "command", "paused", "is_system_managed", "deleted_at")


def upgrade() -> None:
    op.add_column("crontabs", sa.Column("synced_at", _TIME))
    op.execute("""
        update crontabs set synced_at = (
            select max(started_at) from sync_operations
            where sync_operations.crontab = crontabs.id and outcome <> 'failed'
        )
    """)
    op.add_column("tasks", sa.Column("definition_changed_at", _TIME, server_default=sa.func.now()))
    op.execute("update tasks set definition_changed_at = coalesce(updated_at, created_at, now())")
    op.alter_column("tasks", "definition_changed_at", nullable=False)
    # In the database, because several statements write tasks, and a person may use psql.
    old, new = (", ".join(f"{row}.{name}" for name in _DEFINITION) for row in ("old", "new"))
    op.execute(f"""
        create function date_definition() returns trigger language plpgsql as $$
        begin
            new.definition_changed_at := clock_timestamp();
            return new;
        end $$;
        create trigger tasks_date_definition before update on tasks for each row
        when (({old}) is distinct from ({new})) execute function date_definition()
    """)
