"""Spellings of ids: rules for them, and look-alikes; and names as a search looks for them."""

from alembic import op

from rescind.store.migrations import run_script
from rescind.store.migrations.spellings import fill_spellings

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    run_script(op.get_bind(), revision)
    fill_spellings(op.get_bind())
