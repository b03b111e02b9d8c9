"""Files as numbered lines of text: plain or gzip, UTF-8 or what their mark or the caller says, each line of
bounded length.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import BinaryIO, cast

from rescind.changes import Change
from rescind.errors import BadInput
from rescind.transfer.encodings import BROKEN, GZIP_FAULTS, MOST_EXPANSION, Opened

MAX_LINE_BYTES = 1 << 20


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
    """One change, where it was read, and the organization that its line names, if it names one.

    `rows` are the lines of a list that it was made from: one for each member of an AddMembers, else one. A
    change that was written as such has none.
    """

    change: Change
    place: str
    organization: str | None = None
    rows: tuple[int, ...] = ()

    def row(self, number: int) -> str:
        """The place of one of its rows."""
        return f"{self.place.rpartition(':')[0]}:{self.rows[number]}" if self.rows else self.place


def read(path: str, encoding: str | None = None) -> Source:
    """All of a file, or of standard input for `-`; gzip is recognized by its first bytes.

    It is UTF-8, or UTF-16 with a byte order mark, or in the `encoding` that is named. Raises BadInput naming
    the line that is too long, in another encoding, or where the gzip data breaks off; OSError when there is
    no reading it.
    """
    digest, content = hashlib.sha256(), io.BytesIO()
    with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as stream:
        name = "<stdin>" if path == "-" else path
        for number, line in enumerate(_lines(name, cast(BinaryIO, stream), encoding), 1):
            digest.update(line)
            _text(name, number, line)
            content.write(line)
    whole = content.getvalue()
    if b"\r" in whole and b"\n" not in whole:  # as Excel for the Macintosh ends lines
        whole = whole.replace(b"\r", b"\n")
    return Source(name, digest.hexdigest(), _Lines(name, whole))


class _Lines:
    """Lines of UTF-8, taken from the bytes as they are asked for: short ones would be many times larger."""

    def __init__(self, name: str, content: bytes) -> None:
        self._name, self._content = name, content

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(io.BytesIO(self._content), 1):
            yield _text(self._name, number, line)


def _lines(name: str, stream: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    opened = Opened(name, stream, encoding)
    number, size = 1, 0
    try:
        while line := opened.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise BadInput(at=f"{name}:{number}", why="the line is longer than 1 MiB")
            size += len(line)
            if opened.expands_too_much(size):
                why = f"it is more than {MOST_EXPANSION} times larger than its gzip data"
                raise BadInput(at=f"{name}:{number}", why=why, hint="import it uncompressed")
            yield line
            number += 1
    except GZIP_FAULTS:
        raise BadInput(at=f"{name}:{number}", why=BROKEN) from None


def _text(name: str, number: int, line: bytes) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        why = f"byte {error.start + 1} of the line is not UTF-8"
        hint = "save it as UTF-8; `rescind import` also takes --encoding windows-1252, or another"
        raise BadInput(at=f"{name}:{number}", why=why, hint=hint) from None
    return text.rstrip("\r\n")
