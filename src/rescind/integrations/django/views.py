"""Class-based views that require a permission, and lists of what the user may use."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.views.generic.edit import BaseCreateView

from rescind.integrations.django import access
from rescind.integrations.django.querysets import authorized
from rescind.integrations.django.responses import answer, token_of
from rescind.integrations.outcomes import UNAUTHENTICATED, Refused


class PermissionRequiredMixin:
    """A view that runs only if the user has `permission_required` on its object.

    A view with `get_object` is about that object, which is loaded once; any other, and one that creates an
    object, is about the organization, or what `get_permission_object` returns. Put it before the view's own
    class. The view's methods may be async.
    """

    permission_required: str | tuple[str, ...] | list[str] | None = None
    login_url: str | None = None
    raise_exception = False
    request: Any

    def get_permission_object(self) -> Any:
        """On what the permissions are required: None is the organization."""
        if isinstance(self, BaseCreateView) or not hasattr(super(), "get_object"):
            return None
        return self.get_object()

    def get_object(self, *arguments: Any, **named: Any) -> Any:
        """The object of the view, loaded once."""
        if not hasattr(self, "_permission_object"):
            base: Any = super()
            self._permission_object = base.get_object(*arguments, **named)
        return self._permission_object

    def dispatch(self, request: Any, *arguments: Any, **named: Any) -> Any:
        base: Any = super()
        if getattr(self, "view_is_async", False):
            return self._dispatch_async(base.dispatch, request, arguments, named)
        refused = self._refusal(request)
        return base.dispatch(request, *arguments, **named) if refused is None else refused

    async def _dispatch_async(
        self, dispatch: Any, request: Any, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        refused = await sync_to_async(self._refusal)(request)
        return await dispatch(request, *arguments, **named) if refused is None else refused

    def _refusal(self, request: Any) -> Any:
        """The response to who is not let in, or None."""
        names = self.permission_required
        if not names:
            raise ImproperlyConfigured(f"{type(self).__name__} lacks permission_required.")
        try:
            if not request.user.is_authenticated:
                raise Refused(UNAUTHENTICATED)
            obj = self.get_permission_object()
            for name in (names,) if isinstance(names, str) else names:
                access.require(request.user, name, obj, **token_of(request))
        except Refused as refused:
            return answer(
                request,
                refused,
                login_url=self.login_url,
                raise_exception=self.raise_exception,
            )
        return None


class PermissionListMixin:
    """A list view of the objects on which the user has `permission_required`: one query, exact pages."""

    permission_required: str | None = None
    request: Any

    def get_queryset(self) -> Any:
        if not self.permission_required:
            raise ImproperlyConfigured(f"{type(self).__name__} lacks permission_required.")
        base: Any = super()
        return authorized(base.get_queryset(), self.request.user, self.permission_required)


__all__ = ["PermissionListMixin", "PermissionRequiredMixin"]
