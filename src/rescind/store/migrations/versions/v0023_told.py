"""What has been told of nestings, roles and expiry."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
