"""Files as numbered lines of text: plain or gzip, UTF-8, each line of bounded length."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from rescind.changes import Change
from rescind.errors import BadInput

MAX_LINE_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """The whole of one input: its name, the digest of its content, and its lines without ends."""

    name: str
    digest: str
    lines: tuple[str, ...]

    def at(self, number: int, column: str | None = None) -> str:
        """A place in it, as errors name it: `file:line` or `file:line:column`."""
        return f"{self.name}:{number}" if column is None else f"{self.name}:{number}:{column}"


@dataclass(frozen=True, slots=True)
class Item:
    """One change, where it was read, and the organization that its line names, if it names one."""

    change: Change
    place: str
    organization: str | None = None


def read(path: str) -> Source:
    """All of a file, or of standard input for `-`; gzip is recognized by its first bytes.

    Raises BadInput naming the line that is too long, not UTF-8, or where the gzip data breaks off;
    OSError when there is no reading it.
    """
    digest = hashlib.sha256()
    lines: list[str] = []
    with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as stream:
        name = "<stdin>" if path == "-" else path
        for line in _lines(name, cast(BinaryIO, stream)):
            digest.update(line)
            lines.append(_text(name, len(lines) + 1, line))
    return Source(name, digest.hexdigest(), tuple(lines))


def _lines(name: str, stream: BinaryIO) -> Iterator[bytes]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    is_gzip = buffered.peek(2)[:2] == _GZIP
    opened = (
        cast(BinaryIO, gzip.GzipFile(fileobj=buffered)) if is_gzip else cast(BinaryIO, buffered)
    )
    number = 1
    try:
        while line := opened.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise BadInput(at=f"{name}:{number}", why="the line is longer than 1 MiB")
            yield line
            number += 1
    except (EOFError, gzip.BadGzipFile, zlib.error):
        why = "the gzip data is broken or breaks off here; fetch the file again"
        raise BadInput(at=f"{name}:{number}", why=why) from None


def _text(name: str, number: int, line: bytes) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        why = f"byte {error.start + 1} of the line is not UTF-8"
        raise BadInput(at=f"{name}:{number}", why=why) from None
    return text.rstrip("\r\n")


def moment(text: str) -> datetime:
    """An aware datetime from ISO 8601 text, or ValueError saying how to write it."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise ValueError("not a time with a UTC offset, such as 2030-12-31T18:00:00+00:00")
    return value
