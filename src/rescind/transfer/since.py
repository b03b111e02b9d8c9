"""What others have taken since an import began, so that what it still has to do does not give it back.

Read from the change log. Whoever made a later change knows better than the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET

from rescind import changes, model
from rescind.changes import Change
from rescind.transfer.links import choice_of, links_of, named_in, normal
from rescind.transfer.readers import Item

_GONE: Final = "was removed"
_INACTIVE: Final = "is deactivated"
_TAKEN: Final = "was taken back"
_CHOSEN: Final = "was chosen since the import began"
_RENAMED: Final = "was given another id"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What an import did not do: where it was read, what it is about, and why."""

    at: str
    what: str
    why: str


def merged(left_out: Iterable[LeftOut]) -> list[LeftOut]:
    """Each place and thing once: what is left out of a row, and not also whom the row would have made."""
    found = {(each.at, each.what): each for each in left_out}
    longer = {(each.at, each.what.partition(" ")[0]) for each in found.values() if " " in each.what}
    return [each for key, each in found.items() if key not in longer]


@dataclass(slots=True)
class Taken:
    """What changes of others took, by what it was."""

    gone: dict[tuple[str, str], str] = field(default_factory=dict)
    """(kind, name) of what was removed or deactivated, and which of it."""
    links: set[tuple[str, ...]] = field(default_factory=set)
    """What was taken back or was given an end: places in groups, nestings, assignments, permissions of roles.
    And what was chosen: the parent of a resource, the default role.
    """
    rosters: dict[tuple[str, str], frozenset[Any]] = field(default_factory=dict)
    """For a group, a holder or a role what a replacement left."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody took anything."""
        return not (self.gone or self.links or self.rosters)

    def note(self, listed: Iterable[Change]) -> None:
        """Note what the changes take, in their order."""
        for change in listed:
            noter = _NOTERS.get(type(change))
            if noter is not None:
                noter(self, change)

    def spelled(self, rule: model.IdRule) -> Taken:
        """The same, with ids as a rule spells them."""
        if rule is model.IdRule.EXACT:
            return self
        return Taken(
            {(kind, _canonical(kind, name)): why for (kind, name), why in self.gone.items()},
            {tuple(_canonical(k, n) for k, n in _parts(link)) for link in self.links},
            {
                (kind, _canonical(kind, name)): (
                    frozenset(_canonical("subject", each) for each in kept)
                    if kind == "group"
                    else kept
                )
                for (kind, name), kept in self.rosters.items()
            },
        )

    def has_gone(self, kind: str, name: str | None) -> str | None:
        """Why a thing is not to be made or named again, if it is not."""
        why = None if name is None else self.gone.get((kind, name))
        return None if why is None else f"{why} since the import began"

    def has_lost(
        self, link: tuple[str, ...], roster: tuple[str, str], member: object
    ) -> str | None:
        """Why one thing is not to be given to another, if it is not."""
        kept = self.rosters.get(roster)
        if link in self.links or (kept is not None and member not in kept):
            return f"{_TAKEN} since the import began"
        return None


_PARTS: Final = {
    "member": ("", "group", "subject"),
    "nesting": ("", "group", "group"),
    "assignment": ("", "", "holder", ""),
    "permission": ("", "", ""),
    "place": ("", ""),
    "default": ("",),
}
"""Of which kind each name is that a link has."""


