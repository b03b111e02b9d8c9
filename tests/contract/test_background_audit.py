"""The background audit sees drift, goes on after a restart, and gives no access that the facts do not."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.history import facts_look as history_look
from rescind.history.facts_look import facts_look
from rescind.insight.metrics.catalogue import AUDIT_COMPLETED, AUDIT_DRIFT
from rescind.insight.metrics.database import DatabaseFigures
from rescind.model import Assurance
from rescind.propagation import background_audit
from rescind.propagation.audit_history import AuditHistory, read_history, read_state
from rescind.propagation.background_audit import BackgroundAudit
from rescind.propagation.comparison import Comparison
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.rows.audit_rounds import FIND_AUDIT_ORGANIZATION
from tests.contract.test_audit import by_hand, given, of, row, settle_all
from tests.state import may

BUDGET = 100
SETTINGS = Settings(audit_rows_per_second=BUDGET, audit_pause_seconds=0)
REPAIRING = replace(SETTINGS, audit_repair=True)
SURPLUS = row(of("user:bob"), given("writer"))
LACK = f"DELETE FROM rescind.effective_role WHERE membership = {of('user:ada')}"


class Clock:
    """Moves when the audit rests."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def auditor(authority: Authority, settings: Settings = SETTINGS) -> tuple[BackgroundAudit, Clock]:
    clock = Clock()
    return BackgroundAudit(authority.store, settings, clock=clock), clock


def steps(audit: BackgroundAudit, clock: Clock, most: int) -> list[float]:
    """Steps of a round, at most so many, with the rests between them."""
    rests = []
    for _ in range(most):
        rests.append(audit.step())
        if rests[-1] == background_audit.LOOK_SECONDS:
            break
        clock.now += rests[-1]
    return rests


def one_round(authority: Authority, settings: Settings = SETTINGS) -> AuditHistory:
    """A whole round, and what is known then."""
    audit, clock = auditor(authority, settings)
    before = read_state(authority.store).last_completed_at
    steps(audit, clock, 1_000)
    assert read_state(authority.store).last_completed_at != before
    return read_history(authority.store)


def test_metrics_tell_the_drift_and_the_last_round(acme: Authority) -> None:
    """0 and never at first; then what the last round has left, and when it was complete."""
    assert figures(acme) == (0, 0)
    by_hand(acme, SURPLUS)
    round_ = one_round(acme).rounds[0]
    assert round_.completed_at is not None
    assert figures(acme) == (1, pytest.approx(round_.completed_at.timestamp()))


def round_of_facts(authority: Authority) -> AuditHistory:
    """A whole round that looks at the facts as well."""
    clock, looks = Clock(), facts_look(authority.store)
    steps(BackgroundAudit(authority.store, SETTINGS, facts=looks, clock=clock), clock, 1_000)
    return read_history(authority.store)


def test_facts_that_differ_from_the_log(acme: Authority) -> None:
    """They are found, kept as drift until they are so no more, and never repaired. Control: without the look
    at the facts they are not.
    """
    acme.apply([changes.DefinePermission(permission="all")], organization="*")
    assert round_of_facts(acme).drift == []
    name = "UPDATE rescind.membership SET name = {} WHERE subject = 'user:bob'"
    shared = "UPDATE rescind.permission SET critical = {} WHERE slug = 'all'"
    by_hand(acme, name.format("'Eve'"))
    by_hand(acme, shared.format("TRUE"))
    assert one_round(acme).drift == []
    found = {drift.organization: drift for drift in round_of_facts(acme).drift}
    assert found.keys() == {"acme", "*"}
    assert found["acme"].example.startswith("membership user:bob: by the log active, in the tables")
    assert (found["acme"].surplus, found["acme"].missing, found["acme"].group) == (1, 0, None)
    assert found["*"].example.startswith("permission all")
    assert all(drift.ended_at is None for drift in found.values())
    by_hand(acme, name.format("NULL"))
    by_hand(acme, shared.format("FALSE"))
    assert all(drift.ended_at for drift in round_of_facts(acme).drift)


def test_a_log_that_does_not_fit(acme: Authority) -> None:
    by_hand(acme, "UPDATE rescind.change SET body = '[]' WHERE revision = 1")
    (drift,) = round_of_facts(acme).drift
    assert "the log does not fit at revision 1" in drift.example


