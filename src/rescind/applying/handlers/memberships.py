"""Recording: memberships of users, service accounts and agents."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rescind import changes, model
from rescind.applying.step import Step, folding
from rescind.errors import InvalidChange
from rescind.propagation import routing
from rescind.store.contract import Counter


def add(context: Step, change: changes.AddMembership) -> None:
    add_many(context, [change])


def add_many(context: Step, added: Sequence[changes.AddMembership]) -> None:
    """Add memberships of different subjects, in as many statements as for one."""
    subjects = [(model.subject_id(change.subject), change.name) for change in added]
    listed = [(subject, name, folding(subject)) for subject, name in subjects]
    names = {"o": context.o, "added": json.dumps(listed, ensure_ascii=False)}
    context.tx.refuse("refuse_memberships_differ", **names)
    context.tx.count(
        "insert_memberships", Counter.ALTERED, Counter.NUMBERS, now=context.now, **names
    )


def create_missing(context: Step, subjects: Sequence[str]) -> None:
    """Add a membership for each subject that has none; those that are there stay as they are."""
    named = sorted({model.subject_id(each) for each in subjects})
    listed = [(subject, None, folding(subject)) for subject in named]
    names = {"o": context.o, "added": json.dumps(listed, ensure_ascii=False)}
    context.tx.count(
        "insert_memberships", Counter.ALTERED, Counter.NUMBERS, now=context.now, **names
    )


def rename(context: Step, change: changes.RenameMembership) -> None:
    names = _named(context, change.subject)
    context.tx.refuse("refuse_membership_missing", **names)
    context.tx.count("rename_membership", Counter.ALTERED, name=change.name, **names)


def change_id(context: Step, change: changes.ChangeMembershipId) -> None:
    """The number stays, and so does all that goes by it. The old id loses what the new one has."""
    old, new = model.subject_id(change.subject), model.subject_id(change.new_id)
    if old.partition(":")[0] != new.partition(":")[0]:
        raise InvalidChange(
            subject=old, new_id=new, hint="keep the kind, which is before the colon"
        )
    names = {"o": context.o, "subject": old}
    context.tx.refuse("refuse_membership_missing", **names)
    context.tx.refuse("refuse_membership_id_taken", new_id=new, **names)
    if old != new:
        context.tx.count("note_membership_has_access", Counter.REVOKES, **names)
        context.tx.count(
            "change_membership_id", Counter.ALTERED, new_id=new, folded=folding(new), **names
        )


def deactivate(context: Step, change: changes.DeactivateMembership) -> None:
    names = _named(context, change.subject)
    context.tx.note_missing("refuse_membership_missing", **names)
    context.tx.count("note_membership_has_access", Counter.REVOKES, **names)
    context.tx.count("set_membership_active", Counter.ALTERED, active=False, **names)


def reactivate(context: Step, change: changes.ReactivateMembership) -> None:
    names = _named(context, change.subject)
    context.tx.refuse("refuse_membership_missing", **names)
    context.tx.count("set_membership_active", Counter.ALTERED, active=True, **names)


def remove(context: Step, change: changes.RemoveMembership) -> None:
    names = _named(context, change.subject)
    context.tx.note_missing("refuse_membership_missing", **names)
    context.tx.count("note_membership_has_access", Counter.REVOKES, **names)
    routing.before_membership_removed(
        context.tx, context.scope, subject=model.subject_id(change.subject)
    )
    context.tx.run("delete_role_resets_of_membership", **names)
    context.tx.run("delete_assignments_of_membership", **names)
    context.tx.run("delete_group_members_of_membership", **names)
    context.tx.count("delete_membership", Counter.ALTERED, **names)


def _named(context: Step, subject: str) -> dict[str, object]:
    return {"o": context.o, "subject": model.subject_id(subject)}