def _parts(link: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    return zip(_PARTS[link[0]], link, strict=True)


def _canonical(kind: str, name: str) -> str:
    if kind == "holder":
        kind = "group:" if name.startswith("group:") else "subject"
    if kind == "group:":
        return f"group:{model.canonical(name.removeprefix('group:'))}"
    if kind == "group":
        return model.canonical(name)
    return model.canonical_subject(name) if kind == "subject" else name


# --- what a change takes --------------------------------------------------------------------------


def _removed(kind: str, attribute: str, why: str = _GONE) -> Callable[[Taken, Any], None]:
    def noter(taken: Taken, change: Any) -> None:
        taken.gone[kind, normal(kind, getattr(change, attribute))] = why

    return noter


def _reactivated(taken: Taken, change: changes.ReactivateMembership) -> None:
    key = ("subject", model.subject_id(change.subject))
    if taken.gone.get(key) == _INACTIVE:
        del taken.gone[key]


def _unlinked(taken: Taken, change: Any) -> None:
    taken.links.update(links_of(change))


def _linked(taken: Taken, change: changes.AddMembers | changes.Assign) -> None:
    if change.expires_at is not None:  # the file would give it without that end
        taken.links.update(links_of(change))


def _members_replaced(taken: Taken, change: changes.ReplaceMembers) -> None:
    kept = frozenset(map(model.subject_id, change.members))
    taken.rosters["group", model.group_id(change.group)] = kept


def _assignments_replaced(taken: Taken, change: changes.ReplaceAssignments) -> None:
    kept = frozenset((model.role_id(a.role), model.resource_id(a.on)) for a in change.assignments)
    taken.rosters["holder", model.holder_id(change.to)] = kept


def _role_edited(taken: Taken, change: changes.EditRole) -> None:
    role = model.role_id(change.role)
    if change.set is not UNSET:
        taken.rosters["role", role] = frozenset(map(model.permission_id, change.set))
    taken.links.update(("permission", role, model.permission_id(each)) for each in change.remove)


def _chosen(taken: Taken, change: changes.MoveResource | changes.SetDefaultRole) -> None:
    taken.links.add(choice_of(change)[0])


_NOTERS: Final[dict[type[Change], Callable[[Taken, Any], None]]] = {
    changes.RemoveMembership: _removed("subject", "subject"),
    changes.DeactivateMembership: _removed("subject", "subject", _INACTIVE),
    changes.ReactivateMembership: _reactivated,
    changes.ChangeMembershipId: _removed("subject", "subject", _RENAMED),
    changes.DeleteGroup: _removed("group", "group"),
    changes.ChangeGroupId: _removed("group", "group", _RENAMED),
    changes.DeleteRole: _removed("role", "role"),
    changes.DeletePermission: _removed("permission", "permission"),
    changes.DeleteResource: _removed("resource", "resource"),
    changes.RemoveMembers: _unlinked,
    changes.AddMembers: _linked,
    changes.ReplaceMembers: _members_replaced,
    changes.UnnestGroup: _unlinked,
    changes.Unassign: _unlinked,
    changes.Assign: _linked,
    changes.ReplaceAssignments: _assignments_replaced,
    changes.EditRole: _role_edited,
    changes.MoveResource: _chosen,
    changes.SetDefaultRole: _chosen,
}


# --- what is left of a change ---------------------------------------------------------------------

_TAKING: Final = (
    changes.RemoveMembership,
    changes.DeactivateMembership,
    changes.DeleteGroup,
    changes.RemoveMembers,
    changes.UnnestGroup,
    changes.DeleteRole,
    changes.DeletePermission,
    changes.DeleteResource,
    changes.Unassign,
)
"""What gives nothing, and can be done to what is gone."""
Rest: TypeAlias = tuple[Item | None, list[LeftOut]]


def rest_of(item: Item, taken: Taken, inactive: frozenset[str]) -> Rest:
    """What an import may still do of an item, if anything, and what it leaves out.

    `inactive` are deactivated subjects: the rows of a list that name one are left out as well.
    """
    if not inactive and taken.is_empty:
        return item, []
    change = item.change
    who = inactive if item.rows else frozenset[str]()
    if isinstance(change, _TAKING):
        return item, []
    for kind, name in named_in(change):
        why = _INACTIVE if kind == "subject" and name in who else taken.has_gone(kind, name)
        if why is not None:
            shown = f"group:{name}" if kind == "group" else name
            links = list(links_of(change)) if isinstance(change, changes.Assign) else []
            what = _linked_shown(links[0]) if links else shown
            return None, [LeftOut(item.place, what, why)]
    if isinstance(change, changes.AddMembers | changes.ReplaceMembers):
        return _members_rest(item, change, taken, who)
    if isinstance(change, changes.ReplaceAssignments):
        return _assignments_rest(item, change, taken)
    if isinstance(change, changes.EditRole):
        return _role_rest(item, change, taken)
    if isinstance(change, changes.MoveResource | changes.SetDefaultRole):
        link, shown = choice_of(change)
        return (None, [LeftOut(item.place, shown, _CHOSEN)]) if link in taken.links else (item, [])
    for link in links_of(change):
        if (why := taken.has_lost(link, ("holder", link[2]), (link[1], link[-1]))) is not None:
            return None, [LeftOut(item.place, _linked_shown(link), why)]
    return item, []


def _linked_shown(link: tuple[str, ...]) -> str:
    if link[0] == "assignment":
        _, role, holder, on = link
        return f"{holder} as {role}" + ("" if on == model.ROOT else f" on {on}")
    return f"group:{link[1]} in {link[2]}"


def _members_rest(
    item: Item,
    change: changes.AddMembers | changes.ReplaceMembers,
    taken: Taken,
    who: frozenset[str],
) -> Rest:
    group = model.group_id(change.group)
    kept: list[int] = []
    left: list[LeftOut] = []
    for number, member in enumerate(change.members):
        subject = model.subject_id(member)
        why = _INACTIVE if subject in who else taken.has_gone("subject", subject)
        why = why or taken.has_lost(("member", group, subject), ("group", group), subject)
        if why is None:
            kept.append(number)
        else:
            left.append(LeftOut(item.row(number), f"{subject} in {group}", why))
    if not left:
        return item, left
    if not kept and isinstance(change, changes.AddMembers):
        return None, left
    members = tuple(change.members[number] for number in kept)
    rows = tuple(item.rows[number] for number in kept) if item.rows else ()
    rest = msgspec.structs.replace(change, members=members)
    return replace(item, change=rest, rows=rows), left


def _assignments_rest(item: Item, change: changes.ReplaceAssignments, taken: Taken) -> Rest:
    holder = model.holder_id(change.to)
    kept: list[changes.Given] = []
    left: list[LeftOut] = []
    for given in change.assignments:
        role, on = model.role_id(given.role), model.resource_id(given.on)
        why = taken.has_gone("role", role) or taken.has_gone("resource", on)
        why = why or taken.has_lost(
            ("assignment", role, holder, on), ("holder", holder), (role, on)
        )
        if why is None:
            kept.append(given)
        else:
            what = _linked_shown(("assignment", role, holder, on))
            left.append(LeftOut(item.place, what, why))
    if left:
        item = replace(item, change=msgspec.structs.replace(change, assignments=tuple(kept)))
    return item, left


def _role_rest(item: Item, change: changes.EditRole, taken: Taken) -> Rest:
    role = model.role_id(change.role)
    left: list[LeftOut] = []

    def kept(permissions: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for each in permissions:
            name = model.permission_id(each)
            why = taken.has_gone("permission", name)
            why = why or taken.has_lost(("permission", role, name), ("role", role), name)
            if why is None:
                found.append(each)
            else:
                left.append(LeftOut(item.place, f"{name} of {role}", why))
        return tuple(found)

    whole = change.set
    rest = msgspec.structs.replace(
        change, add=kept(change.add), set=UNSET if whole is UNSET else kept(whole)
    )
    if not left:
        return item, left
    is_nothing = rest == changes.EditRole(role=change.role)
    return (None if is_nothing else replace(item, change=rest)), left
