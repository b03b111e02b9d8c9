"""Verifies a file of evidence: nothing is needed but the file, and the heads that were kept, if any.

A file has a part of a log without gaps, or the changes that were asked for, such as those of a subject. Each
line of these can be verified too. That nothing lies between two lines is proven only where their revisions
follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any, Final

from rescind.errors import InvalidArgument
from rescind.history.heads import ACTIONS_NUMBER
from rescind.model import Fault, FaultKind, KeptHeads, microseconds
from rescind.model.log import Content
from rescind.semantics.chain import canonical, chained, first_digest

NUMBERS: Final = Content._fields[:8]
FIELDS: Final = (*Content._fields[1:2], *Content._fields[3:])
"""Those that a line has by the same name, and as they are digested."""
FAULTS: Final = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What a line that is no evidence may raise."""
_WHY_CHARACTERS: Final = 100


@dataclass(slots=True)
class VerifiedFile:
    """What was found of one organization's changes in a file."""

    organization: str
    number: int
    lines: int = 0
    """Changes that fit."""
    parts: list[tuple[int, int]] = field(default_factory=list)
    """First and last revision of each part without gaps, in order."""
    digest: str = ""
    """Of the last change that fits."""
    heads: int = 0
    """Heads kept elsewhere that fit."""
    heads_absent: int = 0
    """Heads kept elsewhere, of changes that the file does not have."""
    with_gaps: bool = False
    """Whether revisions may be missing between two lines."""
    fault: Fault | None = None
    """The first change that does not fit."""

    @property
    def fits(self) -> bool:
        """Whether every line does."""
        return self.fault is None

    def take(self, line: Mapping[str, Any], heads: Mapping[int, bytes]) -> None:
        """Verify the next line, unless one before it does not fit."""
        if self.fault is None and (kind := self._kind_of_fault(line, heads)) is not None:
            at = self.parts[-1][1] + 1 if kind is FaultKind.LEFT_OUT else line["revision"]
            self.fault = Fault(kind, at)

    def _kind_of_fault(
        self, line: Mapping[str, Any], heads: Mapping[int, bytes]
    ) -> FaultKind | None:
        revision = line["revision"]
        if str(line["organization"]) != self.organization:
            return FaultKind.NAME_DIFFERS
        if line["digest"] is None:
            return FaultKind.UNCHAINED
        last = self.parts[-1][1] if self.parts else 0
        if revision <= last:
            return FaultKind.SURPLUS
        previous, digest = bytes.fromhex(line["previous"] or ""), bytes.fromhex(line["digest"])
        is_next = bool(self.parts) and revision == last + 1
        if self.parts and not (is_next or self.with_gaps):
            return FaultKind.LEFT_OUT
        known = self.digest if is_next else previous.hex()
        if revision == 1:
            known = first_digest(self.number).hex()
        content = _content(line)
        if known != previous.hex() or chained(previous, canonical(content)) != digest:
            return FaultKind.ALTERED
        if not _is_legible(line, content):
            return FaultKind.ALTERED
        if heads.get(revision, digest) != digest:
            return FaultKind.HEAD_DIFFERS
        self.heads += revision in heads
        self.lines, self.digest = self.lines + 1, digest.hex()
        self.parts[len(self.parts) - is_next :] = [
            (self.parts[-1][0] if is_next else revision, revision)
        ]
        return None


def verified_file(
    lines: Iterable[str | bytes], heads: KeptHeads | None = None, *, with_gaps: bool = False
) -> list[VerifiedFile]:
    """Verify the lines of a file of evidence. Those of one organization are oldest first. Each revision
    follows the one before it, unless `with_gaps`.

    With `heads`, each head of a change must be in the file too; no file has service actions. With gaps, one
    for each organization of the file that has heads is enough. Raises InvalidArgument for a line that is no
    evidence, and with gaps if no organization of the file has a head: nothing would be compared.
    """
    kept = {} if heads is None else heads.digests
    found: dict[int, VerifiedFile] = {}
    for at, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            if not isinstance(line, dict):
                raise json.JSONDecodeError("no object", "", 0)
            number = line["number"]
            name = str(line["organization"])
            one = found.setdefault(number, VerifiedFile(name, number, with_gaps=with_gaps))
            one.take(line, kept.get(number, {}))
        except FAULTS as error:
            hint = f"line {at} is no line of `rescind log export --evidence`: {_why(error)}"
            raise InvalidArgument(what="file", hint=hint) from None
    if with_gaps and found and kept and kept.keys().isdisjoint(found):
        raise InvalidArgument(what="heads", hint="none of them is of an organization in the file")
    for number, digests in kept.items():
        if number in found:
            _require_heads(found[number], digests)
            _require_name(found[number], heads)
        elif heads is not None and number != ACTIONS_NUMBER and not with_gaps:
            fault = Fault(FaultKind.NO_ORGANIZATION, min(digests))
            found[number] = VerifiedFile(heads.names[number], number, fault=fault)
    return list(found.values())


def _why(error: Exception) -> str:
    """What is wrong with a line, without the line."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return "it is no JSON object"
    return str(error)[:_WHY_CHARACTERS]


def _require_heads(one: VerifiedFile, digests: Mapping[int, bytes]) -> None:
    """A head that is not in the file is a fault; with gaps, only if no head could be compared."""
    absent = [at for at in digests if not any(first <= at <= last for first, last in one.parts)]
    one.heads_absent = len(absent)
    if one.fault is not None or not absent:
        return
    if not one.with_gaps:
        one.fault = Fault(FaultKind.LEFT_OUT, min(absent))
    elif not one.heads:
        one.fault = Fault(FaultKind.HEAD_ABSENT, _nearest(absent, one.parts[-1][1]))


def _nearest(absent: list[int], last: int) -> int:
    """The first after the file's last change, else the last before it."""
    return min((at for at in absent if at > last), default=max(absent))


def _require_name(one: VerifiedFile, heads: KeptHeads | None) -> None:
    if (
        one.fault is None
        and heads is not None
        and heads.is_other_name(one.number, one.organization)
    ):
        one.fault = Fault(FaultKind.NAME_DIFFERS, one.parts[-1][1])


def _content(line: Mapping[str, Any]) -> Content:
    at = microseconds(datetime.fromisoformat(line["recorded_at"]))
    values = {name: line[name] for name in FIELDS}
    for name in NUMBERS:
        if type(values.get(name, line["number"])) not in (int, NoneType):
            raise TypeError(f"{name} is no whole number")
    return Content(organization=line["number"], recorded_at=at, **values)


def _is_legible(line: Mapping[str, Any], content: Content) -> bool:
    """Whether what people read in a line is what is digested."""
    pairs = content.granted + content.revoked + content.estimated
    return bool(line["changes"] == json.loads(content.body) and line["fan_out"] == pairs)
