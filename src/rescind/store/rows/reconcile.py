"""Pending work: which there is, how much of it, and how far a chunk reaches."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import (
    AssignmentNumber,
    GroupId,
    GroupNumber,
    MembershipNumber,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
)
from rescind.store.rows.query import Query


class DueOrganizationRow(NamedTuple):
    """An organization that has due work of an urgency."""

    urgency: int
    organization: OrganizationNumber


class PendingRow(NamedTuple):
    """An item of pending work, with the cursor up to which it is done."""

    organization: OrganizationNumber
    group: GroupNumber
    kind: str
    ref: int
    since: int
    revision: int
    cursor_membership: MembershipNumber
    cursor_assignment: AssignmentNumber
    urgency: int
    total: int
    attempts: int
    recorded_at: Microseconds


class LastPendingRow(NamedTuple):
    """The newest revision that anything pending of a group is of."""

    revision: int | None


class PendingGroupRow(NamedTuple):
    """A group that has pending work which is not parked."""

    group: GroupNumber


class PendingMemberRow(NamedTuple):
    """A membership whose place in a group is pending; `is_ready` where others may be done with it."""

    ref: MembershipNumber
    since: int
    revision: int
    recorded_at: Microseconds
    is_ready: bool


class ListedPendingRow(NamedTuple):
    """An item of pending work, told by names. `age` and `waits` are microseconds."""

    organization: OrganizationId
    group: GroupId | None
    kind: str
    about: str | None
    direction: str
    urgency: int
    done: int
    total: int
    age: int
    attempts: int
    waits: int
    parked: bool
    last_error: str | None
    since: int
    revision: int
    group_number: GroupNumber
    organization_number: OrganizationNumber


class FoundGroupRow(NamedTuple):
    """A group and its organization, by number."""

    organization: OrganizationNumber
    group: GroupNumber


class MeasureRow(NamedTuple):
    """What an item of pending work is about."""

    live: int
    """Assignments that are to be had."""
    ended: int
    """Assignments that are to be taken away."""
    groups: int
    members: int
    unbegun: int
    """Items of the same group that nobody has begun."""
    first: AssignmentNumber | None
    last: AssignmentNumber | None


class MembershipBoundRow(NamedTuple):
    """The membership up to which a chunk reaches, if any is that far on."""

    bound: MembershipNumber | None


class AssignmentBoundRow(NamedTuple):
    """The assignment up to which a chunk reaches."""

    bound: AssignmentNumber


class PurgeableRow(NamedTuple):
    """An organization that has tombstones which nothing pending refers to."""

    organization: OrganizationNumber


class PurgedRow(NamedTuple):
    """How many rows a transaction has deleted so far."""

    altered: int


class SettledRow(NamedTuple):
    """A change that effective roles follow now, and how long that took."""

    direction: str
    microseconds: int


LIST_DUE_ORGANIZATIONS = Query("list_due_organizations", DueOrganizationRow)
LIST_DUE = Query("list_due", PendingRow)
LIST_FIRST_PENDING_OF_GROUP = Query("list_first_pending_of_group", PendingRow)
FIND_PENDING = Query("find_pending", PendingRow)
READ_LAST_PENDING = Query("read_last_pending", LastPendingRow)
LIST_PENDING_GROUPS = Query("list_pending_groups", PendingGroupRow)
LIST_PENDING_MEMBERS = Query("list_pending_members", PendingMemberRow)
LIST_PENDING = Query("list_pending", ListedPendingRow)
FIND_GROUP = Query("find_group", FoundGroupRow)
MEASURE_ASSIGNMENT = Query("measure_assignment", MeasureRow)
MEASURE_WHOLE = Query("measure_whole", MeasureRow)
MEASURE_MEMBER = Query("measure_member", MeasureRow)
FIND_MEMBERSHIP_BOUND = Query("find_membership_bound", MembershipBoundRow)
FIND_ASSIGNMENT_BOUND_ASSIGNMENT = Query("find_assignment_bound_assignment", AssignmentBoundRow)
FIND_ASSIGNMENT_BOUND_WHOLE = Query("find_assignment_bound_whole", AssignmentBoundRow)
LIST_PURGEABLE = Query("list_purgeable", PurgeableRow)
READ_PURGED = Query("read_purged", PurgedRow)
SETTLE_CHANGES = Query("settle_changes", SettledRow)
