"""How Alembic runs a migration: on the connection that `database.migrate` hands over."""

from alembic import context

from pitasker_core.database.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
