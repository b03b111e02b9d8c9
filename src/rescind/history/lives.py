"""The organizations that have, or had, one name. A name that is taken again after a deletion begins another
life, of which nothing is in the one before.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from rescind import model
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.history.moments import LATEST
from rescind.model import ENVIRONMENT, OrganizationId, OrganizationLife
from rescind.store import Store
from rescind.store.rows.past import (
    FIND_PAST_REVISION,
    FIND_PRESENT_ORGANIZATION,
    LIST_FORMER_ORGANIZATIONS,
    PastOrganizationRow,
)


class Life(NamedTuple):
    """One organization that has or had the name, as it is told and as it is in the store."""

    told: OrganizationLife
    row: PastOrganizationRow


def lives_of(store: Store, name: OrganizationId) -> list[Life]:
    """All of them, the earliest first. Raises OrganizationNotFound, and InvalidArgument for `*`."""
    if name == ENVIRONMENT:
        hint = "name one organization; what is defined for all is asked about as part of it"
        raise InvalidArgument(what="organization", value=name, hint=hint)
    asked = {"organization": name}
    present = store.fetch(FIND_PRESENT_ORGANIZATION, asked)
    rows = [*reversed(store.fetch(LIST_FORMER_ORGANIZATIONS, asked)), *present]
    if not rows:
        raise OrganizationNotFound(organization=name)
    return [
        Life(OrganizationLife(number, *_times(store, row, is_present=row in present)), row)
        for number, row in enumerate(rows, 1)
    ]


def life_of(store: Store, name: OrganizationId, number: int | None) -> tuple[Life, list[Life]]:
    """One of them, and all: the one that is there, or the last one, where none is named.

    Raises as `lives_of`, and InvalidArgument for a number that none has.
    """
    lives = lives_of(store, name)
    if number is None:
        return lives[-1], lives
    return lives[model.require_number("life", number, least=1, most=len(lives)) - 1], lives


def _times(
    store: Store, row: PastOrganizationRow, *, is_present: bool
) -> tuple[datetime, datetime | None]:
    created = model.moment(row.created_at)
    if is_present:
        return created, None
    params = {"o": row.organization, "at": LATEST, "after": row.revision - 1, "up_to": row.revision}
    last = store.fetch(FIND_PAST_REVISION, params)
    return created, model.moment(last[0].recorded_at if last else row.start_at or row.created_at)
