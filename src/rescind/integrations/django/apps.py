"""The app: its checks and signals, and what `manage.py migrate` makes beside the tables."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
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
        _close_before_destruction(connections[options().database].creation)


def bring_in_step(using: str, **_: Any) -> None:
    """After `migrate`, whichever migrations it ran: the schema is that of this code, and the only
    organization is there.
    """
    from rescind.integrations.django import schema_migration
    from rescind.integrations.django.checks import require_usable_schema
    from rescind.integrations.django.opened import open_authority
    from rescind.integrations.django.options import options

    chosen = options()
    if using != chosen.database:
        return
    try:
        require_usable_schema(chosen)
    except (SchemaMissing, SchemaTooOld):
        schema_migration.upgrade(chosen)
    if chosen.organization is None:
        return
    # Not the project's authority: a database with open connections cannot be copied for parallel tests.
    with open_authority(chosen) as authority:
        try:
            authority.apply([CreateOrganization()], actor=schema_migration.ACTOR)
        except OrganizationExists:
            return  # it has a name, or a rule for ids, of its own


def _close_before_destruction(creation: Any) -> None:
    """Close the authority before Django's tests drop their database, which cannot have connections then."""
    from rescind.integrations.django.opened import close

    destroy = creation.destroy_test_db

    def destroy_test_db(*arguments: Any, **named: Any) -> Any:
        close()
        return destroy(*arguments, **named)

    creation.destroy_test_db = destroy_test_db
