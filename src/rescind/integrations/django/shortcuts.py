"""Helpers with the names of django-guardian's.

Rescind gives roles. What gives one permission here gives the role of the same name, which contains that
permission alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Manager, Model, QuerySet

from rescind import changes
from rescind.changes import Change
from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    MembershipExists,
    MembershipNotFound,
    PermissionExists,
    PermissionNotFound,
    ResourceNotFound,
)
from rescind.integrations.django import access, memberships, synced_resources
from rescind.integrations.django.naming import (
    GROUP_PREFIX,
    holder_of,
    is_group,
    organization_of,
    permission_of,
    subject_of,
)
from rescind.integrations.django.opened import authority
from rescind.integrations.django.querysets import authorized, users_with
from rescind.integrations.django.resources import registration_of, resource_of
from rescind.integrations.django.transactions import apply
from rescind.model import Receipt

_UNDEFINED: Final = (PermissionNotFound, ResourceNotFound, MembershipNotFound, GroupNotFound)


def assign_perm(
    perm: str, user_or_group: Any, obj: Any = None, *, expires_at: Any = None
) -> Receipt:
    """Give a user or a group of Django's one permission, on an object or several, or on the organization.

    What is not there yet is made: the permission, the role of its name, the resource of a registered object,
    the membership or group. In `transaction.atomic` it is part of the transaction. Raises RoleExists if a
    role of that name contains something else, and what `Authority.apply` raises.
    """
    objects = _each(obj)
    organization = _organization(user_or_group, objects)
    permission, to = permission_of(perm, objects[0] if objects else None), holder_of(user_or_group)
    places = [resource_of(each) for each in objects] if obj is not None else [None]
    batch: list[Change] = [
        changes.DefineRole(role=permission, permissions=(permission,)),  # refused if it is another
        *(
            changes.Assign(role=permission, to=to, on=place, expires_at=expires_at)
            for place in places
        ),
    ]
    try:
        return apply(batch, organization=organization)
    except _UNDEFINED:
        _define(permission, organization)
        _ensure_holder(user_or_group, organization)
        _ensure_resources(objects)
        return apply(batch, organization=organization)


def remove_perm(perm: str, user_or_group: Any, obj: Any = None) -> Receipt:
    """Take back what `assign_perm` gave. What other roles and groups give stays: ask `explain`.

    When it returns (in `transaction.atomic`: when that has committed), no check allows what was lost.
    """
    objects = _each(obj)
    permission, to = permission_of(perm, objects[0] if objects else None), holder_of(user_or_group)
    places = [resource_of(each) for each in objects] if obj is not None else [None]
    return apply(
        [changes.Unassign(role=permission, to=to, on=place) for place in places],
        organization=_organization(user_or_group, objects),
    )


def get_perms(user_or_group: Any, obj: Any) -> list[str]:
    """The permissions of a user, or of a group of Django's, on an object."""
    if is_group(user_or_group):
        organization = organization_of(obj=obj)
        if organization is None:
            return []
        holder = holder_of(user_or_group)
        return sorted(access.permissions_of(holder, resource_of(obj), organization))
    return sorted(access.permissions(user_or_group, obj))


def get_user_perms(user: Any, obj: Any) -> list[str]:
    """Those that a role of the user's own gives."""
    return sorted(access.permissions_by_chains(user, obj, by_group=False))


def get_group_perms(user: Any, obj: Any) -> list[str]:
    """Those that a role of a group of the user's gives."""
    return sorted(access.permissions_by_chains(user, obj, by_group=True))


def get_objects_for_user(
    user: Any,
    perms: str | Sequence[str],
    klass: Any = None,
    *,
    any_perm: bool = False,
) -> QuerySet[Any]:
    """The objects on which the user has all the permissions, or with `any_perm` one of them; one query.

    `klass` is a model, manager or queryset of registered objects.
    """
    names = [perms] if isinstance(perms, str) else list(perms)
    if klass is None or not names:
        hint = "name at least one permission, and give the model as `klass`"
        raise InvalidArgument(what="perms", hint=hint)
    if isinstance(klass, QuerySet):
        queryset = klass
    elif isinstance(klass, Manager):
        queryset = klass.all()
    else:
        queryset = klass._default_manager.all()
    if any_perm:
        found = authorized(queryset, user, names[0])
        for name in names[1:]:
            found = found | authorized(queryset, user, name)
        return found
    for name in names:
        queryset = authorized(queryset, user, name)
    return queryset


def get_users_with_perms(
    obj: Any, *, only_with_perms_in: Iterable[str] | None = None, with_superusers: bool = False
) -> QuerySet[Any]:
    """The active users who have a permission on the object: any, or one of those named."""
    organization = organization_of(obj=obj)
    if only_with_perms_in is None:
        return users_with(None, obj, organization=organization, superusers=with_superusers)
    found = get_user_model()._default_manager.none()
    for name in only_with_perms_in:
        permission = permission_of(name, obj)
        found = found | users_with(
            permission, obj, organization=organization, superusers=with_superusers
        )
    return found


def get_groups_with_perms(obj: Any) -> QuerySet[Any]:
    """Django's groups that were given a role on the object itself."""
    from django.contrib.auth.models import Group

    organization, start = organization_of(obj=obj), f"group:{GROUP_PREFIX}"
    keys: set[str] = set()
    asked: dict[str, Any] = {"organization": organization, "limit": 1_000}
    try:
        while True:
            page = authority().list_assignments(resource=resource_of(obj), **asked)
            keys |= {
                each.holder.removeprefix(start)
                for each in page.items
                if each.holder.startswith(start)
            }
            if page.next_cursor is None:
                break
            asked["cursor"] = page.next_cursor
    except ResourceNotFound:
        pass
    return Group.objects.filter(pk__in=[key for key in keys if _can_be_key(Group, key)])


def _can_be_key(model: Any, key: str) -> bool:
    """Whether a text is a primary key: a group that somebody else made may have any name."""
    try:
        return str(model._meta.pk.to_python(key)) == key
    except ValidationError:
        return False


def _each(obj: Any) -> list[Any]:
    if obj is None:
        return []
    return list(obj) if isinstance(obj, QuerySet | list | tuple) else [obj]


def _organization(user_or_group: Any, objects: list[Any]) -> str:
    user = None if is_group(user_or_group) else user_or_group
    found = {organization_of(user, each) for each in objects or [None]}
    organization = found.pop()
    if organization is None or found:
        hint = "the objects must be of one organization, and it must be known"
        raise InvalidArgument(what="organization", hint=hint)
    return organization


def _define(permission: str, organization: str) -> None:
    try:
        apply([changes.DefinePermission(permission=permission)], organization=organization)
    except PermissionExists:
        return  # it is described, critical, or defined for all organizations


def _ensure_holder(user_or_group: Any, organization: str) -> None:
    if is_group(user_or_group):
        memberships.sync_group(user_or_group, organization)
        return
    added = changes.AddMembership(subject=subject_of(user_or_group))
    try:
        apply([added], organization=organization)
    except MembershipExists:
        return  # with a name, or deactivated: it stays as it is


def _ensure_resources(objects: list[Any]) -> None:
    for each in objects:
        found = registration_of(type(each)) if isinstance(each, Model) else None
        if found is not None and found.is_synced:
            synced_resources.create([each], found)
