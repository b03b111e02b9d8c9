"""Rescind in Django: `"rescind.integrations.django"` in INSTALLED_APPS.

Names are loaded when they are used, because Django imports this package before there are models.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from rescind.errors import extra

if TYPE_CHECKING:
    from rescind.integrations.django.access import (
        allowed,
        check,
        explain,
        is_allowed,
        require,
    )
    from rescind.integrations.django.decorators import permission_required
    from rescind.integrations.django.naming import organization_of, permission_of, subject_of
    from rescind.integrations.django.opened import authority, close
    from rescind.integrations.django.querysets import (
        AuthorizedManager,
        AuthorizedQuerySet,
        authorized,
    )
    from rescind.integrations.django.resources import resource, resource_of
    from rescind.integrations.django.shortcuts import (
        assign_perm,
        get_group_perms,
        get_groups_with_perms,
        get_objects_for_user,
        get_perms,
        get_user_perms,
        get_users_with_perms,
        remove_perm,
    )
    from rescind.integrations.django.transactions import apply
    from rescind.integrations.django.views import PermissionListMixin, PermissionRequiredMixin

_HOMES: Final = {
    "access": ("allowed", "check", "explain", "is_allowed", "require"),
    "opened": ("authority", "close"),
    "decorators": ("permission_required",),
    "naming": ("organization_of", "permission_of", "subject_of"),
    "querysets": ("AuthorizedManager", "AuthorizedQuerySet", "authorized"),
    "resources": ("resource", "resource_of"),
    "shortcuts": (
        "assign_perm",
        "get_group_perms",
        "get_groups_with_perms",
        "get_objects_for_user",
        "get_perms",
        "get_user_perms",
        "get_users_with_perms",
        "remove_perm",
    ),
    "transactions": ("apply",),
    "views": ("PermissionListMixin", "PermissionRequiredMixin"),
}
_HOME: Final = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AuthorizedManager",
    "AuthorizedQuerySet",
    "PermissionListMixin",
    "PermissionRequiredMixin",
    "allowed",
    "apply",
    "assign_perm",
    "authority",
    "authorized",
    "check",
    "close",
    "explain",
    "get_group_perms",
    "get_groups_with_perms",
    "get_objects_for_user",
    "get_perms",
    "get_user_perms",
    "get_users_with_perms",
    "is_allowed",
    "organization_of",
    "permission_of",
    "permission_required",
    "remove_perm",
    "require",
    "resource",
    "resource_of",
    "subject_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with extra("django"):
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
