"""The history of access: replay that looks again only where a change, or a time, concerns what was asked.

Every row of the log is replayed. What a subject holds is worked out again after rows that name something it
depends on, and at the times at which a place or an assignment ends. Between these nothing can have changed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rescind import changes
from rescind.changes import AffectedFacts, Change, affected_by
from rescind.history.holdings import (
    DEFAULT_ROLE,
    NOTHING,
    Asked,
    Held,
    HeldWay,
    held,
    holders_below,
    holders_of,
    line_of,
    members_below,
)
from rescind.model import CauseKind, IdChange, IdRule, canonical_subject, moment
from rescind.semantics.replay import Recorded, apply, apply_to_environment
from rescind.semantics.replay.step import subject_of
from rescind.semantics.state import EnvironmentState, OrganizationState

_OF_ALL: Final = frozenset(
    {
        changes.CreateOrganization,
        changes.DeleteOrganization,
        changes.SetRoleMode,
        changes.SetDefaultRole,
    }
)
"""Changes that concern everybody, and name nobody."""


class Mark(NamedTuple):
    """What began or ended access, before its change is read from the log.

    With BEFORE, `revision` made the youngest of the facts that are there, or is 0 if that is not known.
    """

    kind: CauseKind
    at: int
    revision: int | None = None


@dataclass(slots=True)
class Period:
    """A way and for how long it was there."""

    way: HeldWay
    chain: tuple[str, ...]
    began: Mark
    ended: Mark | None = None


@dataclass(slots=True)
class AccessReplay:
    """States that are moved along, and the periods that this shows. `subject` is None for everybody."""

    state: OrganizationState
    environment: EnvironmentState
    subject: str | None
    asked: Asked
    at: int
    """The time to which it has come, in microseconds. It never goes back, whatever clocks said."""
    ended: list[Period] = field(default_factory=list)
    lasting: dict[str, dict[HeldWay, Period]] = field(default_factory=dict)
    looks: int = 0
    """How often it was worked out what a subject holds."""
    id_changes: list[IdChange] = field(default_factory=list)
    _held: dict[str, Held] = field(default_factory=dict)
    _ends: list[tuple[int, str]] = field(default_factory=list)

    def begin(self) -> None:
        """Take what is held now as BEFORE, with the revision that made the youngest of its facts."""
        self._look_all({self.subject} if self.subject else set(self.state.memberships), None)

    def take(self, row: Recorded) -> None:
        """Apply a row of the organization. The environment is as it was then."""
        self.pass_to(row.recorded_at)
        facts = affected_by(row.changes)
        before = self._concerned(facts, row.changes)
        self._note_ids(row)
        apply(self.state, self.environment, row)
        concerned = (
            before if self._is_sure(before) else before | self._concerned(facts, row.changes)
        )
        if row.caused_by is None:
            cause = Mark(CauseKind.CHANGE, self.at, row.revision)
        else:
            cause = Mark(CauseKind.ENVIRONMENT, self.at, row.caused_by)
        self._look_all(concerned, cause)

    def take_environment(self, row: Recorded) -> None:
        """Apply a row of the environment."""
        self.pass_to(row.recorded_at)
        facts = affected_by(row.changes)
        before = self._holding(facts)
        apply_to_environment(self.environment, row)
        concerned = before | self._holding(facts)
        self._look_all(concerned, Mark(CauseKind.ENVIRONMENT, self.at, row.revision))

    def pass_to(self, at: int) -> None:
        """Let time go by, with what ends meanwhile."""
        while self._ends and self._ends[0][0] <= at:
            end, subject = heapq.heappop(self._ends)
            if self._held.get(subject, NOTHING).next_end == end:
                self.at = max(self.at, end)
                self._look(subject, Mark(CauseKind.EXPIRY, end))
        self.at = max(self.at, at)

    def _note_ids(self, row: Recorded) -> None:
        """Note whose id a row changes. Asked before it is applied."""
        for change in row.changes:
            if isinstance(change, changes.ChangeMembershipId):
                found = [(subject_of(change.subject), subject_of(change.new_id))]
            elif isinstance(change, changes.SetIdRule) and change.rule is IdRule.CASEFOLD:
                found = [(each, canonical_subject(each)) for each in self.state.memberships]
            else:
                continue
            self.id_changes += (
                IdChange(former, new, row.revision, moment(self.at))
                for former, new in found
                if former != new and self.subject in (None, former, new)
            )

    def _is_sure(self, concerned: set[str]) -> bool:
        """Whether nobody else can be concerned."""
        return self.subject in concerned

    # --- whom a change concerns -------------------------------------------------------------------

    def _concerned(self, facts: AffectedFacts, listed: list[Change]) -> set[str]:
        """The subjects whom a change may concern, by the state as it is. Asked before it and after it."""
        is_of_all = facts.is_all or not _OF_ALL.isdisjoint(map(type, listed))
        if is_of_all or self._is_on_line(facts):
            return {self.subject} if self.subject else set(self.state.memberships) | set(self._held)
        groups = facts.groups | facts.rosters | facts.children
        subjects = facts.subjects | self._losing_resources(facts, listed)
        for holder in {holder for holder, _ in facts.assignments} | facts.all_of:
            if holder.startswith("group:"):
                groups.add(holder.removeprefix("group:"))
            else:
                subjects.add(holder)
        if self.subject is None:
            return subjects | members_below(self.state, groups) | self._holding(facts)
        own = self._held.get(self.subject, NOTHING)
        is_concerned = (
            self.subject in subjects
            or not own.groups.isdisjoint(groups)
            or any((self.subject, group) in self.state.places for group in facts.rosters)
        )
        return {self.subject} if is_concerned else self._holding(facts)

    def _is_on_line(self, facts: AffectedFacts) -> bool:
        """Whether the resource that is asked about, or one above it, was made, moved or deleted."""
        asked = self.asked.resource
        if asked is None or not facts.resources:
            return False
        return asked in facts.resources or not facts.resources.isdisjoint(
            line_of(self.state, asked)
        )

    def _losing_resources(self, facts: AffectedFacts, listed: list[Change]) -> set[str]:
        """The subjects whose roles on a resource go with it, where all resources are asked about."""
        if not facts.resources or self.asked.resource is not None:
            return set()
        gone = [each.resource for each in listed if isinstance(each, changes.DeleteResource)]
        if not gone:
            return set()
        return {self.subject} if self.subject else holders_below(self.state, gone)

    def _holding(self, facts: AffectedFacts) -> set[str]:
        """The subjects that have a role which was altered, or from which a permission was taken."""
        roles = facts.roles | facts.dropped_roles
        if gone := facts.dropped_permissions:
            for defined in (self.environment.roles, self.state.roles):
                roles |= {name for name, role in defined.items() if gone & role.permissions.keys()}
        if not roles:
            return set()
        if self.subject is not None:
            own = self._held.get(self.subject, NOTHING)
            return {self.subject} if own.roles & roles else set()
        settings = self.state.settings
        if settings is not None and settings.default_role in roles:
            return set(self.state.memberships)
        return holders_of(self.state, roles)

    # --- looking ----------------------------------------------------------------------------------

    def _look_all(self, subjects: Iterable[str], cause: Mark | None) -> None:
        for subject in subjects:
            if self.subject is None or subject == self.subject:
                self._look(subject, cause)

    def _look(self, subject: str, cause: Mark | None) -> None:
        """Work out what a subject holds, and note what began and ended since the last time."""
        self.looks += 1
        found = held(self.state, self.environment, subject, self.at, self.asked)
        self._keep(subject, found)
        lasting = self.lasting.get(subject, {})
        for way in lasting.keys() - found.ways.keys():
            period = lasting.pop(way)
            period.ended = cause
            self.ended.append(period)
        for way in found.ways.keys() - lasting.keys():
            chain, since = found.ways[way]
            lasting[way] = Period(way, chain, cause or Mark(CauseKind.BEFORE, self.at, since))
        if lasting:
            self.lasting[subject] = lasting
        else:
            self.lasting.pop(subject, None)

    def _keep(self, subject: str, found: Held) -> None:
        before = self._held.get(subject, NOTHING)
        if found is NOTHING:
            self._held.pop(subject, None)
        else:
            self._held[subject] = found
        if found.next_end is not None and found.next_end != before.next_end:
            heapq.heappush(self._ends, (found.next_end, subject))


def follow_access(
    replay: AccessReplay, rows: Iterable[Recorded], environment_rows: Iterable[Recorded]
) -> Iterator[Recorded]:
    """Move along both logs, in the order in which they were written. Yields each of the organization's rows
    after it.
    """
    ahead = _Ahead(environment_rows)
    for row in rows:
        while (other := ahead.row) is not None and _comes_first(other, row):
            replay.take_environment(other)
            ahead.step()
        replay.take(row)
        yield row
    while (other := ahead.row) is not None:
        replay.take_environment(other)
        ahead.step()


def _comes_first(other: Recorded, row: Recorded) -> bool:
    """Whether a row of the environment comes before one of the organization."""
    if row.caused_by is not None:
        return other.revision < row.caused_by
    if row.environment is not None:
        return other.revision <= row.environment
    return other.recorded_at <= row.recorded_at


class _Ahead:
    """Rows, of which the next one is known."""

    def __init__(self, rows: Iterable[Recorded]) -> None:
        self._rows = iter(rows)
        self.row = next(self._rows, None)

    def step(self) -> None:
        self.row = next(self._rows, None)


def is_default(way: HeldWay) -> bool:
    """Whether nobody gave it."""
    return way.holder == DEFAULT_ROLE
