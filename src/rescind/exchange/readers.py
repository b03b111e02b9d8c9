"""Files as numbered lines of text: plain or gzip, UTF-8, each line of bounded length."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from rescind.changes import Change
from rescind.errors import BadInput

MAX_LINE_BYTES = 1 << 20
MOST_EXPANSION = 200
"""How many times larger than its gzip data an input may be; lists of people are some 10 times larger."""
FREE_BYTES = 1 << 24
"""Of an input, whatever it was compressed to."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """The whole of one input: its name, the digest of its content, and its lines without ends."""

    name: str
    digest: str
    lines: Iterable[str]
    """The same each time that they are gone through."""

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
    digest, content = hashlib.sha256(), io.BytesIO()
    with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as stream:
        name = "<stdin>" if path == "-" else path
        for number, line in enumerate(_lines(name, cast(BinaryIO, stream)), 1):
            digest.update(line)
            _text(name, number, line)
            content.write(line)
    return Source(name, digest.hexdigest(), _Lines(name, content.getvalue()))


class _Lines:
    """Lines of UTF-8, taken from the bytes as they are asked for: short ones would be many times larger."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name, self._content = name, content

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(io.BytesIO(self._content), 1):
            yield _text(self._name, number, line)


class _Counted:
    """A stream, and how much was read of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.size = stream, 0

    def read(self, size: int = -1) -> bytes:
        found = self._stream.read(size)
        self.size += len(found)
        return found


def _lines(name: str, stream: BinaryIO) -> Iterator[bytes]:
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    counted = _Counted(cast(BinaryIO, buffered))
    is_gzip = buffered.peek(2)[:2] == _GZIP
    opened = cast(BinaryIO, gzip.GzipFile(fileobj=counted) if is_gzip else buffered)  # type: ignore[call-overload]
    number, size = 1, 0
    try:
        while line := opened.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise BadInput(at=f"{name}:{number}", why="the line is longer than 1 MiB")
            size += len(line)
            if is_gzip and size > FREE_BYTES + MOST_EXPANSION * counted.size:
                why = f"it is more than {MOST_EXPANSION} times larger than its gzip data"
                raise BadInput(at=f"{name}:{number}", why=why, mend="import it uncompressed")
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
