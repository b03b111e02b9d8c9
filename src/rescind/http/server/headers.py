"""The head of a request: whether it is sound, and whether its address is spelled as it is meant to be.

A proxy in front decides by what it reads of a head. So whatever could be read in two ways is refused.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from rescind.errors import InvalidRequest

Headers: TypeAlias = dict[bytes, bytes]
Fields: TypeAlias = list[tuple[bytes, bytes]]

SINGLE: Final = (
    b"authorization",
    b"content-encoding",
    b"content-type",
    b"host",
    b"idempotency-key",
    b"if-match",
    b"rescind-actor",
    b"rescind-at-least",
    b"rescind-id",
)
"""Headers that a request may have once."""
_REQUEST_ID: Final = re.compile(rb"[!-~](?:[ -~]{0,1022}[!-~])?")
"""What can be printed, and is short enough for a log."""
_VERSIONS: Final = ("1.1", "1.0")
_LEFT_OUT: Final = "give it a value, or leave it out"
_NEVER: Final = re.compile(rb"q=0(\.0{0,3})?")
_ADDRESS: Final = re.compile(
    rb"""(?:/(?!\.{1,2}(?:/|$))         # no segment is . or ..
         (?:[A-Za-z0-9._~!$&'()*+,;=:@-]   # what stands for itself, and so is never escaped
         |%2[0-9A-CFa-cf]|%3[A-Fa-f]|%40|%5[B-Eb-e]|%60|%7[B-Db-d]
         |%[89A-Fa-f][0-9A-Fa-f])+)+""",
    re.VERBOSE,
)
"""RFC 3986, 2.3 and 6.2.2. Segments are not empty; control characters are in no name."""


def flaw_of(version: str, url: bytes, fields: Fields, headers: Headers) -> str | None:
    """What is wrong with a head (RFC 9112, 2.3, 3.2 and 6.1), if anything."""
    if version not in _VERSIONS:
        return f"HTTP/{version} is not spoken here; send HTTP/1.1"
    if b"host" not in headers and version == "1.1":
        return "there is no Host"
    if len(headers) != len(fields) and sum(name == b"host" for name, _ in fields) > 1:
        return "Host is there twice"
    if b"transfer-encoding" in headers:
        codings = [value.strip().lower() for name, value in fields if name == b"transfer-encoding"]
        if codings != [b"chunked"] or version == "1.0":
            return "the only transfer coding is chunked, of HTTP/1.1"
    return "the address has a fragment" if b"#" in url else None


def require_single(fields: Fields, headers: Headers) -> None:
    """Raises InvalidRequest where a header is repeated that must not be."""
    if len(headers) == len(fields):
        return
    names = [name for name, _ in fields]
    for name in SINGLE:
        if names.count(name) > 1:
            shown = name.decode().title()
            raise InvalidRequest(why=f"the header {shown} is there twice", hint="send it once")


def require_parameters(
    query: bytes,
    known: Collection[str] | None,
    filters: Collection[str],
    numbers: Collection[str] = (),
) -> None:
    """Raises InvalidRequest where a parameter of the query is repeated, however its name is escaped, is not
    one of the known ones (None is for any, but for a filter in another spelling), or is a filter without a
    value: the list would be everything. `null` is no value of those that are no texts (`numbers`).
    """
    if not query:
        return
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    names = Counter(name for name, _ in pairs)
    for name, times in names.items():
        if times > 1:
            hint = "send it once; where it takes several values, commas stand between them"
            raise InvalidRequest(why=f"the query parameter {name[:60]!r} is repeated", hint=hint)
        if known is not None and name not in known:
            hint = f"the parameters are {', '.join(sorted(known))}" if known else "there are none"
            raise InvalidRequest(why=f"the parameter {name[:60]!r} is not known", hint=hint)
    if known is None:
        require_spelling(names, filters)
    for name, value in pairs:
        if name in filters and not value.strip():
            raise InvalidRequest(why=f"the parameter {name[:60]!r} is empty", hint=_LEFT_OUT)
        if name in numbers and value.casefold() == "null":
            raise InvalidRequest(why=f"the parameter {name[:60]!r} is null", hint=_LEFT_OUT)


def require_spelling(names: Iterable[str], filters: Collection[str]) -> None:
    """Raises InvalidRequest for a filter in another spelling: some SDKs write a list as `domains[]`."""
    meant = {_folded(each): each for each in filters}
    for name in names:
        if name not in filters and (other := meant.get(_folded(name))) is not None:
            hint = f"it is `{other}`; where it takes several values, commas stand between them"
            raise InvalidRequest(why=f"the parameter {name[:60]!r} is not known", hint=hint)


def _folded(name: str) -> str:
    return name[:60].partition("[")[0].replace("_", "").replace("-", "").casefold()


def is_plain(raw_path: bytes) -> bool:
    """Whether a path is spelled in the one way in which it is taken: nothing is escaped without need,
    no segment is empty, and what is escaped is UTF-8.
    """
    if _ADDRESS.fullmatch(raw_path) is None:
        return False
    if b"%" in raw_path:
        try:
            unquote_to_bytes(raw_path).decode()
        except UnicodeDecodeError:
            return False
    return True


def value_of(headers: Headers, name: str) -> str | None:
    """What a request sends as a header; None if it does not."""
    given = headers.get(name.lower().encode())
    return None if given is None else given.decode("latin-1")


def takes_gzip(headers: Headers) -> bool:
    """Whether a client takes an answer that is compressed (RFC 9110, 12.5.3)."""
    for each in headers.get(b"accept-encoding", b"").lower().split(b","):
        coding, *weights = each.replace(b" ", b"").split(b";")
        if coding in (b"gzip", b"x-gzip"):
            return not any(_NEVER.fullmatch(weight) for weight in weights)
    return False


def request_id_of(headers: Headers) -> str:
    """The id that the request has, or a new one."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def header_lines(headers: Fields) -> bytes:
    """Headers as HTTP/1.1 sends them."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])
