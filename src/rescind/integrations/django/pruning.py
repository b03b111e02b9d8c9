"""What Rescind still has of users, groups and objects that are gone from Django.

Rows that Django deletes without signals (raw SQL, `_raw_delete`, `flush`, historical models of migrations)
leave their memberships, groups and resources behind. Whoever gets the same id next would have their roles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connections, router

from rescind import changes
from rescind.changes import Change
from rescind.errors import OrganizationNotFound, ResourceTypeNotFound
from rescind.integrations.django.memberships import REASON
from rescind.integrations.django.naming import (
    GROUP_PREFIX,
    group_of,
    memberships_of,
    organization_of,
    subject_of,
)
from rescind.integrations.django.opened import authority, engine_of
from rescind.integrations.django.options import options
from rescind.integrations.django.resources import MODELS, Registration
from rescind.integrations.django.signals import organizations_of_groups
from rescind.integrations.django.transactions import apply
from rescind.store.queries import named

PAGE: Final = 1_000


def leftovers() -> Iterator[tuple[str, str, list[Change]]]:
    """What would be removed: of what kind, in which organization, and the changes that remove it."""
    chosen = options()
    for organization in organizations():
        if chosen.sync_users:
            yield from _told("memberships", organization, _memberships)
        if chosen.sync_groups and organization in organizations_of_groups():
            yield from _told("groups", organization, _groups)
        for found in list(MODELS.values()):
            if found.is_synced:
                find = partial(_resources, found)
                yield from _told(f"{found.type} resources", organization, find)


def prune() -> None:
    """Remove it, with the roles that it has. When this returns, that is enforced."""
    for _, organization, batch in leftovers():
        apply(batch, organization=organization, reason=REASON)


def organizations() -> tuple[str, ...]:
    """The project's only organization, or all that the database has for a project with several tenants."""
    chosen = options()
    if chosen.organization is not None:
        return (chosen.organization,)
    table = named("rescind.organization", engine_of(chosen.database), chosen.schema)
    with connections[chosen.database].cursor() as cursor:
        cursor.execute(f"SELECT slug FROM {table} WHERE slug IS NOT NULL AND id > 0 ORDER BY id")
        return tuple(slug for (slug,) in cursor.fetchall())


def _told(
    what: str, organization: str, find: Callable[[str], Iterator[list[Change]]]
) -> Iterator[tuple[str, str, list[Change]]]:
    for batch in find(organization):
        if batch:
            yield what, organization, batch


def _memberships(organization: str) -> Iterator[list[Change]]:
    """Of users who are gone, or who are not of this tenant any more."""
    model = get_user_model()
    field = model._meta.pk if options().user_id_field == "pk" else None
    field = field or model._meta.get_field(options().user_id_field)
    asked = {"organization": organization, "subject_kind": "user"}
    for page in _pages(authority().list_memberships, asked):
        known = _known(field, "user:", (each.subject for each in page))
        users = _rows(model, field, known.values())
        present = {subject_of(user) for user in users if organization in memberships_of(user)}
        gone = sorted(known.keys() - present)
        yield [changes.RemoveMembership(subject=each) for each in gone]


def _groups(organization: str) -> Iterator[list[Change]]:
    """Those whose ids are of Django's groups, and no others."""
    from django.contrib.auth.models import Group

    for page in _pages(authority().list_groups, {"organization": organization}):
        known = _known(Group._meta.pk, GROUP_PREFIX, (each.group for each in page))
        present = {group_of(each) for each in _rows(Group, Group._meta.pk, known.values())}
        gone = sorted(known.keys() - present)
        yield [changes.DeleteGroup(group=each, cascade=True) for each in gone]


def _resources(found: Registration, organization: str) -> Iterator[list[Change]]:
    """Of objects that are gone, or that are another tenant's now."""
    meta = found.model._meta
    field = meta.pk if found.id_field == "pk" else meta.get_field(found.id_field)
    asked = {"organization": organization, "resource_type": found.type}
    try:
        for page in _pages(authority().list_resources, asked):
            known = _known(field, f"{found.type}:", (each.resource for each in page))
            rows = _rows(found.model, field, known.values())
            ours = (each for each in rows if organization_of(obj=each) == organization)
            gone = sorted(known.keys() - {found.resource_of(each) for each in ours})
            yield [changes.DeleteResource(resource=each, cascade=True) for each in gone]
    except ResourceTypeNotFound:
        return


def _pages(ask: Callable[..., Any], asked: dict[str, Any]) -> Iterator[Sequence[Any]]:
    named_: dict[str, Any] = {**asked, "limit": PAGE}
    try:
        while True:
            page = ask(**named_)
            yield page.items
            if page.next_cursor is None:
                return
            named_["cursor"] = page.next_cursor
    except OrganizationNotFound:
        return


def _known(field: Any, start: str, names: Iterable[str]) -> dict[str, Any]:
    """Those of the names that can be of a row, with the value of the field. Others are not ours."""
    while field.remote_field is not None:
        field = field.target_field
    found = {}
    for name in names:
        key = name.removeprefix(start)
        try:
            value = field.to_python(key)
        except ValidationError:
            continue
        if name.startswith(start) and str(value) == key:
            found[name] = value
    return found


def _rows(model: Any, field: Any, values: Iterable[Any]) -> Any:
    """The rows with these ids, in the database that is written to: a replica may not have them yet."""
    rows = model._base_manager.using(router.db_for_write(model))
    return rows.filter(**{f"{field.name}__in": list(values)})
