"""Access reviews: started once, and exported as often as is wanted, always with the same lines.

A review is a row: a revision, a time and a filter. Its lines are worked out from the state at that revision,
so they are the same for as long as the log reaches back to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from rescind import model
from rescind.decision.spelling import folds_ids
from rescind.decision_log import LastUsed
from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    MembershipNotFound,
    OrganizationNotFound,
    PermissionNotFound,
    RescindError,
    ResourceNotFound,
    ReviewExists,
    ReviewNotFound,
    RoleNotFound,
)
from rescind.history.lives import Life, life_of
from rescind.history.population import Chosen, Population, Way, folded
from rescind.history.review_uses import ReviewUses
from rescind.history.states import replayed
from rescind.listing.names import Similar
from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    Review,
    ReviewCounts,
    ReviewFilter,
    ReviewLine,
)
from rescind.store import Store, Transaction
from rescind.store.rows import Query
from rescind.store.rows.imports import (
    FIND_NAMED_GROUPS,
    FIND_NAMED_MEMBERSHIPS,
    FIND_NAMED_PERMISSIONS,
    FIND_NAMED_RESOURCES,
    FIND_NAMED_ROLES,
)
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
_NAMED: Final[dict[str, tuple[Query[Any], str, type[RescindError]]]] = {
    "subject": (FIND_NAMED_MEMBERSHIPS, "subjects", MembershipNotFound),
    "group": (FIND_NAMED_GROUPS, "groups", GroupNotFound),
    "role": (FIND_NAMED_ROLES, "roles", RoleNotFound),
    "resource": (FIND_NAMED_RESOURCES, "resources", ResourceNotFound),
    "permission": (FIND_NAMED_PERMISSIONS, "permissions", PermissionNotFound),
}
"""By condition of a filter: how to find what it names, and the error if there is none."""
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


def checked_filter(**conditions: Any) -> ReviewFilter:
    """A filter of names that are well formed. Raises MalformedId and InvalidArgument."""
    checks: dict[str, Callable[[Any], Any]] = {
        "subject": model.subject_id,
        "group": model.group_id,
        "role": model.role_id,
        "resource": model.resource_id,
        "permission": model.permission_id,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    for name in given.keys() & checks.keys():
        given[name] = checks[name](given[name])
    return ReviewFilter(**given)


def start(
    store: Store,
    organization: OrganizationId,
    name: str,
    chosen: ReviewFilter,
    *,
    actor: str,
    now: Microseconds,
) -> Review:
    """Start a review of the organization as it is now.

    Raises OrganizationNotFound, ReviewExists, and what says which name of the filter does not exist.
    """
    if organization == ENVIRONMENT:
        hint = "name an organization; all organizations (*) have no members of their own"
        raise InvalidArgument(what="organization", value=organization, hint=hint)
    number = number_of(store, organization)
    _require_names(store, organization, number, chosen)
    wrote: list[Callable[[], int]] = []

    def start(tx: Transaction) -> None:
        content = json.dumps(chosen.as_object(), ensure_ascii=False, sort_keys=True)
        params = {"name": name, "now": now, "actor": actor, "filter": content}
        wrote[:] = [tx.rows_written("start_review", organization=organization, **params)]

    store.transact(start)
    if not wrote[0]():
        found = find(store, organization, name)
        at = found.started_at.isoformat(sep=" ", timespec="seconds")
        raise ReviewExists(review=name, started_at=at, by=found.actor)
    return find(store, organization, name)


def _require_names(
    store: Store, organization: OrganizationId, o: OrganizationNumber, chosen: ReviewFilter
) -> None:
    """Raises for a name in a filter that does not exist: a review of nothing would look like a proof that
    nobody has anything.
    """
    if folds_ids(store, organization):
        chosen = folded(chosen)
    for what, (query, parameter, error) in _NAMED.items():
        name = getattr(chosen, what)
        if name is None or (what == "resource" and name == model.ROOT):
            continue
        if not store.fetch(query, {"o": o, parameter: json.dumps([name])}):
            unknown = error(organization=organization, **{what: name})
            raise Similar(store).hinted(unknown, organization)


def find(store: Store, organization: OrganizationId, name: str, life: int | None = None) -> Review:
    """A review of the organization, or, if it was deleted, of the last one that had the name; or of another
    life of the name. Raises OrganizationNotFound, ReviewNotFound and InvalidArgument.
    """
    lived, _ = life_of(store, organization, life)
    rows = store.fetch(READ_REVIEW, {"o": lived.row.organization, "name": name})
    if not rows:
        raise ReviewNotFound(organization=organization, review=name)
    return _review(organization, lived, rows[0])


def listed(store: Store, organization: OrganizationId, life: int | None = None) -> list[Review]:
    """All reviews of the organization that `find` means, by name."""
    lived, _ = life_of(store, organization, life)
    found: list[Review] = []
    while True:
        after = found[-1].name if found else ""
        params = {"o": lived.row.organization, "after": after, "limit": REVIEWS_AT_ONCE}
        rows = store.fetch(LIST_REVIEWS, params)
        found += [_review(organization, lived, row) for row in rows]
        if len(rows) < REVIEWS_AT_ONCE:
            return found


def number_of(store: Store, organization: OrganizationId) -> OrganizationNumber:
    """The organization's number. Raises OrganizationNotFound."""
    rows = store.fetch(FIND_ORGANIZATION, {"organization": organization})
    if not rows:
        raise OrganizationNotFound(organization=organization)
    return rows[0].organization


class ReviewedLines:
    """The lines of a review, by subject, then the subject's own roles, then its groups."""

    def __init__(
        self, store: Store, review: Review, used: LastUsed | None, most_facts: int
    ) -> None:
        self.review, self._store = review, store
        lived, _ = life_of(store, review.organization, review.life)
        self._o = lived.row.organization
        at = store.seals.revision(self._o, review.revision, review.environment)
        state, environment = replayed(store, review.organization, at, most_facts=most_facts)
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
            if self.population.is_single_role and way.subject not in winners:
                winners = {way.subject: self.population.winner(way.subject)}
            yield self._line(way, heads, shared, winners.get(way.subject))

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
        wanted = sorted(revisions - {0})
        if not wanted:
            return {}
        params = {"o": o, "revisions": json.dumps(wanted)}
        return {row.revision: row for row in self._store.fetch(READ_CHANGE_HEADS, params)}


_moment = lru_cache(4_096)(model.moment)
"""Most lines have times that others have too."""


def _review(organization: OrganizationId, lived: Life, row: ReviewRow) -> Review:
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
