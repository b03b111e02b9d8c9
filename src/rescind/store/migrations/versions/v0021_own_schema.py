"""A schema, or a prefix, of Rescind's own."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
