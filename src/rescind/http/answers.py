"""Answers of our own routes as types, made from those of the library. Nothing is decided here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, cast

import msgspec
from litestar.params import HeaderParameter
from msgspec import UNSET, Struct, UnsetType

from rescind.errors import InvalidArgument
from rescind.model import (
    Chain,
    Decision,
    Difference,
    Enforcement,
    Explanation,
    LogEntry,
    LookAlike,
    Page,
    PendingWork,
    Receipt,
)
from rescind.transfer.evidence import enforcement_object

REVISION: Final = "Rescind-Revision"
"""The header of the state that an answer was made at; hand it back as AT_LEAST."""
AT_LEAST: Final = "Rescind-At-Least"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
ACTOR: Final = "Rescind-Actor"

AtLeast = Annotated[
    str | None,
    HeaderParameter(name=AT_LEAST, description="A revision token: read no older state than that."),
]


OnlyAt = Annotated[
    str | None,
    HeaderParameter(
        name=IF_MATCH, description="A revision token in quotes: only if nothing has changed since."
    ),
]


def state_headers(token: str) -> dict[str, str]:
    """The headers that name the state of an answer."""
    return {REVISION: token, "ETag": f'"{token}"'}


def condition(given: str | None) -> str | None:
    """The revision token of an If-Match header, with or without its quotes. Raises InvalidArgument."""
    if given is None:
        return None
    named = given.strip().removeprefix('"').removesuffix('"')
    if named in ("", "*") or not set(named).isdisjoint('",/ '):
        hint = "send one revision token in quotes, as Rescind-Revision or ETag had it"
        raise InvalidArgument(what=IF_MATCH, value=given, hint=hint)
    return named


class ChainResponse(Struct, frozen=True):
    """One reason for access."""

    subject: str
    groups: tuple[str, ...]
    role: str
    permission: str
    assigned_on: str
    resource: str
    expires_at: datetime | None
    is_default_role: bool

    @classmethod
    def of(cls, chain: Chain) -> ChainResponse:
        """The same, as JSON has it."""
        return cls(*(getattr(chain, name) for name in cls.__struct_fields__))


class ExplanationResponse(Struct, frozen=True):
    """All the chains that allow, or what stands in the way."""

    chains: tuple[ChainResponse, ...]
    obstacles: tuple[str, ...]
    is_complete: bool

    @classmethod
    def of(cls, found: Explanation) -> ExplanationResponse:
        """The same, as JSON has it."""
        return cls(tuple(map(ChainResponse.of, found.chains)), found.obstacles, found.is_complete)


class CheckResponse(Struct, frozen=True):
    """The answer to a check."""

    allowed: bool
    reason: str
    decision_point: str
    revision: str | None
    explanation: ExplanationResponse | UnsetType = UNSET

    @classmethod
    def of(cls, decision: Decision) -> CheckResponse:
        """The same, as JSON has it."""
        found = decision.explanation
        told = UNSET if found is None else ExplanationResponse.of(found)
        point, reason = decision.point.value, decision.reason.value
        return cls(decision.allowed, reason, point, decision.token, told)


class NamesResponse(Struct, frozen=True):
    """A page of names; `next_cursor` is null on the last."""

    items: tuple[str, ...]
    next_cursor: str | None
    revision: str

    @classmethod
    def of(cls, page: Page) -> NamesResponse:
        """The same, as JSON has it."""
        return cls(page.items, page.next_cursor, page.revision.token())


class DifferenceResponse(Struct, frozen=True):
    """What a change gives and takes: (subject, permission, resource) each. Not complete, and empty, for all
    organizations (`*`).
    """

    direction: str
    granted: tuple[tuple[str, str, str], ...]
    revoked: tuple[tuple[str, str, str], ...]
    is_complete: bool
    look_alikes: tuple[LookAlikeResponse, ...] = ()

    @classmethod
    def of(cls, found: Difference) -> DifferenceResponse:
        """The same, as JSON has it."""
        alike = tuple(map(LookAlikeResponse.of, found.look_alikes))
        return cls(found.direction.value, found.granted, found.revoked, found.is_complete, alike)


class NotFoundResponse(Struct, frozen=True):
    """What a change named to take away, or to take something from, and what does not exist."""

    what: str
    name: str


class LookAlikeResponse(Struct, frozen=True):
    """An id that was added, deactivated, removed or not found, and others that look like it.

    The others are different people or groups, and keep what they have.
    """

    what: str
    name: str
    others: tuple[str, ...]
    is_missing: bool

    @classmethod
    def of(cls, found: LookAlike) -> LookAlikeResponse:
        """The same, as JSON has it."""
        return cls(found.what, found.name, found.others, found.is_missing)


class EnforcedReplicaResponse(Struct, frozen=True):
    """A replica that held the organization, and after how long it could answer from no older state."""

    replica: str
    name: str
    host: str
    process: int | None
    outcome: str
    milliseconds: float
    is_own: bool


class EnforcementResponse(Struct, frozen=True):
    """Which replicas held the organization when a change revoked something, and what each did."""

    began_at: datetime | None
    seconds: float
    outcome: str
    are_replicas_known: bool
    replicas: list[EnforcedReplicaResponse]
    others: int
    is_deferred: bool

    @classmethod
    def of(cls, done: Enforcement | None) -> EnforcementResponse | None:
        """The same, as JSON has it."""
        found = enforcement_object(done)
        return None if found is None else msgspec.convert(found, cls)


class ReceiptResponse(Struct, frozen=True):
    """What a change did, and when it held. `revision` is the token, `number` the organization's count.

    If a change `is_repeated` with its key, `route_reason` is null: it is not kept.
    """

    organization: str
    changed: bool
    revision: str
    number: int
    direction: str
    route: str
    route_reason: str | None
    fan_out: int
    recorded_at: datetime
    enforced_at: datetime | None
    settled_at: datetime | None
    not_found: tuple[NotFoundResponse, ...] = ()
    only_expiring: tuple[str, ...] = ()
    look_alikes: tuple[LookAlikeResponse, ...] = ()
    difference: DifferenceResponse | UnsetType = UNSET
    enforcement: EnforcementResponse | None = None
    is_repeated: bool = False

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptResponse:
        """The same, as JSON has it."""
        found = receipt.difference
        return cls(
            organization=receipt.organization,
            changed=receipt.changed,
            revision=receipt.token,
            number=receipt.revision.organization,
            direction=receipt.direction.value,
            route=receipt.route.value,
            route_reason=receipt.route_reason or None,
            fan_out=receipt.fan_out,
            recorded_at=receipt.recorded_at,
            enforced_at=receipt.enforced_at,
            settled_at=receipt.settled_at,
            not_found=tuple(NotFoundResponse(each.what, each.name) for each in receipt.not_found),
            only_expiring=receipt.only_expiring,
            look_alikes=tuple(map(LookAlikeResponse.of, receipt.look_alikes)),
            difference=UNSET if found is None else DifferenceResponse.of(found),
            enforcement=EnforcementResponse.of(receipt.enforcement),
            is_repeated=receipt.is_repeated,
        )


class LogEntryResponse(Struct, frozen=True):
    """A change as it was recorded, and as it stands now."""

    organization: str
    number: int
    recorded_at: datetime
    enforced_at: datetime | None
    settled_at: datetime | None
    actor: str
    reason: str
    direction: str
    route: str
    fan_out: int
    idempotency_key: str | None
    changes: list[dict[str, Any]]
    enforcement_status: str
    enforcement: EnforcementResponse | None
    caused_by: int | None

    @classmethod
    def of(cls, entry: LogEntry) -> LogEntryResponse:
        """The same, as JSON has it."""
        return cls(
            organization=entry.organization,
            number=entry.revision,
            recorded_at=entry.recorded_at,
            enforced_at=entry.enforced_at,
            settled_at=entry.settled_at,
            actor=entry.actor,
            reason=entry.reason,
            direction=entry.direction.value,
            route=entry.route.value,
            fan_out=entry.fan_out,
            idempotency_key=entry.idempotency_key,
            changes=cast(Any, msgspec.Raw(entry.changes.encode())),
            enforcement_status=entry.enforcement_status.value,
            enforcement=EnforcementResponse.of(entry.enforcement),
            caused_by=entry.caused_by,
        )


class PendingItemResponse(Struct, frozen=True):
    """Background work that is not settled. A group that was deleted has no name, only its number."""

    organization: str | None
    group: str | None
    group_number: int | None
    kind: str
    subject: str | None
    direction: str
    is_critical: bool
    done: int
    total: int | None
    lag_seconds: float
    attempts: int
    waits_seconds: float
    is_parked: bool
    since: int
    number: int

    @classmethod
    def of(cls, work: PendingWork) -> PendingItemResponse:
        """The same, without the words of the database's driver."""
        own = ("group_number", "direction", "number")
        fields = {name: getattr(work, name) for name in cls.__struct_fields__ if name not in own}
        return cls(
            group_number=number_of(work),
            direction=work.direction.value,
            number=work.revision,
            **fields,
        )


def number_of(work: PendingWork) -> int | None:
    """The number of the group that work is for, as people are shown it; none if it is for no group."""
    return None if work.kind == "organization" else abs(work.group_number)
