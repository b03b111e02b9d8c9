"""What a row of the view for SQL weighs is told to the planner."""

from alembic import op

from rescind.store.migrations import run_script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
