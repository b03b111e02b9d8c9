"""Facts, effective roles and the change log."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_script(op.get_bind(), revision)
