"""Snapshots of organizations, for questions about the past."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
