"""What a log still has before its start: after a prune that was interrupted, and of the probe. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from rescind.model import Fault, FaultKind

Row: TypeAlias = tuple[int, bytes | None, bytes]


class Remainder:
    """The changes up to the start of one organization's log, which has `digest`.

    A part without a gap is proven if it ends at the start: all of it if it begins with the first change
    of all, which follows from `first`; else without its own first change, as what that follows from is gone.
    """

    def __init__(self, start: int, digest: bytes, first: bytes, heads: Mapping[int, bytes]) -> None:
        self.unproven = 0
        self.fault: Fault | None = None
        self._start, self._digest_of_start, self._heads = start, digest, heads
        self._last = 0
        self._digest: bytes | None = first
        self._rows = 0
        """Of the part that is being read."""
        self._is_from_first = True

    def take(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Take the next rows, as far as they are before the start. Returns those after it."""
        for index, row in enumerate(rows):
            if row[0] > self._start:
                self.end()
                return rows[index:]
            if self.fault is None and (kind := self._kind_of_fault(*row)) is not None:
                self.fault = Fault(kind, row[0])
        return []

    def end(self) -> None:
        """Say that the part that is being read is at its end."""
        if self._rows and self._last == self._start:
            self.unproven += not self._is_from_first
        else:
            self.unproven += self._rows
        self._rows = 0

    def _kind_of_fault(self, at: int, told: bytes | None, content: bytes) -> FaultKind | None:
        if at < 1:
            return FaultKind.SURPLUS
        if told is None or self._digest is None or at != self._last + 1:
            self.end()
            self._is_from_first = False
        elif told != sha256(self._digest + content).digest():
            return FaultKind.ALTERED
        self._last, self._digest = at, told
        self._rows += 1
        if at == self._start and told != self._digest_of_start:
            return FaultKind.ALTERED
        return None if self._heads.get(at, told) == told else FaultKind.HEAD_DIFFERS
