"""Look-alikes of the ids that a batch adds, deactivates, removes, or does not find."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from rescind import changes, model
from rescind.changes import Change
from rescind.model import MOST_LOOK_ALIKES, LookAlike, Receipt
from rescind.store import Store
from rescind.store.rows.spelling import (
    LIST_GROUP_LOOK_ALIKES,
    LIST_MEMBERSHIP_LOOK_ALIKES,
    LookAlikeRow,
)

LOOK_ALIKES: Final = {
    "subject": LIST_MEMBERSHIP_LOOK_ALIKES,
    "group": LIST_GROUP_LOOK_ALIKES,
}
"""The query for each kind of id."""


def watched(batch: Sequence[Change]) -> dict[str, set[str]]:
    """The ids of a batch whose look-alikes are told, by kind: those that it adds, deactivates or removes."""
    found: dict[str, set[str]] = {}
    for change in batch:
        match change:
            case (
                changes.AddMembership()
                | changes.DeactivateMembership()
                | changes.RemoveMembership()
            ):
                found.setdefault("subject", set()).add(model.subject_id(change.subject))
            case changes.ChangeMembershipId():
                found.setdefault("subject", set()).add(model.subject_id(change.new_id))
            case changes.CreateGroup() | changes.DeleteGroup():
                found.setdefault("group", set()).add(model.group_id(change.group))
            case changes.ChangeGroupId():
                found.setdefault("group", set()).add(model.group_id(change.new_id))
    return found


def with_foldings(names: Iterable[str]) -> str:
    """Ids with what they fold to, as SQL takes them."""
    listed = [(name, model.folded(name)) for name in sorted(names)]
    return json.dumps(listed, ensure_ascii=False)


def look_alikes(
    store: Store, receipt: Receipt, known: dict[str, list[LookAlikeRow]], within: object
) -> tuple[LookAlike, ...]:
    """The look-alikes of a receipt: `known` ones, and those of what was not found, which are read now."""
    found: dict[tuple[str, str], list[str]] = {}
    missing = {(each.what, each.name) for each in receipt.not_found if each.what in LOOK_ALIKES}
    for what, rows in known.items():
        for row in rows:
            if (what, row.asked) not in missing:
                found.setdefault((what, row.asked), []).append(row.look_alike)
    for what, query in LOOK_ALIKES.items():
        names = {name for kind, name in missing if kind == what}
        if names:
            about = {"o": receipt.revision.incarnation, "names": with_foldings(names)}
            rows = store.fetch(query, {**about, "limit": MOST_LOOK_ALIKES}, within=within)
            for row in rows:
                found.setdefault((what, row.asked), []).append(row.look_alike)
    listed = (
        LookAlike(what, name, tuple(others), (what, name) in missing)
        for (what, name), others in sorted(found.items())
    )
    return tuple(islice(listed, MOST_LOOK_ALIKES))
