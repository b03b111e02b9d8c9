"""Where lines go: a descriptor, or a callable. `files` has the file."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from rescind.decision_log.lines import Line, encoded
from rescind.decision_log.options import Receiver
from rescind.errors import InvalidArgument

MOST_BYTES: Final = 4_096
"""Of one write to a pipe that other processes write to as well: so much is not torn (POSIX, PIPE_BUF)."""

log = logging.getLogger("rescind.decision_log")


class Written(NamedTuple):
    """How many of the lines are written whole, and why the next one is not."""

    lines: int
    error: BaseException | None = None
    is_retried: bool = True
    """Whether the line may be written later; else it is left out."""


class Destination(Protocol):
    """Takes lines, in the writer's thread."""

    def write(self, lines: Sequence[Line]) -> Written:
        """Write lines, in order."""

    def reopen(self) -> None:
        """In a process that a fork made: use nothing of the parent's."""

    def close(self) -> None:
        """Nothing more is written."""


class Stderr:
    """Standard error. Written by descriptor: Python's own lock could be held when the process ends."""

    def __init__(self) -> None:
        """Raises InvalidArgument in a process without one."""
        try:
            self._descriptor = sys.__stderr__.fileno()  # type: ignore[union-attr]
        except (AttributeError, OSError, ValueError):
            hint = "this process has no stderr: give the log a file"
            raise InvalidArgument(what="decision log", hint=hint) from None

    def write(self, lines: Sequence[Line]) -> Written:
        """Several lines in one write, where they fit."""
        done = 0
        while done < len(lines):
            piece, count = encoded(lines[done : done + 1]), 1
            while done + count < len(lines) and len(piece) < MOST_BYTES:
                more = encoded(lines[done + count : done + count + 1])
                if len(piece) + len(more) > MOST_BYTES:
                    break
                piece, count = piece + more, count + 1
            try:
                write_whole(self._descriptor, piece)
            except OSError as error:
                return Written(done, error)
            done += count
        return Written(done)

    def reopen(self) -> None:
        """The child has the same."""

    def close(self) -> None:
        """It belongs to the process."""


class Called:
    """A callable of the application's."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def write(self, lines: Sequence[Line]) -> Written:
        """Call it with each line. One at which it raises is left out."""
        for done, line in enumerate(lines):
            try:
                self._receiver(msgspec.json.decode(encoded([line])))
            except BaseException as error:  # SystemExit would end the writer's thread unseen
                return Written(done, error, is_retried=False)
        return Written(len(lines))

    def reopen(self) -> None:
        """The child calls it as well."""

    def close(self) -> None:
        """It belongs to the application."""


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of it. A descriptor that does not wait is tried again, by a thread that may."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            time.sleep(0.01)
