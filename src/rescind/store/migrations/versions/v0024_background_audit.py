"""Rounds of the background audit, and leases of tasks that one process at a time does."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
