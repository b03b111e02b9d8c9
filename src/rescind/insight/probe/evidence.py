"""What was seen of a broken promise, in a file, and what one round says in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rescind.errors import InvalidArgument
from rescind.insight.probe.measurement import Measurement


def write_evidence(path: Path, measurements: Iterable[Measurement]) -> None:
    """Write all measurements with violations to a file that only its owner reads. Replaces the file.

    Raises InvalidArgument if it cannot be written.
    """
    late = [asdict(each) for each in measurements if each.violations]
    body = {"written_at": datetime.now(UTC), "measurements": late}
    try:
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(body)) + b"\n")
    except OSError as error:
        raise InvalidArgument(what="evidence", value=str(path), why=error.strerror) from None


def unanswered(measured: Sequence[Measurement]) -> list[str]:
    """The points of which nothing was learned in some way: they never allowed, or only failed."""
    missing = (t.point for each in measured for t in each.times if not t.is_complete)
    return list(dict.fromkeys(missing))
