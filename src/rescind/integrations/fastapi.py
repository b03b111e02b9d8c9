"""FastAPI: routes that require a permission.

    access = Access(authority, subject=current_subject)
    access.install(app)

    @app.get("/docs/{doc_id}", dependencies=[
        Depends(access.require("doc:read", resource=from_path("doc_id", type="doc")))])

`subject` is your own dependency: it returns `user:…`, or None where nobody is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from typing import Any, Final, TypeAlias

from rescind.errors import extra

with extra("fastapi"):
    from fastapi import Depends, FastAPI, HTTPException, Request, Response, params, routing
    from fastapi.dependencies.models import Dependant
    from fastapi.responses import JSONResponse

from rescind.aio import AsyncAuthority
from rescind.authority import Authority
from rescind.errors import InvalidArgument, RescindError
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

Resource: TypeAlias = str | Callable[[Request], str | None] | None
EXTENSION: Final = "x-rescind-permissions"
"""Of an operation in the OpenAPI document: the permissions that it requires."""


class AccessRefused(HTTPException):
    """The request is not let in: 400, 401, 403 or 503."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.detail, dict(refusal.headers))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class from_path:  # noqa: N801 - reads as what it does
    """The resource that a parameter of the path names: `from_path("doc_id", type="doc")`."""

    parameter: str
    type: str

    def __call__(self, request: Request) -> str:
        return f"{self.type}:{request.path_params[self.parameter]}"


class Access:
    """Who may use which route. One for an application.

    `subject` is a dependency that returns the subject; `organization` is one as well, or a name, or nothing
    for the authority's own. If it is one that returns None, nobody is let in. With an `Authority`, what
    memory cannot answer is asked in threads of its own.
    """

    def __init__(
        self,
        authority: Authority | AsyncAuthority,
        *,
        subject: Callable[..., Any],
        organization: Callable[..., Any] | str | None = None,
    ) -> None:
        self.authority = (
            authority if isinstance(authority, AsyncAuthority) else AsyncAuthority(authority)
        )
        self._subject, self._organization = subject, organization

    def require(self, permission: str, *, resource: Resource = None) -> Callable[..., Any]:
        """A dependency that lets a request in if its subject has the permission; it gives the `Decision`.

        `resource` is `type:id`, or what finds it from the request; nothing is the organization itself. A
        request with the header `Rescind-At-Least`, the token of a change, is decided with that change known.
        Otherwise raises AccessRefused. Raises MalformedId at once for what can be no permission.
        """
        permission_id(permission)

        async def required(request: Request, subject: Any, organization: Any = None) -> Decision:
            if subject is None:
                raise AccessRefused(UNAUTHENTICATED)
            where = resource(request) if callable(resource) else resource
            options: dict[str, Any] = {}
            if (token := request.headers.get(AT_LEAST)) is not None:
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

        required.__signature__ = self._signature()  # type: ignore[attr-defined]
        required.requirement = Requirement(permission, resource)  # type: ignore[attr-defined]
        return Required(required)

    @property
    def signed_in(self) -> Callable[..., Any]:
        """A dependency that gives the subject, as `user:…`. For routes that list what the subject may see, or
        record who did something. Raises AccessRefused where nobody is signed in (401), and for what can be
        no subject (403).
        """

        def given(subject: Any) -> str:
            try:
                return signed_in(subject)
            except Refused as refused:
                raise AccessRefused(refused.refusal) from refused

        given.__signature__ = Signature([self._subject_parameter()])  # type: ignore[attr-defined]
        return SignedIn(given)

    def install(self, app: FastAPI) -> None:
        """Answer refusals with problem details, and show in the OpenAPI document what each route requires."""
        app.add_exception_handler(AccessRefused, _answer)
        document = app.openapi

        def openapi() -> dict[str, Any]:
            if app.openapi_schema is None:
                _describe(app, document())
            return document()

        app.openapi = openapi  # type: ignore[method-assign]

    def _signature(self) -> Signature:
        """What FastAPI is to give the dependency."""
        kind = Parameter.KEYWORD_ONLY
        found = [
            Parameter("request", kind, annotation=Request),
            self._subject_parameter(),
        ]
        if callable(self._organization):
            given = Depends(self._organization)
        else:
            name = self._organization
            given = Depends(lambda: name)
        found.append(Parameter("organization", kind, annotation=Any, default=given))
        return Signature(found)

    def _subject_parameter(self) -> Parameter:
        kind = Parameter.KEYWORD_ONLY
        return Parameter("subject", kind, annotation=Any, default=Depends(self._subject))


