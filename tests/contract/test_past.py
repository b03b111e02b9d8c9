"""Questions about the past: which state is meant, what cannot be asked, snapshots, and pruning."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, DecisionPoint, Reason, changes
from rescind.directory.catching_up import write_events
from rescind.errors import (
    DecisionUnavailable,
    InvalidArgument,
    InvalidCursor,
    InvalidToken,
    OrganizationNotFound,
    PastUnavailable,
    RevisionNotFound,
    StoreUnavailable,
)
from rescind.history import snapshots, states
from rescind.history.facts_look import audit_from_snapshot
from rescind.history.moments import at_of
from rescind.history.snapshots import LOOK_SECONDS, SnapshotWriter
from rescind.history.states import state_at
from rescind.index.build import build_index
from rescind.index.follow import TooFarBehind, read_tail
from rescind.model import OrganizationId, OrganizationNumber, microseconds
from rescind.settings import Settings
from rescind.store import open_store
from tests.clock import SettableClock
from tests.conftest import ENGINES
from tests.probe import Probe
from tests.sql import ours

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
READ = ("user:ada", "doc:read", "doc:1")
ONE = "(SELECT id FROM rescind.organization WHERE slug = '{}')"
names = (f"then{number}" for number in itertools.count())


def run(store: Any, sql: str) -> list[Any]:
    """The rows of a statement of the test's own."""
    with store.connection() as connection:
        cursor = connection.execute(ours(store, sql))
        return list(cursor.fetchall()) if sql.startswith("SELECT") else []


class History:
    """An organization of its own, and a clock that moves an hour before each change."""

    def __init__(self, authority: Authority, clock: SettableClock) -> None:
        self.authority, self.clock, self.name = authority, clock, next(names)
        clock.now = START
        self.do(
            changes.CreateOrganization(),
            changes.DefinePermission(permission="doc:read", critical=True),
            changes.DefineRole(role="reader", permissions=("doc:read",)),
            changes.DefineResourceType(type="doc"),
            changes.CreateResource(resource="doc:1"),
            changes.AddMembership(subject="user:ada"),
        )

    @property
    def now(self) -> datetime:
        assert self.clock.now is not None
        return self.clock.now

    def wait(self, duration: timedelta) -> None:
        """Let time pass."""
        self.clock.now = self.now + duration

    def do(self, *batch: changes.Change) -> Any:
        """Make a change, and return its receipt."""
        self.wait(HOUR)
        return self.authority.apply(list(batch), organization=self.name)

    def ask(self, **at: Any) -> Any:
        """Whether Ada could read the document."""
        return self.authority.check(*READ, organization=self.name, **at)

    def prune(self, before: Any, **options: Any) -> Any:
        """Prune the log, after the events of its changes were written."""
        write_events(self.authority, self.name)
        return self.authority.prune_log(before, organization=self.name, **options)

    def fresh(self) -> Authority:
        """An authority that has no past state in memory."""
        return Authority(self.authority.store, clock=self.clock)


