"""The change log alone, replayed, gives the facts after every revision, on both engines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.property.replaying import compare, histories

HISTORIES = {kind.seed: (kind, steps) for kind, steps in histories(0, 8, changes=200)}
PLAYED = [*(("sqlite", seed) for seed in HISTORIES), *(("postgres", seed) for seed in range(4))]


@pytest.mark.parametrize(("engine", "seed"), PLAYED)
def test_any_changes(seed: int, engine: str, new_database: Callable[[str], str]) -> None:
    """Longer runs: `python -m tests.property.replay --minutes 60`."""
    kind, steps = HISTORIES[seed]
    compare(kind, steps, lambda: new_database(engine), most_tries=60)
