"""Litestar: routes that require a permission.

    access = Access(authority, subject=lambda connection: connection.user)
    can_read = access.require("doc:read", resource=from_path("doc_id", type="doc"))

    @get("/docs/{doc_id:str}", guards=[can_read])
    async def read(doc_id: str) -> dict[str, str]: ...

    app = Litestar([read], plugins=[access])

`subject` is a function of the connection, sync or async: it returns `user:…`, or None where nobody is
signed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass
from inspect import isawaitable
from typing import Any, Final, TypeAlias

from rescind.errors import InvalidArgument, RescindError, extra

with extra("litestar"):
    from litestar import Request, Response
    from litestar.config.app import AppConfig
    from litestar.connection import ASGIConnection
    from litestar.exceptions import HTTPException
    from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
    from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation
    from litestar.plugins import InitPlugin, ReceiveRoutePlugin
    from litestar.routes import BaseRoute

from rescind.aio import AsyncAuthority
from rescind.authority import Authority
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

Connection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
Resource: TypeAlias = str | Callable[[Connection], str | None] | None
EXTENSION: Final = "x-rescind-permissions"
"""Of an operation in the OpenAPI document: the permissions that it requires."""


class AccessRefused(HTTPException):
    """The request is not let in: 400, 401, 403 or 503."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail, status_code=refusal.status, headers=dict(refusal.headers))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class from_path:  # noqa: N801 - reads as what it does
    """The resource that a parameter of the path names: `from_path("doc_id", type="doc")`."""

    parameter: str
    type: str

    def __call__(self, connection: Connection) -> str:
        return f"{self.type}:{connection.path_params[self.parameter]}"


class Access(InitPlugin, ReceiveRoutePlugin):
    """Who may use which route. One for an application, and one of its plugins.

    `subject` finds the subject of a connection; `organization` is such a function as well, or a name, or
    nothing for the authority's own. If a function finds None, nobody is let in. With an `Authority`, what
    memory cannot answer is asked in threads of its own. As a plugin it answers refusals with problem details,
    and shows in the OpenAPI document what each route requires.
    """

    def __init__(
        self,
        authority: Authority | AsyncAuthority,
        *,
        subject: Callable[[Connection], Any],
        organization: Callable[[Connection], Any] | str | None = None,
    ) -> None:
        self.authority = (
            authority if isinstance(authority, AsyncAuthority) else AsyncAuthority(authority)
        )
        self._subject, self._organization = subject, organization

    def require(self, permission: str, *, resource: Resource = None) -> Callable[..., Any]:
        """A guard that lets a request in if its subject has the permission. Otherwise raises AccessRefused.

        `resource` is `type:id`, or what finds it from the connection; nothing is the organization itself. A
        request with the header `Rescind-At-Least`, the token of a change, is decided with that change known.
        Raises MalformedId at once for what can be no permission.
        """
        permission_id(permission)

        async def required(connection: Connection, _: BaseRouteHandler) -> None:
            await self._demand(connection, permission, resource)

        required.requirement = Requirement(permission, resource)  # type: ignore[attr-defined]
        return required

    def decision(self, permission: str, *, resource: Resource = None) -> Callable[..., Any]:
        """A dependency that lets a request in as the guard does, and gives the `Decision`:
        `dependencies={"decision": Provide(access.decision("doc:read"))}`.
        """
        permission_id(permission)

        async def decided(request: Request[Any, Any, Any]) -> Decision:
            return await self._demand(request, permission, resource)

        decided.requirement = Requirement(permission, resource)  # type: ignore[attr-defined]
        return decided

    def signed_in(self) -> Callable[..., Any]:
        """A dependency that gives the subject, as `user:…`:
        `dependencies={"user": Provide(access.signed_in())}`. For routes that list what the subject may see,
        or record who did something. Raises AccessRefused where nobody is signed in (401), and for what can be
        no subject (403).
        """

        async def given(request: Request[Any, Any, Any]) -> str:
            try:
                return signed_in(await _given(self._subject, request))
            except Refused as refused:
                raise AccessRefused(refused.refusal) from refused

        return given

    async def _demand(
        self, connection: Connection, permission: str, resource: Resource
    ) -> Decision:
        subject = await _given(self._subject, connection)
        if subject is None:
            raise AccessRefused(UNAUTHENTICATED)
        where = resource(connection) if callable(resource) else resource
        options: dict[str, Any] = {}
        organization = await _given(self._organization, connection)
        if (token := connection.headers.get(AT_LEAST)) is not None:
            options["at_least"] = token
        outcome: Decision | RescindError
        try:
            options["organization"] = found_organization(self._organization, organization)
            outcome = await self.authority.check(subject, permission, where, **options)
        except RescindError as error:
            outcome = error
        try:
            return let_in(outcome, permission)
        except Refused as refused:
            raise AccessRefused(refused.refusal) from refused

    # --- as a plugin --------------------------------------------------------------------------------

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Answer refusals with problem details."""
        app_config.exception_handlers[AccessRefused] = _answer
        return app_config

    def receive_route(self, route: BaseRoute) -> None:
        """Show what the route requires. Raises InvalidArgument for a parameter that is not in its path."""
        for handler in getattr(route, "route_handlers", [getattr(route, "route_handler", None)]):
            required = requirements_of(handler)
            for each in required:
                _require_parameter(route, each)
            if required and isinstance(handler, HTTPRouteHandler):
                handler.operation_class = _operation(handler.operation_class, required)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a guard or a dependency requires."""

    permission: str
    resource: Resource

    def __str__(self) -> str:
        if isinstance(self.resource, from_path):
            return f"{self.permission} on {self.resource.type}:{{{self.resource.parameter}}}"
        return self.permission


