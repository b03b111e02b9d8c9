"""The app: its checks and signals, and what `manage.py migrate` makes beside the tables."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError, connections
from django.db.models.signals import post_migrate

from rescind.changes import CreateOrganization
from rescind.errors import OrganizationExists, SchemaMissing, SchemaTooOld


class RescindConfig(AppConfig):
    """`rescind.integrations.django` in INSTALLED_APPS. Its label is `rescind`."""

    name = "rescind.integrations.django"
    label = "rescind"
    verbose_name = "Access"

    def ready(self) -> None:
        from rescind.integrations.django import checks, signals
        from rescind.integrations.django.options import options

        checks.connect()
        signals.connect()
        post_migrate.connect(bring_in_step, sender=self, dispatch_uid="rescind.in_step")
        _let_tests_copy(connections[options().database])


def bring_in_step(using: str, **given: Any) -> None:
    """After `migrate`, whichever migrations it ran: the schema is that of this code, and the only
    organization is there. After `flush`, which empties Django's tables alone: nothing is left of their rows,
    whose numbers may be given again.
    """
    from rescind.integrations.django import schema_migration
    from rescind.integrations.django.checks import require_usable_schema
    from rescind.integrations.django.opened import close, open_authority
    from rescind.integrations.django.options import options

    chosen = options()
    if using != chosen.database:
        return
    try:
        require_usable_schema(chosen)
    except (SchemaMissing, SchemaTooOld):
        schema_migration.upgrade(chosen)
    is_flush = "plan" not in given
    if is_flush:
        from rescind.integrations.django import pruning

        pruning.prune()
        close()
    if chosen.organization is None:
        return
    # Not the project's authority: a database with open connections cannot be copied for parallel tests.
    with open_authority(chosen) as authority:
        try:
            authority.apply([CreateOrganization()], actor=schema_migration.ACTOR)
        except OrganizationExists:
            return  # it has a name, or a rule for ids, of its own


def _let_tests_copy(connection: Any) -> None:
    """Close the authority before Django's tests copy or drop their database, which has no other connections
    then, and write all of an SQLite database to its file, which is what is copied for parallel tests.
    """
    from rescind.integrations.django.opened import close

    creation = connection.creation
    clone, destroy = creation.clone_test_db, creation.destroy_test_db

    def clone_test_db(*arguments: Any, **named: Any) -> Any:
        close()
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy = cursor.fetchone()[0]
            if is_busy:
                raise DatabaseError("the test database has other connections: it cannot be copied")
        return clone(*arguments, **named)

    def destroy_test_db(*arguments: Any, **named: Any) -> Any:
        close()
        return destroy(*arguments, **named)

    creation.clone_test_db, creation.destroy_test_db = clone_test_db, destroy_test_db
