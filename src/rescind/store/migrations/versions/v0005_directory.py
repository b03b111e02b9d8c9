"""The directory: what the management API keeps beside the facts."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
