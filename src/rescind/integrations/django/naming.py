"""What users, permissions, groups and tenants of Django are called in Rescind."""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.db.models import Model

from rescind.integrations.django.options import options
from rescind.integrations.django.resources import registration_of

GROUP_PREFIX: Final = "django-"
"""Before the primary key of one of Django's groups, so that it is nobody else's group."""


def subject_of(user: Any) -> str:
    """The user's subject: `user:` and the field that USER_ID_FIELD names.

    A user that is not saved has no id: `user:` is nobody's name, and is refused everywhere.
    """
    value = getattr(user, options().user_id_field)
    return "user:" if value is None else f"user:{value}"


def group_of(group: Any) -> str:
    """The id in Rescind of one of Django's groups, which keeps it when it is renamed."""
    return f"{GROUP_PREFIX}{group.pk}"


def is_group(thing: Any) -> bool:
    """Whether it is one of Django's groups."""
    return apps.is_installed("django.contrib.auth") and isinstance(
        thing, apps.get_model("auth", "Group")
    )


def holder_of(user_or_group: Any) -> str:
    """Whom a role is given to: `user:…`, or `group:…`."""
    if is_group(user_or_group):
        return f"group:{group_of(user_or_group)}"
    return subject_of(user_or_group)


def permission_of(name: Any, obj: Any = None) -> str:
    """The permission that a name in Django's code means, or a row of Django's permissions.

    1. A codename of the object's model (`view_document`, or one of its Meta.permissions) belongs to the
       model's app: `docs.view_document`.
    2. What the option PERMISSIONS names is the permission that stands there.
    3. Any other name is the permission of that name.
    """
    if isinstance(name, Model) and hasattr(name, "codename"):
        name = f"{name.content_type.app_label}.{name.codename}"
    if "." not in name and isinstance(obj, Model | type) and name in _codenames(obj):
        name = f"{obj._meta.app_label}.{name}"  # type: ignore[union-attr]
    return options().permissions.get(name, name)


def _codenames(obj: Any) -> frozenset[str]:
    meta = getattr(obj, "_meta", None)
    if meta is None:
        return frozenset()
    return frozenset(
        (
            *(f"{action}_{meta.model_name}" for action in meta.default_permissions),
            *(codename for codename, _ in meta.permissions),
        )
    )


def organization_of(user: Any = None, obj: Any = None) -> str | None:
    """The organization that a question is about: the object's own where its model has one, else as the
    options say. None is no organization, so nobody may.
    """
    found = registration_of(type(obj)) if isinstance(obj, Model) else None
    if found is not None and found.organization is not None:
        return found.organization_of(obj)
    chosen = options()
    if chosen.organization_resolver is not None:
        return chosen.organization_resolver(user=user, obj=obj)
    return chosen.organization


def memberships_of(user: Any) -> tuple[str, ...]:
    """The organizations in which the user has a membership."""
    resolver = options().memberships_resolver
    if resolver is not None:
        return tuple(resolver(user))
    found = organization_of(user=user)
    return () if found is None else (found,)
