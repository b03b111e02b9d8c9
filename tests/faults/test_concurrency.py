"""Two changes at once on PostgreSQL at READ COMMITTED: never a stale allow, a lost grant or a cycle.

The guard is the lock on the organization's row. Each anomaly is shown to appear without it.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from rescind import ENVIRONMENT, Authority, changes
from rescind.changes import Change
from rescind.errors import (
    NestingCycle,
    PermissionExists,
    RescindError,
    ResourceTypeExists,
    RoleExists,
)
from rescind.propagation.schedule import due
from rescind.propagation.work import Work
from rescind.store import open_store
from tests.faults.small import Steady, settle
from tests.probe import Probe, probe_of

ROUNDS = 500
WITHOUT_THE_LOCK = "FOR NO KEY UPDATE"

Scenario = Callable[[int], tuple[list[Change], Change, Change]]


def last_two_sources(n: int) -> tuple[list[Change], Change, Change]:
    """A membership in two groups that flow into one: it leaves both at once."""
    member = (f"user:{n}",)
    return (
        [
            changes.AddMembership(subject=member[0]),
            changes.AddMembers(group="g1", members=member),
            changes.AddMembers(group="g2", members=member),
        ],
        changes.RemoveMembers(group="g1", members=member),
        changes.RemoveMembers(group="g2", members=member),
    )


def grant_and_revoke(n: int) -> tuple[list[Change], Change, Change]:
    """A membership joins one of the two groups while it leaves the other."""
    member = (f"user:{n}",)
    return (
        [
            changes.AddMembership(subject=member[0]),
            changes.AddMembers(group="g2", members=member),
        ],
        changes.AddMembers(group="g1", members=member),
        changes.RemoveMembers(group="g2", members=member),
    )


def opposite_nestings(n: int) -> tuple[list[Change], Change, Change]:
    """Two groups are nested into each other at once."""
    left, right = f"left{n}", f"right{n}"
    return (
        [changes.CreateGroup(group=left), changes.CreateGroup(group=right)],
        changes.NestGroup(group=left, into=right),
        changes.NestGroup(group=right, into=left),
    )


def stale_allows(database: str) -> int:
    """Effective roles of memberships that no group reaches any more."""
    return _count(
        database,
        "SELECT count(*) FROM rescind.effective_role e WHERE NOT EXISTS ("
        " SELECT 1 FROM rescind.group_member gm"
        " WHERE gm.organization = e.organization AND gm.membership = e.membership)",
    )


def lost_grants(database: str) -> int:
    """Memberships in a group that flows into the one with the role, without the effective role."""
    return _count(
        database,
        "SELECT count(*) FROM rescind.group_member gm WHERE NOT EXISTS ("
        " SELECT 1 FROM rescind.effective_role e"
        " WHERE gm.organization = e.organization AND gm.membership = e.membership)",
    )


def cycles(database: str) -> int:
    """Pairs of groups that are nested into each other."""
    return _count(
        database,
        "SELECT count(*) FROM rescind.nesting a JOIN rescind.nesting b ON b.organization = a.organization"
        " AND b.child = a.parent AND b.parent = a.child",
    )


SCENARIOS: list[tuple[Scenario, Callable[[str], int]]] = [
    (last_two_sources, stale_allows),
    (grant_and_revoke, lost_grants),
    (opposite_nestings, cycles),
]


def _count(database: str, sql: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def two(new_database: Callable[[str], str]) -> Iterator[tuple[str, Authority, Authority]]:
    """Two processes' worth of authorities on one PostgreSQL database, with two groups in a third."""
    database = new_database("postgres")
    with (
        Authority(open_store(database, probe=Probe()), organization="acme") as one,
        Authority(open_store(database, probe=Probe()), organization="acme") as other,
    ):
        one.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="read"),
                changes.DefineRole(role="reader", permissions=("read",)),
                *(changes.CreateGroup(group=group) for group in ("g1", "g2", "top")),
                changes.NestGroup(group="g1", into="top"),
                changes.NestGroup(group="g2", into="top"),
                changes.Assign(role="reader", to="group:top"),
            ]
        )
        yield database, one, other


