"""Django REST framework: a permission class and a filter backend.

class Documents(ModelViewSet):
    queryset = Document.objects.all()
    permission_classes = [RescindPermission]
    filter_backends = [AuthorizedFilter]
    rescind_permissions = {"list": "doc:read", "retrieve": "doc:read", "update": "doc:write"}
"""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured, ValidationError
from rest_framework.exceptions import APIException, NotAuthenticated, ParseError
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import BasePermission

from rescind.integrations.django import access
from rescind.integrations.django.options import options
from rescind.integrations.django.querysets import authorized
from rescind.integrations.django.resources import Registration, registration_of
from rescind.integrations.django.responses import token_of
from rescind.integrations.outcomes import RETRY_SECONDS, Refused

LIKE: Final = {"partial_update": "update"}
"""Actions that need what another one needs, where they are not named themselves."""


class DecisionUnavailable(APIException):
    """Nothing could be decided, so nobody is let in."""

    status_code = 503
    default_detail = "Access cannot be decided now."
    default_code = "decision_unavailable"
    wait = RETRY_SECONDS


class RescindPermission(BasePermission):
    """The permission that `rescind_permissions` of the view names for the action, or else the method.

    It is required on the object of a route with one, before the view runs, whether or not the view loads it.
    A list needs `AuthorizedFilter`, which leaves out what the user may not use. Any other route is about the
    organization, or the object that the view's `get_permission_object(request)` returns. Raises
    ImproperlyConfigured for an action without a permission, and for a list without the filter.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        permission = required_by(request, view)
        if not getattr(request.user, "is_active", False):
            return False
        if permission is None:
            return True  # OPTIONS: what the view is, not what it has
        if _is_detail(view):
            return self._of_route(request, view, permission)
        if _is_list(request, view):
            require_filter(view)
            return True
        finder = getattr(view, "get_permission_object", None)
        return self._decided(request, permission, None if finder is None else finder(request))

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        permission = required_by(request, view)
        return permission is None or self._decided(request, permission, obj)

    def _of_route(self, request: Any, view: Any, permission: str) -> bool:
        """By the key in the route, without the object. By another field the object decides, once loaded."""
        model = view.get_queryset().model
        found = registration_of(model)
        is_by_id = found is not None and view.lookup_field in _names_of_id(model, found)
        if found is None or not is_by_id or _has_tenants(found):
            view.get_object()  # which asks has_object_permission
            return True
        where = _resource_of_route(model, found, view.kwargs[_keyword(view)])
        return where is not None and self._decided(request, permission, where)

    def _decided(self, request: Any, permission: str, obj: Any) -> bool:
        try:
            access.require(request.user, permission, obj, **token_of(request))
        except Refused as refused:
            return _refused(self, refused)
        return True


class AuthorizedFilter(BaseFilterBackend):
    """Leaves out the objects on which the user has not the action's permission: also a single one is 404."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        permission = required_by(request, view)
        return (
            queryset.none()
            if permission is None
            else authorized(queryset, request.user, permission)
        )


def required_by(request: Any, view: Any) -> str | None:
    """The permission that the view requires for its action or method; None for OPTIONS."""
    named = getattr(view, "rescind_permissions", None) or {}
    action = getattr(view, "action", None)
    if action == "metadata" and request.method != "OPTIONS":  # it asks what other methods may
        action = view.action_map.get(request.method.lower())
    is_head = request.method == "HEAD"  # Django answers it as GET
    for key in (action, LIKE.get(action or ""), request.method, "GET" if is_head else None):
        if key is not None and key in named:
            return str(named[key])
    if request.method == "OPTIONS":
        return None
    what = action or request.method
    raise ImproperlyConfigured(
        f"{type(view).__name__}.rescind_permissions has no permission for {what!r}."
    )


def _refused(permission: RescindPermission, refused: Refused) -> bool:
    status, detail = refused.refusal.status, refused.refusal.detail
    if status == 503:
        raise DecisionUnavailable(detail) from refused
    if status == 401:
        raise NotAuthenticated(detail) from refused
    if status == 400:
        raise ParseError(detail) from refused
    permission.message = detail
    return False


def _resource_of_route(model: Any, found: Registration, key: Any) -> str | None:
    """The resource of the row that the view will load: a number or UUID has several spellings."""
    field = model._meta.pk if found.id_field == "pk" else model._meta.get_field(found.id_field)
    while field.remote_field is not None:
        field = field.target_field
    try:
        return f"{found.type}:{field.to_python(key)}"
    except ValidationError:
        return None  # no row can have it


def _keyword(view: Any) -> str:
    return str(view.lookup_url_kwarg or view.lookup_field)


def _is_detail(view: Any) -> bool:
    has_lookup = hasattr(view, "lookup_field") and hasattr(view, "get_queryset")
    return has_lookup and _keyword(view) in view.kwargs


def _is_list(request: Any, view: Any) -> bool:
    """A route of a set of views with another action is none, though it has the method `list` as well."""
    action = getattr(view, "action", None)
    if action in (None, "metadata"):
        return hasattr(view, "list") and request.method in ("GET", "HEAD")
    return bool(action == "list")


def _has_tenants(found: Registration) -> bool:
    """Whether the organization is known by the object alone."""
    return found.organization is not None or options().organization_resolver is not None


def _names_of_id(model: Any, found: Registration) -> tuple[str, ...]:
    return (found.id_field, model._meta.pk.name) if found.id_field == "pk" else (found.id_field,)


def require_filter(view: Any) -> None:
    """Raises ImproperlyConfigured for a view whose lists show everything to everybody."""
    if not any(issubclass(each, AuthorizedFilter) for each in view.filter_backends):
        raise ImproperlyConfigured(
            f"{type(view).__name__} lists objects without AuthorizedFilter in filter_backends."
        )


__all__ = ["AuthorizedFilter", "DecisionUnavailable", "RescindPermission"]
