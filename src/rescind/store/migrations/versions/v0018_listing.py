"""Who put whom into a group is kept, and lists have indexes."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
