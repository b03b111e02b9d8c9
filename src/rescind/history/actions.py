"""The log of service actions: what was done to keys, reviews, pending work, logs and the schema, by whom.

It is one hash chain for the database. Heads and verification have it as number -1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from rescind.errors import OrganizationNotFound
from rescind.history.heads import ACTIONS_NAME, ACTIONS_NUMBER, listed_logs
from rescind.history.walk import Walk
from rescind.model import (
    Action,
    Fault,
    FaultKind,
    Microseconds,
    VerifiedLog,
    moment,
    require_number,
)
from rescind.semantics.chain import FIRST_OF_ACTIONS
from rescind.store import Store, Transaction
from rescind.store.contract import Counter
from rescind.store.rows.actions import (
    LIST_ACTIONS,
    READ_ACTION_CHAIN,
    READ_ACTION_END,
    ActionEndRow,
    ActionRow,
    ServiceAction,
)

KINDS: Final = frozenset(
    (
        "key_made",
        "key_revoked",
        "key_rotated",
        "log_mended",
        "log_pruned",
        "review_applied",
        "review_started",
        "roles_repaired",
        "schema_migrated",
        "database_restored",
        "work_parked",
        "work_retried",
    )
)
"""What is logged here; everything else that is done is a change in an organization's log."""
PAGE: Final = 1_000
MOST: Final = 2**63 - 1


def action_of(row: ActionRow) -> Action:
    """An action as the log has it. What is no JSON, because somebody altered it, is shown as text."""
    try:
        detail = msgspec.json.decode(row.detail, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError):
        detail = {"unreadable": row.detail}
    at, digest = moment(row.recorded_at), bytes(row.digest).hex()
    who = (row.actor, row.request, digest)
    return Action(row.number, at, row.kind, row.organization, row.subject, detail, *who)


def listed_actions(
    store: Store, organization: str | None, after: int, limit: int | None
) -> Iterator[Action]:
    """Actions after a number, oldest first: all, or those of an organization.

    Raises OrganizationNotFound for a name that there never was.
    """
    if organization is not None and next(listed_logs(store, organization), None) is None:
        raise OrganizationNotFound(organization=organization)
    left = MOST if limit is None else require_number("limit", limit, least=0, most=MOST)
    after = require_number("after", after, least=0, most=MOST)
    while left > 0:
        page = min(PAGE, left)
        asked = {"organization": organization, "after": after, "limit": page}
        rows = store.fetch(LIST_ACTIONS, asked)
        yield from map(action_of, rows)
        if len(rows) < page:
            return
        left, after = left - page, rows[-1].number


def mend_end(store: Store, *, actor: str) -> bool:
    """Let the log go on after its newest action, if the row that says which that is was deleted.

    Returns whether it was; then that is an action of its own.
    """
    action = ServiceAction(
        "log_mended", "action_head", Microseconds(time.time_ns() // 1_000), actor=actor
    )

    def mend(tx: Transaction) -> None:
        tx.count("restore_action_head", Counter.ALTERED, first=FIRST_OF_ACTIONS)
        tx.note_action(action)

    is_deleted = not store.fetch(READ_ACTION_END, {})
    if is_deleted:
        store.transact(mend)
    return is_deleted


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
    if not after:
        return Fault(FaultKind.END_MISSING, walk.revision)
    if walk.revision > after[0].number:
        return Fault(FaultKind.SURPLUS, after[0].number + 1)
    is_last = walk.revision == after[0].number
    if is_last and walk.digest != bytes(after[0].digest):
        return Fault(FaultKind.ALTERED, walk.revision)
    return None
