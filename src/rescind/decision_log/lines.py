"""Lines of the log: one JSON object each, in ASCII, harmless in a terminal and in HTML.

Field names are those of `/v1/check`; `timestamp` is what OPA and Cerbos call it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from rescind.decision_log.entries import UNKNOWN_NAME, Asked, Entry
from rescind.errors import InvalidArgument
from rescind.model import ROOT, Chain, Question, Revision, moment, subject_id

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_NO_TRACE: Final = "0" * 32
_HARMFUL: Final = re.compile(r"[^ -%'-;=?-~\n]")
"""What is escaped: all but line ends and printable ASCII; also `&`, `<` and `>`."""
_PLAIN: Final = re.compile(rb"[ -%'-;=?-~\n]*")


class ChainLine(Struct, frozen=True, omit_defaults=True):
    """What a critical permission was allowed through, from the subject to the role."""

    groups: tuple[str, ...]
    role: str
    assigned_on: str
    expires_at: datetime | None = None
    is_default_role: bool = False

    @classmethod
    def of(cls, chain: Chain) -> ChainLine:
        """The same, without what the line has already."""
        return cls(
            chain.groups, chain.role, chain.assigned_on, chain.expires_at, chain.is_default_role
        )


class DecisionLine(Struct, omit_defaults=True):
    """A decision. What has a default is left out where it has it."""

    timestamp: datetime
    organization: str | None
    subject: str | None
    permission: str | None
    resource: str | None
    allowed: bool | None
    """None where the decision failed: then `error` says why, and nobody was allowed anything."""
    reason: str | None
    decision_point: str | None
    revision: str | None
    error: str | None = None
    critical: bool = False
    explain: bool = False
    in_transaction: bool = False
    assurance: str = "standard"
    at_least: str | None = None
    chain: ChainLine | None = None
    """The first chain; `chains` is how many there are."""
    chains: int = 0
    chain_missing: str | None = None
    request_id: str | None = None
    trace_id: str | None = None
    key_id: str | None = None


class StartLine(Struct, frozen=True, kw_only=True):
    """What is logged from here on. The first line of each file, and of each process."""

    timestamp: datetime
    event: str = "started"
    decisions: tuple[str, ...]
    sample: float
    host: str
    process: int


class DroppedLine(Struct, frozen=True):
    """Decisions before this line that were not written."""

    timestamp: datetime
    dropped: int
    event: str = "dropped"


Line = DecisionLine | StartLine | DroppedLine


def line_of(entry: Entry) -> DecisionLine:
    """The line of a decision, without a chain."""
    asked, decision, context = Asked(*entry.asked), entry.decision, entry.context
    at, resource = moment(entry.nanoseconds // 1_000), asked.resource
    resource = ROOT if resource is None else resource
    if decision is None:
        line = DecisionLine(at, *asked[:3], resource, None, None, None, None, entry.error)
        if entry.error == UNKNOWN_NAME:
            line.allowed, line.reason, line.error = False, UNKNOWN_NAME, None
    else:  # so its names are well formed
        line = DecisionLine(
            at,
            _plain(asked.organization),
            subject_id(asked.subject),
            _plain(asked.permission),
            _plain(resource),
            decision.allowed,
            decision.reason,
            decision.point,
            _token(decision.revision),
        )
        line.critical = decision.is_critical
    if len(entry.asked) > len(Question._fields):
        line.at_least, line.assurance = asked.at_least, asked.assurance or "standard"
        line.explain, line.in_transaction = asked.explain, asked.is_within
    line.trace_id = entry.trace_id
    if context is not None:
        line.request_id, line.key_id = context.request_id, context.key_id
        if context.trace_id is not None:
            line.trace_id = _trace_id(context.trace_id) or entry.trace_id
    return line


def _plain(name: str) -> str:
    """A name as text, if it was a member of an enumeration."""
    return name if type(name) is str else str.__str__(name)


_encoder: Final = msgspec.json.Encoder()


def encoded(lines: Sequence[Line]) -> bytes:
    """The lines, each with its end. Never raises for what is in them."""
    try:
        found = _encoder.encode_lines(lines)
    except Exception:
        found = b"".join(map(_encoded_alone, lines))
    if _PLAIN.fullmatch(found):
        return found
    return _HARMFUL.sub(_escaped, found.decode()).encode("ascii")


def _encoded_alone(line: Line) -> bytes:
    """A line. What cannot be encoded of it, such as a surrogate, is spelled out."""
    try:
        return _encoder.encode(line) + b"\n"
    except Exception:
        fields = {name: _encodable(getattr(line, name)) for name in line.__struct_fields__}
        return _encoder.encode(fields) + b"\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    return f"({type(value).__name__})"


def _escaped(found: re.Match[str]) -> str:
    """A character as JSON escapes it; it can only be inside a string."""
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _token(revision: Revision | None) -> str | None:
    try:
        return None if revision is None else revision.token()
    except InvalidArgument:
        return None


@lru_cache(64)  # the questions of a batch have the same
def _trace_id(given: str | bytes) -> str | None:
    """The trace id of a `traceparent` (W3C Trace Context, 3.2), or one by itself; None if it is neither."""
    text = given.decode("latin-1") if isinstance(given, bytes) else given
    found = _TRACEPARENT.fullmatch(text)
    trace_id = found[1] if found else text
    return trace_id if _TRACE_ID.fullmatch(trace_id) and trace_id != _NO_TRACE else None
