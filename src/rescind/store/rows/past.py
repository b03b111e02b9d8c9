"""Questions about the past, and snapshots."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, OrganizationId, OrganizationNumber
from rescind.store.rows.query import Query


class PastOrganizationRow(NamedTuple):
    """An organization that has, or had, a name. `start` is the change before which its log was pruned, and
    `start_environment` the environment's revision then.
    """

    organization: OrganizationNumber
    revision: int
    created_at: Microseconds
    start: int | None
    start_at: Microseconds | None
    start_environment: int | None


class PastRevisionRow(NamedTuple):
    """When a change was recorded, and the environment's revision then, if that is on record."""

    revision: int
    recorded_at: Microseconds
    environment: int | None
    caused_by: int | None


FIND_PRESENT_ORGANIZATION = Query("find_present_organization", PastOrganizationRow)
LIST_FORMER_ORGANIZATIONS = Query("list_former_organizations", PastOrganizationRow)
FIND_PAST_REVISION = Query("find_past_revision", PastRevisionRow)
FIND_PAST_EFFECT = Query("find_past_effect", PastRevisionRow)


class PastChangeRow(NamedTuple):
    """What replay needs of a change."""

    revision: int
    recorded_at: Microseconds
    environment: int | None
    caused_by: int | None
    body: str


class SnapshotRow(NamedTuple):
    """All facts of an organization at a revision, as bytes; `digest` is their SHA-256. `source` is `replay`,
    or `facts` where they go back to the tables.
    """

    revision: int
    environment: int
    recorded_at: Microseconds
    source: str
    digest: bytes
    body: bytes


class DueSnapshotRow(NamedTuple):
    """An organization with many changes since its last snapshot, if it has one."""

    organization: OrganizationNumber
    name: OrganizationId
    revision: int
    taken: int | None
    taken_for: Microseconds | None


class SnapshotPlaceRow(NamedTuple):
    """The revision of which the next snapshot is to be kept, if it is due."""

    revision: int | None


READ_PAST_CHANGES = Query("read_past_changes", PastChangeRow)
FIND_SNAPSHOT = Query("find_snapshot", SnapshotRow)
LIST_DUE_SNAPSHOTS = Query("list_due_snapshots", DueSnapshotRow)
FIND_SNAPSHOT_PLACE = Query("find_snapshot_place", SnapshotPlaceRow)


class LogNeedsRow(NamedTuple):
    """An organization's newest and oldest change, and what keeps changes in the log."""

    revision: int
    first: int | None
    unsettled: int | None
    """The first change that is not settled."""
    unchained: int | None
    """The first one without a digest."""
    reported: int
    """The last one whose events were written."""
    environment_needed: int | None
    """Of the environment: up to where no organization needs its log."""


FIND_LOG_NEEDS = Query("find_log_needs", LogNeedsRow)
