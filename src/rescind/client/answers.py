"""Reads the service's answers as the library's own values. Pure: bytes in, values out.

Each reader raises ValueError for an answer that is not what it should be. So nothing that is missing or
misspelled in an answer can allow anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rescind.client.revisions import ServedRevision
from rescind.model import (
    AlikeIds,
    AssignmentEntry,
    Decision,
    DecisionPoint,
    Difference,
    Direction,
    Enforcement,
    ExpiryEntry,
    Explanation,
    FactPage,
    GroupEntry,
    LookAlike,
    MemberEntry,
    MembershipEntry,
    Missing,
    OrganizationId,
    Page,
    PermissionEntry,
    Reason,
    Receipt,
    ResourceEntry,
    RoleEntry,
    Route,
)

T = TypeVar("T")
Entry = TypeVar("Entry")


def reader(kind: type[Any], made: Callable[[Any], T]) -> Callable[[bytes], T]:
    """What reads an answer of a type."""
    decoder = msgspec.json.Decoder(kind)

    def read(body: bytes) -> T:
        return made(decoder.decode(body))

    return read


# --- decisions and lists --------------------------------------------------------------------------------


class DecisionAnswer(Struct):
    """One decision."""

    allowed: bool
    reason: Reason
    decision_point: DecisionPoint
    revision: str | None
    explanation: Explanation | UnsetType | None = UNSET


class DecisionsAnswer(Struct):
    """Many decisions."""

    decisions: list[DecisionAnswer]


def _decision(told: DecisionAnswer) -> Decision:
    return Decision(
        allowed=told.allowed,
        reason=told.reason,
        point=told.decision_point,
        revision=None if told.revision is None else ServedRevision(told.revision),
        explanation=told.explanation or None,
    )


decision = reader(DecisionAnswer, _decision)


def decisions(count: int) -> Callable[[bytes], list[Decision]]:
    """What reads a decision for each of so many questions."""

    def made(told: DecisionsAnswer) -> list[Decision]:
        if len(told.decisions) != count:
            raise ValueError(f"{len(told.decisions)} decisions for {count} questions")
        return [_decision(each) for each in told.decisions]

    return reader(DecisionsAnswer, made)


class NamesAnswer(Struct):
    """A page of names."""

    items: tuple[str, ...]
    next_cursor: str | None
    revision: str


names = reader(
    NamesAnswer, lambda told: Page(told.items, told.next_cursor, ServedRevision(told.revision))
)


def struct_of(entry: type[Any], **other: Any) -> type[Any]:
    """The form in JSON of a named tuple: an object with its fields. `other` are types that differ."""
    hints = {**get_type_hints(entry), **other}
    return msgspec.defstruct(entry.__name__, [(name, hints[name]) for name in entry._fields])


class FactsAnswer(Struct, Generic[Entry]):
    """A page of facts."""

    items: list[Entry]
    next_cursor: str | None
    revision: str


def _facts(entry: type[Entry]) -> Callable[[bytes], FactPage[Entry]]:
    def made(told: Any) -> FactPage[Entry]:
        items = tuple(entry(*msgspec.structs.astuple(each)) for each in told.items)
        return FactPage(items, told.next_cursor, ServedRevision(told.revision))

    page: Any = FactsAnswer[struct_of(entry)]  # type: ignore[misc]
    return reader(page, made)


groups = _facts(GroupEntry)
members = _facts(MemberEntry)
memberships = _facts(MembershipEntry)
roles = _facts(RoleEntry)
permissions = _facts(PermissionEntry)
resources = _facts(ResourceEntry)
assignments = _facts(AssignmentEntry)
expiring = _facts(ExpiryEntry)


class AlikeSetAnswer(Struct):
    """Ids that look alike."""

    organization: str
    what: str
    names: tuple[str, ...]


class AlikeAnswer(Struct):
    """All sets of them."""

    look_alikes: list[AlikeSetAnswer]


look_alikes = reader(
    AlikeAnswer,
    lambda told: [AlikeIds(each.organization, each.what, each.names) for each in told.look_alikes],
)

# --- changes --------------------------------------------------------------------------------------------


class ReceiptAnswer(Struct):
    """What a change did."""

    organization: OrganizationId
    changed: bool
    revision: str
    number: int
    direction: Direction
    route: Route
    route_reason: str | None
    fan_out: int
    recorded_at: datetime
    enforced_at: datetime | None
    settled_at: datetime | None
    not_found: tuple[Missing, ...] = ()
    only_expiring: tuple[str, ...] = ()
    look_alikes: tuple[LookAlike, ...] = ()
    difference: Difference | UnsetType | None = UNSET
    enforcement: Enforcement | None = None
    is_repeated: bool = False


def receipt_of(told: ReceiptAnswer) -> Receipt:
    """The receipt that an answer tells."""
    done = told.enforcement
    return Receipt(
        organization=told.organization,
        revision=ServedRevision(told.revision, told.number),
        changed=told.changed,
        direction=told.direction,
        route=told.route,
        fan_out=told.fan_out,
        recorded_at=told.recorded_at,
        settled_at=told.settled_at,
        not_found=told.not_found,
        only_expiring=told.only_expiring,
        look_alikes=told.look_alikes,
        route_reason=told.route_reason or "",
        enforced_at=told.enforced_at,
        enforcement_seconds=None if done is None else done.seconds,
        waited_out=() if done is None else done.waited_out,
        enforcement=done,
        difference=told.difference or None,
        is_repeated=told.is_repeated,
    )


receipt = reader(ReceiptAnswer, receipt_of)
difference = reader(Difference, lambda told: told)
