"""Writes the events of all changes so far, asked for or not: what was pruned cannot be reported."""

from __future__ import annotations

from rescind.authority import Authority
from rescind.directory.follow_log import follow_log
from rescind.directory.unit_of_work import Principal, UnitOfWork
from rescind.history.moments import organizations_of
from rescind.model import OrganizationNumber, organization_id
from rescind.store.rows.past import FIND_LOG_NEEDS

_NOBODY = Principal("rescind", "rescind")


def write_events(authority: Authority, organization: str) -> None:
    """When this returns, the events of every change before the call are written. Raises a StoreError.

    The organization may be deleted, or `*`. Does nothing if there is none of that name.
    """
    for row in organizations_of(authority.store, organization_id(organization)):
        known = -1
        while known < (written := _written(authority, row.organization)) < row.revision:
            known = written
            follow_log(UnitOfWork(authority, _NOBODY), row.organization)
        return


def _written(authority: Authority, o: OrganizationNumber) -> int:
    """Up to which revision events are written."""
    (needs,) = authority.store.fetch(FIND_LOG_NEEDS, {"o": o})
    return needs.reported
