"""Workers: choose pending work, do it in chunks, avoid each other, back off and park.

There may be any number of workers, in any number of processes on any number of machines; only the database
coordinates them. A chunk locks its group's row, so a dead worker's claim ends with its connection. Workers
share the database's clock; each measures only durations itself.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Protocol

from rescind import forks
from rescind.errors import GroupBusy, RescindError, StoreBusy
from rescind.instruments import Instruments
from rescind.propagation.chaining import chain_some
from rescind.propagation.jobs import Job, Progress
from rescind.propagation.pace import Pace
from rescind.propagation.reconcile import note_chunk
from rescind.propagation.schedule import Schedule
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work, is_of_store
from rescind.settings import Settings
from rescind.store import Listener, Store
from rescind.threads import started

BUSY_SECONDS: Final = 0.005
"""How long a worker passes over a group that is locked."""
LOCKED_SECONDS: Final = 1.0
"""How long it does so if the group is locked for longer than a chunk or a change takes."""
STOP_SECONDS: Final = 0.5
"""How often a waiting worker tests whether it should stop."""
MOST_REMEMBERED: Final = 10_000
"""Organizations whose last seen revision a worker remembers."""
REST_SHARE: Final = 0.5
"""If others changed the organization since the worker's last chunk there, it rests for this share of the
time that the chunk took: both use the database's processors and its log.
"""

log = logging.getLogger(__name__)

OnProgress = Callable[[Job, Progress], None]


class Stop(Protocol):
    """Tells when to stop, such as a `threading.Event`."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


def backoff_seconds(failures: int, settings: Settings) -> float:
    """The wait after consecutive failures: doubled each time, with jitter."""
    longest: float = settings.backoff_seconds * 2 ** min(failures - 1, 30)
    jitter = 0.5 + random.random() / 2  # noqa: S311
    return min(longest, settings.most_backoff_seconds) * jitter


