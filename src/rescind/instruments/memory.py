"""Where instruments keep their numbers: an array of one process, or its row of memory that processes share.

Shared memory is mapped before processes fork. Each writes its own row alone, so that they need no lock among
them; a process that takes the place of one that died goes on with its row, and its counters never go back.
"""

from __future__ import annotations

import mmap
import threading
from array import array
from collections.abc import Iterable, MutableSequence
from typing import Any, Final, cast

WIDTH: Final = 8
"""Bytes of a number."""


class Memory:
    """The numbers of one process, and a lock for those who write them. Zero at first."""

    def __init__(self, row: memoryview[float] | None = None) -> None:
        """With a row of shared memory, the numbers are those that it has."""
        self.lock = threading.Lock()
        self.size = 0
        self.values: MutableSequence[float] = array("d") if row is None else cast("Any", row)

    def take(self, count: int) -> int:
        """The first place of `count` numbers that nobody else has."""
        first, self.size = self.size, self.size + count
        if isinstance(self.values, array):
            self.values.frombytes(bytes(WIDTH * count))
        elif self.size > len(self.values):
            raise ValueError(f"a row has room for {len(self.values)} numbers, not {self.size}")
        return first

    def restart(self) -> None:
        """In a process that a fork made: begin at zero, with a lock that nobody holds."""
        self.lock = threading.Lock()
        self.values = array("d", bytes(WIDTH * self.size))


class SharedMemory:
    """Rows of numbers for several processes. Made before they fork, in the process that forks them."""

    def __init__(self, rows: int, size: int) -> None:
        self._size = size
        self._all = memoryview(mmap.mmap(-1, max(1, rows * size * WIDTH))).cast("d")
        self.rows: Final = tuple(self._all[at * size : (at + 1) * size] for at in range(rows))

    def clear(self, row: int, places: Iterable[int]) -> None:
        """Set numbers of a row to zero: what the process that had it measured of itself is over."""
        for place in places:
            self.rows[row][place] = 0.0
