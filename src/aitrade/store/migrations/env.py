"""What Alembic runs: migrations over the connection that `store.database` hands it."""

from alembic import context

from aitrade.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
