"""Recording: memberships of users, service accounts and agents."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rescind import changes, model
from rescind.propagation import routing
from rescind.recording.context import Context


def add(context: Context, change: changes.AddMembership) -> None:
    add_many(context, [change])


def add_many(context: Context, added: Sequence[changes.AddMembership]) -> None:
    """Add memberships of different subjects, in as many statements as for one."""
    listed = [(model.subject_id(change.subject), change.name) for change in added]
    names = {"o": context.o, "added": json.dumps(listed, ensure_ascii=False)}
    context.tx.guard("refuse_memberships_differ", **names)
    context.tx.count("insert_memberships", "altered", "numbers", now=context.now, **names)


def create_missing(context: Context, subjects: Sequence[str]) -> None:
    """Add a membership for each subject that has none; those that are there stay as they are."""
    listed = [(subject, None) for subject in sorted({model.subject_id(each) for each in subjects})]
    names = {"o": context.o, "added": json.dumps(listed, ensure_ascii=False)}
    context.tx.count("insert_memberships", "altered", "numbers", now=context.now, **names)


def deactivate(context: Context, change: changes.DeactivateMembership) -> None:
    names = _named(context, change.subject)
    context.tx.note_missing("refuse_membership_missing", **names)
    context.tx.count("note_membership_has_access", "revokes", **names)
    context.tx.count("set_membership_active", "altered", active=False, **names)


def reactivate(context: Context, change: changes.ReactivateMembership) -> None:
    names = _named(context, change.subject)
    context.tx.guard("refuse_membership_missing", **names)
    context.tx.count("set_membership_active", "altered", active=True, **names)


def remove(context: Context, change: changes.RemoveMembership) -> None:
    names = _named(context, change.subject)
    context.tx.note_missing("refuse_membership_missing", **names)
    context.tx.count("note_membership_has_access", "revokes", **names)
    routing.before_membership_removed(
        context.tx, context.scope, subject=model.subject_id(change.subject)
    )
    context.tx.run("delete_role_resets_of_membership", **names)
    context.tx.run("delete_assignments_of_membership", **names)
    context.tx.run("delete_group_members_of_membership", **names)
    context.tx.count("delete_membership", "altered", **names)


def _named(context: Context, subject: str) -> dict[str, object]:
    return {"o": context.o, "subject": model.subject_id(subject)}
