"""The file: appended to by several processes, and rotated by the one that finds it full.

Each write has whole lines, and O_APPEND makes them follow those of others. Who rotates has the file's lock
(flock); nobody waits for it. Whoever finds the file renamed opens the new one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from rescind.decision_log.destinations import Written
from rescind.decision_log.lines import Line, encoded
from rescind.decision_log.options import DecisionLog
from rescind.errors import InvalidArgument

MODE: Final = 0o600
"""Of a file that is made. Its successors have its mode, so that one that was set by hand stays."""
RETRY_ROTATION_SECONDS: Final = 60.0
FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK


log = logging.getLogger("rescind.decision_log")


def require_writable(options: DecisionLog | None) -> None:
    """Raises InvalidArgument where the log's file cannot be opened. Makes it, if there is none."""
    if options is not None and options.file is not None:
        RotatedFile(options.file, 0, 1, _nothing).close()


class RotatedFile:
    """A file of at most `most_bytes`, beyond by one write, and `files - 1` former ones beside it."""

    def __init__(
        self, path: str | os.PathLike[str], most_bytes: int, files: int, first: Callable[[], Line]
    ) -> None:
        """`first` makes the first line of a file, and of this process. Raises InvalidArgument."""
        self.path = Path(os.path.abspath(os.fspath(path)))
        self._most_bytes, self._files, self._first = most_bytes, files, first
        self._descriptor: int | None = None
        self._has_begun, self._rotates_at = False, 0.0
        try:
            self._open()
        except OSError as error:
            raise InvalidArgument(
                what="decision log", value=str(self.path), why=error.strerror or str(error)
            ) from None

    def write(self, lines: Sequence[Line]) -> Written:
        """Append lines in one write, after rotating if the file is full."""
        try:
            descriptor, size = self._current()
            if size >= self._most_bytes:
                self._try_to_rotate(descriptor)
                descriptor, size = self._current()
            data = encoded(lines)
            is_cut = bool(size) and not self._ends_whole(descriptor, size)
            is_first = not size or not self._has_begun
            head = b"\n" * is_cut + (encoded([self._first()]) if is_first else b"")
            done = os.write(descriptor, head + data)
        except OSError as error:
            return Written(0, error)
        self._has_begun = True
        whole = data[: max(0, done - len(head))].count(b"\n")
        if whole < len(lines):
            return Written(whole, OSError("the disk is full, or the file too large"))
        return Written(whole)

    def reopen(self) -> None:
        """The parent's descriptor stays open: it may be about to close it. The lock is not shared so."""
        self._descriptor, self._has_begun = None, False

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _current(self) -> tuple[int, int]:
        """The descriptor of the file that has the path now, and its size."""
        if self._descriptor is not None:
            own = os.fstat(self._descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(own, self.path.stat()):
                    return self._descriptor, own.st_size
            self.close()
        descriptor = self._open()
        return descriptor, os.fstat(descriptor).st_size

    def _open(self, mode: int = MODE) -> int:
        descriptor = os.open(self.path, FLAGS, mode)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(0, "it is not a file")
        self._descriptor = descriptor
        return descriptor

    def _ends_whole(self, descriptor: int, size: int) -> bool:
        """Whether the file ends with a line's end. It does not where a process died, or the disk was full."""
        return os.pread(descriptor, 1, size - 1) == b"\n"

    def _try_to_rotate(self, descriptor: int) -> None:
        """Rotate. Where that cannot be, as in a folder of somebody else's, the file grows, with a warning."""
        now = time.monotonic()
        if now < self._rotates_at:
            return
        try:
            self._rotate(descriptor)
        except OSError as error:
            self._rotates_at = now + RETRY_ROTATION_SECONDS
            log.warning("decision log: %s cannot be rotated, and grows: %s", self.path, error)

    def _rotate(self, descriptor: int) -> None:
        """Rename the files, unless somebody else is about to, or has done it. A file is renamed whole."""
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                own = os.fstat(descriptor)
                if not os.path.samestat(own, self.path.stat()):
                    return
                if self._files == 1:
                    self.path.unlink()
                else:
                    for number in range(self._files - 1, 1, -1):
                        with suppress(FileNotFoundError):
                            os.replace(self._former(number - 1), self._former(number))
                    os.replace(self.path, self._former(1))
                self._descriptor = None
                new = self._open(stat.S_IMODE(own.st_mode))
                os.fchmod(new, stat.S_IMODE(own.st_mode))
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                if self._descriptor != descriptor:
                    os.close(descriptor)

    def _former(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def _nothing() -> Line:
    raise AssertionError("nothing is written")
