"""Names by their prefix, such as `agent:` or `doc:`, while they are few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

FEW: Final = 512
"""Names of a kind up to which their numbers are kept."""


Number = TypeVar("Number", bound=int)


class Kinds(Generic[Number]):
    """Numbers by the prefix of their names."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._few: dict[str, set[Number]] = {}

    def put(self, name: str, number: Number) -> None:
        """Add a new name."""
        kind = _kind(name)
        if self._counts[kind] == len(self._few.get(kind, ())):  # all numbers of this kind are kept
            self._few.setdefault(kind, set()).add(number)
            if len(self._few[kind]) > FEW:
                del self._few[kind]
        self._counts[kind] += 1

    def put_all(self, names: Mapping[str, Number]) -> None:
        """Add all names of a new index."""
        self._counts.update(
            [name[: name.find(":") + 1] for name in names]
        )  # without calls of `_kind`
        few = {kind for kind, count in self._counts.items() if count <= FEW}
        for name, number in names.items() if few else ():
            if (kind := _kind(name)) in few:
                self._few.setdefault(kind, set()).add(number)

    def drop(self, name: str, number: Number) -> None:
        """Remove a name."""
        kind = _kind(name)
        self._counts[kind] -= 1
        self._few.get(kind, set()).discard(number)

    def few(self, kind: str) -> set[Number] | None:
        """The numbers of a kind; None if there are, or were, more than FEW."""
        few = self._few.get(kind, set())
        return few if len(few) == self._counts[kind] else None


def _kind(name: str) -> str:
    return name[: name.find(":") + 1]
