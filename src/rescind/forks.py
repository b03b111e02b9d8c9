"""What a fork must not inherit: a child begins as a new process does.

Locks, threads, leases and connections belong to the process that made them. A child that closed a
connection of its parent would end it for the parent as well, so what was inherited is kept and never used.
"""

from __future__ import annotations

import weakref
from os import register_at_fork
from typing import Protocol


class OfOneProcess(Protocol):
    """What belongs to the process that set it up: its locks, threads and leases are nobody else's."""

    def reinit_after_fork(self) -> None:
        """Begin as in a new process."""


class ClosedForForks(Protocol):
    """What no child may have open: it is closed before a fork, and opened anew when it is needed."""

    def before_fork(self) -> None:
        """Close it, once others have done with it; they wait from now on."""

    def after_fork(self) -> None:
        """In the process that forked: go on."""


reinitialized: weakref.WeakSet[OfOneProcess] = weakref.WeakSet()
closed_before: weakref.WeakSet[ClosedForForks] = weakref.WeakSet()
inherited: list[object] = []


def reinit_after_fork(thing: OfOneProcess) -> None:
    """Set it up now, and again in each process that a fork copies it to."""
    thing.reinit_after_fork()
    reinitialized.add(thing)


def close_for_forks(thing: ClosedForForks) -> None:
    """Close it before each fork of this process."""
    closed_before.add(thing)


def keep(thing: object) -> None:
    """Never close or free what this process has inherited."""
    inherited.append(thing)


def _before() -> None:
    for thing in tuple(closed_before):
        try:
            thing.before_fork()
        except Exception:
            import logging

            logging.getLogger(__name__).exception("%r is not closed for a fork", thing)


def _after() -> None:
    for thing in tuple(closed_before):
        thing.after_fork()


def _set_up_all() -> None:
    for thing in tuple(reinitialized):
        try:
            thing.reinit_after_fork()
        except Exception:
            import logging

            logging.getLogger(__name__).exception("%r does not begin anew after a fork", thing)


register_at_fork(before=_before, after_in_parent=_after, after_in_child=_set_up_all)
