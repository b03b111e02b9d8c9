"""When revoking changes were enforced, kept beside the log. Nobody waits for it to be written down.

What is noted is written by a thread, some at a time. Where it was not (a process that was killed), whoever
reads the log finds out anew, from who holds the organization, and notes when that was seen.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import Final

from rescind import forks
from rescind.errors import RescindError, ThreadsExhausted
from rescind.model import Microseconds, OrganizationNumber
from rescind.store import Store
from rescind.threads import started

FLUSH_SECONDS: Final = 0.25
"""How long what is noted waits for more."""
MOST: Final = 100_000
"""Of what cannot be written, no more is kept."""

log = logging.getLogger(__name__)
Change = tuple[int, int]
"""An organization's number, and a revision's."""


class EnforcedTimes:
    """The times of one database's changes. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start empty, as in a new process: the parent writes what it noted."""
        self._lock = threading.Lock()
        self._noted: dict[Change, int] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._failed = False

    def note(self, organization: OrganizationNumber, revision: int, at: Microseconds) -> None:
        """Keep that a change was enforced by that time; an earlier one that is known stays."""
        with self._lock:
            if len(self._noted) < MOST:
                self._noted.setdefault((organization, revision), at)
            if self._thread is None and not self._closing.is_set():
                try:
                    self._thread = started(self._run, "rescind-enforced")
                except ThreadsExhausted as error:
                    log.warning("when changes were enforced is written later: %s", error)

    def seen(
        self, organization: OrganizationNumber, revisions: list[int], up_to: int, at: Microseconds
    ) -> dict[int, int]:
        """By when revisions of an organization were enforced, as far as is known: those up to one were by
        that time, which is noted. Of others it says what is noted and not written yet.
        """
        for revision in revisions:
            if revision <= up_to:
                self.note(organization, revision, at)
        noted = {revision: self.noted(organization, revision) for revision in revisions}
        return {revision: time for revision, time in noted.items() if time is not None}

    def noted(self, organization: OrganizationNumber, revision: int) -> int | None:
        """What is noted and not written yet."""
        return self._noted.get((organization, revision))

    def close(self) -> None:
        """Write what is noted, unless writing failed the last time."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if not self._failed:
            self._flush()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            taken = dict(self._noted)
        if not taken:
            return
        notes = [{"o": o, "revision": r, "at": at} for (o, r), at in sorted(taken.items())]
        try:
            self._store.execute_alone("record_enforced", {"notes": json.dumps(notes)})
        except RescindError as error:
            if not self._failed:
                log.warning("when changes were enforced is written later: %s", error)
            self._failed = True
            return
        self._failed = False
        with self._lock:
            for change in taken:
                del self._noted[change]
