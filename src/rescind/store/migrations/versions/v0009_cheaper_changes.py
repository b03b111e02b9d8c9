"""What a change costs on PostgreSQL."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
