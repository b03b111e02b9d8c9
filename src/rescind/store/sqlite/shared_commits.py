"""Changes of one process that wait for the file at the same time share a commit.

Whoever gets the writer leads: it runs its own statements, then those of the changes that wait by then, each
in a savepoint, and commits once. So many writers pay for one write to the disk together. A change that finds
the writer free waits for nobody: only what waits already is taken along.

What holds of each change is what would hold if it had committed alone:

- It returns only after the commit. That is also so for one that was refused, since it may have been refused
  for what another change of the same commit wrote.
- If it fails, its savepoint is rolled back, and no other change notices.
- If the commit fails, or is not confirmed, every change in it gets that error.
- An exception that strikes the leader from outside belongs to no other change. Python runs signal handlers in
  the main thread only, so the main thread takes none along.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

from rescind.errors import OutcomeUnknown
from rescind.store.pool import RECHECK_SECONDS, Checkout, Pool, PoolClosed
from rescind.store.sqlite.connections import Writer
from rescind.store.sqlite.files import FAULTS, translated
from rescind.store.sqlite.write_queue import WriteQueue
from rescind.waiting import require_may_wait

Act: TypeAlias = Callable[[Writer], None]
"""The statements of a transaction, without its begin and end."""

SAVE, RELEASE = "SAVEPOINT rescind_change", "RELEASE rescind_change"
UNDO = "ROLLBACK TO rescind_change"
MOST_TAKEN: Final = 64
"""Changes that a leader takes along at most."""
TAKING_SECONDS: Final = 0.005
"""For how long it takes further ones along: it waits for all of them itself."""


class WaitingChange:
    """A change that waits for the writer, until it is done or leads."""

    __slots__ = ("_is_done", "act", "error", "taken", "wake")

    def __init__(self, act: Act) -> None:
        self.act = act
        self.error: BaseException | None = None
        self.taken = threading.Lock()
        """Held by whoever carries the change out, or by its own thread once it is given up."""
        self._is_done = False
        self.wake = threading.Lock()
        self.wake.acquire()

    def end(self, error: BaseException | None = None) -> None:
        """Note how the change ended, and let its thread go on."""
        if error is not None:
            self.error = error
        self._is_done = True
        self.call()

    def is_done(self) -> bool:
        """Whether another thread has committed it, or failed to."""
        return self._is_done

    def require_success(self) -> None:
        """Raise the error of a change that is done, if it has one."""
        error, self.error = self.error, None
        if error is not None:
            try:
                raise error
            finally:
                del error

    def call(self) -> None:
        """Let its thread see whether it is done, or whether the writer is free."""
        with suppress(RuntimeError):  # it has been called already
            self.wake.release()


class SharedCommits:
    """The waiting changes of one process at one file. Safe to use from many threads."""

    def __init__(self, path: str, queue: WriteQueue) -> None:
        self._path, self._queue = path, queue
        self.waiting: deque[WaitingChange] = deque()
        """In the order in which they came."""

    def commit(
        self,
        act: Act,
        checkout: Checkout[Writer],
        pool: Pool[Writer],
        run: Callable[[Act, Writer], None],
    ) -> None:
        """Have a change committed, by this thread or by another. `run` is a transaction of the writer.

        Raises what the change raised, or the commit. The checkout has the writer if this thread led.
        """
        if not checkout.acquire_free(pool):
            require_may_wait()
            waiting = WaitingChange(act)
            try:
                self.waiting.append(waiting)
                with self._queue.announce_here():
                    self._wait(waiting, checkout, pool)
            except BaseException as error:
                is_of_pool = isinstance(error, (*FAULTS, PoolClosed))
                if _is_given_up(waiting) or not is_of_pool:
                    raise
            finally:
                self._remove(waiting)
            if waiting.is_done():
                waiting.require_success()
                return
        self._lead(act, checkout.acquire(pool), run)

    def hand_over(self) -> None:
        """Let the next waiting change see that the writer is free."""
        with suppress(IndexError):
            self.waiting[0].call()

    def _wait(self, waiting: WaitingChange, checkout: Checkout[Writer], pool: Pool[Writer]) -> None:
        """Return when the change is done, or when this thread has the writer and it is not."""
        while not waiting.is_done():
            if checkout.try_acquire(pool):
                if waiting.is_done():  # a leader ended it before it released the writer
                    checkout.release()
                return
            waiting.wake.acquire(timeout=RECHECK_SECONDS)

    def _lead(self, act: Act, writer: Writer, run: Callable[[Act, Writer], None]) -> None:
        taken: list[WaitingChange] = []
        if threading.current_thread() is threading.main_thread():
            run(act, writer)
            return

        def act_together(writer: Writer) -> None:
            act(writer)
            if self.waiting:
                self._take_along(writer, taken)

        try:
            run(act_together, writer)
        except BaseException as error:
            for waiting in taken:
                self._end(waiting, self.error_for_another(error))
            raise
        for waiting in taken:
            self._end(waiting, None)

    def _take_along(self, writer: Writer, taken: list[WaitingChange]) -> None:
        """Run the statements of those that wait, also of those that come to wait meanwhile."""
        until = time.monotonic() + TAKING_SECONDS
        known = set[WaitingChange]()
        while found := [each for each in tuple(self.waiting) if each not in known]:
            for waiting in found:
                if len(taken) == MOST_TAKEN or time.monotonic() > until:
                    return
                known.add(waiting)
                if waiting.taken.acquire(blocking=False):
                    taken.append(waiting)
                    _run_in_savepoint(waiting, writer)

    def _end(self, waiting: WaitingChange, error: BaseException | None) -> None:
        self._remove(waiting)
        waiting.end(error)

    def _remove(self, waiting: WaitingChange) -> None:
        with suppress(ValueError):  # it is off already
            self.waiting.remove(waiting)

    def error_for_another(self, error: BaseException) -> BaseException:
        """The error of a commit, for another change that was in it."""
        if isinstance(error, OutcomeUnknown):
            return OutcomeUnknown(why=str(error.__cause__ or "the commit was not confirmed"))
        if isinstance(error, FAULTS):
            return translated(error, self._path)
        return OutcomeUnknown(
            why=f"another change of the same commit raised {type(error).__name__}"
        )


def _is_given_up(waiting: WaitingChange) -> bool:
    """Give up a change whose wait was interrupted. If a leader has taken it, return False once it is done."""
    if waiting.taken.acquire(blocking=False):
        return True
    while not waiting.is_done():
        waiting.wake.acquire(timeout=RECHECK_SECONDS)
    return False


def _run_in_savepoint(waiting: WaitingChange, writer: Writer) -> None:
    """Run a change's statements; none of them stays if it raises. Fails if the database rolled back all."""
    connection = writer.connection
    connection.execute(SAVE)
    try:
        waiting.act(writer)
    except BaseException as error:
        waiting.error = error
        connection.execute(UNDO)
    connection.execute(RELEASE)
