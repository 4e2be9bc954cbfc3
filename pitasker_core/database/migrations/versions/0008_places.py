"""Remember where an entry stood that was taken out, and whose comments stand above a name."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        alter table sync_base add column above text[] not null default '{}';
        create table places (
            crontab integer not null default pitasker_crontab() references crontabs,
            tag uuid not null,
            text bytea not null,
            line integer not null,
            comment_is_ours boolean not null,
            primary key (crontab, tag)
        )
    """)
