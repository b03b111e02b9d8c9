"""What is wrong with an input: the first few places, and how many there are."""

from __future__ import annotations

from rescind.errors import BadInput

MOST_SHOWN = 20


class Problems:
    """Collects what is wrong, so that one run tells all of it."""

    def __init__(self) -> None:
        self.first: list[BadInput] = []
        self.count = 0

    def add(self, error: BadInput) -> None:
        """Count one more, or all that another collection has raised."""
        self.count += error.count
        room = MOST_SHOWN - len(self.first)
        self.first += (error.problems or (error,))[: max(room, 0)]

    def require_none(self) -> None:
        """Raises BadInput if there is any: the only one, or one that has the first of them."""
        if self.count == 1:
            raise self.first[0]
        if self.count:
            raise BadInput(self.first, self.count, at=self.first[0].facts.get("at", "?"))
