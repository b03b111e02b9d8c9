"""Who is in a group."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from rescind.listing.reading import FIRST, Reading, time
from rescind.model import FactPage, MemberEntry

WIDENING: Final = 4
WIDEST: Final = 64
"""How much wider each look is for members that lie far apart; and times the page, how wide at most."""


def direct(read: Reading, now: int, group: str) -> FactPage[MemberEntry]:
    """The groups that are nested in a group, then the subjects in it, each in the order of their numbers."""
    (after,) = read.after(FIRST)
    names = {"g": read.numbers.group, "after": after, "limit": read.limit + 1}
    rows = read.fetch("listed_members", now=now, **names)

    def entry(row: tuple[Any, ...]) -> MemberEntry:
        _, member, active, since, by, expires_at = row
        return MemberEntry(member, bool(active), (group,), time(since), by, time(expires_at))

    return read.page(rows, lambda row: row[:1], entry)


def effective(read: Reading, now: int) -> FactPage[MemberEntry]:
    """All subjects in a group or in one below it, each once, in the order of their numbers.

    They are looked for in ranges of numbers, each from the next member on, until the page is full. So a page
    costs in proportion to itself and to the groups below.
    """
    (after,) = read.after(0)
    found: list[list[tuple[Any, ...]]] = []
    width = read.limit + 1
    names = {"g": read.numbers.group, "now": now}
    while len(found) <= read.limit:
        ((first,),) = read.fetch("find_next_member_below", after=after, **names)
        if first is None:
            break
        after, left = first + width - 1, read.limit + 1 - len(found)
        rows = read.fetch(
            "listed_effective_members", after=first - 1, up_to=after, limit=left, **names
        )
        found += (list(places) for _, places in groupby(rows, key=lambda row: row[0]))
        width = min(width * WIDENING, WIDEST * read.limit)
    shown = found[: read.limit]
    more = [shown[-1][0][0]] if len(found) > read.limit else None
    return read.ending(tuple(map(_entry, shown)), more)


def _entry(places: list[tuple[Any, ...]]) -> MemberEntry:
    """A member by all of its places: since the oldest, until the last."""
    _, subject, active, *_ = places[0]
    known = [(made, since, by) for *_, made, since, by, _ in places if since is not None]
    _, since, by = min(known, default=(0, None, None))
    ends = [expires_at for *_, expires_at in places]
    until = None if None in ends else max(ends)
    through = tuple(sorted(place[3] for place in places))
    return MemberEntry(subject, bool(active), through, time(since), by, time(until))
