"""The digest of each change, and where the kept log begins."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
