"""Which server answers."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
