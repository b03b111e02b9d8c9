"""An index for lists of who can."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
