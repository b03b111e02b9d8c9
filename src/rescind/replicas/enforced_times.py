"""When and how revoking changes were enforced, kept beside the log. Nobody waits for it to be written down.

What is noted is written by a thread, some at a time. Where it was not (a process that was killed), whoever
reads the log finds out anew, from who holds the organization, and notes when that was seen. Which replicas
had acknowledged is then not recorded.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from itertools import islice
from typing import Final, NamedTuple

from rescind import forks
from rescind.errors import RescindError, ThreadsExhausted
from rescind.model import Enforcement, Microseconds, OrganizationNumber, encode_enforcement
from rescind.store import Store
from rescind.threads import started

FLUSH_SECONDS: Final = 0.25
"""How long a noted time waits to be written with others."""
MOST: Final = 100_000
"""Times that are kept, at most, while they cannot be written."""
MOST_RECORDS: Final = 5_000
"""With so many unwritten, only the times of more are kept, not which replicas there were."""
MOST_A_WRITE: Final = 2_000

log = logging.getLogger(__name__)
Change = tuple[int, int]
"""An organization's number, and a revision's."""


class Enforced(NamedTuple):
    """What this process knows of enforcement that is not on record: `seen` tells by when revisions of an
    organization were enforced, `how` what each replica did.
    """

    seen: Callable[[OrganizationNumber, list[int]], dict[int, int]]
    how: Callable[[OrganizationNumber, int], Enforcement | None]


class Note(NamedTuple):
    """By when a change was enforced, and how if this process enforced it."""

    at: int
    enforcement: Enforcement | None


class EnforcedTimes:
    """The times of one database's changes. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Start empty, as in a new process: the parent writes what it noted."""
        self.lock = threading.Lock()
        self._noted: dict[Change, Note] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._failed = False

    def note(
        self,
        organization: OrganizationNumber,
        revision: int,
        at: Microseconds,
        enforcement: Enforcement | None = None,
    ) -> None:
        """Keep that a change was enforced by that time, and how; what is known already stays."""
        with self.lock:
            known = self._noted.get((organization, revision))
            if known is not None:
                if known.enforcement is None and enforcement is not None:
                    self._noted[organization, revision] = Note(known.at, enforcement)
            elif len(self._noted) < MOST:
                has_room = len(self._noted) < MOST_RECORDS
                self._noted[organization, revision] = Note(at, enforcement if has_room else None)
            if self._thread is None and not self._closing.is_set():
                try:
                    self._thread = started(self._run, "rescind-enforced")
                except ThreadsExhausted as error:
                    log.warning("when changes were enforced is written later: %s", error)

    def seen(
        self, organization: OrganizationNumber, revisions: list[int], up_to: int, at: Microseconds
    ) -> dict[int, int]:
        """When revisions of an organization were enforced, as far as is known.

        Those up to `up_to` were enforced by `at`, which is noted. Of later ones: what is noted and not yet
        written.
        """
        for revision in revisions:
            if revision <= up_to:
                self.note(organization, revision, at)
        noted = {revision: self.noted(organization, revision) for revision in revisions}
        return {revision: time for revision, time in noted.items() if time is not None}

    def noted(self, organization: OrganizationNumber, revision: int) -> int | None:
        """What is noted and not written yet."""
        known = self._noted.get((organization, revision))
        return None if known is None else known.at

    def enforcement(self, organization: OrganizationNumber, revision: int) -> Enforcement | None:
        """How a change was enforced, if that is noted and not written yet."""
        known = self._noted.get((organization, revision))
        return None if known is None else known.enforcement

    def close(self) -> None:
        """Write what is noted, unless writing failed the last time."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        if not self._failed:
            self.flush()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()

    def flush(self) -> None:
        """Write what is noted now. What cannot be written stays noted."""
        while self._flush_some():
            pass

    def _flush_some(self) -> bool:
        """Write some of what is noted. Says whether there may be more to write."""
        with self.lock:
            taken = dict(islice(self._noted.items(), MOST_A_WRITE))
        if not taken:
            return False
        notes = [_as_json(change, taken[change]) for change in sorted(taken)]
        try:
            self._store.execute_alone("record_enforced", {"notes": json.dumps(notes)})
        except RescindError as error:
            if not self._failed:
                log.warning("when changes were enforced is written later: %s", error)
            self._failed = True
            return False
        self._failed = False
        with self.lock:
            for change, note in taken.items():
                if self._noted.get(change) is note:  # else more is known of it by now
                    del self._noted[change]
        return len(taken) == MOST_A_WRITE


def _as_json(change: Change, note: Note) -> dict[str, int | str | None]:
    o, revision = change
    record = None if note.enforcement is None else encode_enforcement(note.enforcement)
    return {"o": o, "revision": revision, "at": note.at, "record": record}
