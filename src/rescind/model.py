"""The words of the design as types: ids, directions, decisions and receipts. No I/O.

Ids are the caller's own text. `OrganizationId` and the rest are checked once, at the front door, by
the functions here; everything below trusts them.
"""

from __future__ import annotations

import base64
import re
import reprlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache, wraps
from typing import Any, Final, Literal, NewType, TypeVar

from rescind.errors import InvalidArgument, InvalidToken, MalformedId

OrganizationId = NewType("OrganizationId", str)
SubjectId = NewType("SubjectId", str)
"""`user:alice`, `service_account:ci`, `agent:triage`."""
GroupId = NewType("GroupId", str)
RoleId = NewType("RoleId", str)
PermissionId = NewType("PermissionId", str)
ResourceTypeId = NewType("ResourceTypeId", str)
ResourceId = NewType("ResourceId", str)
"""`document:1`; the organization itself is `organization`."""
Microseconds = NewType("Microseconds", int)
"""Since the Unix epoch, UTC: how the store keeps times."""

ENVIRONMENT: Final = OrganizationId("*")
"""Where permissions, roles and resource types for all organizations are defined."""
ROOT: Final = ResourceId("organization")
"""The root of every organization's resource tree."""
SUBJECT_KINDS: Final = ("user", "service_account", "agent")
MAX_ID_LENGTH: Final = 255
MAX_TEXT_LENGTH: Final = 10_000
"""Of names, descriptions, reasons, actors and idempotency keys."""


class Direction(StrEnum):
    """Whether a change takes something away from somebody (G7)."""

    GRANTS = "grants"
    REVOKES = "revokes"


class Route(StrEnum):
    """How effective roles follow a change."""

    INLINE = "inline"
    """In the same transaction."""
    BACKGROUND = "background"
    """By pending work, which is never trusted for a revocation that it has not finished."""


class RoleMode(StrEnum):
    """How many organization-wide roles of a membership count."""

    MULTIPLE = "multiple"
    SINGLE = "single"


class OnLoss(StrEnum):
    """What a membership of a single-role organization falls to when it loses its winning role."""

    DEFAULT = "default"
    NEXT_HIGHEST = "next-highest"


class DecisionPoint(StrEnum):
    """What answered a question."""

    INDEX = "index"
    EFFECTIVE = "effective"
    LIVE = "live"


class Reason(StrEnum):
    """Why a check was allowed or denied; stable, safe to match on."""

    ALLOWED = "allowed"
    UNKNOWN_ORGANIZATION = "unknown_organization"
    UNKNOWN_SUBJECT = "no_membership"
    DEACTIVATED = "membership_deactivated"
    UNKNOWN_PERMISSION = "unknown_permission"
    UNKNOWN_RESOURCE = "unknown_resource"
    NO_ROLE = "no_role"


Assurance = Literal["standard", "live"]


# --- ids ------------------------------------------------------------------------------------------


Id = TypeVar("Id", bound=str)


def _remembering(check: Callable[[object], Id]) -> Callable[[object], Id]:
    """The check, with its latest results remembered. What cannot be a key is no text: it is refused."""
    remembered = lru_cache(65_536)(check)

    @wraps(check)
    def found(value: object) -> Id:
        try:
            return remembered(value)
        except TypeError:
            return check(value)

    return found


