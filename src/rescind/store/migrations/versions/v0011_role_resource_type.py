"""Roles that are for resources of one type."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