def _apply_both(authorities: tuple[Authority, Authority], both: list[list[Change]]) -> None:
    """Each authority applies its changes in order, in step with the other."""
    step = threading.Barrier(2)
    failures: list[BaseException] = []

    def work(authority: Authority, mine: list[Change]) -> None:
        try:
            for change in mine:
                step.wait(timeout=30)
                with contextlib.suppress(NestingCycle):
                    authority.apply([change])
        except BaseException as error:
            failures.append(error)
            step.abort()

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(authorities, both, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


@pytest.mark.parametrize(("scenario", "anomalies"), SCENARIOS)
@pytest.mark.parametrize("is_pipelined", [True, False])
def test_no_anomaly_in_any_interleaving(
    two: tuple[str, Authority, Authority],
    monkeypatch: pytest.MonkeyPatch,
    scenario: Scenario,
    anomalies: Callable[[str], int],
    is_pipelined: bool,
) -> None:
    """As they come, and statement by statement with random pauses in between."""
    database, one, other = two
    if not is_pipelined:
        monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: contextlib.nullcontext())
        rng = random.Random(7)
        for authority in (one, other):
            probe_of(authority).before = lambda _: time.sleep(rng.random() / 2_000)
    cases = [scenario(n) for n in range(ROUNDS if is_pipelined else ROUNDS // 4)]
    for start in range(0, len(cases), 100):
        one.apply([change for first, _, _ in cases[start : start + 100] for change in first])
    _apply_both((one, other), [[case[1] for case in cases], [case[2] for case in cases]])
    assert anomalies(database) == 0
    subjects = [(f"user:{n}", "read", None) for n in range(len(cases))]
    effective = [bool(d) for d in one.check_many(subjects)]
    assert effective == [bool(d) for d in one.check_many(subjects, assurance="live")]
    revisions = [entry.revision for entry in one.log()]
    assert revisions == list(range(1, len(revisions) + 1))


@pytest.mark.parametrize(("scenario", "anomalies"), SCENARIOS)
@pytest.mark.parametrize("is_locked", [True, False])
def test_the_lock_is_what_prevents_it(
    two: tuple[str, Authority, Authority],
    monkeypatch: pytest.MonkeyPatch,
    scenario: Scenario,
    anomalies: Callable[[str], int],
    is_locked: bool,
) -> None:
    """Left has done all but commit when right begins: without the lock that is the anomaly."""
    database, one, other = two
    if not is_locked:
        _take_the_lock_out(database)
    monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: contextlib.nullcontext())
    first, left, right = scenario(0)
    one.apply(first)
    left_is_done, right_is_done = threading.Event(), threading.Event()

    def as_left(name: str) -> None:
        if name == "close_change":
            left_is_done.set()
            _until(lambda: right_is_done.is_set() or _waits_for_a_lock(database))

    def as_right(name: str) -> None:
        _until(left_is_done.is_set)
        if name == "close_change":
            right_is_done.set()

    probe_of(one).before, probe_of(other).before = as_left, as_right
    _apply_both((one, other), [[left], [right]])
    assert anomalies(database) == (0 if is_locked else 1 if anomalies is not cycles else 2)


OF_THE_ROW = "AND revision = CAST(("


@pytest.mark.parametrize("is_compared", [True, False])
def test_a_change_comes_while_a_chunk_settles(
    two: tuple[str, Authority, Authority], monkeypatch: pytest.MonkeyPatch, is_compared: bool
) -> None:
    """It has written to pending work that a chunk is about to delete, and commits while the chunk waits for
    it: that work stays pending. Control: where the chunk does not compare the row's revision, what the
    change took away is never unmade.
    """
    database, one, other = two
    monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: contextlib.nullcontext())
    members = ("user:1", "user:2")
    one.apply([changes.AddMembership(subject=subject) for subject in members])
    one.apply([changes.AddMembers(group="g1", members=members)], route="background")
    if not is_compared:
        queries: dict[str, str] = one.store.queries  # type: ignore[attr-defined]
        start = queries["settle_pending"].index(OF_THE_ROW)
        queries["settle_pending"] = queries["settle_pending"][:start]
    has_written, may_commit = threading.Event(), threading.Event()

    def change() -> None:
        with other.store.connection() as connection:
            remove = changes.RemoveMembers(group="g1", members=("user:2",))
            other.apply([remove], route="background", within=connection)
            has_written.set()
            _until(lambda: may_commit.is_set() and _waits_for_a_lock(database))

    thread = threading.Thread(target=change)

    def before(name: str) -> None:
        if name == "settle_pending" and not has_written.is_set():
            thread.start()
            assert has_written.wait(60)
            may_commit.set()

    probe_of(one).before = before
    (job,) = due(one.store)
    Work(one.store, job).step(Steady(100))
    thread.join()
    left = [work.subject for work in one.pending()]
    settle(one, Steady(100))
    is_right = [bool(one.check(subject, "read")) for subject in members] == [True, False]
    assert (left, is_right) == ((["user:2"], True) if is_compared else ([], False))


DEFINITIONS: dict[str, tuple[type[RescindError], Change]] = {
    "permission": (PermissionExists, changes.DefinePermission(permission="billing:read")),
    "role": (RoleExists, changes.DefineRole(role="auditor")),
    "resource_type": (ResourceTypeExists, changes.DefineResourceType(type="invoice")),
}


@pytest.mark.parametrize("table", DEFINITIONS)
@pytest.mark.parametrize("is_for_all_first", [True, False])
@pytest.mark.parametrize("is_on", [True, False])
def test_a_name_is_defined_on_one_level(
    two: tuple[str, Authority, Authority], table: str, is_for_all_first: bool, is_on: bool
) -> None:
    """Also where it is defined for all organizations and in one at the same time: the later one waits, and is
    refused. Without the lock it is defined on both.
    """
    database, one, other = two
    error, define = DEFINITIONS[table]
    names = (ENVIRONMENT, "acme") if is_for_all_first else ("acme", ENVIRONMENT)
    refused: list[RescindError] = []

    def second() -> None:
        try:
            other.apply([define], organization=names[1])
        except error as raised:
            refused.append(raised)

    if not is_on:
        for authority in (one, other):
            probe_of(authority).omitted.add("hold_definitions")
    thread = threading.Thread(target=second)
    with psycopg.connect(database) as connection:
        receipt = one.apply([define], organization=names[0], within=connection)
        thread.start()
        if is_on:
            _until(lambda: _waits_for_a_lock(database))
        else:
            thread.join()
    receipt.enforce()
    thread.join()
    assert bool(refused) is is_on
    named = "slug IN ('billing:read', 'auditor', 'invoice')"
    assert _count(database, f"SELECT count(*) FROM rescind.{table} WHERE {named}") == (
        1 if is_on else 2
    )


def _until(has_come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not has_come():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _waits_for_a_lock(database: str) -> bool:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return _count(database, waiting) > 0


def _take_the_lock_out(database: str) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT pg_get_functiondef('rescind.begin'::regproc)").fetchone()
        assert row is not None
        assert WITHOUT_THE_LOCK in row[0]
        connection.execute(row[0].replace(WITHOUT_THE_LOCK, ""))
