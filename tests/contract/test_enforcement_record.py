"""The log tells on which replicas a revocation was enforced; where that is not known it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from rescind import Authority, LogEntry, Receipt, changes
from rescind.model import EnforcementOutcome, EnforcementStatus, ReplicaOutcome
from rescind.replicas import enforced_times
from rescind.replicas.enforced_times import EnforcedTimes
from rescind.replicas.lease import own_name
from tests.conftest import ENGINES
from tests.contract.test_log_cleared import run
from tests.contract.world import WORLD

LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))
UNASSIGN = changes.Unassign(role="owner", to="agent:bot", on="folder:b")
ASSIGN = changes.Assign(role="owner", to="agent:bot", on="folder:b")


class Two(NamedTuple):
    """An authority that holds `acme` in memory, and another of the same database that does not."""

    held: Authority
    plain: Authority
    url: str


@pytest.fixture(scope="module", params=ENGINES)
def shared(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Two]:
    url = new_shared_database(request.param)
    with (
        Authority.open(url, organization="acme", index=True) as held,
        Authority.open(url, organization="acme") as plain,
    ):
        held.apply(WORLD)
        yield Two(held, plain, url)


@pytest.fixture
def two(shared: Two) -> Two:
    """The same, with Ada in her group and the organization in memory."""
    shared.plain.apply([JOIN, ASSIGN])
    shared.held.load()
    return shared


def entry_of(reader: Authority, receipt: Receipt) -> LogEntry:
    (entry,) = reader.log(after=receipt.revision.organization - 1, limit=1)
    return entry


def written(authority: Authority) -> None:
    """What is noted is in the log."""
    authority.enforcer.times.flush()


def is_postgres(two: Two) -> bool:
    return two.held.store.engine == "postgres"


@pytest.mark.parametrize("route", ["inline", "background"])
@pytest.mark.parametrize("change", [LEAVE, UNASSIGN], ids=["leave", "critical"])
def test_the_log_tells_what_the_receipt_told(two: Two, route: str, change: changes.Change) -> None:
    """At once in the process that revoked, and once it is written everywhere: by every route."""
    receipt = two.plain.apply([change], route=route)
    done = receipt.enforcement
    assert done is not None
    assert done.seconds == receipt.enforcement_seconds
    if is_postgres(two):
        (replica,) = done.replicas
        assert (replica.name, replica.is_own) == (own_name(), False)
        assert replica.outcome in (ReplicaOutcome.ACKNOWLEDGED, ReplicaOutcome.CURRENT)
        assert 0 <= replica.milliseconds <= done.seconds * 1_000 + 0.001
        assert done.outcome is EnforcementOutcome.ACKNOWLEDGED
    else:
        assert (done.replicas, done.outcome) == ((), EnforcementOutcome.ALONE)
    written(two.plain)
    found = entry_of(two.held, receipt)
    assert found.enforcement_status is EnforcementStatus.RECORDED
    assert found.enforcement is not None
    assert found.enforcement.replicas == tuple(
        replace(each, milliseconds=round(each.milliseconds, 3)) for each in done.replicas
    )
    assert found.enforced_at == receipt.enforced_at == entry_of(two.plain, receipt).enforced_at
    assert found.enforcement.began_at == done.began_at


def test_who_has_closed_is_not_waited_for(two: Two) -> None:
    """It has given up its lease, so that no revocation waits for its end."""
    with Authority.open(two.url, organization="acme", index=True) as third:
        third.load()
    done = two.plain.apply([LEAVE]).enforcement
    assert done is not None
    assert len(done.replicas) == is_postgres(two)


def test_before_it_is_written_its_own_process_tells_it(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a reader had noted the time alone before."""
    with monkeypatch.context() as patch:
        patch.setattr(EnforcedTimes, "flush", lambda _: None)
        receipt = two.plain.apply([LEAVE])
        assert entry_of(two.plain, receipt).enforcement == receipt.enforcement
        seen = entry_of(two.held, receipt)
        assert seen.enforced_at is not None
        assert seen.enforcement_status is EnforcementStatus.NOT_RECORDED
    written(two.held)
    written(two.plain)
    assert entry_of(two.held, receipt).enforcement_status is EnforcementStatus.RECORDED


def test_this_process_is_told_of_too(two: Two) -> None:
    """It held the organization, and nobody had to wait for it."""
    done = two.held.apply([LEAVE]).enforcement
    assert done is not None
    (own,) = done.replicas
    assert (own.name, own.is_own) == (own_name(), True)
    assert done.outcome is EnforcementOutcome.ALONE


