"""`{% load rescind %}`: what the page's user may.

{% allowed "doc:write" doc as may_write %}      {% if may_write %}…{% endif %}
{% allowed_of "doc:write" docs as writable %}   {% if doc in writable %}…{% endif %}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import template
from django.contrib.auth.models import AnonymousUser

from rescind.integrations.django import access

register = template.Library()
_ORGANIZATION: Final = object()
"""No object was named, which is not the same as one that is None."""


@register.simple_tag(takes_context=True)
def allowed(context: Any, permission: str, obj: Any = _ORGANIZATION, user: Any = None) -> bool:
    """Whether the user, or else the request's, has the permission on the object or the organization.

    A name that the template does not have, and one that is None, is no object: nobody may.
    """
    if obj is _ORGANIZATION:
        return access.is_allowed(_user(context, user), permission)
    if obj is None or obj == "":
        return False
    return access.is_allowed(_user(context, user), permission, obj)


@register.simple_tag(takes_context=True)
def allowed_of(
    context: Any, permission: str, objects: Iterable[Any], user: Any = None
) -> list[Any]:
    """Those of the objects on which the user has the permission: one question for all of them."""
    return access.allowed(_user(context, user), permission, objects or ())


def _user(context: Any, user: Any) -> Any:
    if user is not None:
        return user
    request = context.get("request")
    found = context.get("user") if request is None else getattr(request, "user", None)
    return AnonymousUser() if found is None else found
