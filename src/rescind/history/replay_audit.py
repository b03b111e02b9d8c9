"""The audit by replay: the change log alone, replayed, must give exactly the facts in the tables.

The facts are read at one state, with the revisions that they have. The log is replayed up to those, so what
is committed meanwhile plays no part. Nothing is repaired: which of the two is right is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rescind.changes import list_from_json
from rescind.errors import InvalidChange, OrganizationNotFound, PastTooLarge
from rescind.history.log_start import log_start
from rescind.history.replay_report import ReplayDifference, ReplayedOrganization, ReplayReport
from rescind.history.replay_watch import Watch
from rescind.history.replaying import (
    PAGE,
    PAGE_CHARACTERS,
    EnvironmentReplay,
    OrganizationReplay,
    require_room,
)
from rescind.history.tables import read_environment, read_states
from rescind.model import ENVIRONMENT, ENVIRONMENT_NUMBER, OrganizationId, OrganizationNumber
from rescind.semantics.replay import (
    EnvironmentLog,
    LogDoesNotFit,
    Recorded,
    apply,
    apply_to_environment,
)
from rescind.semantics.replay.comparing import (
    UNLOCATED,
    FactDifference,
    State,
    Value,
    count_facts,
    differences,
    kinds_of,
)
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.store import Store
from rescind.store.rows.deletion import WEIGH_ORGANIZATION
from rescind.store.rows.facts import LIST_ORGANIZATIONS
from rescind.store.rows.organizations import PLAN
from rescind.store.rows.past import READ_PAST_CHANGES, PastChangeRow

MOST_SHOWN: Final = 20
"""Differences of one organization that are reported. All are counted."""


class TooManyChanges(Exception):
    """There are more changes to replay than was allowed."""


class _NoStart(Exception):
    """The log was pruned, and there is no snapshot to begin with."""


def audit_replay(
    store: Store, organization: str | None = None, *, most_facts: int = 0
) -> ReplayReport:
    """Compare the facts in the tables with the change log, replayed: of one organization (`*`: what is
    defined for all), or of all; 0 is no limit to the facts. Raises OrganizationNotFound and a StoreError.
    """
    return ReplayReport([*_audited(store, organization, most_facts)])


def audit_organization(
    store: Store,
    o: OrganizationNumber,
    name: OrganizationId,
    *,
    from_snapshot: bool = False,
    most_changes: int | None = None,
    most_facts: int = 0,
) -> ReplayedOrganization | None:
    """The same for one organization, or of what is defined for all; None if it was deleted.

    With `from_snapshot` only the changes after the newest snapshot are replayed. Raises TooManyChanges if
    those are more than `most_changes`.
    """
    if most_facts and o != ENVIRONMENT_NUMBER:
        (weight,) = store.fetch(WEIGH_ORGANIZATION, {"o": o, "most": most_facts, "takes": False})
        if weight.pairs > most_facts:
            return ReplayedOrganization(name, 0, 0, unaudited=_too_large(most_facts))
    with store.snapshot() as snapshot:
        if o == ENVIRONMENT_NUMBER:
            shared = read_environment(snapshot)
            tables: tuple[State, EnvironmentState] = (shared, shared)
        else:
            kept = read_states(snapshot, name, o)
            if kept.organization.settings is None:
                return None
            tables = (kept.organization, kept.environment)
    replay = _Replay(
        store,
        o,
        name,
        tables,
        from_snapshot=from_snapshot,
        most=most_changes,
        most_facts=most_facts,
    )
    return replay.result()


def _audited(
    store: Store, organization: str | None, most_facts: int
) -> Iterator[ReplayedOrganization]:
    if organization in (None, ENVIRONMENT):
        found = audit_organization(store, ENVIRONMENT_NUMBER, ENVIRONMENT)
        assert found is not None
        yield found
    if organization == ENVIRONMENT:
        return
    for name in _names(store) if organization is None else [OrganizationId(organization)]:
        (plan,) = store.fetch(PLAN, {"organization": name})
        found = None
        if plan.organization is not None:
            found = audit_organization(store, plan.organization, name, most_facts=most_facts)
        if found is not None:
            yield found
        elif organization is not None:
            raise OrganizationNotFound(organization=organization)


def _names(store: Store) -> Iterator[OrganizationId]:
    after = ""
    while page := store.fetch(LIST_ORGANIZATIONS, {"after": after, "limit": 500}):
        yield from (row.organization for row in page)
        after = page[-1].organization


class _Replay:
    """A log up to the revision that the tables have, and its comparison with them."""

    def __init__(
        self,
        store: Store,
        o: OrganizationNumber,
        name: OrganizationId,
        tables: tuple[State, EnvironmentState],
        *,
        from_snapshot: bool,
        most: int | None,
        most_facts: int,
    ) -> None:
        self._store, self._o, self._name, self._tables = store, o, name, tables
        self._most, self._most_facts = most, most_facts
        start = log_start(store, o)
        self._first = 0 if start is None else start.revision
        self._start = tables[0].revision if from_snapshot else self._first
        self._report = ReplayedOrganization(name, tables[0].revision, self._first)
        logs = (o, ENVIRONMENT_NUMBER)
        self._with_tables = any(_begins_late(store, log) for log in logs)

    def result(self) -> ReplayedOrganization:
        self._compare()
        if not self._report.is_clean:
            self._report.is_upgraded = self._begins_with_old_changes()
        return self._report

    def _compare(self) -> None:
        report = self._report
        try:
            try:
                logged = self._replayed()
            except _NoStart:
                self._start = report.revision
                logged = self._replayed()
        except LogDoesNotFit as error:
            report.misfit_at, report.misfit = error.revision, error.why
            return
        except PastTooLarge:
            report.unaudited = _too_large(self._most_facts)
            return
        except _NoStart:
            report.unaudited = f"the log begins after revision {self._first}, without a snapshot"
            return
        report.facts = count_facts(logged[0])
        shown: list[FactDifference] = []
        for found in differences(logged, self._tables):
            report.differing += 1
            if len(shown) < MOST_SHOWN:
                shown.append(found)
        if shown:
            parts = self._located(shown)
            report.differences = [_told(found, logged[0], parts) for found in shown]

    def _begins_with_old_changes(self) -> bool:
        return _is_old(self._store, self._o, self._first)

    def _replayed(self, watch: Watch | None = None) -> tuple[State, EnvironmentState]:
        """The states that the log gives. Raises LogDoesNotFit."""
        if self._o == ENVIRONMENT_NUMBER:
            return self._replayed_environment(watch)
        state, log = self._beginning()
        rows = _rows(self._store, self._o, after=state.revision, up_to=self._tables[0].revision)
        for self._report.changes, row in enumerate(rows, 1):
            _lead(log, row)
            apply(state, log.environment, row)
            require_room(state, self._most_facts)
            if watch is not None:
                watch.look(state, log.environment)
        _require_whole(state, self._tables[0].revision)
        log.advance(self._tables[1].revision)
        if watch is not None:
            watch.look(state, log.environment)
        return state, log.environment

    def _beginning(self) -> tuple[OrganizationState, EnvironmentLog]:
        begin = OrganizationReplay(
            self._store,
            self._o,
            self._name,
            up_to=self._start,
            most_facts=self._most_facts,
            with_tables=self._with_tables,
        )
        self._begin_after(begin.state.revision)
        environment = begin.environment.state
        rows = _rows(self._store, ENVIRONMENT_NUMBER, after=environment.revision, up_to=None)
        return begin.state, EnvironmentLog(environment, rows)

    def _begin_after(self, revision: int) -> None:
        if revision < self._first:
            raise _NoStart
        if self._most is not None and self._tables[0].revision - revision > self._most:
            raise TooManyChanges
        self._report.since = revision

    def _replayed_environment(self, watch: Watch | None) -> tuple[State, EnvironmentState]:
        state = EnvironmentReplay(self._store, self._start, with_tables=self._with_tables).state
        self._begin_after(state.revision)
        rows = _rows(self._store, self._o, after=state.revision, up_to=self._tables[0].revision)
        for self._report.changes, row in enumerate(rows, 1):
            apply_to_environment(state, row)
            if watch is not None:
                watch.look(state, state)
        _require_whole(state, self._tables[0].revision)
        return state, state

    def _located(self, shown: list[FactDifference]) -> dict[FactDifference, int | None]:
        """For each difference the first revision from which on the log never has it as the tables do."""
        watch = Watch([found for found in shown if found.kind not in UNLOCATED])
        self._replayed(watch)
        return watch.parts_at()


def _too_large(most_facts: int) -> str:
    return f"it has more than {most_facts:,} facts, the limit of the setting `past_most_facts`"


def _rows(
    store: Store, o: OrganizationNumber, *, after: int, up_to: int | None
) -> Iterator[Recorded]:
    """An organization's changes after a revision, page by page.

    Raises LogDoesNotFit for one that cannot be read.
    """
    while rows := _page(store, o, after=after, up_to=up_to):
        for row in rows:
            after = row.revision
            try:
                changes = list_from_json(row.body)
            except InvalidChange as error:
                raise LogDoesNotFit(after, f"its changes cannot be read: {error}") from error
            yield Recorded(after, row.recorded_at, changes, row.environment, row.caused_by)


def _page(
    store: Store, o: OrganizationNumber, *, after: int, up_to: int | None
) -> list[PastChangeRow]:
    most = 2**63 - 1 if up_to is None else up_to
    params = {"o": o, "after": after, "up_to": most, "limit": PAGE, "characters": PAGE_CHARACTERS}
    return store.fetch(READ_PAST_CHANGES, params)


def _begins_late(store: Store, o: OrganizationNumber) -> bool:
    """Whether a log was pruned, or begun by an older version: then snapshots of the tables count, too.

    Elsewhere none counts: where the log was damaged, the tables would be compared with themselves.
    """
    return log_start(store, o) is not None or _is_old(store, o, 0)


def _is_old(store: Store, o: OrganizationNumber, after: int) -> bool:
    """Whether the change after a revision was recorded by an older version."""
    first = _page(store, o, after=after, up_to=after + 1)
    return bool(first) and first[0].environment is None


def _lead(log: EnvironmentLog, row: Recorded) -> None:
    """Move the environment to where it was for a row. What does not fit in its log is told at the row."""
    try:
        log.lead_to(row)
    except LogDoesNotFit as error:
        raise LogDoesNotFit(row.revision, f"in the log of all organizations, {error}") from error


def _require_whole(state: State, revision: int) -> None:
    if state.revision < revision:
        raise LogDoesNotFit(state.revision + 1, "it is not in the log, but the tables have it")


def _told(
    found: FactDifference, logged: State, parts: dict[FactDifference, int | None]
) -> ReplayDifference:
    return ReplayDifference(
        found.kind,
        found.name,
        _shown(found.in_log),
        _shown(found.in_tables),
        kinds_of(logged)[found.kind].changed(logged, found.key),
        parts.get(found),
    )


def _shown(value: Value | None) -> str | None:
    if value is None:
        return None
    parts = [str(part) for part in value if part not in (None, "")]
    return ", ".join(parts) or "there"
