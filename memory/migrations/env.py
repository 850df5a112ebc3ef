"""Runs the versions on the connection it is given; LangGraph makes and keeps its own tables."""

from alembic import context

from memory.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # LangGraph's tables are in the same database, and none of ours.
    include_name=lambda name, kind, _: kind != "table" or name in Base.metadata.tables,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
