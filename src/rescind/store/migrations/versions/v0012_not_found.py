"""What a change did not find, kept with its key."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
