"""Which organization-wide role counts where a membership may have only one."""

from __future__ import annotations

from typing import Any

from rescind.decision.world import SLICE, slice_of
from rescind.model import MembershipNumber, OrganizationId, OrganizationNumber
from rescind.semantics import access
from rescind.store import Store
from rescind.store.rows import Answers, QueryWithParams
from rescind.store.rows.facts import READ_SETTINGS


def winning_role(
    store: Store,
    organization: OrganizationId,
    *,
    o: OrganizationNumber,
    membership: MembershipNumber,
    subject: str,
    is_active: bool,
    now: int,
    within: object = None,
) -> str | None:
    """The role that counts for a membership, by the facts at one state; None for none.

    `o` is the organization's number. With `within` the facts are those that the caller's transaction sees.
    """
    numbers = {"o": o, "m": membership, "p": -1, "r": 0}
    asked: list[QueryWithParams[Any]] = [(READ_SETTINGS, {"organization": organization})]
    asked += [(query, numbers) for query in SLICE]
    facts = Answers((READ_SETTINGS, *SLICE), store.fetch_many(asked, within=within))
    if not facts[READ_SETTINGS]:
        return None
    world = slice_of(
        facts[READ_SETTINGS][0],
        facts,
        subject=subject,
        is_active=is_active,
        permission="",
    )
    return access.winning_role(world, subject, now)
