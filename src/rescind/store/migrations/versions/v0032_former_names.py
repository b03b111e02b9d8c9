"""The names of deleted organizations are found by an index."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
