"""What proves the logs: heads that are kept elsewhere, what a verification found, and service actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from rescind.errors import InvalidArgument


class FaultKind(StrEnum):
    """In which way a log does not fit."""

    ALTERED = "altered"
    MISSING = "missing"
    LEFT_OUT = "left_out"
    UNCHAINED = "unchained"
    TRUNCATED = "truncated"
    SURPLUS = "surplus"
    HEAD_DIFFERS = "head_differs"
    HEAD_MISSING = "head_missing"
    HEAD_ABSENT = "head_absent"
    HEAD_BEFORE_START = "head_before_start"
    NO_ORGANIZATION = "no_organization"
    NAME_DIFFERS = "name_differs"
    END_MISSING = "end_missing"


MEANINGS: Final[Mapping[FaultKind, str]] = {
    FaultKind.ALTERED: "its digest does not follow from its content and the digest before it:"
    " it, or the one before it, was altered, exchanged or put in",
    FaultKind.MISSING: "it is not in the log, though later ones are",
    FaultKind.LEFT_OUT: "it is not in the file: a line was taken out, or the export was of some changes only,"
    " which `--with-gaps` accepts",
    FaultKind.UNCHAINED: "it has no digest; if an older version made it, `rescind log chain` gives it one",
    FaultKind.TRUNCATED: "it is not in the log any more, nor is any later one: the end was taken away",
    FaultKind.SURPLUS: "there never was one with this number: it was put in",
    FaultKind.HEAD_DIFFERS: "it is not the one whose head was kept: the log was made anew since",
    FaultKind.HEAD_MISSING: "the log ends before the head that was kept: its end was taken away",
    FaultKind.HEAD_ABSENT: "no kept head is of a change in the file, so nothing can be compared: export up to"
    " this change, or to another one whose head was kept",
    FaultKind.HEAD_BEFORE_START: "the log begins after every head that was kept, so nothing can be compared",
    FaultKind.NO_ORGANIZATION: "its organization is not in the database any more",
    FaultKind.END_MISSING: "the row that says which action is the newest was deleted, so actions after this"
    " one may have been deleted too; `rescind log chain` puts the row back",
    FaultKind.NAME_DIFFERS: "its organization has another name than in the kept head or in the lines before",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first change, or service action, of a log that does not fit."""

    kind: FaultKind
    revision: int

    @property
    def meaning(self) -> str:
        """What is wrong with it, as a sentence about the change or action."""
        return MEANINGS[self.kind]


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """What was found of one organization's log."""

    organization: str
    """Its name; `number 7` if the organization has vanished."""
    number: int
    rows: int
    """Changes that fit."""
    after: int
    """The log begins after this revision; 0 if nothing was taken out of it."""
    revision: int
    """The last one that fits."""
    digest: str
    """Of that one, in hexadecimal."""
    heads: int
    """Heads kept elsewhere that fit."""
    fault: Fault | None
    """The first change that does not fit."""
    unproven: int = 0
    """Changes that the log still has before its start, and that nothing proves."""

    @property
    def fits(self) -> bool:
        """Whether the whole log does."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest change of an organization's log, and the digest that stands for the log up to it."""

    organization: str
    number: int
    """The organization's number, which no other organization ever has."""
    revision: int
    digest: str | None
    """64 hexadecimal digits; None while the log has not its chain yet."""
    at: datetime
    """When the change was recorded."""


class _Line(msgspec.Struct):
    number: int
    revision: int
    digest: str | None
    organization: str | None = None


class KeptHeads:
    """Heads that were kept elsewhere: digests by organization's number and revision."""

    def __init__(self) -> None:
        self.digests: dict[int, dict[int, bytes]] = {}
        self.names: dict[int, str] = {}

    @classmethod
    def read(cls, lines: Iterable[str | bytes], *, what: str = "heads") -> KeptHeads:
        """Heads from the lines of a file. Raises InvalidArgument, which says which line is none."""
        found = cls()
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                head = msgspec.json.decode(line, type=_Line)
                digest = None if head.digest is None else bytes.fromhex(head.digest)
            except (ValueError, UnicodeError, RecursionError) as error:
                hint = f"line {number} is no head, as `rescind log head` prints it: {error}"
                raise InvalidArgument(what=what, hint=hint) from None
            if digest is not None:
                found._add(head, digest, number, what)
        return found

    def _add(self, head: _Line, digest: bytes, line: int, what: str) -> None:
        known = self.digests.setdefault(head.number, {})
        if known.setdefault(head.revision, digest) != digest:
            hint = f"line {line} and one before it have two digests of one revision"
            raise InvalidArgument(what=what, hint=hint)
        self.names[head.number] = head.organization or f"number {head.number}"

    @classmethod
    def of(cls, heads: Iterable[LogHead]) -> KeptHeads:
        """Heads as `log_heads` gives them."""
        return cls.read(msgspec.json.encode(head) for head in heads)

    def is_other_name(self, number: int, name: str | None) -> bool:
        """Whether the organization of that number had another name in the newest head."""
        return self.names.get(number, name) not in (name, f"number {number}")

    def __bool__(self) -> bool:
        return bool(self.digests)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done to the service rather than to facts. No secret is in it."""

    number: int
    """One more than that of the action before."""
    at: datetime
    kind: str
    organization: str | None
    """Whose matter it is; None if it is the whole database's."""
    subject: str
    """What it was done to: a key's id, a group, an organization, or the version of the schema."""
    detail: dict[str, Any]
    actor: str
    request: str
    """The id of the request over HTTP; else empty."""
    digest: str
