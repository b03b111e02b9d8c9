"""Walks along one organization's hash chain, and says where it does not fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final


class FaultKind(StrEnum):
    """In which way a log does not fit."""

    ALTERED = "altered"
    MISSING = "missing"
    UNCHAINED = "unchained"
    TRUNCATED = "truncated"
    SURPLUS = "surplus"
    HEAD_DIFFERS = "head_differs"
    HEAD_MISSING = "head_missing"
    HEAD_BEFORE_START = "head_before_start"
    NO_ORGANIZATION = "no_organization"
    NAME_DIFFERS = "name_differs"
    END_MISSING = "end_missing"


MEANINGS: Final[Mapping[FaultKind, str]] = {
    FaultKind.ALTERED: "its digest does not follow from its content and the digest before it:"
    " it, or the one before it, was altered, exchanged or put in",
    FaultKind.MISSING: "it is not in the log, though later ones are",
    FaultKind.UNCHAINED: "it has no digest; if an older version made it, `rescind log chain` gives it one",
    FaultKind.TRUNCATED: "it is not in the log any more, nor is any later one: the end was taken away",
    FaultKind.SURPLUS: "there never was one with this number: it was put in",
    FaultKind.HEAD_DIFFERS: "it is not the one whose head was kept: the log was made anew since",
    FaultKind.HEAD_MISSING: "the log ends before the head that was kept: its end was taken away",
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


class Walk:
    """One organization's chain, from the change after `revision`, which has `digest`.

    `heads` are digests that were kept elsewhere, by revision.
    """

    def __init__(self, revision: int, digest: bytes, heads: Mapping[int, bytes]) -> None:
        self.revision, self.digest = revision, digest
        self.rows = 0
        self.compared = 0
        """Heads that fit."""
        self._heads = dict(heads)
        self.fault = self._head_at(revision)

    def follow(self, rows: Iterable[tuple[int, bytes | None, bytes]]) -> Fault | None:
        """Take the next rows: revision, digest and content. Returns the first fault, after which it stays."""
        revision, digest, heads = self.revision, self.digest, self._heads
        for at, told, content in rows:
            expected = revision + 1
            if at != expected:
                is_later = at > expected
                self.fault = Fault(
                    FaultKind.MISSING if is_later else FaultKind.SURPLUS,
                    expected if is_later else at,
                )
                break
            if told is None:
                self.fault = Fault(FaultKind.UNCHAINED, at)
                break
            if told != (digest := sha256(digest + content).digest()):
                self.fault = Fault(FaultKind.ALTERED, at)
                break
            revision = at
            self.rows += 1
            if at in heads and (fault := self._head_at(at, digest)):
                self.fault = fault
                break
        self.revision, self.digest = revision, digest
        return self.fault

    def end(self) -> Fault | None:
        """Say that there are no more rows. Returns the first fault: also a head that was not reached."""
        if self.fault is None and (later := [at for at in self._heads if at > self.revision]):
            self.fault = Fault(FaultKind.HEAD_MISSING, min(later))
        return self.fault

    def _head_at(self, revision: int, digest: bytes | None = None) -> Fault | None:
        head = self._heads.get(revision)
        if head is None:
            return None
        if head != (self.digest if digest is None else digest):
            return Fault(FaultKind.HEAD_DIFFERS, revision)
        self.compared += 1
        return None
