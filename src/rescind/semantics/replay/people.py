"""Replay: memberships, groups, their members and nestings."""

from __future__ import annotations

from msgspec.structs import replace

from rescind import changes
from rescind.semantics.replay.step import Step, subject_of, until_of
from rescind.semantics.state import Group, Membership, Nesting, Place
from rescind.semantics.state_links import CHILD, GROUP, HOLDER, PARENT, SUBJECT

# --- memberships -----------------------------------------------------------------------------------


def add(step: Step, change: changes.AddMembership) -> None:
    subject = subject_of(change.subject)
    if subject not in step.state.memberships:
        fact = Membership(True, change.name, step.revision, step.revision)
        step.state.memberships[subject] = fact


def rename(step: Step, change: changes.RenameMembership) -> None:
    subject = step.require_subject(change.subject)
    there = step.state.memberships[subject]
    if (there.name or "") != change.name:
        fact = replace(there, name=change.name, changed=step.revision)
        step.state.memberships[subject] = fact


def change_id(step: Step, change: changes.ChangeMembershipId) -> None:
    old, new = step.require_subject(change.subject), subject_of(change.new_id)
    if old == new:
        return
    if new in step.state.memberships:
        raise step.misfit(f"{new} has a membership already")
    respell_subject(step, old, new)


def respell_subject(step: Step, old: str, new: str) -> None:
    """Give a membership another id, with all that it has."""
    memberships = step.state.memberships
    memberships[new] = replace(memberships.pop(old), changed=step.revision)
    if old in step.winners:
        step.winners[new] = step.winners.pop(old)
    for table, part in (("places", SUBJECT), ("assignments", HOLDER), ("set_aside", SUBJECT)):
        _respell(step, table, part, old, new)


def deactivate(step: Step, change: changes.DeactivateMembership) -> None:
    if subject_of(change.subject) in step.state.memberships:
        _set_active(step, change.subject, False)


def reactivate(step: Step, change: changes.ReactivateMembership) -> None:
    _set_active(step, change.subject, True)


def _set_active(step: Step, name: str, is_active: bool) -> None:
    subject = step.require_subject(name)
    there = step.state.memberships[subject]
    if there.is_active is not is_active:
        fact = replace(there, is_active=is_active, changed=step.revision)
        step.state.memberships[subject] = fact


def remove(step: Step, change: changes.RemoveMembership) -> None:
    subject = subject_of(change.subject)
    if step.state.memberships.pop(subject, None) is None:
        return
    step.winners.pop(subject, None)
    step.links.drop_all("places", SUBJECT, subject)
    step.links.drop_all("assignments", HOLDER, subject)
    step.links.drop_all("set_aside", SUBJECT, subject)


# --- groups ----------------------------------------------------------------------------------------


def create(step: Step, change: changes.CreateGroup) -> None:
    if change.group not in step.state.groups:
        step.state.groups[change.group] = Group(change.name, step.revision, step.revision)


def rename_group(step: Step, change: changes.RenameGroup) -> None:
    group = step.require_group(change.group)
    there = step.state.groups[group]
    if (there.name or "") != change.name:
        step.state.groups[group] = replace(there, name=change.name, changed=step.revision)


def change_group_id(step: Step, change: changes.ChangeGroupId) -> None:
    old, new = step.require_group(change.group), change.new_id
    if old == new:
        return
    if new in step.state.groups:
        raise step.misfit(f"there is a group {new} already")
    respell_group(step, old, new)


def respell_group(step: Step, old: str, new: str) -> None:
    """Give a group another id, with all that it has."""
    groups = step.state.groups
    groups[new] = replace(groups.pop(old), changed=step.revision)
    for table, part in (("places", GROUP), ("nestings", CHILD), ("nestings", PARENT)):
        _respell(step, table, part, old, new)
    _respell(step, "assignments", HOLDER, f"group:{old}", f"group:{new}")


def delete(step: Step, change: changes.DeleteGroup) -> None:
    group = change.group
    if step.state.groups.pop(group, None) is None:
        return
    step.links.drop_all("assignments", HOLDER, f"group:{group}")
    step.links.drop_all("nestings", CHILD, group)
    step.links.drop_all("nestings", PARENT, group)
    step.links.drop_all("places", GROUP, group)


def add_members(step: Step, change: changes.AddMembers) -> None:
    group, until = step.require_group(change.group), until_of(change.expires_at)
    revision, places = step.revision, step.state.places
    for name in change.members:
        key = (step.require_subject(name), group)
        there = places.get(key)
        if there is None:
            step.links.put("places", key, Place(until, revision, revision))
        elif there.until != until:
            is_again = step.is_past(there.until) and _is_longer(until, there.until)
            since = revision if is_again else there.since
            step.links.put("places", key, Place(until, since, revision))


def remove_members(step: Step, change: changes.RemoveMembers) -> None:
    for name in change.members:
        step.links.drop("places", (subject_of(name), change.group))


def replace_members(step: Step, change: changes.ReplaceMembers) -> None:
    subjects = {subject_of(name) for name in change.members}
    if change.group not in step.state.groups and not subjects:
        return
    group = step.require_group(change.group)
    for subject in sorted(subjects):
        if change.create:
            add(step, changes.AddMembership(subject=subject))
        step.require_subject(subject)
    for key in step.links.of("places", GROUP, group):
        if key[SUBJECT] not in subjects:
            step.links.drop("places", key)
    for subject in sorted(subjects):
        there = step.state.places.get((subject, group))
        if there is None or step.is_past(there.until):
            fact = Place(None, step.revision, step.revision)
            step.links.put("places", (subject, group), fact)


def nest(step: Step, change: changes.NestGroup) -> None:
    key = (step.require_group(change.group), step.require_group(change.into))
    if key not in step.state.nestings:
        step.links.put("nestings", key, Nesting(step.revision, step.revision))


def unnest(step: Step, change: changes.UnnestGroup) -> None:
    step.links.drop("nestings", (change.group, change.out_of))


def _is_longer(until: int | None, there: int | None) -> bool:
    return there is not None and (until is None or until > there)


def _respell(step: Step, table: str, part: int, old: str, new: str) -> None:
    facts = getattr(step.state, table)
    for key in step.links.of(table, part, old):
        fact = facts[key]
        step.links.drop(table, key)
        step.links.put(table, (*key[:part], new, *key[part + 1 :]), fact)
