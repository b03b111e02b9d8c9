"""Handlers: memberships of users, service accounts and agents."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rescind import changes, model
from rescind.applying.step import Step, folding
from rescind.errors import InvalidChange
from rescind.propagation import routing
from rescind.store.contract import Counter


def add(step: Step, change: changes.AddMembership) -> None:
    add_many(step, [change])


def add_many(step: Step, added: Sequence[changes.AddMembership]) -> None:
    """Add memberships of different subjects, in as many statements as for one."""
    subjects = [(model.subject_id(change.subject), change.name) for change in added]
    listed = [(subject, name, folding(subject)) for subject, name in subjects]
    names = {"o": step.number, "added": json.dumps(listed, ensure_ascii=False)}
    step.tx.refuse("refuse_memberships_differ", **names)
    step.tx.count("insert_memberships", Counter.ALTERED, Counter.NUMBERS, now=step.now, **names)


def create_missing(step: Step, subjects: Sequence[str]) -> None:
    """Add a membership for each subject that has none; those that are there stay as they are."""
    named = sorted({model.subject_id(each) for each in subjects})
    listed = [(subject, None, folding(subject)) for subject in named]
    names = {"o": step.number, "added": json.dumps(listed, ensure_ascii=False)}
    step.tx.count("insert_memberships", Counter.ALTERED, Counter.NUMBERS, now=step.now, **names)


def rename(step: Step, change: changes.RenameMembership) -> None:
    names = _named(step, change.subject)
    step.tx.refuse("refuse_membership_missing", **names)
    step.tx.count("rename_membership", Counter.ALTERED, name=change.name, **names)


def change_id(step: Step, change: changes.ChangeMembershipId) -> None:
    """The number stays, and so does all that goes by it. The old id loses what the new one has."""
    old, new = model.subject_id(change.subject), model.subject_id(change.new_id)
    if old.partition(":")[0] != new.partition(":")[0]:
        raise InvalidChange(
            subject=old, new_id=new, hint="keep the kind, which is before the colon"
        )
    names = {"o": step.number, "subject": old}
    step.tx.refuse("refuse_membership_missing", **names)
    step.tx.refuse("refuse_membership_id_taken", new_id=new, **names)
    if old != new:
        step.tx.count("note_membership_has_access", Counter.REVOKES, **names)
        step.tx.count(
            "change_membership_id", Counter.ALTERED, new_id=new, folded=folding(new), **names
        )


def deactivate(step: Step, change: changes.DeactivateMembership) -> None:
    names = _named(step, change.subject)
    step.tx.note_missing("refuse_membership_missing", **names)
    step.tx.count("note_membership_has_access", Counter.REVOKES, **names)
    step.tx.count("set_membership_active", Counter.ALTERED, active=False, **names)


def reactivate(step: Step, change: changes.ReactivateMembership) -> None:
    names = _named(step, change.subject)
    step.tx.refuse("refuse_membership_missing", **names)
    step.tx.count("set_membership_active", Counter.ALTERED, active=True, **names)


def remove(step: Step, change: changes.RemoveMembership) -> None:
    names = _named(step, change.subject)
    step.tx.note_missing("refuse_membership_missing", **names)
    step.tx.count("note_membership_has_access", Counter.REVOKES, **names)
    routing.before_membership_removed(step.tx, step.scope, subject=model.subject_id(change.subject))
    step.tx.run("delete_role_resets_of_membership", **names)
    step.tx.run("delete_assignments_of_membership", **names)
    step.tx.run("delete_group_members_of_membership", **names)
    step.tx.count("delete_membership", Counter.ALTERED, **names)


def _named(step: Step, subject: str) -> dict[str, object]:
    return {"o": step.number, "subject": model.subject_id(subject)}
