"""Keys of the HTTP service."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
