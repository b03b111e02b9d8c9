"""What is logged, and where to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from rescind.errors import InvalidArgument

SELECTIONS: Final = ("critical", "denied", "all")
MOST_QUEUED: Final = 32_768
"""Decisions that may wait to be written. At 10,000 a second, the disk may stand still for three seconds."""

Receiver: TypeAlias = Callable[[Mapping[str, Any]], object]
"""Takes one line, as an object, in the writer's thread."""


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """A log of decisions, for `Authority.open`. Raises InvalidArgument if nothing would be logged."""

    decisions: str | tuple[str, ...] = ()
    """`critical`, `denied`, `all`: one of them, or several, of which any suffices."""
    sample: float = 0.0
    """The share of all other decisions that is logged as well, chosen at random."""
    file: str | os.PathLike[str] | None = None
    """The file to append to. Without one, and without `to`, lines go to stderr."""
    to: Receiver | None = None
    """Called with each line instead, in a thread of the log's own."""
    file_megabytes: float = 100.0
    """The size at which the file becomes `file.1`, the former `file.1` becomes `file.2`, and so on."""
    files: int = 10
    """Files in all. The oldest is deleted."""
    most_queued: int = MOST_QUEUED
    """Decisions that may wait to be written. What comes beyond them is dropped and counted."""
    close_seconds: float = 2.0
    """How long `Authority.close` may wait until what is queued is written."""

    def __post_init__(self) -> None:
        unknown = [each for each in self.selected if each not in SELECTIONS]
        if unknown:
            hint = f"use {', '.join(SELECTIONS)}"
            raise InvalidArgument(what="decisions", value=unknown[0], hint=hint)
        for name, least, most in (
            ("sample", 0.0, 1.0),
            ("file_megabytes", 0.001, 1_000_000.0),
            ("files", 1, 10_000),
            ("most_queued", 1, 10_000_000),
            ("close_seconds", 0.0, 3_600.0),
        ):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not least <= value <= most:
                raise InvalidArgument(what=name, value=repr(value), hint=f"use {least} to {most}")
        if not self.selected and not self.sample:
            hint = "say what to log: decisions='critical', 'denied' or 'all', or a sample"
            raise InvalidArgument(what="decision log", hint=hint)
        if self.file is not None and self.to is not None:
            hint = "give `file` or `to`, not both"
            raise InvalidArgument(what="decision log", hint=hint)
        if self.to is not None and not callable(self.to):
            raise InvalidArgument(what="to", value=repr(self.to), hint="give a callable")

    @property
    def selected(self) -> tuple[str, ...]:
        """The selections, as a tuple."""
        given = self.decisions
        return tuple(given.replace(",", " ").split()) if isinstance(given, str) else tuple(given)

    @property
    def is_whole(self) -> bool:
        """Whether every decision is logged."""
        return "all" in self.selected or self.sample >= 1.0
