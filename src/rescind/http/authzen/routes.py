"""AuthZEN's routes: for the organization of the key, and below `/o/{organization}`; and discovery."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from rescind.errors import InvalidArgument, InvalidRequest
from rescind.http.answers import REVISION, AtLeast
from rescind.http.auth import Caller, caller_of, requires
from rescind.http.authzen.evaluation import evaluate, evaluate_many
from rescind.http.authzen.search import actions, resources, subjects
from rescind.http.authzen.shapes import (
    ActionSearchRequest,
    EvaluationRequest,
    EvaluationResponse,
    EvaluationsRequest,
    EvaluationsResponse,
    ResourceSearchRequest,
    SearchResponse,
    SubjectSearchRequest,
)
from rescind.http.routes.checks import at_least_of, revision_headers
from rescind.http.server.addresses import IS_CHECK
from rescind.http.server.fast_routes import Sent
from rescind.http.server.headers import Headers
from rescind.http.server.service import Service

ENDPOINTS: Final = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_subject_endpoint": "/access/v1/search/subject",
    "search_resource_endpoint": "/access/v1/search/resource",
    "search_action_endpoint": "/access/v1/search/action",
}
WELL_KNOWN: Final = "/.well-known/authzen-configuration"
PER_ORGANIZATION: Final = "rescind_organization_configuration"
"""Where the endpoints of one organization are described, for keys that are bound to none."""
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")

Told = Request[Any, Any, Any]


def _both(path: str, answer: Callable[..., Any], **opt: Any) -> list[HTTPRouteHandler]:
    """The route for the key's organization, and that for the one in the path."""
    return [
        post(
            where,
            status_code=200,
            sync_to_thread=True,
            guards=[requires("check")],
            tags=["AuthZEN"],
            opt=opt,
        )(answer)
        for where in (path, f"/o/{{organization:str}}{path}")
    ]


def _meant(caller: Caller, organization: str | None) -> str:
    """The organization of the path, or else of the key. Raises InvalidArgument saying where else to ask."""
    if organization is None and caller.organization is None:
        hint = (
            "this key is bound to no organization: ask at /o/ORGANIZATION/access/v1/…, which is described at"
            f" {WELL_KNOWN}/o/ORGANIZATION, or use a key that is bound to one"
        )
        raise InvalidArgument(what="organization", hint=hint)
    return caller.organization_for(organization)


def _response(told: tuple[Any, str | None]) -> Response[Any]:
    answer, revision = told
    return Response(answer, headers={} if revision is None else {REVISION: revision})


def evaluation(
    request: Told,
    service: NamedDependency[Service],
    data: JSONBody[EvaluationRequest],
    organization: FromPath[str | None] = None,
    at_least: AtLeast = None,
) -> Response[EvaluationResponse]:
    """One decision."""
    name = _meant(caller_of(request), organization)
    return _response(evaluate(service, name, data, at_least))


def evaluations(
    request: Told,
    service: NamedDependency[Service],
    data: JSONBody[EvaluationsRequest],
    organization: FromPath[str | None] = None,
    at_least: AtLeast = None,
) -> Response[EvaluationsResponse | EvaluationResponse]:
    """Many decisions at one state of the facts."""
    name = _meant(caller_of(request), organization)
    return _response(evaluate_many(service, name, data, at_least))


def search_subject(
    request: Told,
    service: NamedDependency[Service],
    data: JSONBody[SubjectSearchRequest],
    organization: FromPath[str | None] = None,
    at_least: AtLeast = None,
) -> Response[SearchResponse]:
    """Who may?"""
    name = _meant(caller_of(request), organization)
    return _response(subjects(service, name, data, at_least))


def search_resource(
    request: Told,
    service: NamedDependency[Service],
    data: JSONBody[ResourceSearchRequest],
    organization: FromPath[str | None] = None,
    at_least: AtLeast = None,
) -> Response[SearchResponse]:
    """On what?"""
    name = _meant(caller_of(request), organization)
    return _response(resources(service, name, data, at_least))


