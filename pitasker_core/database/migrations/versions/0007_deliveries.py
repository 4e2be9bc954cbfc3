"""Keep what became of each notice in each channel: limits and retries are a channel's own."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        alter table notices add column deliveries jsonb not null default '{}';
        update notices set deliveries = (
            select jsonb_object_agg(name, jsonb_build_object('sent_at', coalesce(sent_at, at)))
            from unnest(sent_to) as name
        ) where cardinality(sent_to) > 0;
        alter table notices drop column tries, drop column sent_to;
    """)