def _checked(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise MalformedId(what=what, value=reprlib.repr(value), mend="give it as text")
    value = str.__str__(
        value
    )  # of an enumeration's member too, which a driver would take by its name
    is_plain = not any(unicodedata.category(c)[0] == "C" for c in value)
    if is_plain and value == value.strip() and 0 < len(value) <= MAX_ID_LENGTH:
        return value
    raise MalformedId(
        what=what,
        value=repr(value[:60]),
        mend=f"use 1 to {MAX_ID_LENGTH} characters, no control characters, no space at the ends",
    )


@_remembering
def organization_id(value: object) -> OrganizationId:
    """The organization's id, or MalformedId."""
    return OrganizationId(_checked("organization", value))


@_remembering
def subject_id(value: object) -> SubjectId:
    """`kind:id` with a known kind; a bare id is a user. Otherwise MalformedId."""
    text = _checked("subject", value)
    kind, colon, rest = text.partition(":")
    if not colon:
        return SubjectId(f"user:{text}")
    if kind in SUBJECT_KINDS and rest:
        return SubjectId(text)
    raise MalformedId(what="subject", value=text, mend="write user:…, service_account:… or agent:…")


@_remembering
def group_id(value: object) -> GroupId:
    """The group's id, taken as it is, or MalformedId."""
    return GroupId(_checked("group", value))


@_remembering
def holder_id(value: object) -> str:
    """Who can hold an assignment: `group:…` or a subject. Otherwise MalformedId."""
    if isinstance(value, str) and value.startswith("group:"):
        return f"group:{group_id(value.removeprefix('group:'))}"
    return subject_id(value)


@_remembering
def role_id(value: object) -> RoleId:
    """The role's id, or MalformedId."""
    return RoleId(_checked("role", value))


@_remembering
def permission_id(value: object) -> PermissionId:
    """The permission's id, or MalformedId."""
    return PermissionId(_checked("permission", value))


_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@_remembering
def resource_type_id(value: object) -> ResourceTypeId:
    """The resource type's id, or MalformedId."""
    text = _checked("resource type", value)
    if not _TYPE.fullmatch(text):
        raise MalformedId(
            what="resource type", value=text, mend="use letters, digits, '_', '-' and '.'"
        )
    if text == ROOT:
        raise MalformedId(what="resource type", value=text, mend="that one is the root's own type")
    return ResourceTypeId(text)


@_remembering
def resource_id(value: object) -> ResourceId:
    """`type:id`, or `organization` (or nothing) for the organization. Otherwise MalformedId."""
    if value is None or value == ROOT:
        return ROOT
    text = _checked("resource", value)
    kind, colon, rest = text.partition(":")
    if not colon or not rest:
        raise MalformedId(what="resource", value=text, mend="write type:id, such as document:1")
    if kind == ROOT:
        raise MalformedId(
            what="resource", value=text, mend="write organization alone for the organization itself"
        )
    resource_type_id(kind)
    return ResourceId(text)


def require_text(what: str, value: object) -> str:
    """The text, if every engine keeps it: UTF-8, no NUL, of bounded length. Else InvalidArgument."""
    if not isinstance(value, str):
        raise InvalidArgument(what=what, value=reprlib.repr(value), mend="give it as text")
    value = str.__str__(value)
    if "\0" in value or len(value) > MAX_TEXT_LENGTH:
        mend = f"use at most {MAX_TEXT_LENGTH:,} characters, none of them NUL"
        raise InvalidArgument(what=what, mend=mend)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(what=what, value=repr(value[:60]), mend="give it as UTF-8") from None
    return value


def require_number(what: str, value: object, *, least: int, most: int) -> int:
    """The whole number, if it lies between these. Else InvalidArgument."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return int(value)
    mend = f"use a whole number from {least} to {most}"
    raise InvalidArgument(what=what, value=reprlib.repr(value), mend=mend)


# --- time -----------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = (
    (end.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    for end in (datetime.min, datetime.max)
)


def microseconds(moment: datetime) -> Microseconds:
    """Exact. InvalidArgument for a naive datetime, since it names no instant, and for one that has
    no date in UTC.
    """
    if moment.tzinfo is None:
        raise InvalidArgument(what="time", value=moment.isoformat(), mend="give it a UTC offset")
    delta = moment - _EPOCH
    found = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    if not _FIRST <= found <= _LAST:
        mend = "use a time in the years 1 to 9999, UTC"
        raise InvalidArgument(what="time", value=moment.isoformat(), mend=mend)
    return Microseconds(found)


def moment(value: int) -> datetime:
    """The aware datetime (UTC) of a stored time."""
    return _EPOCH + timedelta(microseconds=value)


# --- revisions ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=False)
class Revision:
    """A state of an organization's facts: its own number and the environment's.

    `incarnation` tells an organization from a deleted one of the same name.
    """

    incarnation: int
    organization: int
    environment: int

    def token(self) -> str:
        """The opaque string that a caller hands back to read no older state."""
        return _token(self.incarnation, self.organization, self.environment)

    def covers(self, other: Revision) -> bool:
        """Whether a read at this revision is at least as fresh as `other`."""
        return self.organization >= other.organization and self.environment >= other.environment


@lru_cache(4_096)
def _token(incarnation: int, organization: int, environment: int) -> str:
    text = f"1.{incarnation}.{organization}.{environment}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_token(token: object) -> Revision:
    """The revision of a token, or InvalidToken."""
    if not isinstance(token, str):
        raise InvalidToken(token=reprlib.repr(token))
    return _parsed(token)


@lru_cache(4_096)
def _parsed(token: str) -> Revision:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        version, incarnation, organization, environment = text.split(".")
        if version == "1":
            return Revision(int(incarnation), int(organization), int(environment))
    except ValueError:
        pass
    raise InvalidToken(token=token)


# --- answers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chain:
    """One reason for access: membership → group(s) → assignment → role → permission → resource.

    `groups` runs from the group that holds the membership to the one that holds the assignment;
    it is empty when the membership holds the assignment itself. A default role has no assignment.
    """

    subject: str
    groups: tuple[str, ...]
    role: str
    permission: str
    assigned_on: str
    resource: str
    expires_at: datetime | None
    is_default_role: bool = False

    def __str__(self) -> str:
        steps = [self.subject, *(f"group:{group}" for group in self.groups)]
        how = "default role" if self.is_default_role else "role"
        steps += [f"{how} {self.role} on {self.assigned_on}", self.permission, self.resource]
        until = f" (until {self.expires_at.isoformat()})" if self.expires_at else ""
        return " → ".join(steps) + until


@dataclass(frozen=True, slots=True)
class Explanation:
    """All the chains that allow, or what stands in the way.

    `is_complete` is false when there were more than the limit of chains or obstacles.
    """

    chains: tuple[Chain, ...] = ()
    obstacles: tuple[str, ...] = ()
    is_complete: bool = True


class Decision:
    """The answer to a check: true when allowed, false when denied.

    `revision` is the state of the facts that it was made on. `explanation` is there when asked for.
    """

    __slots__ = ("allowed", "explanation", "point", "reason", "revision")

    def __init__(
        self,
        *,
        allowed: bool,
        reason: Reason,
        point: DecisionPoint,
        revision: Revision | None,
        explanation: Explanation | None = None,
    ) -> None:
        self.allowed = allowed
        self.reason = reason
        self.point = point
        self.revision = revision
        self.explanation = explanation

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        verdict = "allowed" if self.allowed else f"denied: {self.reason.value}"
        return f"<Decision {verdict}, {self.point.value}, token {self.token}>"

    @property
    def token(self) -> str | None:
        """Hand it back as `at_least` to read no older state; nothing for an unknown organization."""
        return self.revision.token() if self.revision else None


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, in the byte order of its items; `next_cursor` is None on the last page.

    A cursor stays good while facts change: later pages hold what sorts after it at the time.
    """

    items: tuple[str, ...]
    next_cursor: str | None
    revision: Revision


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change gives and takes, exactly: (subject, permission, resource) each.

    An entry on a resource stands for that resource and whatever below it had no entry of its own.
    """

    granted: tuple[tuple[str, str, str], ...]
    revoked: tuple[tuple[str, str, str], ...]

    @property
    def direction(self) -> Direction:
        return Direction.REVOKES if self.revoked else Direction.GRANTS


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a change did, and when it held.

    `fan_out` counts the effective roles that the change made or unmade. `recorded_at` is the time
    of the transaction; for the inline route effective roles were settled in that same transaction, for
    the background route `settled_at` is None until they are, and `fan_out` is an estimate.
    `enforced_at` is set once no decision point can still allow what the change revoked; that took
    `enforcement_seconds`, and replicas that did not acknowledge were `waited_out`.
    """

    organization: OrganizationId
    revision: Revision
    changed: bool
    direction: Direction
    route: Route
    fan_out: int
    recorded_at: datetime
    settled_at: datetime | None
    route_reason: str = field(default="", compare=False)
    enforced_at: datetime | None = field(default=None, compare=False)
    enforcement_seconds: float | None = field(default=None, compare=False)
    waited_out: tuple[str, ...] = field(default=(), compare=False)
    difference: Difference | None = field(default=None, compare=False)
    enforcer: Callable[[Receipt], Receipt] | None = field(default=None, compare=False, repr=False)

    @property
    def token(self) -> str:
        """Hand it back as `at_least` to read what this change wrote."""
        return self.revision.token()

    def enforce(self) -> Receipt:
        """After your own commit: this receipt with `enforced_at` set.

        When this returns, no check that starts anywhere allows what the change revoked. Raises
        NotCommitted while the transaction that carried the change is open or was rolled back.
        """
        return self.enforcer(self) if self.enforced_at is None and self.enforcer else self


@dataclass(frozen=True, slots=True)
class PendingWork:
    """Background work that is not settled: for whom, how far it has come, and what went wrong.

    `subject` is the membership of kind `member`, the other group of kind `whole`; kind `organization` is
    what is left of a deleted one. A group that was
    deleted has no name. `lag_seconds` counts from when the oldest change behind it was recorded.
    """

    organization: str | None
    group: str | None
    kind: str
    subject: str | None
    direction: Direction
    is_critical: bool
    done: int
    total: int | None
    lag_seconds: float
    attempts: int
    waits_seconds: float
    is_parked: bool
    last_error: str | None
    since: int
    revision: int
    group_number: int
    organization_number: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> PendingWork:
        """From a row of `list_pending`."""
        return cls(
            organization=row[0],
            group=None if row[1] is None or row[1].startswith("\x01") else row[1],
            kind=row[2],
            subject=row[3],
            direction=Direction(row[4]),
            is_critical=row[5] == 0,
            done=row[6],
            total=row[7],
            lag_seconds=max(row[8], 0) / 1e6,
            attempts=row[9],
            waits_seconds=max(row[10], 0) / 1e6,
            is_parked=bool(row[11]),
            last_error=row[12],
            since=row[13],
            revision=row[14],
            group_number=row[15],
            organization_number=row[17],
        )

    @classmethod
    def of_deletion(cls, row: Sequence[Any]) -> PendingWork:
        """From a row of `list_deletions`: what is left of a deleted organization, in rows."""
        name, done, lag, revision, o = row
        return cls(
            organization=name,
            group=None,
            kind="organization",
            subject=None,
            direction=Direction.REVOKES,
            is_critical=False,
            done=done,
            total=None,
            lag_seconds=max(lag, 0) / 1e6,
            attempts=0,
            waits_seconds=0.0,
            is_parked=False,
            last_error=None,
            since=revision,
            revision=revision,
            group_number=0,
            organization_number=o,
        )
