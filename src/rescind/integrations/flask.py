"""Flask: views that require a permission.

    access = Access(authority, subject=lambda: session.get("subject"))

    @app.get("/docs/<doc_id>")
    @access.require("doc:read", resource=from_view("doc_id", type="doc"))
    def read(doc_id): ...

The decision is `g.decision`, the subject `g.subject`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

from rescind.errors import extra

with extra("flask"):
    from flask import Response, abort, g, request

from rescind.authority import Authority
from rescind.errors import RescindError
from rescind.integrations.outcomes import (
    AT_LEAST,
    MEDIA_TYPE,
    UNAUTHENTICATED,
    Refusal,
    Refused,
    found_organization,
    let_in,
    signed_in,
)
from rescind.model import Decision, permission_id

P = ParamSpec("P")
T = TypeVar("T")
Resource: TypeAlias = str | Callable[[], str | None] | None


@dataclass(frozen=True, slots=True)
class from_view:  # noqa: N801 - reads as what it does
    """The resource that an argument of the view names: `from_view("doc_id", type="doc")`."""

    argument: str
    type: str

    def __call__(self) -> str:
        return f"{self.type}:{(request.view_args or {})[self.argument]}"


class Access:
    """Who may use which view. One for an application.

    `subject` is a function that returns the request's subject, or None where nobody is signed in;
    `organization` is one as well, or a name, or nothing for the authority's own. If it is a function that
    returns None, nobody is let in.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        subject: Callable[[], str | None],
        organization: Callable[[], str] | str | None = None,
    ) -> None:
        self.authority = authority
        self._subject, self._organization = subject, organization

    def require(
        self, permission: str, *, resource: Resource = None
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Decorates a view: it runs only if the subject has the permission. Else the response is 400, 401,
        403 or 503, as problem details. Put it below the route's own decorator.

        `resource` is `type:id`, or what finds it; nothing is the organization itself. A request with the
        header `Rescind-At-Least`, the token of a change, is decided with that change known. Raises
        MalformedId at once for what can be no permission.
        """
        permission_id(permission)

        def decorated(view: Callable[P, T]) -> Callable[P, T]:
            @wraps(view)
            def allowed(*arguments: P.args, **named: P.kwargs) -> T:
                self.demand(permission, resource=resource)
                return view(*arguments, **named)

            return allowed

        return decorated

    def demand(self, permission: str, *, resource: Resource = None) -> Decision:
        """The decision that lets the current request go on; as `require`, within a view."""
        g.subject = subject = self._subject()
        try:
            if subject is None:
                raise Refused(UNAUTHENTICATED)
            g.decision = decision = let_in(self._decided(subject, permission, resource), permission)
        except Refused as refused:
            abort(_response(refused.refusal))
        return decision

    def signed_in(self) -> str:
        """The current request's subject, as `user:…`; it is `g.subject` too. For views that list what the
        subject may see, or record who did something. Where nobody is signed in, the response is 401; for
        what can be no subject, 403.
        """
        try:
            g.subject = found = signed_in(self._subject())
        except Refused as refused:
            abort(_response(refused.refusal))
        return found

    def _decided(
        self, subject: Any, permission: str, resource: Resource
    ) -> Decision | RescindError:
        options: dict[str, Any] = {}
        if (token := request.headers.get(AT_LEAST)) is not None:
            options["at_least"] = token
        source = self._organization
        organization = source() if callable(source) else source
        where = resource() if callable(resource) else resource
        try:
            return self.authority.check(
                subject,
                permission,
                where,
                organization=found_organization(source, organization),
                **options,
            )
        except RescindError as error:
            return error


def _response(refusal: Refusal) -> Response:
    body = json.dumps(refusal.problem())
    response = Response(body, refusal.status, content_type=MEDIA_TYPE)
    response.headers.extend(dict(refusal.headers))
    return response


__all__ = ["Access", "from_view"]
