"""The change log as evidence: each change with who made it, why, a digest, and how it was enforced.

Owns the form of a line. A digest covers what never changes of a change, so that two exports of one log have
the same digests, and a copy kept elsewhere shows whether the log was altered since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from rescind.changelog import LogEntry
from rescind.model import EnforcedReplica, Enforcement

DIGESTED: Final = (
    "organization",
    "revision",
    "recorded_at",
    "actor",
    "reason",
    "idempotency_key",
    "direction",
    "changes",
)
"""The fields of a line that its digest covers, in this order."""


def evidence(entries: Iterable[LogEntry]) -> Iterator[dict[str, Any]]:
    """Each change as plain JSON values, with its digest."""
    for entry in entries:
        yield {**entry_object(entry), "digest": digest(entry)}


def entry_object(entry: LogEntry) -> dict[str, Any]:
    """A change as plain JSON values."""
    times = ("recorded_at", "enforced_at", "settled_at")
    found: dict[str, Any] = {
        name: getattr(entry, name) for name in LogEntry.__slots__ if name not in times
    }
    for name in times:
        at = getattr(entry, name)
        found[name] = None if at is None else _time(at)
    found["direction"], found["route"] = entry.direction.value, entry.route.value
    found["changes"] = json.loads(entry.changes)
    found["enforcement"] = enforcement_object(entry.enforcement)
    found["enforcement_status"] = entry.enforcement_status.value
    return found


def digest(entry: LogEntry) -> str:
    """SHA-256, in hexadecimal, of the compact JSON list of the DIGESTED fields, in UTF-8."""
    line = entry_object(entry)
    content = [line[name] for name in DIGESTED]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def enforcement_object(done: Enforcement | None) -> dict[str, Any] | None:
    """A record as plain JSON values."""
    if done is None:
        return None
    return {
        "began_at": None if done.began_at is None else _time(done.began_at),
        "seconds": done.seconds,
        "outcome": done.outcome.value,
        "are_replicas_known": done.are_replicas_known,
        "replicas": [_replica(each) for each in done.replicas],
        "others": done.others,
        "is_deferred": done.is_deferred,
    }


def _time(at: datetime) -> str:
    return at.isoformat().removesuffix("+00:00") + "Z"


def _replica(each: EnforcedReplica) -> dict[str, Any]:
    return {
        "replica": each.replica,
        "name": each.name,
        "host": each.host,
        "process": each.process,
        "outcome": each.outcome.value,
        "milliseconds": each.milliseconds,
        "is_own": each.is_own,
    }
