"""What was seen of a broken promise, in a file, and what one round says in a line."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from rescind.errors import InvalidArgument
from rescind.insight.probe.measurement import Measurement


def write_evidence(path: Path, measurements: Iterable[Measurement]) -> None:
    """Write all measurements with violations to a file that only its owner reads.

    Replaces the file once the new one is complete; a device or a pipe is written to. Raises InvalidArgument
    if it cannot be written: a file that was there stays as it was.
    """
    late = [asdict(each) for each in measurements if each.violations]
    body = {"written_at": datetime.now(UTC), "measurements": late}
    text = msgspec.json.format(msgspec.json.encode(body)) + b"\n"
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(text)
        else:
            _replace(path, text)
    except OSError as error:
        raise InvalidArgument(what="evidence", value=str(path), why=error.strerror) from None


def _replace(path: Path, text: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def unanswered(measured: Sequence[Measurement]) -> list[str]:
    """The points of which nothing was learned in some way: they never allowed, or only failed."""
    missing = (t.point for each in measured for t in each.times if not t.is_complete)
    return list(dict.fromkeys(missing))
