"""What facts in memory take, in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rescind.index.derived import Derived

if TYPE_CHECKING:
    from rescind.index.facts import Facts

MEMBERSHIP_BYTES: Final = 350
GROUP_BYTES: Final = 300
PLACE_BYTES: Final = 40
NESTING_BYTES: Final = 600
RESOURCE_BYTES: Final = 450
ASSIGNMENT_BYTES: Final = 700
REACHED_BYTES: Final = 40
LINE_BYTES: Final = 100
EXPIRING_PLACE_BYTES: Final = 120
"""Bytes of each beside its name, rounded up. `tests/unit/test_index_size.py` measures them."""


def size(facts: Facts, derived: Derived) -> int:
    """About how many bytes the facts take, with the results derived from them."""
    return (
        facts.text_bytes
        + MEMBERSHIP_BYTES * len(facts.memberships)
        + GROUP_BYTES * len(facts.groups)
        + PLACE_BYTES * facts.places
        + EXPIRING_PLACE_BYTES * sum(map(len, facts.expiring_places.values()))
        + NESTING_BYTES * facts.nestings
        + RESOURCE_BYTES * len(facts.resources)
        + ASSIGNMENT_BYTES * facts.assignments.count
        + REACHED_BYTES * (derived.reached + derived.united_holders)
        + LINE_BYTES * derived.lined
        + facts.orders.size()
        + facts.own.size()
        + facts.environment.size()
    )
