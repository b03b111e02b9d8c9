"""The organization-wide roles that memberships have: their own and those of their groups."""

from __future__ import annotations

from collections.abc import Sequence

from rescind.decision.world import SLICE, slice_of
from rescind.http.workos.call import Call
from rescind.http.workos.given import texts
from rescind.http.workos.shapes import Row
from rescind.semantics import access

Roles = dict[tuple[int, int], list[str]]
"""Of each membership, the highest first."""


def wide_roles(call: Call, rows: Sequence[Row]) -> Roles:
    """Of memberships as `directory.sql` gives them. In a single-role organization, the one that counts."""
    found: Roles = {}
    for o in {row[0] for row in rows}:
        members = [row for row in rows if row[0] == o]
        if members[0][11] == "single":
            found |= {(o, row[1]): _winner(call, row) for row in members}
            continue
        numbers = texts(str(row[1]) for row in members)
        held = call.fetch("list_roles_held", o=o, memberships=numbers, now=call.now)
        for m, slug, *_ in held:
            found.setdefault((o, m), []).append(slug)
    return found


def _winner(call: Call, row: Row) -> list[str]:
    o, m, subject, active, slug = row[0], row[1], row[2], row[4], row[10]
    numbers = {"o": o, "m": m, "p": -1, "r": 0}
    settings, *slices = call.fetch_many(
        [("read_settings", {"organization": slug}), *((query, numbers) for query in SLICE)]
    )
    if not settings:
        return []
    world = slice_of(
        settings[0],
        dict(zip(SLICE, slices, strict=True)),
        subject=subject,
        is_active=bool(active),
        permission="",
    )
    winner = access.winning_role(world, subject, call.now)
    return [] if winner is None else [winner]
