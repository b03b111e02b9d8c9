"""Deleted organizations that are cleared away later; what a change follows from."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
