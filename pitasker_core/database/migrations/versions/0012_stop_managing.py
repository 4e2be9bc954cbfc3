"""Name the operation `release` by what it does: stop managing."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    rename("release", "stop managing")
    rename_event("released", "no longer managed")


def downgrade() -> None:
    rename("stop managing", "release")
    rename_event("no longer managed", "released")


def rename(old: str, new: str) -> None:
    op.execute(f"update sync_operations set kind = '{new}' where kind = '{old}'")  # noqa: S608
    op.execute(f"update snapshots set reason = '{new}' where reason = '{old}'")  # noqa: S608


def rename_event(old: str, new: str) -> None:
    op.execute(f"update events set kind = '{new}' where kind = '{old}'")  # noqa: S608
