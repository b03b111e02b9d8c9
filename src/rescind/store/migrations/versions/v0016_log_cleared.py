"""When a change was enforced is kept as long as the change is in the log."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
