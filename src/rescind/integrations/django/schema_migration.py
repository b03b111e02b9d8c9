"""The operation of Rescind's migrations in Django: its own migrations, which also upgrade a database that
`rescind migrate` made.

They run on a connection of their own, in one transaction: interrupted anywhere, the database is as it was,
and Django runs the operation again.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.migrations.operations.base import Operation

from rescind.integrations.django.opened import close, database_url
from rescind.integrations.django.options import Options, options

ACTOR: Final = "manage.py migrate"


def upgrade(chosen: Options) -> None:
    """Bring Rescind's tables to the version of this code. Raises as `rescind.store.migrations.migrate`."""
    from rescind.store.migrations import migrate  # with Alembic, which nothing else needs

    close()
    migrate(database_url(chosen), actor=ACTOR)


class UpgradeSchema(Operation):
    """Bring Rescind's tables to the version of this code, which is this one or a later one.

    It cannot be undone: the facts and their log would be lost.
    """

    reversible = False
    reduces_to_sql = False
    elidable = False

    def __init__(self, version: str) -> None:
        self.version = version

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Django's models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        del app_label, from_state, to_state
        chosen = options()
        if schema_editor.connection.alias != chosen.database:
            return
        upgrade(chosen)

    def describe(self) -> str:
        return f"Bring Rescind's tables to version {self.version}"
