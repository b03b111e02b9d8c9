"""Handlers: assignments of roles to memberships and groups."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rescind import changes, model
from rescind.applying.step import Step, holder_names
from rescind.errors import InvalidChange
from rescind.propagation import routing
from rescind.store.contract import Counter


def assign(step: Step, change: changes.Assign) -> None:
    names = _named(change.to, [(change.role, change.on, change.expires_at)])
    step.tx.refuse("refuse_given", o=step.number, **names)
    _give(step, names, may_shorten=change.expires_at is not None)


def unassign(step: Step, change: changes.Unassign) -> None:
    tx, role = step.tx, model.role_id(change.role)
    holder = holder_names(change.to)
    kind = "group" if holder["group"] is not None else "subject"
    tx.count_expected(
        f"end_role_of_{kind}",
        Counter.ALTERED,
        Counter.TAKES,
        or_note=f"refuse_role_of_{kind}",
        o=step.number,
        role=role,
        on=model.resource_id(change.on),
        **holder,
    )
    routing.after_role_ended(tx, step.scope, role=role, **holder)


def replace(step: Step, change: changes.ReplaceAssignments) -> None:
    names = _named(change.to, [(g.role, g.on, g.expires_at) for g in change.assignments])
    if change.assignments:
        step.tx.refuse("refuse_given", o=step.number, **names)
    else:
        step.tx.note_missing("refuse_assignments", o=step.number, **names)
    step.tx.count("end_other_assignments", Counter.ALTERED, Counter.TAKES, o=step.number, **names)
    _end(step, names)
    _give(step, names, may_shorten=True)


def _end(step: Step, names: dict[str, Any]) -> None:
    by_groups = names["group"] is not None
    routing.after_ended(step.tx, step.scope, by_groups=by_groups, by_subjects=not by_groups)


def _give(step: Step, names: dict[str, Any], *, may_shorten: bool) -> None:
    tx, o = step.tx, step.number
    if may_shorten:
        tx.count("shorten_assignments", Counter.ALTERED, Counter.REVOKES, o=o, **names)
    tx.count("lengthen_assignments", Counter.ALTERED, Counter.GAINS, o=o, **names)
    tx.count("insert_assignments", Counter.ALTERED, Counter.NUMBERS, o=o, **names)
    routing.after_assigned(tx, step.scope, **names)


def _named(to: str, given: Iterable[tuple[str, str | None, datetime | None]]) -> dict[str, Any]:
    """The holder and the assignments as SQL takes them; each role and resource once."""
    items: dict[tuple[str, str], int | None] = {}
    for role, on, expires_at in given:
        key = (model.role_id(role), model.resource_id(on))
        until = None if expires_at is None else model.microseconds(expires_at)
        if items.setdefault(key, until) != until:
            raise InvalidChange(role=role, on=key[1], hint="give it once, with one expiry")
    return {
        **holder_names(to),
        "given": json.dumps(
            [
                {"role": role, "on": on, "expires_at": until}
                for (role, on), until in sorted(items.items())
            ],
            ensure_ascii=False,
        ),
    }