@pytest.fixture(scope="module", params=ENGINES)
def opened(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[tuple[Authority, SettableClock]]:
    """An authority with a clock, shared by the tests of a module."""
    clock = SettableClock()
    store = open_store(new_shared_database(request.param), probe=Probe())
    with Authority(store, clock=clock) as authority:
        yield authority, clock


@pytest.fixture
def history(opened: tuple[Authority, SettableClock]) -> History:
    """An organization of the test's own."""
    return History(*opened)


GIVE = changes.Assign(role="reader", to="user:ada", on="doc:1")
TAKE = changes.Unassign(role="reader", to="user:ada", on="doc:1")


def test_a_time_means_the_newest_change_by_then(history: History) -> None:
    """A change counts from the very microsecond at which it was recorded."""
    history.do(GIVE)
    given = history.now
    history.do(TAKE)
    taken = history.now
    moment = timedelta(microseconds=1)
    asked = (given - moment, given, taken - moment, taken)
    assert [history.ask(at=at).allowed for at in asked] == [False, True, True, False]
    decision = history.ask(at=given)
    assert decision.point is DecisionPoint.PAST
    assert not history.ask()


def test_a_revision_is_named_by_its_token_or_its_number(history: History) -> None:
    """Both mean the same state, and the answer's own token means it again."""
    receipt = history.do(GIVE)
    history.do(TAKE)
    number = receipt.revision.organization
    found = [history.ask(at=receipt.token), history.ask(at=number)]
    assert all(found)
    assert {decision.token for decision in found} == {receipt.token}
    assert not history.ask(at=number + 1)


def test_expiry_is_judged_at_the_time_that_is_asked_about(history: History) -> None:
    """Of a revision, at the time when it was recorded."""
    until = history.now + 3 * HOUR
    receipt = history.do(changes.Assign(role="reader", to="user:ada", on="doc:1", expires_at=until))
    history.wait(10 * HOUR)
    moment = timedelta(microseconds=1)
    assert history.ask(at=until - moment)
    assert not history.ask(at=until)
    assert history.ask(at=receipt.token)


def test_a_change_by_a_slow_clock_is_part_of_its_own_time(history: History) -> None:
    """Where clocks differ, the newest of the changes recorded by then is meant."""
    history.do(GIVE)
    at = history.now
    history.wait(-2 * HOUR)
    history.do(TAKE)
    history.wait(10 * HOUR)
    assert not history.ask(at=at)


def everywhere(history: History, *batch: changes.Change) -> None:
    """Make a change of all organizations."""
    history.authority.apply(list(batch), organization="*")


@pytest.mark.parametrize("is_defined_again", [False, True])
def test_an_assignment_does_not_outlive_a_role_that_a_fast_clock_deleted(
    history: History, is_defined_again: bool
) -> None:
    """A later change of all organizations seems to be older than the deletion, and has it in it."""
    role, permission = f"of-{history.name}", f"{history.name}:read"
    everywhere(history, changes.DefineRole(role=role))
    history.do(changes.Assign(role=role, to="user:ada"))
    history.wait(2 * HOUR)
    everywhere(history, changes.DeleteRole(role=role, cascade=True))
    history.wait(-HOUR)
    at = history.now
    everywhere(history, changes.DefinePermission(permission=permission))
    if is_defined_again:
        everywhere(history, changes.DefineRole(role=role, permissions=(permission,)))
    history.wait(9 * HOUR)
    found = history.authority.permissions_of("user:ada", organization=history.name, at=at)
    assert found.items == ()


def test_the_start_of_a_pruned_log_has_the_definitions_that_it_was_made_with(
    history: History,
) -> None:
    """Also those that a faster clock had made."""
    role, permission = f"of-{history.name}", f"{history.name}:read"
    history.wait(2 * HOUR)
    given = changes.DefineRole(role=role, permissions=(permission,))
    everywhere(history, changes.DefinePermission(permission=permission), given)
    history.wait(-2 * HOUR)
    history.do(changes.Assign(role=role, to="user:ada"))
    at = history.now
    history.wait(5 * HOUR)
    history.do(GIVE)
    history.wait(timedelta(days=40))
    assert history.prune(3).revision == 2
    for asked in (at, 2):
        found = history.fresh().check("user:ada", permission, organization=history.name, at=asked)
        assert found.allowed


def test_a_deleted_organization_is_asked_by_its_name(history: History) -> None:
    """A time finds the organization that had the name then; a number means the present one."""
    history.do(GIVE)
    before = history.now
    history.do(changes.DeleteOrganization(cascade=True))
    gone = history.now
    assert history.ask(at=before)
    assert history.ask(at=gone).reason is Reason.UNKNOWN_ORGANIZATION
    with pytest.raises(OrganizationNotFound):
        history.authority.who_can("doc:read", organization=history.name, at=gone)
    assert history.ask(at=2)
    history.do(changes.CreateOrganization())
    again = history.fresh()
    assert again.check(*READ, organization=history.name, at=before)
    with pytest.raises(RevisionNotFound):
        again.check(*READ, organization=history.name, at=2)


def test_what_cannot_be_asked_says_why(history: History) -> None:
    """And what can be."""
    with pytest.raises(
        PastUnavailable, match=f"created at {history.now.isoformat()}".replace("+", r"\+")
    ):
        history.ask(at=history.now - timedelta(microseconds=1))
    with pytest.raises(InvalidArgument, match="a time that has passed"):
        history.ask(at=history.now + HOUR)
    with pytest.raises(RevisionNotFound):
        history.ask(at=9)
    with pytest.raises(OrganizationNotFound):
        history.authority.check(*READ, organization="nobody", at=1)
    other = History(history.authority, history.clock)
    with pytest.raises(InvalidToken):
        other.ask(at=history.ask().token)
    history.ask(at=1)
    with pytest.raises(InvalidArgument, match="Name one organization"):
        history.authority.check(*READ, organization="*", at=1)
    for wrong in (0, -1, 1.5, True, None, b"1", [], (1, 1), datetime(2026, 3, 2)):
        if wrong is not None:
            with pytest.raises(InvalidArgument):
                history.ask(at=wrong)


@pytest.mark.parametrize(
    "also", [{"at_least": "token"}, {"assurance": "live"}, {"within": object()}]
)
def test_an_answer_about_the_past_is_no_decision(history: History, also: dict[str, Any]) -> None:
    """It cannot be asked with what belongs to decisions."""
    ask = history.authority
    options = {"organization": history.name, "at": 1, **also}
    with pytest.raises(InvalidArgument, match="no access decision"):
        ask.check(*READ, **options)
    with pytest.raises(InvalidArgument, match="no access decision"):
        ask.check_many([READ], **options)
    with pytest.raises(InvalidArgument, match="no access decision"):
        ask.explain(*READ, **options)
    with pytest.raises(InvalidArgument, match="no access decision"):
        ask.who_can("doc:read", **options)
    with pytest.raises(InvalidArgument, match="Name a subject"):
        ask.permissions_of("group:eng", organization=history.name, at=1)


def test_pages_of_a_past_list_are_of_one_state(history: History) -> None:
    """A cursor goes on where its page ended, and is of no use for another state."""
    people = [f"user:{number}" for number in range(5)]
    history.do(*(changes.AddMembership(subject=each) for each in people))
    history.do(*(changes.Assign(role="reader", to=each, on="doc:1") for each in people))
    number = history.ask().revision.organization
    history.do(changes.RemoveMembership(subject="user:3"))
    options = {"organization": history.name, "at": number, "limit": 2}
    found: list[str] = []
    cursor = None
    while True:
        page = history.authority.who_can("doc:read", "doc:1", cursor=cursor, **options)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        last = cursor
    assert found == people
    with pytest.raises(InvalidCursor):
        history.authority.who_can(
            "doc:read", "doc:1", organization=history.name, at=number + 1, cursor=last
        )


def test_text_means_a_number_a_day_a_time_or_a_token() -> None:
    """As the command line and the service take it."""
    assert at_of("12") == 12
    assert at_of("2026-03-03") == datetime(2026, 3, 3, tzinfo=UTC)
    assert at_of("2026-03-03T10:00:00Z") == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert at_of("yBm2-x_") == "yBm2-x_"
    for wrong in ("2026-03-03T10:00", "2026-13-01", "10:00"):
        with pytest.raises(InvalidArgument, match="2027-01-31"):
            at_of(wrong)


# --- snapshots ------------------------------------------------------------------------------------


def kept(history: History) -> list[int]:
    """The revisions of which there is a snapshot."""
    sql = (
        "SELECT revision FROM rescind.snapshot WHERE organization = "
        + ONE.format(history.name)
        + " ORDER BY 1"
    )
    return [row[0] for row in run(history.authority.store, sql)]


def keep_snapshots(history: History, changes_between: int = 3) -> None:
    """Keep what is due."""
    writer = SnapshotWriter(history.authority.store, Settings(snapshot_changes=changes_between))
    while writer.step() != LOOK_SECONDS:
        pass


def grow(history: History, number: int) -> None:
    """Make some changes, an hour apart."""
    for each in range(number):
        history.do(changes.AddMembership(subject=f"user:{history.now.timestamp():.0f}-{each}"))


def test_snapshots_are_kept_once_a_day_or_when_there_are_many_changes(history: History) -> None:
    """The first after so many changes, then at most daily, but after ten times as many at any rate."""
    grow(history, 29)
    keep_snapshots(history)
    assert kept(history) == [3, 27], "24 hours lie between them"
    history.clock.follows = lambda: START + timedelta(days=9)
    for number in range(40):
        history.authority.apply(
            [changes.AddMembership(subject=f"user:many{number}")], organization=history.name
        )
    history.clock.follows = None
    keep_snapshots(history)
    assert kept(history)[2:] == [31, 61], "the day is over at 31; then there are 30 in a day"


def test_a_process_without_the_lease_reads_no_snapshot(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state as large as its organization is made by one process at a time. Control: by the other."""
    grow(history, 3)
    store, made = history.authority.store, list[str]()
    work = snapshots.SnapshotWork

    def noted(store: Any, o: OrganizationNumber, name: OrganizationId, *rest: Any) -> Any:
        made.append(name)
        return work(store, o, name, *rest)

    monkeypatch.setattr(snapshots, "SnapshotWork", noted)
    writers = [SnapshotWriter(store, Settings(snapshot_changes=2)) for _ in range(2)]
    assert writers[0].lease.claim(60)
    assert writers[1].step() == LOOK_SECONDS
    assert made == []
    while writers[0].step() != LOOK_SECONDS:
        pass
    assert history.name in made


def test_a_damaged_snapshot_is_passed_over(history: History) -> None:
    """The one before is taken, and the answer is the same."""
    history.do(GIVE)
    grow(history, 30)
    keep_snapshots(history)
    assert len(kept(history)) == 2
    body = "X'00'" if history.authority.store.engine == "sqlite" else "'\\x00'"
    run(
        history.authority.store,
        f"UPDATE rescind.snapshot SET body = {body} WHERE revision = {kept(history)[-1]}"
        " AND organization = " + ONE.format(history.name),
    )
    assert history.fresh().check(*READ, organization=history.name, at=history.now)


def test_a_missing_change_is_an_error_and_no_answer(history: History) -> None:
    """Whoever deletes from the log gets no wrong answer about the past."""
    history.do(GIVE)
    grow(history, 3)
    run(
        history.authority.store,
        "DELETE FROM rescind.change WHERE revision = 2 AND organization = "
        + ONE.format(history.name),
    )
    with pytest.raises(PastUnavailable, match="change 2 is not in the log"):
        history.ask(at=history.now)


def test_a_log_that_cannot_be_replayed_gets_a_snapshot_of_the_tables(history: History) -> None:
    """From there on the past can be asked; before it, never."""
    history.do(GIVE)
    grow(history, 3)
    run(
        history.authority.store,
        "DELETE FROM rescind.change WHERE revision = 3 AND organization = "
        + ONE.format(history.name),
    )
    keep_snapshots(history)
    assert kept(history) == [5]
    grow(history, 2)
    history.wait(timedelta(days=2))
    keep_snapshots(history)
    store, name = history.authority.store, OrganizationId(history.name)
    query = f"SELECT source FROM rescind.snapshot WHERE organization = {ONE.format(name)}"
    assert {source for (source,) in run(store, query)} == {"facts"}, (
        "also the one that follows from it"
    )
    assert audit_from_snapshot(store, name).misfit_at == 4, "the tables do not prove themselves"
    history.do(TAKE)
    fresh = history.fresh()
    asked = [fresh.check(*READ, organization=history.name, at=at).allowed for at in (5, 8)]
    assert asked == [True, False]
    with pytest.raises(PastUnavailable, match="change 3 is not in the log"):
        fresh.check(*READ, organization=history.name, at=4)


def test_states_are_the_callers_own(history: History) -> None:
    """`state_at` returns facts that nobody else uses."""
    history.do(GIVE)
    name = OrganizationId(history.name)
    first, _, revision = state_at(history.authority.store, name, 2)
    assert (first.revision, revision.organization) == (2, 2)
    first.memberships.clear()
    second, _, _ = state_at(history.authority.store, name, 2)
    assert list(second.memberships) == ["user:ada"]


# --- pruning --------------------------------------------------------------------------------------


def test_a_pruned_log_answers_from_its_start_on(history: History) -> None:
    """What was before says what the earliest is; nothing else changes."""
    history.do(GIVE)
    given = history.now
    grow(history, 5)
    history.do(TAKE)
    history.wait(timedelta(days=40))
    plan = history.prune(5, dry_run=True)
    assert (plan.revision, plan.changes, plan.is_done) == (4, 4, False)
    assert history.ask(at=given), "a dry run prunes nothing"
    done = history.prune(5)
    assert (done.revision, done.changes, done.kept, done.held_back) == (4, 4, 4, None)
    fresh = history.fresh()
    assert [entry.revision for entry in fresh.log(organization=history.name)] == [5, 6, 7, 8]
    with pytest.raises(PastUnavailable, match="earliest that can be asked about is revision 4"):
        fresh.check(*READ, organization=history.name, at=given)
    with pytest.raises(PastUnavailable, match="earliest"):
        fresh.check(*READ, organization=history.name, at=3)
    asked = [fresh.check(*READ, organization=history.name, at=at).allowed for at in range(4, 9)]
    assert asked == [True, True, True, True, False]
    again = fresh.prune_log(5, organization=history.name)
    assert (again.changes, again.revision) == (0, 4)
    (verified,) = fresh.verify_log(organization=history.name)
    assert (verified.fits, verified.after, verified.rows) == (True, 4, 4)


def test_what_is_still_needed_is_not_pruned(history: History) -> None:
    """Young changes and the newest; the plan says what holds it back."""
    grow(history, 4)
    young = history.prune(history.now)
    assert (young.changes, young.held_back) == (0, "changes of the last 31 days stay")
    history.wait(timedelta(days=40))
    newest = history.prune(99)
    assert (newest.revision, newest.held_back) == (4, "the newest change stays")
    everywhere = history.authority.prune_log(99, organization="*")
    assert everywhere.changes == 0
    with pytest.raises(OrganizationNotFound):
        history.authority.prune_log(1, organization="nobody")
    with pytest.raises(InvalidArgument):
        history.prune("soon")


def test_changes_without_events_are_not_pruned(history: History) -> None:
    """The directory tells of each change once; of what was pruned it could not."""
    grow(history, 4)
    history.wait(timedelta(days=40))
    plan = history.authority.prune_log(4, organization=history.name, dry_run=True)
    assert (plan.changes, plan.held_back) == (0, "events are written up to revision 0")
    assert history.prune(4, dry_run=True).changes == 3


def test_unsettled_changes_are_not_pruned(history: History) -> None:
    """Background work settles them by their row in the log."""
    history.do(
        changes.CreateGroup(group="eng"), changes.AddMembers(group="eng", members=("user:ada",))
    )
    history.wait(HOUR)
    history.authority.apply(
        [changes.Assign(role="reader", to="group:eng", on="doc:1")],
        organization=history.name,
        route="background",
    )
    grow(history, 3)
    history.wait(timedelta(days=40))
    plan = history.prune(99, dry_run=True)
    assert (plan.revision, plan.held_back) == (2, "revision 3 is not settled")


def test_an_interrupted_pruning_goes_on(history: History) -> None:
    """The log's start is moved first. Until the rest is deleted, later times are answered as ever."""
    history.do(GIVE)
    grow(history, 4)
    history.wait(timedelta(days=40))
    probe = history.authority.store.probe  # type: ignore[attr-defined]

    def stop(query: str) -> None:
        if query == "forget_log":
            raise StoreUnavailable(why="the test stops it here")

    probe.before = stop
    try:
        with pytest.raises(StoreUnavailable):
            history.prune(5)
    finally:
        probe.before = None
    fresh = history.fresh()
    assert fresh.check(*READ, organization=history.name, at=4)
    done = fresh.prune_log(5, organization=history.name)
    assert done.changes == 4
    assert [entry.revision for entry in fresh.log(organization=history.name)] == [5, 6]
    assert history.fresh().check(*READ, organization=history.name, at=4)


def test_nothing_is_pruned_of_a_log_that_cannot_be_replayed(history: History) -> None:
    """There would be no snapshot, and so no past at all."""
    grow(history, 5)
    run(
        history.authority.store,
        "DELETE FROM rescind.change WHERE revision = 2 AND organization = "
        + ONE.format(history.name),
    )
    history.wait(timedelta(days=40))
    with pytest.raises(PastUnavailable):
        history.prune(5)
    assert len(list(history.authority.log(organization=history.name))) == 5


def test_a_cached_index_does_not_follow_a_pruned_log(history: History) -> None:
    """Whoever was away meanwhile reads the facts anew. (Control: before that, the log is followed.)"""
    store = history.authority.store
    history.do(GIVE)
    o = OrganizationNumber(history.ask().revision.incarnation)
    index, revision = build_index(store, o)
    history.do(TAKE)
    grow(history, 3)
    assert read_tail(store, index, revision) is not None
    history.wait(timedelta(days=40))
    assert history.prune(5).changes == 4
    with pytest.raises(TooFarBehind):
        read_tail(store, index, revision)


def test_questions_about_the_past_are_made_few_at_a_time(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While two states are being made and others wait, the next is refused at once."""
    past = states.PastStates(
        history.authority.store, lambda: microseconds(history.now), Settings(past_megabytes=1)
    )
    assert past.find(OrganizationId(history.name), 1).index is not None
    other = History(history.authority, history.clock)
    monkeypatch.setattr(states, "MOST_WAITING", 0)
    with pytest.raises(DecisionUnavailable, match="others ask about the past"):
        past.find(OrganizationId(other.name), 1)
    assert past.find(OrganizationId(history.name), 1).index is not None, "it is in memory"


def test_no_more_is_held_in_memory_than_is_set(history: History) -> None:
    """Also of tiny and deleted organizations, and where a state goes before what it means is remembered."""
    for _ in range(3):
        history.do(changes.RenameMembership(subject="user:ada", name=str(history.now)))
    name, revision = (
        OrganizationId(history.name),
        history.authority.check(*READ, organization=history.name).revision,
    )
    past = states.PastStates(
        history.authority.store, lambda: microseconds(history.now), Settings(past_megabytes=0)
    )
    found = [past.find(name, at) for at in (1, 2, 3)]
    assert list(past.indexes) == [found[-1].revision]
    assert [known.state for known in past.moments.values()] == found[-1:]
    past.remember((name, 1), found[0])
    assert len(past.moments) == 1, "its index is kept no more"
    past = states.PastStates(
        history.authority.store, lambda: microseconds(history.now), Settings(past_megabytes=1)
    )
    assert revision is not None
    for number in range(1_000):
        past.keep(replace(revision, organization=number), None)
    assert len(past.indexes) == 1_000_000 // states.STATE_BYTES
