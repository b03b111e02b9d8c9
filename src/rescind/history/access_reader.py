"""The history of access, read from the logs of one organization and of what is defined for all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from rescind import model
from rescind.errors import PastUnavailable
from rescind.history.access_history import AccessReplay, Mark, Period, follow_access, is_default
from rescind.history.beginnings import is_told_by_facts
from rescind.history.holdings import Asked
from rescind.history.lives import life_of
from rescind.history.moments import LATEST, moment_of, require_kept
from rescind.history.replaying import recorded_changes, require_room
from rescind.history.states import replayed
from rescind.model import (
    ENVIRONMENT_NUMBER,
    AccessHistory,
    AccessPeriod,
    AtOf,
    Cause,
    CauseKind,
    Microseconds,
    OrganizationId,
    OrganizationNumber,
)
from rescind.semantics.replay import LogDoesNotFit, Recorded
from rescind.store import Store
from rescind.store.rows.organizations import READ_REVISION
from rescind.store.rows.past import FIND_PAST_REVISION
from rescind.store.rows.reviews import READ_CHANGE_HEADS, ChangeHeadRow

_HEADS: Final = 500


class AccessReader:
    """Reads both logs of one organization, and tells what they show."""

    def __init__(
        self, store: Store, name: OrganizationId, life: int | None, most_facts: int
    ) -> None:
        self._store, self._name, self._most_facts = store, name, most_facts
        lived, lives = life_of(store, name, life)
        self.life, self.lives = lived.told, tuple(each.told for each in lives)
        self._row, self._o = lived.row, lived.row.organization
        (row,) = store.fetch(READ_REVISION, {"o": self._o})
        self._last, self._last_shared = row.organization, row.environment
        self._environments: dict[int, int | None] = {}

    def require_kept(self, end: int) -> None:
        """Raise PastUnavailable if nothing up to a time can be told."""
        require_kept(self._name, self._row, Microseconds(end))

    def start(
        self, since: datetime | None, after: int | None, now: Microseconds
    ) -> tuple[model.Revision, int]:
        """The state to begin with, and its time: the first that is asked about and that the log still has."""
        if after is not None:
            after = model.require_number("after", after, least=0, most=self._last)
        elif since is not None and model.microseconds(since) > self._row.created_at:
            return self._moment(since, now)
        number = max(after or 0, self._row.start or 0)
        if number:
            return self._moment(number, now)
        return self._store.seals.revision(self._o, 0, 0), 0

    def history(
        self,
        subject: str | None,
        asked: Asked,
        start: tuple[model.Revision, int],
        now: int,
        until: int,
        most: int,
    ) -> AccessHistory:
        replay = self._replay(subject, asked, start)
        self._find_beginnings(replay, start, most)
        next_after = self._follow(replay, until, most)
        if next_after is None:
            replay.pass_to(min(now, until))
            periods = replay.ended + [p for each in replay.lasting.values() for p in each.values()]
        else:
            periods = replay.ended
        told = {period.way.subject for period in periods} | {subject}
        id_changes = tuple(e for e in replay.id_changes if not told.isdisjoint((e.former, e.new)))
        return AccessHistory(self._told(periods), next_after, self.life, self.lives, id_changes)

    def _moment(self, at: datetime | int, now: Microseconds) -> tuple[model.Revision, int]:
        found = moment_of(self._store, self._name, AtOf(self._o, at), now)
        return found.revision, found.at

    def _replay(
        self, subject: str | None, asked: Asked, start: tuple[model.Revision, int]
    ) -> AccessReplay:
        revision, at = start
        state, environment = replayed(
            self._store, self._name, revision, most_facts=self._most_facts
        )
        replay = AccessReplay(state, environment, subject, asked, at)
        replay.begin()
        return replay

    def _follow(
        self, replay: AccessReplay, until: int, most: int, up_to: model.Revision | None = None
    ) -> int | None:
        """Move along the logs; the revision to go on after, if there is more than may be looked at."""
        after, shared = replay.state.revision, replay.environment.revision
        last = self._last if up_to is None else up_to.organization
        last_shared = self._last_shared if up_to is None else up_to.environment
        rows = recorded_changes(self._store, self._o, after=after, up_to=last)
        others = recorded_changes(self._store, ENVIRONMENT_NUMBER, after=shared, up_to=last_shared)
        steps = follow_access(replay, _until(rows, until), _until(others, until))
        try:
            for count, row in enumerate(steps, 1):
                require_room(replay.state, self._most_facts)
                # the environment's change that caused a row comes after it: no answer ends between the two
                if count >= most and row.revision < last and row.caused_by is None:
                    return row.revision
        except LogDoesNotFit as error:
            hint = "`rescind log verify` tells whether it was altered"
            raise PastUnavailable(why=f"the log cannot be replayed: {error}", hint=hint) from error
        return None

    # --- when what is held at the beginning began -------------------------------------------------

    def _find_beginnings(
        self, replay: AccessReplay, start: tuple[model.Revision, int], most: int
    ) -> None:
        """Give what lasts at the beginning the change that began it: by its facts where these tell surely,
        else by the log before, if that has no more changes than may be looked at.
        """
        unsure = [p for p in _lasting(replay) if not self._is_told(replay, p)]
        if not unsure:
            return
        first = self.start(None, None, Microseconds(0))
        if start[0].organization - first[0].organization > most:
            return
        earlier = self._replay(replay.subject, replay.asked, first)
        for period in _lasting(earlier):
            self._is_told(earlier, period)
        self._follow(earlier, LATEST, LATEST, start[0])
        earlier.pass_to(start[1])
        for period in unsure:
            found = earlier.lasting.get(period.way.subject, {}).get(period.way)
            if found is not None:
                period.chain, period.began = found.chain, found.began

    def _is_told(self, replay: AccessReplay, period: Period) -> bool:
        """Whether facts tell when it began; then they have told it."""
        since = period.began.revision or 0
        state, environment = replay.state, replay.environment
        way, chain = period.way, period.chain
        is_told = is_told_by_facts(
            state, environment, replay.asked, way, chain, since, self._environment_at
        )
        if is_told:
            period.began = Mark(CauseKind.CHANGE, 0, since)
        return is_told

    def _environment_at(self, number: int) -> int | None:
        params = {"o": self._o, "at": LATEST, "after": number - 1, "up_to": number}
        if number not in self._environments:
            rows = self._store.fetch(FIND_PAST_REVISION, params)
            self._environments[number] = rows[0].environment if rows else None
        return self._environments[number]

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
            if mark.kind is CauseKind.BEFORE:
                return Cause(mark.kind, model.moment(mark.at))
            if not mark.at and head is None:  # facts name a change that the kept log does not have
                return Cause(CauseKind.BEFORE, self._kept_from(), mark.revision)
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
        return tuple(sorted(found, key=_place))

    def _kept_from(self) -> datetime:
        """When the log that is kept begins: read again, as it may have been pruned since."""
        row = life_of(self._store, self._name, self.life.number)[0].row
        return model.moment(row.created_at if row.start_at is None else row.start_at)

    def _heads(self, o: OrganizationNumber, revisions: set[int | None]) -> dict[int, ChangeHeadRow]:
        wanted = iter(sorted(revision for revision in revisions if revision))
        found: dict[int, ChangeHeadRow] = {}
        while part := list(islice(wanted, _HEADS)):
            params = {"o": o, "revisions": json.dumps(part)}
            rows = self._store.fetch(READ_CHANGE_HEADS, params)
            found.update((row.revision, row) for row in rows)
        return found


def _place(period: AccessPeriod) -> tuple[object, ...]:
    """Where a period comes in an answer: the same place each time."""
    began, ended = period.began, period.ended
    lasts, end = ended is None, began.at if ended is None else ended.at
    return began.at, began.revision or 0, period[:6], lasts, end


def _lasting(replay: AccessReplay) -> list[Period]:
    return [period for each in replay.lasting.values() for period in each.values()]


def _until(rows: Iterator[Recorded], end: int) -> Iterator[Recorded]:
    """Those up to the first that was recorded after a time."""
    for row in rows:
        if row.recorded_at > end:
            return
        yield row