async def _given(source: Any, connection: Connection) -> Any:
    found = source(connection) if callable(source) else source
    return await found if isawaitable(found) else found


def _answer(_: Request[Any, Any, Any], error: AccessRefused) -> Response[Any]:
    return Response(
        error.refusal.problem(),
        status_code=error.status_code,
        headers=dict(error.refusal.headers),
        media_type=MEDIA_TYPE,
    )


def requirements_of(handler: Any) -> list[Requirement]:
    """What guards and dependencies of a handler require. Raises InvalidArgument for a method of `Access` that
    was not called: it would give what it makes, and let everybody in.
    """
    if handler is None:
        return []
    providers = (each.dependency for each in handler.resolve_dependencies().values())
    used = [*handler.resolve_guards(), *providers]
    for each in (getattr(each, "func", each) for each in used):  # what is not async is wrapped
        if isinstance(getattr(each, "__self__", None), Access):
            hint = f"call it: access.{each.__name__}(…)"
            raise InvalidArgument(what=f"{each.__name__} of Access", hint=hint)
    found = [getattr(each, "requirement", None) for each in used]
    return [each for each in found if isinstance(each, Requirement)]


def _require_parameter(route: BaseRoute, required: Requirement) -> None:
    resource = required.resource
    names = {getattr(each, "name", each) for each in route.path_components}
    if isinstance(resource, from_path) and resource.parameter not in names:
        hint = f"the path {route.path_format} has no such parameter"
        raise InvalidArgument(what="from_path", value=resource.parameter, hint=hint)


def _operation(base: type[Operation], required: list[Requirement]) -> type[Operation]:
    """A class for the operation of the OpenAPI document that shows what is required."""
    names = [str(each) for each in required]
    refused = OpenAPIResponse(
        description=f"Requires {' and '.join(names)}.", content={MEDIA_TYPE: OpenAPIMediaType()}
    )

    def show(self: Operation) -> None:
        getattr(base, "__post_init__", lambda _: None)(self)
        self.responses = {"403": refused, **(self.responses or {})}

    extension = field(default_factory=lambda: names, metadata={"alias": EXTENSION})
    return make_dataclass(
        base.__name__,
        [("rescind_permissions", list[str], extension)],
        bases=(base,),
        namespace={"__post_init__": show},
    )


__all__ = ["Access", "AccessRefused", "Requirement", "from_path"]
