"""What the background audit has found, and an organization's facts compared with its change log now."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from msgspec import Struct

from rescind.errors import InvalidArgument
from rescind.history.facts_look import audit_from_snapshot
from rescind.history.replay_audit import TooManyChanges
from rescind.history.replay_report import ReplayedOrganization
from rescind.http.auth import caller_of, requires
from rescind.http.routes.lists import Limit, Organization
from rescind.http.server.service import Service
from rescind.http.server.turns import Turns
from rescind.model import OrganizationId
from rescind.propagation.audit_history import AuditRound, PastDrift, read_history

AT_ONCE: Final = 2
"""Organizations of which one process holds all facts at a time, to compare them with their logs."""
_turns: Final = Turns(AT_ONCE, why="organizations are being compared with their logs")


class AuditRoundResponse(Struct, frozen=True):
    """One round of all organizations; `completed_at` is null while it is under way."""

    round: int
    started_at: datetime
    completed_at: datetime | None
    organizations: int
    memberships: int
    effective_roles: int
    missing: int
    surplus: int
    unsettled: int
    repaired: int

    @classmethod
    def of(cls, found: AuditRound) -> AuditRoundResponse:
        """The response for a round."""
        return cls(*(getattr(found, name) for name in cls.__struct_fields__))


class AuditDriftResponse(Struct, frozen=True):
    """Drift of one group, or of no group (null); `ended_at` is null until a round found none."""

    organization: str | None
    group: str | None
    since: datetime
    seen_at: datetime
    ended_at: datetime | None
    missing: int
    surplus: int
    repaired: int
    example: str

    @classmethod
    def of(cls, found: PastDrift) -> AuditDriftResponse:
        """The response for an entry."""
        return cls(*(getattr(found, name) for name in cls.__struct_fields__))


class AuditsResponse(Struct, frozen=True):
    """The latest rounds first; drift that is there now first. A single organization has no rounds. Without a
    completed round, `last_completed_at` is null, and that no drift is listed means nothing yet.
    """

    rounds: list[AuditRoundResponse]
    drift: list[AuditDriftResponse]
    last_completed_at: datetime | None


@get("/v1/audits", sync_to_thread=True, guards=[requires("read")])
def audits(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
    limit: Limit = None,
) -> AuditsResponse:
    """Rounds of the background audit and the drift that they found, of one organization or of all."""
    caller = caller_of(request)
    everywhere = organization is None and caller.organization is None
    name = None if everywhere else caller.organization_for(organization)
    store = service.authority.store
    found = read_history(store, name, limit=service.limits.page(limit))
    return AuditsResponse(
        [AuditRoundResponse.of(each) for each in found.rounds],
        [AuditDriftResponse.of(each) for each in found.drift],
        found.last_completed_at,
    )


class ReplayDifferenceResponse(Struct, frozen=True):
    """A fact that the log and the tables do not agree on; null where it is not there."""

    kind: str
    name: str
    in_log: str | None
    in_tables: str | None
    logged_at: int | None
    parts_at: int | None


class ReplayResponse(Struct, frozen=True):
    """An organization's facts, compared with its log, replayed after the revision `since`."""

    organization: str
    clean: bool
    revision: int
    since: int
    changes: int
    facts: int
    differing: int
    differences: list[ReplayDifferenceResponse]
    misfit_at: int | None
    misfit: str
    first_revision: int | None
    unaudited: str
    is_upgraded: bool

    @classmethod
    def of(cls, found: ReplayedOrganization) -> ReplayResponse:
        """The response for a result."""
        first, clean = found.first_revision, found.is_clean
        given = {**asdict(found), "first_revision": first, "clean": clean}
        return msgspec.convert(given, cls)


@get("/v1/audits/replay", sync_to_thread=True, guards=[requires("read")])
def replay(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    organization: Organization = None,
) -> ReplayResponse:
    """One organization's facts, compared with its change log from the newest snapshot on.

    Refused for one that is too large to be read at once, and while others are compared.
    """
    name = OrganizationId(caller_of(request).organization_for(organization))
    try:
        with _turns.one():
            found = audit_from_snapshot(service.authority.store, name)
    except TooManyChanges:
        hint = "it has too many facts or changes to be read at once: use `rescind audit --replay`"
        raise InvalidArgument(what="organization", value=name, hint=hint) from None
    return ReplayResponse.of(found)


ROUTES = [audits, replay]
