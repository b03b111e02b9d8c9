"""Checks: one, or many at one state. Also as fast routes of the entry point, which answer the same."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from rescind.errors import InvalidArgument
from rescind.http.answers import AT_LEAST, REVISION, AtLeast, CheckResponse
from rescind.http.auth import Caller, caller_of, requires
from rescind.http.past_times import past_time
from rescind.http.server.fast_routes import Sent
from rescind.http.server.headers import Headers
from rescind.http.server.nonblocking import SlowQuestion
from rescind.http.server.service import Service
from rescind.model import Assurance
from rescind.waiting import NEVER, deadline_within


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """May the subject? The resource is `type:id`, or nothing for the organization itself."""

    subject: str
    permission: str
    resource: str | None = None


class CheckRequest(Question, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One question. The organization may be left out with a key that is bound to one."""

    organization: str | None = None
    assurance: Assurance = "standard"
    explain: bool = False
    at: str | None = None
    """A time in the past, a revision's number or a token: answer as then. Needs the scope `read` too."""


class CheckBatchRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Many questions, answered at one state of the facts."""

    checks: Annotated[list[Question], Meta(min_length=1)]
    organization: str | None = None
    assurance: Assurance = "standard"
    at: str | None = None
    """A time in the past, a revision's number or a token: answer as then. Needs the scope `read` too."""


class CheckBatchResponse(Struct, frozen=True):
    """The answers, in the order of the questions."""

    decisions: list[CheckResponse]


def answer(
    service: Service, caller: Caller, asked: CheckRequest, at_least: str | None
) -> CheckResponse:
    """Raises OrganizationNotFound where the key is bound to another."""
    if asked.at is not None:
        return _past_answer(service, caller, asked, at_least)
    decision = service.authority.check(
        asked.subject,
        asked.permission,
        asked.resource,
        organization=caller.organization_for(asked.organization),
        at_least=at_least,
        assurance=asked.assurance,
        explain=asked.explain,
    )
    return CheckResponse.of(decision)


def _past_answer(
    service: Service, caller: Caller, asked: CheckRequest, at_least: str | None
) -> CheckResponse:
    assert asked.at is not None
    require_slow(caller)
    decision = service.authority.check(
        asked.subject,
        asked.permission,
        asked.resource,
        organization=caller.organization_for(asked.organization),
        at_least=at_least,
        assurance=asked.assurance,
        explain=asked.explain,
        at=past_time(service, caller, asked.organization, asked.at),
    )
    return CheckResponse.of(decision)


def require_slow(caller: Caller) -> None:
    """Raises ScopeMissing unless the key may read the log; SlowQuestion under the time limit of a check."""
    caller.require("read")
    if deadline_within(NEVER) != NEVER:
        raise SlowQuestion


def answers(
    service: Service, caller: Caller, asked: CheckBatchRequest, at_least: str | None
) -> CheckBatchResponse:
    """Raises InvalidArgument for more questions than the limit."""
    most = service.limits.batch_checks
    if len(asked.checks) > most:
        raise InvalidArgument(what="checks", value=len(asked.checks), hint=f"ask at most {most}")
    service.require_few(len(asked.checks))
    questions = [(each.subject, each.permission, each.resource) for each in asked.checks]
    if asked.at is not None:
        require_slow(caller)
        organization = caller.organization_for(asked.organization)
        options: dict[str, Any] = {"at_least": at_least, "assurance": asked.assurance}
        found = service.authority.check_many(
            questions,
            organization=organization,
            at=past_time(service, caller, asked.organization, asked.at),
            **options,
        )
        return CheckBatchResponse([CheckResponse.of(decision) for decision in found])
    decisions = service.authority.check_many(
        questions,
        organization=caller.organization_for(asked.organization),
        at_least=at_least,
        assurance=asked.assurance,
    )
    return CheckBatchResponse([CheckResponse.of(decision) for decision in decisions])


@post("/v1/check", status_code=200, sync_to_thread=True, guards=[requires("check")], tags=["check"])
def check(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[CheckRequest],
    at_least: AtLeast = None,
) -> Response[CheckResponse]:
    """Whether a subject may. What was revoked before the request came is not allowed."""
    decided = answer(service, caller_of(request), data, at_least)
    return Response(decided, headers=_told(decided.revision))


@post(
    "/v1/check/batch",
    status_code=200,
    sync_to_thread=True,
    guards=[requires("check")],
    tags=["check"],
)
def check_batch(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[CheckBatchRequest],
    at_least: AtLeast = None,
) -> Response[CheckBatchResponse]:
    """Many checks at one state of the facts."""
    found = answers(service, caller_of(request), data, at_least)
    return Response(found, headers=_told(found.decisions[0].revision))


def _told(revision: str | None) -> dict[str, str]:
    return {} if revision is None else {REVISION: revision}


# --- the same as fast routes ----------------------------------------------------------------------------

_one = msgspec.json.Decoder(CheckRequest)
_many = msgspec.json.Decoder(CheckBatchRequest)
_encoder = msgspec.json.Encoder()
_AT_LEAST = AT_LEAST.lower().encode()
_REVISION = REVISION.lower().encode()


def at_least_of(headers: Headers) -> str | None:
    """The revision token that a request asks for."""
    given = headers.get(_AT_LEAST)
    return None if given is None else given.decode("latin-1")


def revision_headers(revision: str | None) -> list[tuple[bytes, bytes]]:
    """The header with the revision token, where there is one."""
    return [] if revision is None else [(_REVISION, revision.encode())]


def fast_check(service: Service, caller: Caller, headers: Headers, body: bytes) -> Sent:
    """One check."""
    decided = answer(service, caller, _one.decode(body), at_least_of(headers))
    return revision_headers(decided.revision), _encoder.encode(decided)


def fast_batch(service: Service, caller: Caller, headers: Headers, body: bytes) -> Sent:
    """Many checks."""
    found = answers(service, caller, _many.decode(body), at_least_of(headers))
    return revision_headers(found.decisions[0].revision), _encoder.encode(found)


ROUTES = [check, check_batch]
FAST_ROUTES = {"/v1/check": fast_check, "/v1/check/batch": fast_batch}
