"""When the changes were recorded whose enforcement is on record."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
