"""Access reviews: started once, and exported as often as is wanted, always with the same lines.

A review is a row: a revision, a time and a filter. Its lines are worked out from the state at that revision,
so they are the same for as long as the log reaches back to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from rescind import model
from rescind.decision_log import LastUsed
from rescind.errors import InvalidArgument, OrganizationNotFound, ReviewNotFound
from rescind.history.lives import Life, life_of
from rescind.history.log_start import log_start
from rescind.history.population import Kind, Population, Way
from rescind.history.review_filters import Chosen
from rescind.history.review_uses import ReviewUses
from rescind.history.states import replayed
from rescind.model import (
    ENVIRONMENT_NUMBER,
    OrganizationId,
    OrganizationNumber,
    Review,
    ReviewCounts,
    ReviewFilter,
    ReviewLine,
)
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.store import Store
from rescind.store.rows.organizations import FIND_ORGANIZATION
from rescind.store.rows.reviews import (
    LIST_REVIEWS,
    READ_CHANGE_HEADS,
    READ_REVIEW,
    ChangeHeadRow,
    ReviewRow,
)

MOST_NAME: Final = 100
"""Characters of a review's name."""
REVIEWS_AT_ONCE: Final = 1_000
"""Reviews that are read in one query."""
_AT_ONCE: Final = 500
"""Lines whose changes are read from the log in one query."""


def review_name(value: object) -> str:
    """A review's name: one line of text, short enough for an address. Raises InvalidArgument."""
    name = model.require_text("review", value)
    if (
        not 0 < len(name) <= MOST_NAME
        or not name.isprintable()
        or name.strip() != name
        or "/" in name
    ):
        hint = f"use 1 to {MOST_NAME} characters on one line, without / and blanks at the ends"
        raise InvalidArgument(what="review", value=repr(name[:60]), hint=hint)
    return name


def find(store: Store, organization: OrganizationId, name: str, life: int | None = None) -> Review:
    """A review of the organization, or, if it was deleted, of the last one that had the name; or of another
    life of the name. Raises OrganizationNotFound, ReviewNotFound and InvalidArgument.
    """
    lived, _ = life_of(store, organization, life)
    rows = store.fetch(READ_REVIEW, {"o": lived.row.organization, "name": name})
    if not rows:
        raise ReviewNotFound(organization=organization, review=name)
    return review_of(organization, lived, rows[0])


def listed(store: Store, organization: OrganizationId, life: int | None = None) -> list[Review]:
    """All reviews of the organization that `find` means, by name."""
    lived, _ = life_of(store, organization, life)
    return [review_of(organization, lived, row) for row in rows_of(store, lived.row.organization)]


def count(store: Store, organization: OrganizationId, life: int | None = None) -> int:
    """How many reviews `listed` has. Raises OrganizationNotFound and InvalidArgument."""
    lived, _ = life_of(store, organization, life)
    return len(rows_of(store, lived.row.organization))


def rows_of(store: Store, o: OrganizationNumber) -> list[ReviewRow]:
    """The rows of all reviews of an organization, by name."""
    found: list[ReviewRow] = []
    while True:
        after = found[-1].name if found else ""
        rows = store.fetch(LIST_REVIEWS, {"o": o, "after": after, "limit": REVIEWS_AT_ONCE})
        found += rows
        if len(rows) < REVIEWS_AT_ONCE:
            return found


def number_of(store: Store, organization: OrganizationId) -> OrganizationNumber:
    """The organization's number. Raises OrganizationNotFound."""
    rows = store.fetch(FIND_ORGANIZATION, {"organization": organization})
    if not rows:
        raise OrganizationNotFound(organization=organization)
    return rows[0].organization


class LineContent(NamedTuple):
    """All that a line of a review tells, but for what is looked up in the log."""

    way: Way
    name: str | None
    is_active: bool
    kind: Kind
    counts: bool


