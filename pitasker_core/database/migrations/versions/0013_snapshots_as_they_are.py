"""Store the texts of new snapshots uncompressed.

To compress 1,000 entries took longer than all else that an edit of one of them asks of PostgreSQL,
and saved 40 per cent: ids do not compress.
"""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("alter table snapshots alter column bytes set storage external")


def downgrade() -> None:
    op.execute("alter table snapshots alter column bytes set storage extended")
