"""Move what PiTasker remembers about its own work from `settings` to a table of its own."""

from alembic import op

revision = "0010"
down_revision = "0009"

_STATE = """
    key in ('open conflicts', 'findings')
        or key ~ '^(job|log|spool|missed|conflicts):'
"""


def upgrade() -> None:
    op.execute(f"""
        create table state (
            crontab integer not null default pitasker_crontab() references crontabs,
            key text not null,
            value jsonb not null,
            updated_at timestamptz not null default now(),
            primary key (crontab, key)
        );
        insert into state (crontab, key, value, updated_at)
            select crontab, key, value, updated_at from settings where {_STATE};
        delete from settings where {_STATE};
    """)  # noqa: S608 - the condition is ours


def downgrade() -> None:
    op.execute("""
        insert into settings (crontab, key, value, updated_at)
            select crontab, key, value, updated_at from state;
        drop table state;
    """)
