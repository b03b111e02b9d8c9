"""A required role keeps its last active holder."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
