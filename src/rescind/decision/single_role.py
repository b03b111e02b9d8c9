"""Which organization-wide role counts where a membership may have only one."""

from __future__ import annotations

from rescind.decision.world import SLICE, slice_of
from rescind.model import OrganizationId
from rescind.semantics import access
from rescind.store import Store


def winning_role(
    store: Store,
    organization: OrganizationId,
    *,
    o: int,
    membership: int,
    subject: str,
    is_active: bool,
    now: int,
    within: object = None,
) -> str | None:
    """The role that counts for a membership, by the facts at one state; None for none.

    `o` is the organization's number. With `within` the facts are those that the caller's transaction sees.
    """
    numbers = {"o": o, "m": membership, "p": -1, "r": 0}
    settings, *slices = store.fetch_many(
        [("read_settings", {"organization": organization}), *((query, numbers) for query in SLICE)],
        within=within,
    )
    if not settings:
        return None
    world = slice_of(
        settings[0],
        dict(zip(SLICE, slices, strict=True)),
        subject=subject,
        is_active=is_active,
        permission="",
    )
    return access.winning_role(world, subject, now)
