"""The log of service actions."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
