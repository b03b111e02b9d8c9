"""Backends for AUTHENTICATION_BACKENDS: `user.has_perm("doc:read", doc)` is decided by Rescind.

Every failure of Rescind is raised. A denial is False, and Django then asks the next backend: with
`RescindModelBackend` alone there is none that could still allow.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import BaseBackend, ModelBackend

from rescind.integrations.django import access
from rescind.integrations.django.naming import organization_of, permission_of
from rescind.integrations.django.options import options
from rescind.integrations.django.querysets import users_with
from rescind.integrations.django.resources import NoResource

log: Final = logging.getLogger(__name__)


class RescindBackend(BaseBackend):
    """Permissions only: another backend authenticates. Nothing is cached on the user."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether an active user has the permission on the object, or on the organization without one.

        An object that is no resource gives nobody anything. Raises a StoreError where nothing is decided.
        """
        try:
            return access.is_allowed(user_obj, perm, obj)
        except NoResource as error:
            log.debug("%s", error)
            return False

    async def ahas_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """As `has_perm`, off the event loop."""
        return await sync_to_async(self.has_perm)(user_obj, perm, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Every name for which `has_perm` is true: permissions of Rescind, and names of Django's for them."""
        return self._named(self._held(user_obj, obj), obj)

    async def aget_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """As `get_all_permissions`, off the event loop."""
        return await sync_to_async(self.get_all_permissions)(user_obj, obj)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Those that a role of the user's own gives. One explanation for each permission."""
        return self._named(self._by_chains(user_obj, obj, by_group=False), obj)

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Those that a role of a group of the user's gives. One explanation for each permission."""
        return self._named(self._by_chains(user_obj, obj, by_group=True), obj)

    async def aget_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """As `get_user_permissions`, off the event loop."""
        return await sync_to_async(self.get_user_permissions)(user_obj, obj)

    async def aget_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """As `get_group_permissions`, off the event loop."""
        return await sync_to_async(self.get_group_permissions)(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the user has a permission of the app, on the organization."""
        if access.preset(user_obj):
            return True
        names = self.get_all_permissions(user_obj)
        return any(name.partition(".")[0] == app_label for name in names if "." in name)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """As `has_module_perms`, off the event loop."""
        return await sync_to_async(self.has_module_perms)(user_obj, app_label)

    def with_perm(
        self,
        perm: str,
        is_active: bool | None = True,
        include_superusers: bool = True,
        obj: Any = None,
    ) -> Any:
        """The users who have the permission, for `User.objects.with_perm`. Who is not active has none."""
        return users_with(
            permission_of(perm, obj),
            obj,
            organization=organization_of(obj=obj),
            superusers=include_superusers and options().superusers == "allow",
        ).filter(**({} if is_active is None else {"is_active": is_active}))

    def _held(self, user: Any, obj: Any) -> frozenset[str]:
        try:
            return access.permissions(user, obj)
        except NoResource:
            return frozenset()

    def _by_chains(self, user: Any, obj: Any, *, by_group: bool) -> frozenset[str]:
        try:
            return access.permissions_by_chains(user, obj, by_group=by_group)
        except NoResource:
            return frozenset()

    def _named(self, held: frozenset[str], obj: Any) -> set[str]:
        mapped = options().permissions
        django_names = {name for name, permission in mapped.items() if permission in held}
        return {name for name in held if permission_of(name, obj) in held} | django_names


class RescindModelBackend(RescindBackend, ModelBackend):
    """Users sign in with Django's passwords; what they may is decided by Rescind alone."""


__all__ = ["RescindBackend", "RescindModelBackend"]
