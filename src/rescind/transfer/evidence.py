"""The change log as evidence: each change with who made it, why, how it was enforced, and its digest.

Owns the form of a line. A line has all that is digested, the digest before it, and its own. So a file can be
verified without the database: see `transfer/evidence_file.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rescind.model import EnforcedReplica, Enforcement, LogEntry

NUMBERS = ("granted", "revoked", "estimated", "environment")
"""Fields of a line that are digested, beside those that every export has."""


def evidence(entries: Iterable[LogEntry]) -> Iterator[dict[str, Any]]:
    """Each change as plain JSON values, with its place in the chain.

    `number` is the organization's number, and `body` the text of `changes` that is digested.
    """
    for entry in entries:
        line = entry_object(entry)
        if (link := entry.link) is not None:
            line["number"] = link.content.organization
            line |= {name: getattr(link.content, name) for name in NUMBERS}
            line |= {"body": entry.changes, "previous": link.previous, "digest": link.digest}
        yield line


def entry_object(entry: LogEntry) -> dict[str, Any]:
    """A change as plain JSON values."""
    times = ("recorded_at", "enforced_at", "settled_at")
    found: dict[str, Any] = {
        name: getattr(entry, name)
        for name in LogEntry.__slots__
        if name not in times and name != "link"
    }
    for name in times:
        at = getattr(entry, name)
        found[name] = None if at is None else _time(at)
    found["direction"], found["route"] = entry.direction.value, entry.route.value
    found["changes"] = json.loads(entry.changes)
    found["enforcement"] = enforcement_object(entry.enforcement)
    found["enforcement_status"] = entry.enforcement_status.value
    return found


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
