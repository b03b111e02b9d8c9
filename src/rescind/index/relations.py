"""Relations as dictionaries of sets: walks along them, and removals that leave no empty set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

Key = TypeVar("Key")
Item = TypeVar("Item")
NOTHING: Final[frozenset[Any]] = frozenset()


def all_from(starts: Iterable[Key], edges: Mapping[Key, set[Key]]) -> set[Key]:
    """Everything that can be reached along edges. Each edge is walked once."""
    fringe = list(starts)
    found = set(fringe)
    while fringe:
        more = edges.get(fringe.pop(), NOTHING) - found
        found |= more
        fringe += more
    return found


def discard_from(container: dict[Key, set[Item]], key: Key, item: Item) -> None:
    """Take an item from a key's set; a key without items goes."""
    found = container.get(key)
    if found is not None:
        found.discard(item)
        if not found:
            del container[key]
