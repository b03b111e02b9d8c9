"""Who holds which role on what in a state of an organization, way by way. Pure, no I/O.

A way begins with what a reviewer can take away: an assignment of the subject's own, or its own place in a
group. Several chains may lead from that place to the group that holds the role; the shortest stands for all,
since they end together.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rescind.model import (
    ROOT,
    IdRule,
    LineSource,
    Microseconds,
    RoleMode,
)
from rescind.semantics import access
from rescind.semantics.state import (
    AssignmentKey,
    EnvironmentState,
    OrganizationState,
    Role,
    is_set_aside,
    permissions_of,
    roles_of,
)

Chain = tuple[str, ...]
NO_CHAIN: Final[Chain] = ()
_REMEMBERED: Final = 4_096
"""Groups whose ways up are remembered."""


class Way(NamedTuple):
    """One way by which a subject has a role on a resource. Revisions are 0 where they are not known."""

    subject: str
    source: LineSource
    chain: Chain
    role: str
    resource: str
    since: int
    """The organization's revision that completed it."""
    own_since: int
    """The organization's revision since which what a reviewer can take away is there."""
    changed: int
    """The organization's revision that altered anything in it last."""
    environment: int
    """The same, of the environment, for a role that is defined there."""
    until: int | None
    """Microseconds."""

    def line_id(self, scope: tuple[object, ...]) -> str:
        """Its id within a scope. No spreadsheet takes it for a number or a date."""
        ends = (*self.chain[:1], *self.chain[-1:])
        parts = (_prefix(scope), self.source, self.subject, self.role, self.resource, *ends)
        content = "\0".join(parts).encode("utf-8", "surrogatepass")  # no name has a NUL
        return f"r{hashlib.blake2b(content, digest_size=12).hexdigest()}"


class Kind(NamedTuple):
    """What a role is: its permissions in order, whether it or one of them is critical, and its revisions."""

    permissions: tuple[str, ...]
    is_critical: bool
    changed: int
    environment: int


@lru_cache(16)
def _prefix(scope: tuple[object, ...]) -> str:
    return "\0".join(map(str, scope))


class _Upward(NamedTuple):
    """The way from a group up to one that holds a role."""

    chain: Chain
    """The shortest."""
    since: int
    """The revision since which the nestings of some chain are all there; 0 for the group itself."""
    changed: int


