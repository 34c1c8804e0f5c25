"""What Alembic runs for each of its commands; `gateway.storage.migrate` hands it the open connection."""

from alembic import context

from gateway.storage.tables import GatewayTable

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=GatewayTable.metadata,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