class Dependency(params.Depends):
    """What a route depends on: in `Depends(…)`, and without it. As a default value or in `Annotated`, FastAPI
    would take anything else for a parameter of the query, which anybody can send, and ask nothing.
    """

    @property
    def __signature__(self) -> Signature:
        return signature(self._asked)

    @property
    def _asked(self) -> Callable[..., Any]:
        assert self.dependency is not None
        return self.dependency


class Required(Dependency):
    """A dependency that lets a request in, and gives the decision."""

    @property
    def requirement(self) -> Requirement:
        """What it requires."""
        found: Requirement = self._asked.requirement  # type: ignore[attr-defined]
        return found

    async def __call__(self, **given: Any) -> Any:
        return await self._asked(**given)


class SignedIn(Dependency):
    """A dependency that gives the subject. With and without parentheses: a method that FastAPI itself called
    would give it, and let everybody in.
    """

    def __call__(self, **given: Any) -> Any:
        return self._asked(**given) if given else self


class _Uncalled:
    """Stands where `require` has its permission, for who asks what to call it with: FastAPI, if it is given
    the method itself. It would take the permission from the query.
    """

    def __call__(self) -> None:
        """Never called."""

    @property
    def __signature__(self) -> Signature:
        raise TypeError('call it with a permission: Depends(access.require("doc:read"))')


_PARAMETERS: Final = signature(Access.require).parameters
Access.require.__signature__ = Signature(  # type: ignore[attr-defined]
    [
        each.replace(default=Depends(_Uncalled())) if each.name == "permission" else each
        for each in _PARAMETERS.values()
    ]
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a dependency requires."""

    permission: str
    resource: Resource

    def __str__(self) -> str:
        if isinstance(self.resource, from_path):
            return f"{self.permission} on {self.resource.type}:{{{self.resource.parameter}}}"
        return self.permission


async def _answer(request: Request, error: Exception) -> Response:  # noqa: ARG001 - as FastAPI calls it
    assert isinstance(error, AccessRefused)
    return JSONResponse(
        error.refusal.problem(), error.status_code, dict(error.headers or {}), media_type=MEDIA_TYPE
    )


def _describe(app: FastAPI, document: dict[str, Any]) -> None:
    """Add what routes require to their operations. Raises InvalidArgument for a path without a parameter."""
    for route in _routes(app):
        required = list(_required(route.dependant))
        for each in required:
            _require_parameter(route, each)
        operations = document.get("paths", {}).get(route.path_format, {})
        for method in route.methods if required else ():
            operation = operations.get(method.lower())
            if operation is not None:
                operation[EXTENSION] = [str(each) for each in required]
                operation["responses"].setdefault("403", _response(required))


def _routes(app: FastAPI) -> Iterator[Any]:
    """The application's own routes and those of its routers, which newer versions of FastAPI keep apart."""
    with_context = getattr(routing, "iter_route_contexts", iter)
    for route in with_context(app.routes):
        if isinstance(getattr(route, "original_route", route), routing.APIRoute):
            yield route


def _required(dependant: Dependant) -> Iterator[Requirement]:
    found = getattr(dependant.call, "requirement", None)
    if isinstance(found, Requirement):
        yield found
    for each in dependant.dependencies:
        yield from _required(each)


def _require_parameter(route: Any, required: Requirement) -> None:
    resource = required.resource
    if isinstance(resource, from_path) and f"{{{resource.parameter}}}" not in route.path_format:
        hint = f"the path {route.path_format} has no such parameter"
        raise InvalidArgument(what="from_path", value=resource.parameter, hint=hint)


def _response(required: list[Requirement]) -> dict[str, Any]:
    names = " and ".join(str(each) for each in required)
    return {"description": f"Requires {names}.", "content": {MEDIA_TYPE: {}}}


__all__ = ["Access", "AccessRefused", "Requirement", "from_path"]
