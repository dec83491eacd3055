"""Alembic's entry: runs on the connection that `portal.schema` opened as the schema's owner."""

from alembic import context

from portal import schema
from portal.db import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    compare_type=True,
    transaction_per_migration=True,
    include_name=lambda name, kind, _parents: kind != "table" or not schema.is_a_part(name or ""),
)
with context.begin_transaction():
    context.run_migrations()
