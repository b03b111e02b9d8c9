"""The service: what keys are bound to, when changes were enforced, and events of all changes."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
