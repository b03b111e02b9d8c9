"""How due work is found, and what is settled."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
