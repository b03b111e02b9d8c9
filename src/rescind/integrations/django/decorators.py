"""Views that require a permission.

@permission_required("doc:read", (Document, "pk", "doc_id"))
def show(request, doc_id): ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeAlias, TypeVar

from asgiref.sync import sync_to_async
from django.shortcuts import get_object_or_404

from rescind.integrations.django import access
from rescind.integrations.django.naming import permission_of
from rescind.integrations.django.responses import answer, token_of
from rescind.integrations.outcomes import Refused
from rescind.model import permission_id

Views = TypeVar("Views", bound=Callable[..., Any])
Where: TypeAlias = str | tuple[Any, ...] | Callable[..., Any] | None


def permission_required(
    permission: str,
    where: Where = None,
    *,
    login_url: str | None = None,
    raise_exception: bool = False,
) -> Callable[[Views], Views]:
    """Decorates a view, which then runs only if the user has the permission. The view may be async.

    `where` says on what: `(Document, "pk", "doc_id")` loads the object with the view's argument, and is 404
    where there is none; a function is called with the view's arguments, and returns an object or a resource;
    a string is a resource; without it the organization is meant. Who is not signed in is sent to the login
    page. Everybody else gets 403, and 503 where nothing could be decided. Raises MalformedId at once for what
    can be no permission.
    """
    permission_id(permission_of(permission))

    def refusal(request: Any, arguments: Any, named: Any) -> Any:
        try:
            if not request.user.is_authenticated:  # before the object shows whether it exists
                access.require(request.user, permission)
            obj = _found(where, request, arguments, named)
            access.require(request.user, permission, obj, **token_of(request))
        except Refused as refused:
            return answer(request, refused, login_url=login_url, raise_exception=raise_exception)
        return None

    def decorated(view: Any) -> Any:
        if iscoroutinefunction(view):

            @wraps(view)
            async def allowed_async(request: Any, *arguments: Any, **named: Any) -> Any:
                refused = await sync_to_async(refusal)(request, arguments, named)
                return await view(request, *arguments, **named) if refused is None else refused

            return allowed_async

        @wraps(view)
        def allowed(request: Any, *arguments: Any, **named: Any) -> Any:
            refused = refusal(request, arguments, named)
            return view(request, *arguments, **named) if refused is None else refused

        return allowed

    return decorated


def _found(where: Where, request: Any, arguments: Any, named: Any) -> Any:
    """What the permission is required on. Raises LookupError rather than mean the organization instead."""
    if where is None or isinstance(where, str):
        return where
    if callable(where):
        obj = where(request, *arguments, **named)
    else:
        model, pairs = where[0], where[1:]
        fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
        obj = get_object_or_404(model, **{field: named[key] for field, key in fields.items()})
    if obj is None:
        raise LookupError("the function of `where` found nothing to require the permission on")
    return obj
