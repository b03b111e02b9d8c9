"""Walks along one organization's hash chain, and says where it does not fit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from rescind.model import Fault, FaultKind


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
