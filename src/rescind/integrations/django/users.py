"""A base for a custom user model whose superusers are asked for like everybody else.

Django itself lets an active superuser do everything before it asks any backend.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_backends
from django.contrib.auth import models as auth
from django.core.exceptions import PermissionDenied

from rescind.awaited import awaited


class PermissionsByFacts(auth.PermissionsMixin):
    """In place of Django's `PermissionsMixin`, with `"SUPERUSERS": "ask"`."""

    class Meta:
        abstract = True

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether a backend allows it; superusers are no exception."""
        return _has(self, "has_perm", perm, obj)

    @awaited
    async def ahas_perm(self, perm: str, obj: Any = None) -> bool:
        """As `has_perm`, off the event loop. Without `await` it raises TypeError as a condition."""
        return await _ahas(self, "ahas_perm", perm, obj)

    @awaited
    async def ahas_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """As `has_perms`, off the event loop. Without `await` it raises TypeError as a condition."""
        if isinstance(perm_list, str):
            raise ValueError("perm_list must be an iterable of permissions.")  # as in Django
        for perm in perm_list:
            if not await self.ahas_perm(perm, obj):
                return False
        return True

    def has_module_perms(self, app_label: str) -> bool:
        """Whether a backend knows a permission of the app; superusers are no exception."""
        return _has(self, "has_module_perms", app_label)

    @awaited
    async def ahas_module_perms(self, app_label: str) -> bool:
        """As `has_module_perms`, off the event loop. Without `await` it raises TypeError as a condition."""
        return await _ahas(self, "ahas_module_perms", app_label)


def _has(user: Any, method: str, *asked: Any) -> bool:
    for backend in get_backends():
        ask = getattr(backend, method, None)
        try:
            if ask is not None and ask(user, *asked):
                return True
        except PermissionDenied:
            return False
    return False


async def _ahas(user: Any, method: str, *asked: Any) -> bool:
    for backend in get_backends():
        ask = getattr(backend, method, None)
        try:
            if ask is not None and await ask(user, *asked):
                return True
        except PermissionDenied:
            return False
    return False
