"""What the log of service actions has of access reviews: that one was started, on what, and what was applied.

The log is a hash chain. So a review's row, the log that its lines follow from, and the decisions that were
applied can be verified: `review_verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec

from rescind.history.log_start import log_start
from rescind.model import (
    LineDecision,
    Microseconds,
    OrganizationNumber,
    ReviewFilter,
)
from rescind.semantics.chain import first_digest
from rescind.store import Store
from rescind.store.rows import Query
from rescind.store.rows.actions import ServiceAction
from rescind.store.rows.reviews import (
    LIST_PRUNINGS,
    LIST_REVIEW_ACTIONS,
    READ_CHANGE_DIGEST,
    ReviewActionRow,
    ReviewRow,
)

STARTED: Final = "review_started"
APPLIED: Final = "review_applied"
_PAGE: Final = 1_000
T = TypeVar("T")


class UnreadableAction(Exception):
    """A service action whose detail is not what this code writes."""


class Started(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The detail of a start: the state that is reviewed, and the digests of the changes that made it."""

    revision: int
    environment_revision: int
    digest: str | None
    environment_digest: str | None
    only: dict[str, Any] = {}


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of an application: a digest of the decisions, and what they did."""

    decisions: str
    revision: int | None
    revoked: int
    kept: int
    stale: int


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """The detail of a pruning: which snapshot stands for what was taken out, by its digest and format."""

    up_to: int
    snapshot: str | None = None
    format: int = 0


def filter_text(chosen: ReviewFilter | dict[str, Any]) -> str:
    """A filter as a review's row has it."""
    conditions = chosen if isinstance(chosen, dict) else chosen.as_object()
    return json.dumps(conditions, ensure_ascii=False, sort_keys=True)


def decisions_digest(decisions: Iterable[LineDecision]) -> str:
    """SHA-256 of what was decided of which lines, and why, wherever that stood and in which order."""
    content = sorted({(each.line, each.verdict.value, each.comment) for each in decisions})
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def digest_at(store: Store, o: OrganizationNumber, revision: int) -> str | None:
    """The digest that stands for a log up to a revision; None if it has none there."""
    digest = first_digest(o) if revision == 0 else None
    start = log_start(store, o)
    if start is not None and start.revision == revision:
        digest = start.digest
    for row in store.fetch(READ_CHANGE_DIGEST, {"o": o, "revision": revision}):
        digest = row.digest
    return None if digest is None else bytes(digest).hex()


def action_of(
    name: str,
    detail: Started | Applied,
    *,
    o: OrganizationNumber,
    actor: str,
    request: str,
    now: Microseconds,
) -> ServiceAction:
    """The action that says that a review was started, or that decisions were applied."""
    kind = STARTED if isinstance(detail, Started) else APPLIED
    text = msgspec.json.encode(detail).decode()
    return ServiceAction(kind, name, now, text, actor, request, o)


# --- read back ------------------------------------------------------------------------------------


def read_detail(row: ReviewActionRow, kind: type[T]) -> T:
    """The detail of an action. Raises UnreadableAction."""
    try:
        return msgspec.json.decode(row.detail, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise UnreadableAction(f"action {row.number}: {error}") from None


def logged(
    store: Store, o: OrganizationNumber, name: str | None = None
) -> dict[str, list[ReviewActionRow]]:
    """The actions about each review of an organization, or about one, oldest first."""
    found: dict[str, list[ReviewActionRow]] = defaultdict(list)
    for row in _rows(store, LIST_REVIEW_ACTIONS, {"o": o, "name": name}):
        found[row.subject].append(row)
    return dict(found)


def prunings(store: Store, o: OrganizationNumber) -> Iterator[ReviewActionRow]:
    """The prunings of an organization's log, oldest first."""
    return _rows(store, LIST_PRUNINGS, {"o": o})


def _rows(
    store: Store, query: Query[ReviewActionRow], asked: dict[str, Any]
) -> Iterator[ReviewActionRow]:
    after = 0
    while rows := store.fetch(query, {**asked, "after": after, "limit": _PAGE}):
        yield from rows
        after = rows[-1].number


def differing(row: ReviewRow, action: ReviewActionRow, started: Started) -> str | None:
    """In what a review's row differs from its start, in words; None if in nothing."""
    was = {
        "revision": started.revision,
        "environment": started.environment_revision,
        "started_at": action.recorded_at,
        "actor": action.actor,
        "filter": filter_text(started.only),
    }
    for name, logged_value in was.items():
        now = getattr(row, name)
        if now != logged_value:
            return f"{name}: {now!r:.80}, and {logged_value!r:.80} when it was started"
    return None