class ReviewedLines:
    """The lines of a review, by subject, then the subject's own roles, then its groups.

    They follow from `facts`, the organization's and the environment's; else from the log and its snapshots.
    """

    def __init__(
        self,
        store: Store,
        review: Review,
        used: LastUsed | None,
        most_facts: int,
        facts: tuple[OrganizationState, EnvironmentState] | None = None,
    ) -> None:
        self.review, self._store = review, store
        lived, _ = life_of(store, review.organization, review.life)
        self._o = lived.row.organization
        if facts is None:
            at = store.seals.revision(self._o, review.revision, review.environment)
            facts = replayed(store, review.organization, at, most_facts=most_facts)
        state, environment = facts
        self.population = Population(state, environment, model.microseconds(review.started_at))
        self._chosen = Chosen(self.population, review.filter)
        self._uses: ReviewUses | None = None
        if used is not None:
            self._uses = ReviewUses(used, review.organization, self.population)
        self.scope = (self._o, review.name, review.revision)
        """What the ids of lines belong to."""

    def lines(self, after: str | None = None) -> Iterator[ReviewLine]:
        """All lines, or those after one. Raises InvalidArgument for one that the review has not."""
        return self._all_told(self._ways() if after is None else self._after(after))

    def of(self, ids: Iterable[str]) -> dict[str, Way]:
        """Those of the lines with these ids."""
        wanted = set(ids)
        found: dict[str, Way] = {}
        for way in self._ways() if wanted else ():
            line = way.line_id(self.scope)
            if line in wanted:
                found[line] = way
                if len(found) == len(wanted):
                    break
        return found

    def counted(self) -> ReviewCounts:
        """How much there is to review."""
        lines, critical, inactive = 0, 0, 0
        subjects: set[str] = set()
        for way in self._ways():
            lines += 1
            subjects.add(way.subject)
            critical += self.population.kind(way.role).is_critical
            inactive += not self.population.state.memberships[way.subject].is_active
        return ReviewCounts(lines, len(subjects), critical, inactive)

    def contents(self) -> Iterator[LineContent]:
        """What each line is made of."""
        winners: dict[str, str | None] = {}
        for way in self._ways():
            membership = self.population.state.memberships[way.subject]
            counts = self.population.counts(way, self._winner(way.subject, winners))
            kind = self.population.kind(way.role)
            yield LineContent(way, membership.name, membership.is_active, kind, counts)

    def shown(self, ways: Iterable[Way]) -> list[ReviewLine]:
        """These ways as lines."""
        return list(self._told(list(ways)))

    # --- within -----------------------------------------------------------------------------------

    def _ways(self) -> Iterator[Way]:
        for subject in self._chosen.subjects():
            ways = self.population.ways(subject)
            yield from ways if self._chosen.is_all else filter(self._chosen.has, ways)

    def _all_told(self, ways: Iterator[Way]) -> Iterator[ReviewLine]:
        while part := list(islice(ways, _AT_ONCE)):
            yield from self._told(part)

    def _after(self, after: str) -> Iterator[Way]:
        ways = self._ways()
        for way in ways:
            if way.line_id(self.scope) == after:
                return ways
        hint = "pass the line of the last row that arrived, or nothing to begin anew"
        raise InvalidArgument(what="after", value=after[:60] or repr(after), hint=hint)

    def _told(self, ways: list[Way]) -> Iterator[ReviewLine]:
        own = {revision for way in ways for revision in (way.since, way.changed)}
        heads = self._heads(self._o, own)
        shared = self._heads(ENVIRONMENT_NUMBER, {way.environment for way in ways})
        winners: dict[str, str | None] = {}
        for way in ways:
            yield self._line(way, heads, shared, self._winner(way.subject, winners))

    def _winner(self, subject: str, known: dict[str, str | None]) -> str | None:
        """The role that counts in a single-role organization; that of the last subject is known."""
        if self.population.is_single_role and subject not in known:
            known.clear()
            known[subject] = self.population.winner(subject)
        return known.get(subject)

    def _line(
        self,
        way: Way,
        heads: dict[int, ChangeHeadRow],
        shared: dict[int, ChangeHeadRow],
        winner: str | None,
    ) -> ReviewLine:
        membership = self.population.state.memberships[way.subject]
        kind = self.population.kind(way.role)
        began = heads.get(way.since)
        own, common = heads.get(way.changed), shared.get(way.environment)
        altered = max(
            0 if own is None else own.recorded_at, 0 if common is None else common.recorded_at
        )
        return ReviewLine(
            line=way.line_id(self.scope),
            subject=way.subject,
            name=membership.name,
            is_active=membership.is_active,
            role=way.role,
            resource=way.resource,
            permissions=kind.permissions,
            is_critical=kind.is_critical,
            source=way.source,
            chain=way.chain,
            since=None if began is None else _moment(began.recorded_at),
            given_by=None if began is None else began.actor,
            reason=None if began is None else began.reason,
            changed_at=_moment(altered) if altered else None,
            expires_at=None if way.until is None else _moment(way.until),
            counts=self.population.counts(way, winner),
            last_used=None if self._uses is None else self._uses.told(way),
        )

    def _heads(self, o: OrganizationNumber, revisions: set[int]) -> dict[int, ChangeHeadRow]:
        """Who made these changes. Those of before the start of the log are left out: nothing proves them."""
        start = log_start(self._store, o)
        first = 0 if start is None else start.revision
        wanted = sorted(revision for revision in revisions if revision > first)
        if not wanted:
            return {}
        params = {"o": o, "revisions": json.dumps(wanted)}
        return {row.revision: row for row in self._store.fetch(READ_CHANGE_HEADS, params)}


_moment = lru_cache(4_096)(model.moment)
"""Most lines have times that others have too."""


def review_of(organization: OrganizationId, lived: Life, row: ReviewRow) -> Review:
    """A review by its row."""
    return Review(
        organization=organization,
        name=row.name,
        revision=row.revision,
        environment=row.environment,
        started_at=model.moment(row.started_at),
        actor=row.actor,
        filter=ReviewFilter(**json.loads(row.filter)),
        life=lived.told.number,
        organization_deleted_at=lived.told.deleted_at,
    )
