"""Rename the preference `adopt_new` to `import_new`."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    rename("adopt_new", "import_new")


def downgrade() -> None:
    rename("import_new", "adopt_new")


def rename(old: str, new: str) -> None:
    op.execute(f"""
        update settings
        set value = (value - '{old}') || jsonb_build_object('{new}', value -> '{old}')
        where key = 'preferences' and value ? '{old}'
    """)  # noqa: S608 - the names are ours
