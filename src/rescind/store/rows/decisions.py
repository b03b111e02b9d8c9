"""Checks."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import MembershipNumber, OrganizationNumber, PermissionNumber, ResourceNumber
from rescind.store.rows.query import Query


class CheckRow(NamedTuple):
    """One question's answer, and what of the question there is.

    `verdict`: 0 denied and 1 allowed by effective roles, 2 allowed and 3 denied live, 4 undecided.
    """

    organization: OrganizationNumber
    revision: int
    environment: int
    membership: MembershipNumber | None
    active: bool | None
    critical: bool | None
    resource: ResourceNumber | None
    verdict: int | None
    role_mode: str


class NamesRow(NamedTuple):
    """The numbers of what a question names; None for what is not there."""

    organization: OrganizationNumber
    revision: int
    environment: int
    membership: MembershipNumber | None
    permission: PermissionNumber | None
    resource: ResourceNumber | None


CHECK = Query("check", CheckRow)
CHECK_EFFECTIVE_MULTIPLE = Query("check_effective_multiple", CheckRow)
CHECK_EFFECTIVE_SINGLE = Query("check_effective_single", CheckRow)
CHECK_LIVE_MULTIPLE = Query("check_live_multiple", CheckRow)
CHECK_LIVE_SINGLE = Query("check_live_single", CheckRow)
LIST_NAMES = Query("list_names", NamesRow)
