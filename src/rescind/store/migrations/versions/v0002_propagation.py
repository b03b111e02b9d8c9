"""Background propagation: pending work, and what it needs to know of facts that were taken back."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