class Worker:
    """One worker. It does one group's chunk at a time, and ends between chunks when told to stop."""

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        on_progress: OnProgress | None = None,
        pace: Pace | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self._store = store
        self._settings = settings or Settings()
        self._instruments = instruments or Instruments(self._settings)
        self._busy_since: dict[tuple[int, int, str, int], float] = {}
        """Jobs whose group is locked by others, and since when they wait for it."""
        self._on_progress = on_progress
        self._pace = pace or Pace(store.engine, self._settings.chunk_target_ms)
        self.schedule = Schedule(store)
        self._revisions: dict[int, int | None] = {}

    def run(self, stop: Stop) -> None:
        """Work until told to stop, whatever goes wrong. Retries a database that cannot be reached."""
        listener = self._store.listen("rescind_pending")
        failures = 0
        try:
            while not stop.is_set():
                try:
                    if not self.work_once(stop):
                        self._await(listener, stop)
                    failures = 0
                except Exception as error:
                    failures += 1
                    is_known = isinstance(error, RescindError)
                    log.warning("background work waits: %s", error, exc_info=not is_known)
                    stop.wait(backoff_seconds(failures, self._settings))
        finally:
            listener.close()

    def _await(self, listener: Listener, stop: Stop) -> None:
        """Wait until there may be something to do, or `stop` is set."""
        until = time.monotonic() + self.wait_seconds()
        while not stop.is_set() and (seconds := until - time.monotonic()) > 0:
            if listener.wait(min(seconds, STOP_SECONDS)) != []:
                return

    def work_once(self, stop: Stop | None = None) -> bool:
        """Choose a job and work on it until it is settled, its group is locked by others, its time slice is
        over, or more urgent work is due. If none is due, delete rows that no pending work refers to any
        more, and give changes of older versions their digests. Returns whether there was anything to do.
        """
        job = self.schedule.choose()
        if job is None:
            return purge(self._store) > 0 or chain_some(self._store) > 0
        work, start = Work(self._store, job), time.monotonic()
        stop = stop or threading.Event()
        while not stop.is_set():
            if self._step(work, stop):
                break
            seconds = time.monotonic() - start
            if seconds > self._settings.slice_seconds:
                break
            if self.schedule.is_outranked(work.job, seconds):
                break
        self.schedule.used(work.job, time.monotonic() - start)
        return True

    def _step(self, work: Work, stop: Stop) -> bool:
        """Do a chunk, and rest if others need the database. Returns whether to leave the job."""
        try:
            with self._instruments.spans.span("chunk", kind=work.job.kind) as span:
                done = work.step(self._pace)
                span.note(made=done.made, unmade=done.unmade)
        except GroupBusy:
            self._note_busy(work.job)
            self.schedule.leave_alone(work.job, BUSY_SECONDS)
            return True
        except StoreBusy as error:
            log.warning("background work on group %s waits: %s", work.job.group, error)
            self.schedule.leave_alone(work.job, LOCKED_SECONDS)
            return True
        except Exception as error:
            if is_of_store(error):
                raise
            self._note_failure(work.job, error)
            return True
        self._note_done(work.job, done)
        if done.is_overtaken:
            self.schedule.leave_alone(work.job, BUSY_SECONDS)
        seen = self._revisions.get(work.job.organization)
        self._revisions[work.job.organization] = done.revision
        if done.is_settled or done.is_overtaken:
            return True
        if seen not in (None, done.revision):
            stop.wait(REST_SHARE * done.held_seconds)
        return False

    def _note_busy(self, job: Job) -> None:
        if len(self._busy_since) > MOST_REMEMBERED:
            self._busy_since.clear()
        self._busy_since.setdefault(job.key, time.monotonic())

    def _note_done(self, job: Job, done: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(job, done)
        since = self._busy_since.pop(job.key, None)
        if since is not None:  # until this chunk began
            seconds = max(time.monotonic() - done.seconds - since, 0.0)
            done = replace(done, waited_seconds=done.waited_seconds + seconds)
        note_chunk(self._instruments, done)

    def wait_seconds(self) -> float:
        """Seconds until a group that was busy at the last choice may be free, or until the next poll."""
        if len(self._revisions) > MOST_REMEMBERED:
            self._revisions.clear()
        waits = self.schedule.seconds_until_free()
        return max(min([self._settings.poll_seconds, *waits]), 0.001)

    def _note_failure(self, job: Job, error: Exception) -> None:
        log.error("background work on group %s failed: %s", job.group, error, exc_info=error)
        delay = backoff_seconds(job.attempts + 1, self._settings)
        names = {
            **job.params(),
            "error": f"{type(error).__name__}: {error}"[:1000],
            "most_attempts": self._settings.attempts_before_parking,
            "delay": int(delay * 1e6),
        }
        self._store.transact(lambda tx: tx.run("note_failure", **names), yields=True)


class Workers:
    """Workers in threads of this process, between `start` and `stop`, or in a `with` block."""

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        concurrency: int = 1,
        on_progress: OnProgress | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        self._store, self._settings, self._instruments = store, settings, instruments
        self._concurrency, self._on_progress = concurrency, on_progress
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start without threads, as in a new process."""
        self._stop = threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self) -> Workers:
        """Start the workers; does nothing if they run. Raises ThreadsExhausted."""
        if self.threads:
            return self
        self._stop.clear()
        try:
            for number in range(self._concurrency):
                worker = Worker(
                    self._store,
                    self._settings,
                    on_progress=self._on_progress,
                    instruments=self._instruments,
                )
                name = f"rescind-worker-{number}"
                self.threads.append(started(worker.run, name, self._stop))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Finish the chunks under way, and end. The rest stays pending. Does nothing if no worker runs."""
        self._stop.set()
        for thread in self.threads:
            if thread is not threading.current_thread():
                thread.join()
        self.threads = []

    def __enter__(self) -> Workers:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
