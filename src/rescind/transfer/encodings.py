"""From a file's bytes to UTF-8: gzip, byte order marks, and encodings that are named. Nothing is guessed."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from typing import Any, BinaryIO, Final, cast

from rescind.errors import BadInput, InvalidArgument

MOST_EXPANSION = 200
"""How many times larger than its gzip data an input may be; lists of people are some 10 times larger."""
FREE_BYTES = 1 << 24
"""Of an input, whatever it was compressed to."""
_GZIP = b"\x1f\x8b"
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS: Final = (
    (b"PK\x03\x04", "an Excel workbook or another archive", "save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV UTF-8"),
    (b"%PDF", "a PDF", "export a CSV file"),
    (b"BZh", "compressed by bzip2", "decompress it, or use gzip"),
    (b"\xfd7zXZ", "compressed by xz", "decompress it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "decompress it, or use gzip"),
)
"""Files that are not text, by how they begin."""
_KNOWN = re.compile(
    r"utf-(8|16|32)(-le|-be)?|cp(125\d|932|949|950|437|850|852|866)|iso8859-\d+|latin-1|ascii"
    r"|mac-\w+|shift_jis|gb18030|gbk|big5|euc_(jp|kr)|koi8-[ru]"
)
_CHUNK: Final = 1 << 16


def encoding_named(name: str) -> str:
    """The codec of a text encoding, such as `windows-1252`. Raises InvalidArgument."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    if not _KNOWN.fullmatch(found):
        hint = "use utf-8, utf-16, windows-1252, iso-8859-1 or another that Python knows"
        raise InvalidArgument(what="encoding", value=name, hint=hint)
    return found


class Opened:
    """A stream of UTF-8 lines out of a file's bytes, and how much was read of those.

    Raises BadInput where it is not text, or says by a mark that it is in another encoding than was named.
    """

    def __init__(self, name: str, stream: BinaryIO, encoding: str | None) -> None:
        counted = _Counted(_buffered(stream))
        self.is_gzip = counted.buffer.peek(2)[:2] == _GZIP
        self._counted = counted
        self._lines: BinaryIO = cast(BinaryIO, counted.buffer)
        if self.is_gzip:
            unpacked: Any = gzip.GzipFile(fileobj=counted)  # type: ignore[call-overload]
            self._lines = cast(BinaryIO, io.BufferedReader(unpacked))
        named = None if encoding is None else encoding_named(encoding)
        found = _encoding(name, self._beginning(name), named)
        if found != "utf-8":
            self._lines = cast(BinaryIO, io.BufferedReader(_Recoded(name, self._lines, found)))

    def readline(self, size: int) -> bytes:
        """The next line, or as much of it. Raises what `broken` tells of."""
        return self._lines.readline(size)

    def expands_too_much(self, size: int) -> bool:
        """Whether so many bytes are more than what was read of gzip data may become."""
        return self.is_gzip and size > FREE_BYTES + MOST_EXPANSION * self._counted.size

    def _beginning(self, name: str) -> bytes:
        try:
            return cast(io.BufferedReader, self._lines).peek(8)[:8]
        except GZIP_FAULTS:
            raise BadInput(at=f"{name}:1", why=BROKEN) from None


BROKEN: Final = "the gzip data is broken or breaks off here; fetch the file again"
GZIP_FAULTS: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading broken gzip data raises."""


def _buffered(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, stream))


class _Counted:
    """A stream, and how much was read of it."""

    def __init__(self, buffer: io.BufferedReader) -> None:
        self.buffer, self.size = buffer, 0

    def read(self, size: int = -1) -> bytes:
        found = self.buffer.read(size)
        self.size += len(found)
        return found


def _encoding(name: str, beginning: bytes, named: str | None) -> str:
    """What it is in: as its mark says, or as was named, or UTF-8. Raises BadInput."""
    for start, what, hint in _OTHERS:
        if beginning.startswith(start):
            raise BadInput(at=f"{name}:1", why=f"it is {what}, not text", hint=hint)
    marked = next((found for mark, found in _MARKS if beginning.startswith(mark)), None)
    if marked is not None and named is not None and not named.startswith(marked):
        why = f"it begins with the mark of {marked.upper()}, and is to be read as {named}"
        raise BadInput(at=f"{name}:1", why=why, hint="leave out --encoding")
    if marked is None and named is None and b"\0" in beginning:
        guess = "utf-16-be" if beginning[:1] == b"\0" else "utf-16-le"
        why = "it has zero bytes, as UTF-16 without a byte order mark has"
        hint = f"save it as UTF-8; `rescind import` also takes --encoding {guess}"
        raise BadInput(at=f"{name}:1", why=why, hint=hint)
    return marked or named or "utf-8"


class _Recoded(io.RawIOBase):
    """A stream of another encoding, as UTF-8."""

    def __init__(self, name: str, stream: BinaryIO, encoding: str) -> None:
        self._name, self._stream, self._encoding = name, stream, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._rest, self._line, self._is_ended = b"", 1, False

    def readable(self) -> bool:
        return True

    def readinto(self, into: object) -> int:
        view = memoryview(cast(bytearray, into))
        while not self._rest and not self._is_ended:
            chunk = self._stream.read(_CHUNK)
            self._is_ended = not chunk
            self._rest = self._decoded(chunk).encode()
        part = self._rest[: len(view)]
        view[: len(part)] = part
        self._rest = self._rest[len(part) :]
        self._line += part.count(b"\n")
        return len(part)

    def _decoded(self, chunk: bytes) -> str:
        try:
            return self._decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            good = chunk[: error.start] if isinstance(error, UnicodeDecodeError) else b""
            line = self._line + good.decode(self._encoding, "ignore").count("\n")
            why = f"the bytes are not {self._encoding}"
            raise BadInput(at=f"{self._name}:{line}", why=why) from None
