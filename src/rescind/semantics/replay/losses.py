"""Replay: what a batch sets aside and gives back in a single-role organization.

The rule is `access.resets_after`, for the memberships that a batch can take a role from alone: a batch is
judged by its end. Roles are told apart by their rank: one that was deleted and defined again is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rescind import changes
from rescind.changes import Change
from rescind.changes.spelled import at_end, at_start
from rescind.model import ROOT, OnLoss, RoleMode
from rescind.semantics.replay.places import holder_of
from rescind.semantics.replay.step import Step, resource_of, subject_of, until_of
from rescind.semantics.state import Role, SetAside, is_set_aside
from rescind.semantics.state_links import CHILD, GROUP, HOLDER, PARENT, ROLE, SUBJECT


def is_single(step: Step) -> bool:
    settings = step.state.settings
    return settings is not None and settings.role_mode is RoleMode.SINGLE


def _is_judged(step: Step) -> bool:
    """Whether a loss sets the other roles aside."""
    settings = step.state.settings
    return is_single(step) and settings is not None and settings.on_loss is OnLoss.DEFAULT


def remember(step: Step, batch: Sequence[Change]) -> None:
    """Before the first change: note the winning roles that the batch may take."""
    if _is_judged(step):
        _note_winners(step, {s for change in at_start(batch) for s in _taken_from(step, change)})


def remember_holders(step: Step, roles: Iterable[str]) -> None:
    """Note the winning roles that the end of these roles may take."""
    if _is_judged(step):
        _note_winners(step, {s for role in roles for s in _holders_of_role(step, role)})


def settle(step: Step) -> None:
    """After the last change: who holds the winning role no more has lost it, and all that it holds is set
    aside.
    """
    if step.has_switched or not _is_judged(step):
        return
    for subject, (winner, rank) in step.winners.items():
        held = _held(step, subject)
        if winner in held and held[winner].rank == rank:
            continue
        for role in held:
            if not is_set_aside(step.state, step.environment, subject, role):
                shared = None if role in step.state.roles else step.environment.revision
                step.links.put("set_aside", (subject, role), SetAside(shared, step.revision))


def give_back(step: Step, batch: Sequence[Change]) -> None:
    """What the batch named counts again for everybody who has it by that name at the end."""
    if not step.state.set_aside:
        return
    for change in at_end(batch):
        for subject, role in _given_by(step, change):
            step.links.drop("set_aside", (subject, role))


def _note_winners(step: Step, subjects: Iterable[str]) -> None:
    """A membership without another role that counts has nothing to set aside."""
    for subject in subjects:
        held = {
            role: fact
            for role, fact in _held(step, subject).items()
            if not is_set_aside(step.state, step.environment, subject, role)
        }
        if len(held) > 1:
            winner = min(held, key=lambda role: (-held[role].priority, held[role].rank))
            step.winners[subject] = (winner, held[winner].rank)


# --- who holds what --------------------------------------------------------------------------------


def _held(step: Step, subject: str) -> dict[str, Role]:
    """The organization-wide roles that a membership holds now."""
    if subject not in step.state.memberships:
        return {}
    groups = [
        key[GROUP]
        for key in step.links.of("places", SUBJECT, subject)
        if not step.is_past(step.state.places[key].until)
    ]
    found: dict[str, Role] = {}
    for holder in (subject, *(f"group:{group}" for group in _upward(step, groups))):
        found |= _wide(step, holder)
    return found


def _wide(step: Step, holder: str) -> dict[str, Role]:
    """The organization-wide roles of a holder itself that are in force."""
    found: dict[str, Role] = {}
    for key in step.links.of("assignments", HOLDER, holder):
        _, role, resource = key
        if resource == ROOT and not step.is_past(step.state.assignments[key].until):
            there = step.role(role)
            if there is not None:
                found[role] = there
    return found


def _upward(step: Step, groups: Iterable[str]) -> list[str]:
    """The groups, and all that they are in."""
    return _walked(step, groups, CHILD, PARENT)


def _downward(step: Step, groups: Iterable[str]) -> list[str]:
    """The groups, and all that are in them."""
    return _walked(step, groups, PARENT, CHILD)


def _walked(step: Step, groups: Iterable[str], from_part: int, to_part: int) -> list[str]:
    found = dict.fromkeys(groups)
    fringe = list(found)
    while fringe:
        for key in step.links.of("nestings", from_part, fringe.pop()):
            if key[to_part] not in found:
                found[key[to_part]] = None
                fringe.append(key[to_part])
    return list(found)


def _members(step: Step, groups: Iterable[str], *, only_now: bool) -> Iterator[str]:
    """Those who have a place in one of the groups."""
    for group in groups:
        for key in step.links.of("places", GROUP, group):
            if not only_now or not step.is_past(step.state.places[key].until):
                yield key[SUBJECT]


def _reached(step: Step, holder: str, *, only_now: bool) -> Iterator[str]:
    """The memberships that a holder is, or that are in the group or below it."""
    if holder.startswith("group:"):
        below = _downward(step, [holder.removeprefix("group:")])
        yield from _members(step, below, only_now=only_now)
    else:
        yield holder


# --- what changes take and give --------------------------------------------------------------------


def _taken_from(step: Step, change: Change) -> Iterator[str]:
    """The memberships that a change can take an organization-wide role from, and perhaps others."""
    match change:
        case changes.RemoveMembers():
            yield from map(subject_of, change.members)
        case changes.ReplaceMembers():
            yield from _members(step, [change.group], only_now=False)
        case changes.AddMembers() if step.is_past(until_of(change.expires_at)):
            yield from map(subject_of, change.members)
        case changes.UnnestGroup() | changes.DeleteGroup():
            yield from _reached(step, f"group:{change.group}", only_now=False)
        case changes.Unassign() if resource_of(change.on) == ROOT:
            yield from _reached(step, holder_of(change.to), only_now=False)
        case changes.Assign() if _is_end(step, change):
            yield from _reached(step, holder_of(change.to), only_now=False)
        case changes.ReplaceAssignments():
            yield from _reached(step, holder_of(change.to), only_now=False)
        case changes.DeleteRole() if change.role in step.state.roles:
            yield from _holders_of_role(step, change.role)


def _is_end(step: Step, change: changes.Assign) -> bool:
    return resource_of(change.on) == ROOT and step.is_past(until_of(change.expires_at))


def _holders_of_role(step: Step, role: str) -> Iterator[str]:
    for holder, _, resource in step.links.of("assignments", ROLE, role):
        if resource == ROOT:
            yield from _reached(step, holder, only_now=False)


def _given_by(step: Step, change: Change) -> Iterator[tuple[str, str]]:
    """(subject, role) that memberships hold now by a link that the change names."""
    match change:
        case changes.AddMembers() | changes.ReplaceMembers():
            roles = _roles_upward(step, change.group)
            for name in change.members:
                place = step.state.places.get((subject_of(name), change.group))
                if place is not None and not step.is_past(place.until):
                    yield from ((subject_of(name), role) for role in roles)
        case changes.NestGroup():
            if (change.group, change.into) in step.state.nestings:
                below = _downward(step, [change.group])
                roles = _roles_upward(step, change.into)
                for subject in _members(step, below, only_now=True):
                    yield from ((subject, role) for role in roles)
        case changes.Assign():
            yield from _given_to(step, change.to, [(change.role, change.on)])
        case changes.ReplaceAssignments():
            given = [(item.role, item.on) for item in change.assignments]
            yield from _given_to(step, change.to, given)


def _given_to(
    step: Step, to: str, given: Iterable[tuple[str, str | None]]
) -> Iterator[tuple[str, str]]:
    holder = holder_of(to)
    wide = _wide(step, holder)
    roles = [role for role, on in given if resource_of(on) == ROOT and role in wide]
    if roles:
        for subject in _reached(step, holder, only_now=True):
            yield from ((subject, role) for role in roles)


def _roles_upward(step: Step, group: str) -> set[str]:
    return {role for up in _upward(step, [group]) for role in _wide(step, f"group:{up}")}
