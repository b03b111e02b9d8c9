"""Alembic's entry point: run on the connection that `migrate` hands over."""

from alembic import context

from rescind.store.migrations.scripts import schema_of

connection = context.config.attributes["connection"]
is_sqlite = connection.dialect.name == "sqlite"
context.configure(
    connection=connection,
    transactional_ddl=False,
    version_table="rescind_schema_version" if is_sqlite else "schema_version",
    version_table_schema=None if is_sqlite else schema_of(connection),
)
context.run_migrations()
