"""One state of an organization for several reads, and states no older than a token. Knows no question."""

from __future__ import annotations

from typing import Final

from rescind.errors import InvalidToken, RevisionUnavailable, StoreConflict
from rescind.model import Revision

STATE_ATTEMPTS: Final = 8
"""Attempts to read one state of an organization in a caller's transaction at READ COMMITTED."""


def kept_changing() -> StoreConflict:
    """The error to raise when no two reads of an organization saw the same revision."""
    hint = "Ask again, fewer questions at a time or in a transaction at REPEATABLE READ."
    return StoreConflict(why="the organization kept changing", hint=hint)


def require_revision(revision: Revision, at_least: Revision) -> None:
    """Raise InvalidToken for a token of another organization, RevisionUnavailable for an older `revision`."""
    if revision.incarnation != at_least.incarnation:
        raise InvalidToken(token=at_least.token())
    if not revision.covers(at_least):
        raise RevisionUnavailable(store_has=revision.organization, asked=at_least.organization)
