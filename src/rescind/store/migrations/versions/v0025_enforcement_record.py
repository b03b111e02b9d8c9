"""Which replicas a revoking change was enforced on."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
