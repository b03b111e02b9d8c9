"""Lists of the members of a group."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from rescind.listing.reading import FIRST, Reading, time
from rescind.model import FactPage, MemberEntry
from rescind.store.rows.listing import (
    FIND_NEXT_MEMBER_BELOW,
    LISTED_EFFECTIVE_MEMBERS,
    LISTED_MEMBERS,
    EffectiveMemberRow,
    ListedMemberRow,
)

WIDENING: Final = 4
WIDEST: Final = 64
"""How much wider each look is for members that lie far apart; and times the page, how wide at most."""


def direct(read: Reading, now: int, group: str) -> FactPage[MemberEntry]:
    """The groups that are nested in a group, then the subjects in it, each in the order of their numbers."""
    (after,) = read.after(FIRST)
    params = {"g": read.numbers.group, "after": after, "limit": read.limit + 1}
    rows = read.fetch(LISTED_MEMBERS, now=now, **params)

    def entry(row: ListedMemberRow) -> MemberEntry:
        since, until = time(row.recorded_at), time(row.expires_at)
        return MemberEntry(row.member, bool(row.active), (group,), since, row.actor, until)

    return read.page(rows, lambda row: [row.number], entry)


def effective(read: Reading, now: int) -> FactPage[MemberEntry]:
    """All subjects in a group or in a group nested in it, each once, in the order of their numbers.

    Reads ranges of numbers, each from the next member on, until the page is full. So the cost of a page is in
    proportion to its size and to the number of nested groups.
    """
    (after,) = read.after(0)
    found: list[list[EffectiveMemberRow]] = []
    width = read.limit + 1
    params = {"g": read.numbers.group, "now": now}
    while len(found) <= read.limit:
        (following,) = read.fetch(FIND_NEXT_MEMBER_BELOW, after=after, **params)
        first = following.membership
        if first is None:
            break
        after, left = first + width - 1, read.limit + 1 - len(found)
        rows = read.fetch(
            LISTED_EFFECTIVE_MEMBERS, after=first - 1, up_to=after, limit=left, **params
        )
        found += (list(places) for _, places in groupby(rows, key=lambda row: row.membership))
        width = min(width * WIDENING, WIDEST * read.limit)
    shown = found[: read.limit]
    more = [shown[-1][0].membership] if len(found) > read.limit else None
    return read.ending(tuple(map(_entry, shown)), more)


def _entry(places: list[EffectiveMemberRow]) -> MemberEntry:
    """A member with several places: since the earliest, until the latest."""
    member = places[0]
    known = [place for place in places if place.recorded_at is not None]
    oldest = min(
        known, key=lambda place: (place.made, place.recorded_at, place.actor), default=None
    )
    ends = [place.expires_at for place in places if place.expires_at is not None]
    return MemberEntry(
        member.subject,
        bool(member.active),
        tuple(sorted(place.group for place in places)),
        None if oldest is None else time(oldest.recorded_at),
        None if oldest is None else oldest.actor,
        time(max(ends)) if len(ends) == len(places) else None,
    )
