"""The thread that writes the log: takes decisions from the queue in batches, and keeps nobody waiting.

One in each process. It begins when there is something to write, so that a process that forks before has none.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from rescind import forks
from rescind.decision_log.chains import ChainFinder, Explain
from rescind.decision_log.context import CONTEXT, UNLOGGED
from rescind.decision_log.destinations import Called, Destination, Stderr, Written
from rescind.decision_log.entries import Entry
from rescind.decision_log.files import RotatedFile
from rescind.decision_log.lines import DecisionLine, DroppedLine, Line, StartLine, line_of
from rescind.decision_log.options import DecisionLog
from rescind.errors import ThreadsExhausted
from rescind.instruments import Instruments
from rescind.model import moment
from rescind.threads import started

GATHER_SECONDS: Final = 0.05
"""For how long decisions are gathered before they are written: how late a line is, if nothing is wrong."""
BATCH: Final = 200
"""Lines made in one go. It takes less than a millisecond, for which other threads may have to wait."""
RETRY_SECONDS: Final = 1.0
"""The wait after the destination failed."""
WARN_SECONDS: Final = 60.0
"""Between two messages of one kind to the process's own log."""

log = logging.getLogger("rescind.decision_log")


class DecisionWriter:
    """The queue and its thread. `queue`, `room`, `is_idle` are for the recorder alone."""

    def __init__(self, options: DecisionLog, explain: Explain, instruments: Instruments) -> None:
        """Raises InvalidArgument where the file cannot be opened."""
        self.options, self._instruments = options, instruments
        self._explain = explain
        self._destination = self._destination_of(options)
        self._is_set_up = False
        forks.reinit_after_fork(self)
        _open.add(self)

    def reinit_after_fork(self) -> None:
        """An empty queue: what the parent noted, the parent writes."""
        self.queue: deque[tuple[Any, ...]] = deque()
        self.room = self.options.most_queued
        self.is_idle = True
        self.dropped = self.written = 0
        self._told_dropped = 0
        self._lock = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None
        self._chains = ChainFinder(self._explain)
        self._warned_at = -WARN_SECONDS
        self._deadline = float("inf")
        if self._is_set_up:
            self._destination.reopen()
        self._is_set_up = True

    def wake(self) -> None:
        """There is something to write. Without a thread for it, it waits for the next decision."""
        self.is_idle = False
        if self.thread is None:
            with self._lock:
                if self.thread is None and self.room:
                    try:
                        self.thread = started(self._run, "rescind-decision-log")
                    except ThreadsExhausted:
                        self.is_idle = True
                        return
        self._wake.set()

    def note_dropped(self, count: int) -> None:
        """So many decisions are not written."""
        with self._lock:
            self.dropped += count
        self._instruments.note_decisions_dropped(count)

    def close(self) -> None:
        """Write what is queued, for `close_seconds` at most; what is left then is dropped and counted."""
        with self._lock:
            if not self.room:
                return
            self.room = 0
        self._deadline = time.monotonic() + self.options.close_seconds
        self._closing.set()
        self._wake.set()
        thread = self.thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(self.options.close_seconds)
        is_writing = thread is not None and thread.is_alive()
        left = len(self.queue)
        if left:
            self.queue.clear()
            self.note_dropped(left)
            if not (is_writing and isinstance(self._destination, Stderr)):  # it may be a full pipe
                log.warning("%d decisions are not in the log: it was closed before", left)
        if not is_writing:
            self._destination.close()

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        CONTEXT.set(UNLOGGED)  # a receiver's own questions would be logged for ever
        self._deliver([self._start_line()] if self._says_start else [])
        while not self._closing.is_set():
            self._wait()
            self._write_batches()
        self._write_batches()
        self._deliver(self._lines([]))  # how many are missing at the end

    def _wait(self) -> None:
        """Until there is something to write, and then until more has gathered."""
        if not self.queue:
            self._wake.clear()
            self.is_idle = True
            if not self.queue and not self._closing.is_set():  # what comes from now on wakes
                self._wake.wait()
            self.is_idle = False
        self._closing.wait(GATHER_SECONDS)

    def _write_batches(self) -> None:
        while self.queue and time.monotonic() < self._deadline:
            count = min(len(self.queue), BATCH)
            self._deliver(self._lines([self.queue.popleft() for _ in range(count)]))

    def _lines(self, raw: list[tuple[Any, ...]]) -> list[Line]:
        lines: list[Line] = []
        dropped = self.dropped
        if dropped > self._told_dropped:
            lines.append(DroppedLine(_now(), dropped - self._told_dropped))
            self._told_dropped = dropped
        for fields in raw:
            try:
                lines.append(self._line(Entry._make(fields)))
            except Exception:
                self._lose(1, "a decision cannot be shown", exc_info=True)
        return lines

    def _line(self, entry: Entry) -> Line:
        line = line_of(entry)
        if line.critical and line.allowed:
            self._chains.add_to(line, entry)
        return line

    def _deliver(self, lines: Sequence[Line]) -> None:
        """Write them, however often it takes; at the end of the process, only once."""
        while lines:
            done = self._written(lines)
            decisions = sum(isinstance(line, DecisionLine) for line in lines[: done.lines])
            if decisions:
                self.written += decisions
                self._instruments.note_decisions_written(decisions)
            lines = lines[done.lines :]
            if done.error is None:
                continue
            if not done.is_retried:
                self._lose(1, f"the receiver raised {done.error!r}")
                lines = lines[1:]
            elif self._closing.is_set():
                left = sum(isinstance(line, DecisionLine) for line in lines)
                self._lose(left, f"nothing can be written: {done.error!r}")
                return
            else:
                self._warn(f"nothing can be written: {done.error!r}")
                self._closing.wait(RETRY_SECONDS)

    def _written(self, lines: Sequence[Line]) -> Written:
        try:
            return self._destination.write(lines)
        except Exception as error:
            return Written(0, error)

    def _lose(self, count: int, why: str, *, exc_info: bool = False) -> None:
        self.note_dropped(count)
        self._warn(why, exc_info=exc_info)

    def _warn(self, why: str, *, exc_info: bool = False) -> None:
        now = time.monotonic()
        if now - self._warned_at >= WARN_SECONDS:
            self._warned_at = now
            log.warning(
                "decision log: %s (%d dropped so far)", why, self.dropped, exc_info=exc_info
            )

    # --- where to ---------------------------------------------------------------------------------

    def _destination_of(self, options: DecisionLog) -> Destination:
        self._says_start = options.file is None  # a file begins with it
        if options.to is not None:
            return Called(options.to)
        if options.file is None:
            return Stderr()
        most = int(options.file_megabytes * 1e6)
        return RotatedFile(options.file, most, options.files, self._start_line)

    def _start_line(self) -> StartLine:
        selected, sample = self.options.selected, self.options.sample
        host, process = socket.gethostname(), os.getpid()
        return StartLine(
            timestamp=_now(), decisions=selected, sample=sample, host=host, process=process
        )


def _now() -> Any:
    return moment(time.time_ns() // 1_000)


_open: Final[weakref.WeakSet[DecisionWriter]] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A process that ends without closing its authority has its last decisions in the log too."""
    for writer in tuple(_open):
        writer.close()
