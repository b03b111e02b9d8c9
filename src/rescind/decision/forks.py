"""What a fork must not inherit: a child begins as a new process does."""

from __future__ import annotations

import weakref
from os import register_at_fork
from typing import Protocol


class OfOneProcess(Protocol):
    """What belongs to the process that set it up: its locks, threads and leases are nobody else's."""

    def set_up(self) -> None:
        """Begin as in a new process."""


_everywhere: weakref.WeakSet[OfOneProcess] = weakref.WeakSet()


def set_up(thing: OfOneProcess) -> None:
    """Set it up now, and again in each process that a fork copies it to."""
    thing.set_up()
    _everywhere.add(thing)


def _set_up_all() -> None:
    for thing in _everywhere:
        thing.set_up()


register_at_fork(after_in_child=_set_up_all)
