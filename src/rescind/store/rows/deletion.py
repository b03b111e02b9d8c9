"""Deleted organizations of which something is left."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import OrganizationId, OrganizationNumber
from rescind.store.rows.organizations import OrganizationRow
from rescind.store.rows.query import Query


class DeletionRow(NamedTuple):
    """A deletion under way; `age` is microseconds."""

    name: OrganizationId
    done: int
    age: int
    revision: int
    organization: OrganizationNumber


class OrganizationWeightRow(NamedTuple):
    """How much there is of an organization; each kind of row is counted up to `most`."""

    pairs: int
    is_critical: int
    is_busy: int
    is_unsettled: int


LIST_DELETIONS = Query("list_deletions", DeletionRow)
FIND_DELETION = Query("find_deletion", OrganizationRow)
WEIGH_ORGANIZATION = Query("weigh_organization", OrganizationWeightRow)
