"""Access reviews."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
