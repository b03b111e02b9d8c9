"""Reading the log: when a permission was last used."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rescind.errors import BadInput

MOST_LINE: Final = 1 << 20
"""Bytes of a line. What is longer is damaged."""
_EVENTS: Final = frozenset({"started", "dropped"})
_GZIP: Final = b"\x1f\x8b"


class Use(NamedTuple):
    """What was allowed."""

    organization: str
    subject: str
    permission: str
    resource: str


@dataclass(slots=True)
class LastUsed:
    """When each use was last allowed, by lines that say so; and how much the files can tell."""

    uses: dict[Use, datetime] = field(default_factory=dict)
    since: datetime | None = None
    """The time of the first line: what is not in `uses` was not used since, if `is_whole`."""
    until: datetime | None = None
    lines: int = 0
    damaged: int = 0
    """Lines that cannot be read, such as one that a killed process did not finish."""
    dropped: int = 0
    """Decisions that were made and not written, as the files say."""
    is_all_logged: bool = True
    """Whether every process that wrote the files logged all decisions, and not a selection or a sample."""

    @property
    def is_whole(self) -> bool:
        """Whether what is not in `uses` was not used. False where a decision may be missing."""
        return bool(self.lines) and self.is_all_logged and not self.dropped and not self.damaged


class _Line(Struct):
    timestamp: datetime
    event: str | None = None
    organization: str | None = None
    subject: str | None = None
    permission: str | None = None
    resource: str | None = None
    allowed: bool | UnsetType | None = UNSET
    decision_point: str | UnsetType | None = UNSET
    explain: bool = False
    dropped: int = 0
    decisions: tuple[str, ...] = ()
    sample: float = 0.0

    @property
    def is_of_a_log(self) -> bool:
        """Whether it tells of a decision, or of the log itself. Other logs have times and events too."""
        if self.event is not None:
            return self.event in _EVENTS
        return self.allowed is not UNSET and self.decision_point is not UNSET


def last_used(
    files: Iterable[str | os.PathLike[str]], *, organization: str | None = None
) -> LastUsed:
    """When each (organization, subject, permission, resource) was last allowed, by the lines of `files`.

    Files may be in any order, rotated, and compressed by gzip. A line that is not whole is counted as
    damaged and left out. A decision that was asked for with an explanation is no use.

    Raises OSError, and BadInput for a file that has no line of a decision log: it is another one.
    """
    found, decoder = LastUsed(), msgspec.json.Decoder(_Line)
    for file in files:
        is_first, before = True, found.lines
        with _opened(file) as stream:
            for text in _lines(stream, found):
                try:
                    line = decoder.decode(text)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    found.damaged += 1
                    continue
                if not line.is_of_a_log:
                    found.damaged += 1
                    continue
                if is_first and line.event != "started":
                    found.is_all_logged = False
                is_first = False
                _note(found, line, organization)
        if found.lines == before:
            hint = "name a file that the decision log wrote; see docs/howto/log-decisions.md"
            why = "it has no line of a decision log"
            raise BadInput(at=os.fsdecode(file), why=why, hint=hint)
    return found


def _note(found: LastUsed, line: _Line, organization: str | None) -> None:
    found.lines += 1
    found.since = line.timestamp if found.since is None else min(found.since, line.timestamp)
    found.until = line.timestamp if found.until is None else max(found.until, line.timestamp)
    if line.event == "started":
        found.is_all_logged &= "all" in line.decisions or line.sample >= 1.0
    elif line.event == "dropped":
        found.dropped += line.dropped
    elif line.event is None and line.allowed is True and not line.explain:
        names = line.organization, line.subject, line.permission, line.resource
        if None in names or organization not in (None, line.organization):
            return
        use = Use(*names)  # type: ignore[arg-type]
        before = found.uses.get(use)
        if before is None or before < line.timestamp:
            found.uses[use] = line.timestamp


def _opened(file: str | os.PathLike[str]) -> IO[bytes]:
    with open(file, "rb") as stream:
        is_compressed = stream.read(2) == _GZIP
    return gzip.open(file, "rb") if is_compressed else open(file, "rb")  # type: ignore[return-value]


def _lines(stream: IO[bytes], found: LastUsed) -> Iterator[bytes]:
    """The lines that are not empty; of one that is too long, a piece, and the rest is skipped."""
    while text := _read(stream, found):
        if not text.endswith(b"\n") and len(text) == MOST_LINE:
            while (rest := _read(stream, found)) and not rest.endswith(b"\n"):
                pass
        if text.strip():
            yield text


def _read(stream: IO[bytes], found: LastUsed) -> bytes:
    """The next line, or a piece of it. A compressed file that is cut ends there."""
    try:
        return stream.readline(MOST_LINE)
    except (EOFError, zlib.error):
        found.damaged += 1
        return b""