class Population:
    """A state at a time, arranged for going through it subject by subject."""

    def __init__(
        self, state: OrganizationState, environment: EnvironmentState, at: Microseconds
    ) -> None:
        self.state, self.environment, self.at = state, environment, at
        self.roles = roles_of(state, environment)
        self._groups: dict[str, list[str]] = defaultdict(list)
        for (subject, group), place in state.places.items():
            if access.in_force(place.until, at):
                self._groups[subject].append(group)
        self._parents: dict[str, list[str]] = defaultdict(list)
        for child, parent in sorted(state.nestings):
            self._parents[child].append(parent)
        self._held: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (holder, role, resource), assigned in state.assignments.items():
            if access.in_force(assigned.until, at):
                self._held[holder].append((role, resource))
        for held in self._held.values():
            held.sort()
        self.kind = lru_cache(_REMEMBERED)(self._kind)
        self._upward = lru_cache(_REMEMBERED)(self._chains)
        is_single = state.settings is not None and state.settings.role_mode is RoleMode.SINGLE
        self._ranked = self._ranked_roles() if is_single else None

    def ways(self, subject: str) -> Iterator[Way]:
        """Every way of a subject, in an order that depends on nothing but the facts."""
        for role, resource in self._held.get(subject, ()):
            yield self._own(subject, role, resource)
        for group in sorted(self._groups.get(subject, ())):
            for upward in self._upward(group):
                holder = f"group:{upward.chain[-1]}"
                for role, resource in self._held[holder]:
                    yield self._through(subject, upward, (holder, role, resource))
        if self._ranked is not None and self._falls_back(subject):
            yield self._default(subject)

    def subjects(self) -> list[str]:
        """All subjects, in order."""
        return sorted(self.state.memberships)

    def winner(self, subject: str) -> str | None:
        """The organization-wide role that counts in a single-role organization."""
        assert self._ranked is not None
        settings = self.state.settings
        alone = access.World(
            memberships={subject: True},
            roles=self._ranked,
            assignments={access.Assignment(subject, role): None for role in self._wide(subject)},
            is_single_role=True,
            default_role=None if settings is None else settings.default_role,
        )
        return found if (found := access.winning_role(alone, subject, self.at)) else None

    def counts(self, way: Way, winner: str | None) -> bool:
        """Whether a way gives anything, where that role wins."""
        membership = self.state.memberships.get(way.subject)
        if membership is None or not membership.is_active:
            return False
        return self._ranked is None or way.resource != ROOT or way.role == winner

    def is_within(self, resource: str, above: str) -> bool:
        """Whether a resource is another one, or below it."""
        step: str | None = resource
        while step is not None and step != above:
            found = self.state.resources.get(step)
            step = None if found is None else found.parent
        return step is not None

    @property
    def folds_ids(self) -> bool:
        """Whether ids of people and groups that differ by case mean the same."""
        settings = self.state.settings
        return settings is not None and settings.id_rule is IdRule.CASEFOLD

    @property
    def is_single_role(self) -> bool:
        return self._ranked is not None

    # --- within -----------------------------------------------------------------------------------

    def _own(self, subject: str, role: str, resource: str) -> Way:
        since, changed, until = self._assigned(subject, role, resource)
        kind, membership = self.kind(role), self.state.memberships[subject]
        changed = max(changed, membership.changed, kind.changed)
        source, shared = LineSource.ASSIGNMENT, kind.environment
        return Way(subject, source, NO_CHAIN, role, resource, since, since, changed, shared, until)

    def _through(self, subject: str, upward: _Upward, key: AssignmentKey) -> Way:
        since, changed, until = self._assigned(*key)
        place = self.state.places[subject, upward.chain[0]]
        kind, membership = self.kind(key[1]), self.state.memberships[subject]
        if place.until is not None:
            until = place.until if until is None else min(until, place.until)
        return Way(
            subject,
            LineSource.GROUP,
            upward.chain,
            key[1],
            key[2],
            max(since, place.since, upward.since),
            place.since,
            max(changed, place.changed, upward.changed, membership.changed, kind.changed),
            kind.environment,
            until,
        )

    def _assigned(self, *key: str) -> tuple[int, int, int | None]:
        assigned = self.state.assignments[key]  # type: ignore[index]
        return assigned.since, assigned.changed, assigned.until

    def _default(self, subject: str) -> Way:
        settings = self.state.settings
        assert settings is not None
        assert settings.default_role is not None
        membership = self.state.memberships[subject]
        since = max(membership.since, settings.role_mode_since, settings.default_role_since)
        kind = self.kind(settings.default_role)
        changed = max(since, membership.changed, kind.changed)
        source, role = LineSource.DEFAULT_ROLE, settings.default_role
        return Way(
            subject, source, NO_CHAIN, role, ROOT, since, since, changed, kind.environment, None
        )

    def _falls_back(self, subject: str) -> bool:
        """Whether the default role counts for a subject, since it holds no role that does."""
        settings = self.state.settings
        return (
            settings is not None and settings.default_role in self.roles and not self._wide(subject)
        )

    def _wide(self, subject: str) -> set[str]:
        """The organization-wide roles that a subject holds and that are not set aside."""
        holders = [subject]
        for group in self._groups.get(subject, ()):
            holders += [f"group:{upward.chain[-1]}" for upward in self._upward(group)]
        held = {role for holder in holders for role, on in self._held.get(holder, ()) if on == ROOT}
        return {
            role for role in held if not is_set_aside(self.state, self.environment, subject, role)
        }

    def _chains(self, group: str) -> tuple[_Upward, ...]:
        """The shortest chain from a group to each group above it, itself included, that holds a role."""
        below: dict[str, str | None] = {group: None}
        fringe = [group]
        while fringe:
            above: list[str] = []
            for child in fringe:
                for parent in self._parents.get(child, ()):
                    if parent not in below:
                        below[parent] = child
                        above.append(parent)
            fringe = above
        since = self._nested_since(group)
        chains = (_chain(last, below) for last in below if f"group:{last}" in self._held)
        return tuple(_Upward(each, since[each[-1]], self._nested(each)) for each in chains)

    def _nested(self, chain: Chain) -> int:
        nestings = map(self.state.nestings.__getitem__, pairwise(chain))
        return max((nesting.changed for nesting in nestings), default=0)

    def _nested_since(self, group: str) -> dict[str, int]:
        """By group above: the revision since which some chain of nestings leads there.

        The shortest chain may be younger than another: whoever nests a group where it is already gives
        nobody anything.
        """
        found: dict[str, int] = {}
        ahead = [(0, group)]
        while ahead:
            since, child = heapq.heappop(ahead)
            if child in found:
                continue
            found[child] = since
            for parent in self._parents.get(child, ()):
                if parent not in found:
                    own = self.state.nestings[child, parent].since
                    heapq.heappush(ahead, (max(since, own), parent))
        return found

    def _kind(self, role: str) -> Kind:
        found = self.roles[role]
        is_shared = role not in self.state.roles
        permissions = tuple(sorted(permissions_of(found, self.environment)))
        is_critical = found.critical or any(
            self._is_critical(found, permission, is_shared=is_shared) for permission in permissions
        )
        changed = found.changed
        own, shared = (0, changed) if is_shared else (changed, 0)
        return Kind(permissions, is_critical, own, shared)

    def _is_critical(self, role: Role, permission: str, *, is_shared: bool) -> bool:
        is_own = not is_shared and role.permissions[permission].environment is None
        defined = self.state.permissions if is_own else self.environment.permissions
        return permission in defined and defined[permission].critical

    def _ranked_roles(self) -> dict[str, access.Role]:
        order = sorted(self.roles, key=lambda name: self.roles[name].rank)
        return {
            name: access.Role(frozenset(), self.roles[name].priority, place)
            for place, name in enumerate(order)
        }


def _chain(last: str, below: dict[str, str | None]) -> Chain:
    chain = [last]
    while (child := below[chain[-1]]) is not None:
        chain.append(child)
    return tuple(reversed(chain))
