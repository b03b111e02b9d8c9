"""The log of service actions: what was done to keys, pending work, logs and the schema, by whom.

It is one hash chain for the database. Heads and verification have it as number -1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from rescind.history.heads import ACTIONS_NAME, ACTIONS_NUMBER
from rescind.history.verify import VerifiedLog
from rescind.history.walk import Fault, FaultKind, Walk
from rescind.model import moment, require_number
from rescind.semantics.chain import FIRST_OF_ACTIONS
from rescind.store import Store
from rescind.store.rows.actions import (
    LIST_ACTIONS,
    READ_ACTION_CHAIN,
    READ_ACTION_END,
    ActionEndRow,
    ActionRow,
)

PAGE: Final = 1_000
MOST: Final = 2**63 - 1


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

    @classmethod
    def of(cls, row: ActionRow) -> Action:
        """An action as the log has it. What is no JSON, because somebody altered it, is shown as text."""
        try:
            detail = msgspec.json.decode(row.detail, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError):
            detail = {"unreadable": row.detail}
        at, digest = moment(row.recorded_at), bytes(row.digest).hex()
        who = (row.actor, row.request, digest)
        return cls(row.number, at, row.kind, row.organization, row.subject, detail, *who)


def listed_actions(
    store: Store, organization: str | None, after: int, limit: int | None
) -> Iterator[Action]:
    """Actions after a number, oldest first: all, or those of an organization."""
    left = MOST if limit is None else require_number("limit", limit, least=0, most=MOST)
    after = require_number("after", after, least=0, most=MOST)
    while left > 0:
        page = min(PAGE, left)
        asked = {"organization": organization, "after": after, "limit": page}
        rows = store.fetch(LIST_ACTIONS, asked)
        yield from map(Action.of, rows)
        if len(rows) < page:
            return
        left, after = left - page, rows[-1].number


def verified_actions(store: Store, heads: Mapping[int, bytes]) -> VerifiedLog | None:
    """What was found of the log of service actions; None if there never was one."""
    before = store.fetch(
        READ_ACTION_END, {}
    )  # actions that follow are no matter of this verification
    walk = Walk(0, FIRST_OF_ACTIONS, heads)
    position = -MOST
    while walk.fault is None:
        rows = store.fetch(READ_ACTION_CHAIN, {"after": position, "limit": PAGE})
        if not rows:
            break
        walk.follow(rows)
        position = walk.revision
    if walk.fault is None and walk.end() is None:
        walk.fault = _end(before, store.fetch(READ_ACTION_END, {}), walk)
    if walk.fault is None and not walk.rows:
        return None
    found = (walk.revision, walk.digest.hex(), walk.compared, walk.fault)
    return VerifiedLog(ACTIONS_NAME, ACTIONS_NUMBER, walk.rows, 0, *found)


def _end(before: Sequence[ActionEndRow], after: Sequence[ActionEndRow], walk: Walk) -> Fault | None:
    """What is wrong with the end of a log all whose rows fit, given how far it was before and after they were
    read.
    """
    if any(walk.revision < end.number for end in before):
        return Fault(FaultKind.TRUNCATED, walk.revision + 1)
    if not after or walk.revision > after[0].number:
        return Fault(FaultKind.SURPLUS, after[0].number + 1 if after else 1)
    is_last = walk.revision == after[0].number
    if is_last and walk.digest != bytes(after[0].digest):
        return Fault(FaultKind.ALTERED, walk.revision)
    return None