def test_what_revokes_nothing_has_no_record(two: Two) -> None:
    """A grant, and what altered nothing."""
    two.plain.apply([LEAVE])
    grant = two.plain.apply([JOIN])
    assert grant.enforcement is None
    assert entry_of(two.held, grant).enforcement_status is EnforcementStatus.NOTHING_REVOKED
    assert entry_of(two.held, grant).enforcement is None
    before = two.plain.apply([LEAVE]).revision
    assert two.plain.apply([LEAVE]).revision == before


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_a_lost_record_is_not_made_up(
    two: Two, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """The process that revoked died. Who repeats the change waits, and finds other replicas than there were.
    Control: taken for the first, it would write them down.
    """
    key = f"lost-{is_guarded}"
    with monkeypatch.context() as patch:
        patch.setattr(EnforcedTimes, "note", lambda *_: None)
        receipt = two.plain.apply([LEAVE], idempotency_key=key)
    repeated = two.plain.apply([LEAVE], idempotency_key=key, wait="recorded")
    assert repeated.is_repeated
    (repeated if is_guarded else replace(repeated, is_repeated=False)).enforce()
    written(two.plain)
    found = entry_of(two.held, receipt)
    assert found.enforced_at is not None
    expected = EnforcementStatus.NOT_RECORDED if is_guarded else EnforcementStatus.RECORDED
    assert found.enforcement_status is expected


def test_a_change_that_is_enforced_later(two: Two) -> None:
    """Is recorded as of then, and that it began later is seen."""
    receipt = two.plain.apply([LEAVE], wait="recorded")
    assert receipt.enforcement is None
    done = receipt.enforce()
    assert done.enforcement is not None
    assert done.enforcement.began_at is not None
    assert done.enforcement.began_at - receipt.recorded_at >= timedelta(0)
    written(two.plain)
    found = entry_of(two.held, receipt)
    assert found.enforcement_status is EnforcementStatus.RECORDED
    assert done.enforce() is done


def test_only_the_first_enforcement_is_counted(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt that is enforced again finds its record, before and after that is written."""
    counted: list[str] = []
    receipt = two.plain.apply([LEAVE], wait="recorded")
    monkeypatch.setattr(
        two.plain.instruments, "note_enforcement", lambda outcome, _: counted.append(outcome)
    )
    first = receipt.enforce().enforcement
    assert receipt.enforce().enforcement == first
    written(two.plain)
    assert receipt.enforce().enforcement == first
    assert len(counted) == 1


def test_nobody_waits_for_the_record(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not written before the call returns."""
    names: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(enforced_times, "started", lambda *_: None)
        patch.setattr(two.plain.store, "execute_alone", lambda name, _: names.append(name))
        with Authority(two.plain.store, organization="acme") as fresh:
            patch.setattr(fresh.store, "close", lambda: None)
            assert fresh.apply([LEAVE]).enforcement is not None
            assert names == []
        assert names == ["record_enforced"]


def test_an_older_entry_has_no_record(two: Two) -> None:
    """As releases before left it, with a time alone; and what cannot be read is none."""
    receipt = two.plain.apply([LEAVE])
    written(two.plain)
    for text in ("NULL", "'[1,\"torn'"):
        run(
            two.plain,
            f"UPDATE rescind.enforcement SET record = {text} WHERE organization = $o"
            f" AND revision = {receipt.revision.organization}",
        )
        found = entry_of(two.held, receipt)
        assert found.enforced_at == receipt.enforced_at
        assert found.enforcement_status is EnforcementStatus.NOT_RECORDED


def test_a_role_of_all_organizations(two: Two) -> None:
    """Its change is recorded where it was made; those that it caused name it."""
    two.plain.apply(
        [
            changes.DefinePermission(permission="everywhere"),
            changes.DefineRole(role="global", permissions=("everywhere",)),
        ],
        organization="*",
    )
    two.plain.apply([changes.Assign(role="global", to="user:ada")])
    receipt = two.plain.apply([changes.DeleteRole(role="global", cascade=True)], organization="*")
    assert receipt.enforcement is not None
    written(two.plain)
    after = receipt.revision.organization - 1
    (own,) = two.held.log(organization="*", after=after, limit=1)
    assert own.enforcement_status is EnforcementStatus.RECORDED
    *_, caused = two.held.log()
    assert caused.caused_by == receipt.revision.organization
    assert caused.enforcement_status is EnforcementStatus.NOT_RECORDED
