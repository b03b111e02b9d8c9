"""Which code may use the schema, and which incarnation of the database this is."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
