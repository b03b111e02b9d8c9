"""No statement reaches rows that are not its own: random changes beside a neighbour with the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.independent.mirrored import FlowMaker, play_mirrored
from tests.independent.steps import Kind
from tests.independent.worlds import kinds

WORLDS = tuple(kinds(100, 6, changes=160))
PLAYED = [("sqlite", kind) for kind in WORLDS] + [("postgres", kind) for kind in WORLDS[3:4]]


@pytest.mark.parametrize(
    ("engine", "kind"), PLAYED, ids=lambda given: getattr(given, "seed", given)
)
def test_a_neighbour_with_the_same_numbers(
    kind: Kind, engine: str, new_database: Callable[[str], str]
) -> None:
    """After each step the rows, the receipt and the chunks are those of the organization alone, and no row
    is touched without a fact behind it.
    """
    assert play_mirrored(FlowMaker(kind), lambda: new_database(engine)) >= 140
