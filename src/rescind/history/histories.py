"""The history of access as `Authority` tells it: who could do what, from when to when, by whose change."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from rescind import model
from rescind.decision.spelling import folds_ids
from rescind.errors import InvalidArgument, OrganizationNotFound, PastUnavailable
from rescind.history.access_history import AccessReplay, Mark, Period, follow_access, is_default
from rescind.history.holdings import Asked
from rescind.history.moments import moment_of
from rescind.history.replaying import recorded_changes, require_room
from rescind.history.states import replayed
from rescind.model import (
    ENVIRONMENT_NUMBER,
    AccessHistory,
    AccessPeriod,
    Cause,
    CauseKind,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
    canonical_subject,
)
from rescind.semantics.replay import LogDoesNotFit, Recorded
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.past import FIND_PRESENT_ORGANIZATION
from rescind.store.rows.reviews import READ_CHANGE_HEADS, ChangeHeadRow

MOST_CHANGES: Final = 1_000_000
"""Changes that one answer looks at, at most."""
_HEADS: Final = 500


class AccessHistories(ABC):
    """The questions of `Authority` about the history of access."""

    store: Store
    settings: Settings

    @abstractmethod
    def _named(self, organization: str | None) -> OrganizationId: ...

    @abstractmethod
    def _now(self) -> Microseconds: ...

    def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        most_changes: int = MOST_CHANGES,
        organization: str | None = None,
    ) -> AccessHistory:
        """From when to when a subject had a permission on a resource, by which way, and by whose change that
        began and ended; of everybody where no subject is named.

        Without a permission, all that its roles gave; without a resource, wherever they were given. Only what
        lasted at `since` or began later is told, up to `until`. `after`, from `next_after` of the answer
        before, goes on where a look at `most_changes` changes ended. Raises OrganizationNotFound,
        PastUnavailable, MalformedId and InvalidArgument.
        """
        name = self._named(organization)
        asked = Asked(
            None if permission is None else model.permission_id(permission),
            None if resource is None else model.resource_id(resource),
        )
        who = None if subject is None else self._spelled(name, model.subject_id(subject))
        if who is None and asked.permission is None:
            hint = "name a subject, or a permission (and a resource)"
            raise InvalidArgument(what="subject", hint=hint)
        most = model.require_number("most_changes", most_changes, least=1)
        now = self._now()
        end = now if until is None else min(model.microseconds(until), now)
        reader = _Reader(self.store, name, self.settings.past_most_facts)
        return reader.history(who, asked, reader.start(since, after, now), end, most)

    def _spelled(self, name: OrganizationId, subject: str) -> str:
        return canonical_subject(subject) if folds_ids(self.store, name) else subject


class _Reader:
    """Reads both logs of one organization, and tells what they show."""

    def __init__(self, store: Store, name: OrganizationId, most_facts: int) -> None:
        self._store, self._name, self._most_facts = store, name, most_facts
        rows = store.fetch(FIND_PRESENT_ORGANIZATION, {"organization": name})
        if not rows:
            raise OrganizationNotFound(organization=name)
        self._row, self._o = rows[0], rows[0].organization
        (row,) = store.fetch(READ_REVISION, {"o": self._o})
        self._last, self._last_shared = row.organization, row.environment

    def start(
        self, since: datetime | None, after: int | None, now: Microseconds
    ) -> tuple[model.Revision, int]:
        """The state to begin with, and its time: the first that is asked about and that the log still has."""
        if after is not None:
            after = model.require_number("after", after, least=0, most=self._last)
        elif since is not None and model.microseconds(since) > self._row.created_at:
            found = moment_of(self._store, self._name, since, now)
            return found.revision, found.at
        number = max(after or 0, self._row.start or 0)
        if number:
            found = moment_of(self._store, self._name, number, now)
            return found.revision, found.at
        return self._store.seals.revision(self._o, 0, 0), 0

    def history(
        self,
        subject: str | None,
        asked: Asked,
        start: tuple[model.Revision, int],
        end: int,
        most: int,
    ) -> AccessHistory:
        revision, at = start
        state, environment = replayed(
            self._store, self._name, revision, most_facts=self._most_facts
        )
        replay = AccessReplay(state, environment, subject, asked, at)
        replay.begin()
        next_after = self._follow(replay, end, most)
        if next_after is None:
            replay.pass_to(end)
            periods = replay.ended + [p for each in replay.lasting.values() for p in each.values()]
        else:
            periods = replay.ended
        return AccessHistory(self._told(periods), next_after)

    def _follow(self, replay: AccessReplay, end: int, most: int) -> int | None:
        """Move along the logs; the revision to go on after, if there is more than may be looked at."""
        after, shared = replay.state.revision, replay.environment.revision
        rows = recorded_changes(self._store, self._o, after=after, up_to=self._last)
        others = recorded_changes(
            self._store, ENVIRONMENT_NUMBER, after=shared, up_to=self._last_shared
        )
        steps = follow_access(replay, _until(rows, end), _until(others, end))
        try:
            for count, reached in enumerate(steps, 1):
                require_room(replay.state, self._most_facts)
                if count >= most and reached < self._last:
                    return reached
        except LogDoesNotFit as error:
            hint = "`rescind log verify` tells whether it was altered"
            raise PastUnavailable(why=f"the log cannot be replayed: {error}", hint=hint) from error
        return None

    # --- as it is told ----------------------------------------------------------------------------

    def _told(self, periods: list[Period]) -> tuple[AccessPeriod, ...]:
        marks = [m for p in periods for m in (p.began, p.ended) if m is not None]
        own = self._heads(self._o, {m.revision for m in marks if m.kind is CauseKind.CHANGE})
        shared = self._heads(
            ENVIRONMENT_NUMBER, {m.revision for m in marks if m.kind is CauseKind.ENVIRONMENT}
        )

        def cause(mark: Mark) -> Cause:
            heads = shared if mark.kind is CauseKind.ENVIRONMENT else own
            head = None if mark.revision is None else heads.get(mark.revision)
            at = mark.at or (0 if head is None else head.recorded_at)
            actor, reason = (None, None) if head is None else (head.actor, head.reason)
            return Cause(mark.kind, model.moment(at), mark.revision, actor, reason)

        found = [
            AccessPeriod(
                subject=period.way.subject,
                role=period.way.role,
                resource=period.way.resource,
                chain=period.chain,
                is_default_role=is_default(period.way),
                permissions=period.way.permissions,
                began=cause(period.began),
                ended=None if period.ended is None else cause(period.ended),
            )
            for period in periods
        ]
        return tuple(sorted(found, key=lambda p: (p.began.at, p[:4])))

    def _heads(self, o: OrganizationNumber, revisions: set[int | None]) -> dict[int, ChangeHeadRow]:
        wanted = iter(sorted(revision for revision in revisions if revision))
        found: dict[int, ChangeHeadRow] = {}
        while part := list(islice(wanted, _HEADS)):
            params = {"o": o, "revisions": json.dumps(part)}
            rows = self._store.fetch(READ_CHANGE_HEADS, params)
            found.update((row.revision, row) for row in rows)
        return found


def _until(rows: Iterator[Recorded], end: int) -> Iterator[Recorded]:
    """Those up to the first that was recorded after a time."""
    for row in rows:
        if row.recorded_at > end:
            return
        yield row
