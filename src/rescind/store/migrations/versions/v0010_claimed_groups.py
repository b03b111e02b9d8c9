"""Chunks of background work write the groups that they lock."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
