"""What cannot be read to begin with."""

from __future__ import annotations

from collections.abc import Sequence

from rescind.errors.base import RescindError


class BadInput(RescindError):
    """The input cannot be read."""

    code = "bad_input"

    def __init__(
        self, problems: Sequence[BadInput] = (), count: int = 1, /, **facts: object
    ) -> None:
        """One problem, or the first of several and how many there are."""
        self.problems, self.count = tuple(problems), count
        if problems:
            facts["why"] = f"the first of {count:,} problems"
        super().__init__(**facts)

    def place_and_why(self) -> str:
        """Where it is and what is wrong, without the words that begin every such error."""
        return str(self).partition(": at ")[2] or str(self)
