"""What happened when, by the host's one clock, and whether it may have.

Each key is a register with one writer: access that is granted and revoked. A check is judged by the last
write that returned before it began, and by those that were under way while it ran.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

GRANT, REVOKE, CHECK, FRESH, FAILED = "grant", "revoke", "check", "fresh", "failed"
"""Writes; a check that was answered; one with the token of a grant; one that raised."""


@dataclass(frozen=True, slots=True)
class Event:
    """Nanoseconds of the monotonic clock; a write that never returned has no end."""

    kind: str
    key: str
    start: int
    end: int | None
    allowed: bool = False
    who: str = ""

    def line(self) -> str:
        """One line of a file."""
        end = -1 if self.end is None else self.end
        return f"{self.kind} {self.key} {self.start} {end} {int(self.allowed)} {self.who}\n"

    @classmethod
    def of(cls, line: str) -> Event:
        """From such a line."""
        kind, key, start, end, allowed, who = line.split()
        return cls(
            kind, key, int(start), None if end == "-1" else int(end), bool(int(allowed)), who
        )


def read(folder: Path) -> list[Event]:
    """All events of a folder's files; a line that a killed process did not finish is left out."""
    return [
        Event.of(line)
        for file in sorted(folder.glob("*.events"))
        for line in file.read_text("utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]


def violations(events: Iterable[Event]) -> Iterator[str]:
    """G1: a check that began after a revocation returned, with no grant since, was allowed. And
    read-your-writes: a check with the token of a grant that nothing revoked was denied.
    """
    writes: dict[str, list[Event]] = defaultdict(list)
    checks: list[Event] = []
    for event in events:
        (writes[event.key] if event.kind in (GRANT, REVOKE) else checks).append(event)
    for history in writes.values():
        history.sort(key=lambda event: event.start)
    starts = {key: [event.start for event in history] for key, history in writes.items()}
    for check in checks:
        if check.kind == FAILED or check.end is None:
            continue
        history = writes.get(check.key, [])
        begun = history[: bisect_left(starts.get(check.key, []), check.end)]
        done = [w for w in begun if w.end is not None and w.end < check.start]
        last = done[-1] if done else None
        since = [w for w in begun if last is None or w.start > last.start]
        if check.allowed:
            if last is not None and last.kind == REVOKE and not _any(since, GRANT):
                late = (check.start - (last.end or 0)) / 1e6
                yield f"{check.who} allowed {check.key} {late:.3f} ms after its revocation returned"
        elif check.kind == FRESH and last and last.kind == GRANT and not _any(since, REVOKE):
            yield f"{check.who} denied {check.key} with the token of its grant"


def _any(events: Iterable[Event], kind: str) -> bool:
    return any(event.kind == kind for event in events)