def test_large_organizations_are_left_out(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their facts, or their changes since the last snapshot, are too many to be read at once."""
    by_hand(acme, "UPDATE rescind.membership SET name = 'Eve' WHERE subject = 'user:bob'")
    monkeypatch.setattr(history_look, "MOST_ROWS", 0)
    assert round_of_facts(acme).drift == []


def figures(authority: Authority) -> tuple[float, float]:
    """Drift, and when a round was complete."""
    found = DatabaseFigures(authority.store).read()
    return found[AUDIT_DRIFT.name][()], found[AUDIT_COMPLETED.name][()]


def test_a_round_sees_drift(acme: Authority) -> None:
    """A row too many and a row too few, by group and since when; and that they are gone, once they are."""
    assert read_state(acme.store) == (0, None)
    by_hand(acme, SURPLUS)
    by_hand(acme, LACK)
    first = one_round(acme)
    drift = {each.group: (each.missing, each.surplus) for each in first.drift}
    assert drift == {"staff": (1, 0), "eng": (1, 1)}
    assert (first.rounds[0].missing, first.rounds[0].surplus) == (2, 1)
    assert read_state(acme.store).drift_rows == 3
    assert all(each.ended_at is None and not each.repaired for each in first.drift)
    assert any(each.example.startswith("user:") for each in first.drift)
    assert (first.rounds[0].organizations, first.rounds[0].memberships) == (1, 4)
    second = one_round(acme)
    assert {each.since for each in second.drift} == {each.since for each in first.drift}
    assert all(each.since < each.seen_at for each in second.drift)
    background_repair = one_round(acme, REPAIRING)
    assert all(e.repaired == e.missing + e.surplus for e in background_repair.drift)
    settle_all(acme)
    last = one_round(acme)
    assert read_state(acme.store).drift_rows == 0
    assert len(last.drift) == len(first.drift)
    assert all(each.ended_at is not None for each in last.drift)
    assert not may(acme, "user:bob", "write", "doc:1")


def test_control_without_the_comparison(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: with the comparison off, the same drift is not seen."""
    by_hand(acme, SURPLUS)
    monkeypatch.setattr("rescind.propagation.comparison.differences", lambda *_: iter(()))
    assert one_round(acme).drift == []


def test_what_is_pending_is_no_drift(acme: Authority) -> None:
    """What pending work may still put right is counted as not settled."""
    leave = [changes.RemoveMembers(group="eng", members=("user:ada",))]
    acme.apply(leave, route="background")
    history = one_round(acme)
    assert history.drift == []
    assert history.rounds[0].unsettled > 0


def test_repairs_only_when_told(acme: Authority) -> None:
    """Without the setting nothing is touched; with it, rows are right or pending."""
    by_hand(acme, SURPLUS)
    one_round(acme)
    assert acme.pending() == []
    one_round(acme, REPAIRING)
    assert {(work.kind, work.group) for work in acme.pending()} == {("member", "eng")}


@pytest.mark.parametrize("is_direct", [True, False], ids=["direct", "group"])
def test_a_repair_gives_nothing_that_was_taken_meanwhile(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, is_direct: bool
) -> None:
    """Access that was seen missing, and that a change takes away before the repair, is not given."""
    direct, in_group = ("agent:bot", "write", "folder:b"), ("user:ada", "write", "doc:1")
    who, permission, resource = direct if is_direct else in_group
    assert may(acme, who, permission, resource)
    by_hand(acme, f"DELETE FROM rescind.effective_role WHERE membership = {of(who)}")
    taken = changes.RemoveMembership(subject=who)
    compare = background_audit.compare

    def overtaken(store: Store, o: Any, **names: Any) -> Comparison:
        compared = compare(store, o, **names)
        if compared.drifting:
            monkeypatch.undo()
            acme.apply([taken])
        return compared

    monkeypatch.setattr(background_audit, "compare", overtaken)
    one_round(acme, REPAIRING)
    settle_all(acme)
    assert not may(acme, who, permission, resource)
    one_round(acme)
    assert read_state(acme.store).drift_rows == 0


def test_a_round_goes_on_after_a_restart(acme: Authority) -> None:
    """Each membership is counted once, whoever goes on and wherever the one before stopped."""
    by_hand(acme, SURPLUS)
    expected = one_round(acme).rounds[0]
    for stopped_after in range(6):
        audit, clock = auditor(acme)
        steps(audit, clock, stopped_after)
        by_hand(acme, "UPDATE rescind.task_lease SET expires_at = 0")  # it was killed
        done = one_round(acme).rounds[0]
        assert (done.memberships, done.effective_roles, done.surplus) == (
            expected.memberships,
            expected.effective_roles,
            expected.surplus,
        )


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_two_at_once_count_once(acme: Authority, is_guarded: bool) -> None:
    """A process that comes back after its lease ended records nothing more. Control: without the guard it
    counts again.
    """
    if not is_guarded:
        unguarded(acme)
    late, clock = auditor(acme)
    expected = one_round(acme).rounds[0].memberships
    late.step()
    clock.now += 100
    by_hand(acme, "UPDATE rescind.task_lease SET expires_at = 0")
    other, others_clock = auditor(acme)
    steps(other, others_clock, 2)
    others_clock.now += 100
    other.step()
    steps(late, clock, 1_000)
    steps(other, others_clock, 1_000)
    counted = read_history(acme.store).rounds[0].memberships
    assert (counted == expected) is is_guarded


def unguarded(authority: Authority) -> None:
    """The checkpoint moves wherever it was."""
    queries = authority.store.queries  # type: ignore[attr-defined]
    sql = queries["advance_audit"]
    at = sql.index("AND completed_at IS NULL AND organization =")
    queries["advance_audit"] = sql[:at]


def test_one_at_a_time(acme: Authority) -> None:
    """While a process is at it, another one reads nothing but whether a round is due."""
    audit, _ = auditor(acme)
    audit.step()
    other, _ = auditor(acme)
    assert other.step() == background_audit.LOOK_SECONDS
    assert other.progress is None


def test_pauses_between_rounds(acme: Authority) -> None:
    """The next round begins when the pause is over, for every process."""
    one_round(acme)
    waiting = replace(SETTINGS, audit_pause_seconds=20.0)
    audit, _ = auditor(acme, waiting)
    assert 0 < audit.step() <= 20
    by_hand(acme, "UPDATE rescind.audit_round SET completed_at = completed_at - 21000000")
    audit.step()
    assert audit.progress is not None


def test_keeps_to_its_budget(acme: Authority) -> None:
    """The rests are as long as what was read takes at the budget; one read takes no more than half a second
    of it, once it is known how many rows a membership has.
    """
    subjects = [f"user:n{n}" for n in range(200)]
    acme.apply([changes.AddMembership(subject=subject) for subject in subjects])
    audit, clock = auditor(acme)
    rests = steps(audit, clock, 1_000)
    history = read_history(acme.store)
    read = history.rounds[0].effective_roles + history.rounds[0].memberships
    assert clock.now >= read / BUDGET
    assert max(rests[:-1]) <= 2 * background_audit.READ_SECONDS


def test_many_organizations(acme: Authority) -> None:
    """All are compared, also one that is deleted during the round, of which nothing is told."""
    for name in ("b", "c", "d"):
        acme.apply([changes.CreateOrganization()], organization=name)
        acme.apply([changes.AddMembership(subject="user:x")], organization=name)
    by_hand(acme, row(of("user:ada"), given("owner")) + " ON CONFLICT DO NOTHING")
    audit, clock = auditor(acme)
    steps(audit, clock, 3)
    acme.apply([changes.DeleteOrganization(cascade=True)], organization="d")
    steps(audit, clock, 1_000)
    history = read_history(acme.store)
    assert history.rounds[0].organizations == 3
    assert read_history(acme.store, organization="b").drift == []


def test_comparing_waits_for_nobody(acme: Authority) -> None:
    """While a change has the organization, some of it is compared as it was before the change."""
    by_hand(acme, SURPLUS)
    (listed,) = acme.store.fetch(FIND_AUDIT_ORGANIZATION, {"o": 0})
    with acme.store.connection() as connection:
        acme.apply([changes.AddMembership(subject="user:new")], within=connection)
        compared = background_audit.compare(acme.store, listed.organization, first=0, memberships=9)
        assert (compared.memberships, len(compared.drifting)) == (4, 1)


SUBJECTS = ("user:ada", "user:bob", "user:cyd", "agent:bot")
QUESTIONS = [
    (subject, permission, resource)
    for subject in SUBJECTS
    for permission in ("read", "write", "purge")
    for resource in (None, "folder:a", "folder:b", "doc:1", "doc:2")
]


def answers(authority: Authority, assurance: Assurance) -> list[bool]:
    """What everybody may, by effective roles (`standard`) or by the facts (`live`)."""
    found = authority.check_many(QUESTIONS, assurance=assurance)
    return [decision.allowed for decision in found]


def corrupt(authority: Authority, random: Random) -> None:
    """Some rows go, come, or get another time, each for anybody and any assignment."""
    rows = f"membership = {of(random.choice(SUBJECTS))}"
    assignments = "SELECT id FROM rescind.assignment WHERE ended IS NULL ORDER BY id"
    some = f"({assignments} LIMIT 1 OFFSET {random.randrange(4)})"
    by_hand(
        authority,
        random.choice(
            [
                f"DELETE FROM rescind.effective_role WHERE {rows}",
                row(of(random.choice(SUBJECTS)), some) + " ON CONFLICT DO NOTHING",
                f"UPDATE rescind.effective_role SET expires_at = 5 WHERE {rows}",
                f"UPDATE rescind.effective_role SET expires_at = NULL WHERE {rows}",
            ]
        ),
    )


def test_repairs_give_what_the_facts_say(acme: Authority) -> None:
    """Whatever was wrong with rows: once a round has repaired it, before any worker came to it, everybody may
    what the facts say, and nothing is left when the work is done. (Control: before the repair it is not so.)
    """
    random, were_wrong = Random(20261128), 0
    for _ in range(8):
        for _ in range(random.randint(1, 4)):
            corrupt(acme, random)
        facts = answers(acme, "live")
        were_wrong += answers(acme, "standard") != facts
        one_round(acme, REPAIRING)
        assert answers(acme, "standard") == facts
        settle_all(acme)
        assert answers(acme, "standard") == facts
        one_round(acme)
        assert read_state(acme.store).drift_rows == 0
    assert were_wrong
