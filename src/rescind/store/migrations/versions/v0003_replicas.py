"""Replicas: who holds an index in memory, under which lease, and at which revision."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