def search_action(
    request: Told,
    service: NamedDependency[Service],
    data: JSONBody[ActionSearchRequest],
    organization: FromPath[str | None] = None,
    at_least: AtLeast = None,
) -> Response[SearchResponse]:
    """What may be done?"""
    name = _meant(caller_of(request), organization)
    return _response(actions(service, name, data, at_least))


# --- discovery ------------------------------------------------------------------------------------


@get(
    [WELL_KNOWN, f"{WELL_KNOWN}/o/{{organization:str}}"],
    sync_to_thread=False,
    security=[{}],
    tags=["AuthZEN"],
)
def discovery(
    request: Told, service: NamedDependency[Service], organization: FromPath[str | None] = None
) -> dict[str, Any]:
    """Where the endpoints are. Says nothing of which organizations exist."""
    return _described(
        service, request.scope["scheme"], request.headers.get("host", ""), organization
    )


def discovered(service: Service, raw_path: bytes, scheme: str, headers: Headers) -> dict[str, Any]:
    """The same, for an address below WELL_KNOWN. Raises InvalidRequest."""
    tenant = raw_path.removeprefix(WELL_KNOWN.encode()).removeprefix(b"/o/")
    host = headers.get(b"host", b"").decode("latin-1")
    return _described(service, scheme, host, unquote_to_bytes(tenant).decode() or None)


def _described(
    service: Service, scheme: str, host: str, organization: str | None
) -> dict[str, Any]:
    base = service.public_url or _base(scheme, host)
    tenant = "" if organization is None else f"/o/{quote(organization, safe='')}"
    point = base.rstrip("/") + tenant
    found: dict[str, Any] = {"policy_decision_point": point}
    found.update({name: f"{point}{path}" for name, path in ENDPOINTS.items()})
    if organization is None:
        found[PER_ORGANIZATION] = f"{_well_known(base)}/o/{{organization}}"
    return found


def _well_known(base: str) -> str:
    """The address of discovery for that of a decision point: its path comes after the well-known one."""
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"


def found_below(service: Service, raw_path: bytes) -> bytes:
    """An address, or that of discovery where a public address with a path has it.

    That path comes after the well-known one: `https://host/pdp` is described at WELL_KNOWN + `/pdp`.
    """
    if service.public_url and raw_path.startswith(WELL_KNOWN.encode()):
        below = urlsplit(service.public_url).path.rstrip("/")
        rest = raw_path.removeprefix((WELL_KNOWN + below).encode())
        if below and rest != raw_path and rest[:1] in (b"", b"/"):
            return WELL_KNOWN.encode() + rest
    return raw_path


def _base(scheme: str, host: str) -> str:
    if not _HOST.fullmatch(host):
        raise InvalidRequest(what="host", value=repr(host[:100]), hint="send a valid Host")
    return f"{scheme}://{host}"


# --- as fast routes -------------------------------------------------------------------------------------

_one = msgspec.json.Decoder(EvaluationRequest)
_many = msgspec.json.Decoder(EvaluationsRequest)
_encoder = msgspec.json.Encoder()


def fast_evaluation(service: Service, caller: Caller, headers: Headers, body: bytes) -> Sent:
    """One decision for the organization of the key."""
    asked, name = _one.decode(body), _meant(caller, None)
    answer, revision = evaluate(service, name, asked, at_least_of(headers))
    return revision_headers(revision), _encoder.encode(answer)


def fast_evaluations(service: Service, caller: Caller, headers: Headers, body: bytes) -> Sent:
    """Many decisions for the organization of the key."""
    asked, name = _many.decode(body), _meant(caller, None)
    answer, revision = evaluate_many(service, name, asked, at_least_of(headers))
    return revision_headers(revision), _encoder.encode(answer)


ROUTES = [
    *_both("/access/v1/evaluation", evaluation, **IS_CHECK),
    *_both("/access/v1/evaluations", evaluations, **IS_CHECK),
    *_both("/access/v1/search/subject", search_subject),
    *_both("/access/v1/search/resource", search_resource),
    *_both("/access/v1/search/action", search_action),
    discovery,
]
FAST_ROUTES = {
    "/access/v1/evaluation": fast_evaluation,
    "/access/v1/evaluations": fast_evaluations,
}
