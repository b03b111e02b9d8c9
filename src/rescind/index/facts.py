"""An organization's facts in memory, by their numbers, and how each of them changes. No I/O.

No check may run while facts change; `replicas.cache` ensures that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import getsizeof
from typing import Final

from rescind.index import sizes
from rescind.index.assignments import Assignments, Held, Until
from rescind.index.catalog import Catalog, Role
from rescind.index.derived import Derived, Groups
from rescind.index.kinds import Kinds
from rescind.index.orders import Name, Order, Orders
from rescind.index.relations import NOTHING, all_from, discard_from
from rescind.model import (
    MAX_ID_LENGTH,
    GroupNumber,
    HolderNumber,
    MembershipNumber,
    PermissionNumber,
    Reason,
    ResourceNumber,
    RoleNumber,
    canonical_subject,
)
from rescind.semantics.preconditions import first_unmet

ROOT: Final = ResourceNumber(0)
shared_groups: Callable[[Groups], Groups] = lru_cache(16_384)(lambda groups: groups)
"""One object for equal sets of groups."""


@dataclass(slots=True)
class Rules:
    """The organization's role mode, its default role, and its rule for ids."""

    is_single: bool = False
    takes_next_highest: bool = False
    default_role: RoleNumber | None = None
    folds_ids: bool = False


