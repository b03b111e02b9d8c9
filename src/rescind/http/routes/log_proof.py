"""The proof of the change log: its heads, and whether its digests fit."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import Struct

from rescind.errors import InvalidArgument
from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Organization
from rescind.http.server.service import Service
from rescind.model import KeptHeads, VerifiedLog

MOST_VERIFIED: Final = 500_000
"""Changes of a log that one request verifies, at most."""


class LogHeadResponse(Struct, frozen=True):
    """The newest digest of a log; it is null while an older version's log is not chained yet."""

    organization: str
    number: int
    revision: int
    digest: str | None
    at: datetime


class LogHeadsResponse(Struct, frozen=True):
    """A head for each organization that has or had the name."""

    heads: list[LogHeadResponse]


class KeptHead(Struct, frozen=True):
    """A head that was kept, as `rescind log head` or `/v1/log/head` gave it."""

    number: int
    revision: int
    digest: str | None
    organization: str | None = None
    at: datetime | None = None


class VerifyRequest(Struct, frozen=True):
    """Heads that were kept elsewhere, of the organization whose log is to be verified."""

    heads: list[KeptHead]
    organization: str | None = None


class LogFaultResponse(Struct, frozen=True):
    """The first change that does not fit: `meaning` says why."""

    kind: str
    revision: int
    meaning: str


class VerifiedLogResponse(Struct, frozen=True):
    """What was found of a log: how many changes fit, the last of them, and the first that does not.

    `unproven` changes are still there before its start, and nothing proves them.
    """

    organization: str
    number: int
    fits: bool
    rows: int
    after: int
    revision: int
    digest: str
    heads: int
    unproven: int
    fault: LogFaultResponse | None

    @classmethod
    def of(cls, found: VerifiedLog) -> VerifiedLogResponse:
        """The same, as JSON has it."""
        names = [name for name in cls.__struct_fields__ if name != "fault"]
        fault = None
        if (bad := found.fault) is not None:
            fault = LogFaultResponse(bad.kind.value, bad.revision, bad.meaning)
        return cls(**{name: getattr(found, name) for name in names}, fault=fault)


class VerifiedLogsResponse(Struct, frozen=True):
    """A result for each organization that has or had the name."""

    logs: list[VerifiedLogResponse]


@get("/v1/log/head", sync_to_thread=True, guards=[requires("read")])
def read_log_heads(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
) -> LogHeadsResponse:
    """The newest digest of the organization's log, to be kept elsewhere."""
    name = caller_of(request).organization_for(organization)
    heads = service.authority.log_heads(organization=name)
    return LogHeadsResponse([LogHeadResponse(**asdict(head)) for head in heads])


@get("/v1/log/verify", sync_to_thread=True, guards=[requires("read")])
def verify_log(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    number: FromQuery[int | None] = None,
    revision: FromQuery[int | None] = None,
    digest: FromQuery[str | None] = None,
) -> VerifiedLogsResponse:
    """Make every digest of the organization's log again. A head that was kept is given as its `number`,
    `revision` and `digest`: the log must still have it. Of a log of more than 500,000 changes it is refused.
    """
    name = caller_of(request).organization_for(organization)
    heads = None
    if any(each is not None for each in (number, revision, digest)):
        if number is None or revision is None or digest is None:
            hint = "give `number`, `revision` and `digest` of a head, or none of them"
            raise InvalidArgument(what="head", hint=hint)
        heads = kept_heads([KeptHead(number, revision, digest, name)], name)
    return _verified(service, name, heads)


@post("/v1/log/verify", sync_to_thread=True, status_code=200, guards=[requires("read")])
def verify_log_from(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    data: JSONBody[VerifyRequest],
) -> VerifiedLogsResponse:
    """Make every digest of the organization's log again. `heads` were kept: the log must still have each of
    them. Those of other organizations are left out. Of a log of more than 500,000 changes it is refused.
    """
    name = caller_of(request).organization_for(data.organization)
    return _verified(service, name, required_heads(data.heads, name))


def required_heads(heads: list[KeptHead], name: str) -> KeptHeads:
    """The heads of one organization. Raises InvalidArgument where there is none with a digest."""
    kept = kept_heads(heads, name)
    if not kept:
        hint = "none of them is a head of this organization with a digest"
        raise InvalidArgument(what="heads", hint=hint)
    return kept


def kept_heads(heads: list[KeptHead], name: str) -> KeptHeads:
    """The heads of one organization, those that say no name included. Raises InvalidArgument."""
    ours = [
        msgspec.structs.replace(head, organization=name)
        for head in heads
        if head.organization in (None, name)
    ]
    for head in ours:
        if head.number < 0:
            hint = "it is the head of no organization: use `rescind log verify --from`"
            raise InvalidArgument(what="number", value=str(head.number), hint=hint)
    return KeptHeads.read(map(msgspec.json.encode, ours))


def _verified(service: Service, name: str, heads: KeptHeads | None) -> VerifiedLogsResponse:
    for head in service.authority.log_heads(organization=name):
        if head.revision > MOST_VERIFIED:
            hint = f"over HTTP at most {MOST_VERIFIED:,} changes are verified: use `rescind log verify`"
            raise InvalidArgument(what="log", hint=hint)
    found = service.authority.verify_log(organization=name, heads=heads)
    return VerifiedLogsResponse([VerifiedLogResponse.of(each) for each in found])


ROUTES = [read_log_heads, verify_log, verify_log_from]