class Facts:
    """One organization's facts. A change forgets the derived results that it affects."""

    def __init__(self, derived: Derived) -> None:
        self._derived = derived
        self.environment = Catalog()
        self.own = Catalog()
        self.rules = Rules()
        self.memberships: dict[str, MembershipNumber] = {}
        self.subjects: dict[MembershipNumber, str] = {}
        self.inactive: set[MembershipNumber] = set()
        self.groups: dict[str, GroupNumber] = {}
        self.group_names: dict[GroupNumber, str] = {}
        self.group_numbers: dict[HolderNumber, GroupNumber] = {}
        self.groups_of: dict[MembershipNumber, Groups] = {}
        """The groups that each membership is directly in without expiry, in order. Equal sets are shared."""
        self.expiring_places: dict[MembershipNumber, dict[GroupNumber, int]] = {}
        """The groups that each membership is directly in until a time."""
        self.members_of: dict[GroupNumber, Order[MembershipNumber]] = {}
        """The direct members of each group, with and without expiry."""
        self.parents_of: dict[GroupNumber, set[GroupNumber]] = {}
        self.children_of: dict[GroupNumber, set[GroupNumber]] = {}
        self.resources: dict[str, ResourceNumber] = {}
        self.resource_names: dict[ResourceNumber, str] = {}
        self.resource_parent: dict[ResourceNumber, ResourceNumber | None] = {}
        self.resource_children: dict[ResourceNumber, set[ResourceNumber]] = {}
        self.assignments = Assignments()
        self.orders = Orders()
        self.subject_kinds = Kinds[MembershipNumber]()
        self.resource_kinds = Kinds[ResourceNumber]()
        self.resets: dict[MembershipNumber, set[RoleNumber]] = {}
        self.places = 0
        self.nestings = 0
        self.text_bytes = 0

    # --- read -------------------------------------------------------------------------------------

    def permission(self, slug: str) -> tuple[PermissionNumber, bool] | None:
        """A permission's number, and whether it is critical. The organization's definition wins over the
        environment's.
        """
        return self.own.permissions.get(slug) or self.environment.permissions.get(slug)

    def role(self, number: RoleNumber) -> Role:
        """A role by its number."""
        return self.own.roles.get(number) or self.environment.roles[number]

    def roles_with(self, permission: PermissionNumber) -> frozenset[RoleNumber]:
        """The roles that contain a permission."""
        return self.own.containing(permission) | self.environment.containing(permission)

    def line(self, resource: ResourceNumber) -> Iterator[ResourceNumber]:
        """A resource and its ancestors, the organization last."""
        step: ResourceNumber | None = resource
        while step is not None:
            yield step
            step = self.resource_parent[step]

    def subtree(self, resources: Iterable[ResourceNumber]) -> set[ResourceNumber]:
        """Resources and all below them."""
        return all_from(resources, self.resource_children)

    def size(self) -> int:
        """About how many bytes the facts take, with the results derived from them."""
        return sizes.size(self, self._derived)

    def first_unmet(self, subject: str, permission: bool, resource: str) -> Reason | None:
        """The first precondition of a check that is not met; `permission` says whether it is defined."""
        m = self.memberships.get(subject)
        return first_unmet(
            membership=m is not None,
            active=m not in self.inactive,
            permission=permission,
            resource=resource in self.resources,
        )

    def spelled(self, subject: str) -> str:
        """A subject in the spelling that is stored. A malformed one is returned as it is."""
        if self.rules.folds_ids and isinstance(subject, str) and len(subject) <= MAX_ID_LENGTH:
            return canonical_subject(subject)
        return subject

    # --- changed ----------------------------------------------------------------------------------

    def set_rules(self, rules: Rules) -> None:
        """Set the organization's role mode, default role and rule for ids."""
        if rules != self.rules:
            self.rules = rules
            self._derived.forget_lines()

    def unplace_memberships(self, numbers: Mapping[str, MembershipNumber | None]) -> None:
        """`numbers` has each subject's present membership, or None. Any other membership loses that subject.

        A membership that is a value of `numbers` keeps everything else; `put_membership` gives it a subject.
        """
        moved = set[MembershipNumber]()
        for subject, number in numbers.items():
            known = self.memberships.get(subject)
            if known is not None and known != number:
                del self.memberships[subject], self.subjects[known]
                self.text_bytes -= getsizeof(subject)
                self.subject_kinds.drop(subject, known)
                self.orders.put(Name("memberships"), known, holds=False)
                self._derived.forget_subject(subject, known)
                moved.add(known)
        for number in moved.difference(numbers.values()):
            self.inactive.discard(number)
            self.set_groups(number, {})
            self.drop_holder(number)

    def put_membership(self, number: MembershipNumber, subject: str, *, active: bool) -> None:
        """Add or replace a membership. No other one may have its subject: see `unplace_memberships`."""
        if subject not in self.memberships:
            self.text_bytes += getsizeof(subject)
            self.subject_kinds.put(subject, number)
            self.orders.put(Name("memberships"), number, holds=True)
        self.memberships[subject] = number
        self.subjects[number] = subject
        (self.inactive.discard if active else self.inactive.add)(number)
        self._derived.forget_subject(subject, number)

    def groups_until(self, membership: MembershipNumber) -> dict[GroupNumber, Until]:
        """The groups that a membership is directly in, each with its expiry."""
        lasting: dict[GroupNumber, Until] = dict.fromkeys(self.groups_of.get(membership, ()))
        return lasting | self.expiring_places.get(membership, {})

    def set_groups(self, membership: MembershipNumber, groups: Mapping[GroupNumber, Until]) -> None:
        """Set the groups that a membership is directly in, each with its expiry."""
        before = self.groups_until(membership)
        if groups == before:
            return
        lasting = (group for group, until in groups.items() if until is None)
        self._put_groups(membership, lasting)
        late = {group: until for group, until in groups.items() if until is not None}
        if late:
            self.expiring_places[membership] = late
        else:
            self.expiring_places.pop(membership, None)
        for group in before.keys() - groups.keys():
            self._drop_from_roster(group, membership)
        for group in groups.keys() - before.keys():
            self.members_of.setdefault(group, Order()).add(membership)
        self.places += len(groups) - len(before)
        self._derived.forget_subject(self.subjects.get(membership, ""), membership)

    def set_member(
        self, membership: MembershipNumber, group: GroupNumber, *, holds: bool, until: Until = None
    ) -> None:
        """Set whether a membership is directly in a group, and until when."""
        groups = self.groups_until(membership)
        if holds:
            groups[group] = until
        else:
            groups.pop(group, None)
        self.set_groups(membership, groups)

    def _put_groups(self, membership: MembershipNumber, groups: Iterable[GroupNumber]) -> None:
        ordered = tuple(sorted(self.group_numbers.get(group, group) for group in groups))
        if ordered:
            self.groups_of[membership] = shared_groups(ordered)
        else:
            self.groups_of.pop(membership, None)

    def _drop_from_roster(self, group: GroupNumber, membership: MembershipNumber) -> None:
        roster = self.members_of[group]
        roster.drop(membership)
        if not roster:
            del self.members_of[group]

    def unplace_groups(self, numbers: Mapping[str, GroupNumber | None]) -> None:
        """As `unplace_memberships`, for groups."""
        moved = set[GroupNumber]()
        for slug, number in numbers.items():
            known = self.groups.get(slug)
            if known is not None and known != number:
                del self.groups[slug], self.group_names[known]
                self.text_bytes -= getsizeof(slug)
                moved.add(known)
        for number in moved.difference(numbers.values()):
            self._drop_group(number)

    def put_group(self, number: GroupNumber, slug: str) -> None:
        """Add a group. No other one may have its name: see `unplace_groups`."""
        if slug not in self.groups:
            self.text_bytes += getsizeof(slug)
        self.groups[slug] = number
        self.group_names[number] = slug
        self.group_numbers.setdefault(number, number)

    def _drop_group(self, number: GroupNumber) -> None:
        """Remove a group without a name, with its members, nestings and assignments."""
        del self.group_numbers[number]
        for m in tuple(self.members_of.get(number, ())):
            self.set_member(m, number, holds=False)
        for parent in tuple(self.parents_of.get(number, ())):
            self.set_nesting(number, parent, holds=False)
        for child in tuple(self.children_of.get(number, ())):
            self.set_nesting(child, number, holds=False)
        self.drop_holder(number)

    def set_nesting(self, child: GroupNumber, parent: GroupNumber, *, holds: bool) -> None:
        """Set whether a group is nested directly in another."""
        child, parent = self.group_numbers.get(child, child), self.group_numbers.get(parent, parent)
        self.nestings += holds - (parent in self.parents_of.get(child, NOTHING))
        if holds:
            self.parents_of.setdefault(child, set()).add(parent)
            self.children_of.setdefault(parent, set()).add(child)
        else:
            discard_from(self.parents_of, child, parent)
            discard_from(self.children_of, parent, child)
        self._derived.forget_groups()

    def put_resource(
        self, number: ResourceNumber, slug: str, parent: ResourceNumber | None
    ) -> None:
        """Add a resource, or move it below another parent."""
        known = self.resources.get(slug)
        if known is not None and known != number:
            self.drop_resources(known)
        before = self.resource_parent.get(number)
        if before is not None:
            discard_from(self.resource_children, before, number)
            self.orders.put(Name("children", before), number, holds=False)
        if parent is not None:
            self.resource_children.setdefault(parent, set()).add(number)
            self.orders.put(Name("children", parent), number, holds=True)
        if known != number:
            self.text_bytes += getsizeof(slug)
            self.resource_kinds.put(slug, number)
            self.orders.put(Name("resources"), number, holds=True)
        is_moved = number in self.resource_parent and before != parent
        self.resources[slug] = number
        self.resource_names[number] = slug
        self.resource_parent[number] = parent
        if is_moved:
            self._derived.forget_lines()

    def drop_resources(self, number: ResourceNumber) -> None:
        """Remove a resource with all below it and their assignments."""
        if number not in self.resource_names:
            return
        for place in self.subtree((number,)):
            for role in self.assignments.roles_on(place):
                for holder in tuple(self.assignments.holders_at(place, role, None)):
                    self.set_assignment(Held(holder, role, place), holds=False)
            parent = self.resource_parent.pop(place)
            if parent is not None:
                discard_from(self.resource_children, parent, place)
                self.orders.put(Name("children", parent), place, holds=False)
            slug = self.resource_names.pop(place)
            self.text_bytes -= getsizeof(slug)
            self.resource_kinds.drop(slug, place)
            self.orders.put(Name("resources"), place, holds=False)
            del self.resources[slug]
        self._derived.forget_lines()

    def set_assignment(self, held: Held, *, holds: bool, until: Until = None) -> None:
        """Set whether an assignment exists, and until when."""
        if holds:
            holder = self.group_numbers.get(held.holder, held.holder)
            self.assignments.put(Held(holder, held.role, held.resource), until)
        else:
            self.assignments.drop(held)
        self._put_in_order(held)
        if held.holder > 0:
            membership = MembershipNumber(held.holder)
            self._derived.forget_subject(self.subjects.get(membership, ""), membership)
        name = self.resource_names.get(held.resource, "")
        has_others_below = held.resource in self.resource_children
        self._derived.forget_place(held.resource, name, has_others_below=has_others_below)

    def _put_in_order(self, held: Held) -> None:
        holder, role, resource = held
        assignments, put = self.assignments, self.orders.put
        in_grants = holder in assignments.grants.get(resource, {}).get(role, NOTHING)
        put(Name("grants", resource, role), holder, holds=in_grants)
        is_expiring = holder in assignments.expiring.get(resource, {}).get(role, NOTHING)
        put(Name("expiring", resource, role), holder, holds=is_expiring)
        has_place = resource in assignments.held_by.get(holder, NOTHING)
        put(Name("places", holder), resource, holds=has_place)

    def drop_holder(self, holder: HolderNumber) -> None:
        """Remove all assignments of a membership or group."""
        for held in self.assignments.of(holder):
            self.set_assignment(held, holds=False)

    def drop_roles(self, numbers: Collection[RoleNumber]) -> None:
        """Remove all assignments of these roles, in one walk over the resources."""
        gone = frozenset(numbers)
        for place in {*self.assignments.grants, *self.assignments.expiring} if gone else ():
            for role in self.assignments.roles_on(place) & gone:
                for holder in tuple(self.assignments.holders_at(place, role, None)):
                    self.set_assignment(Held(holder, role, place), holds=False)
