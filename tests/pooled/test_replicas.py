"""G1 through a pooler: replicas poll, or listen elsewhere, and a revocation is enforced when it returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, Receipt, changes
from rescind.errors import InvalidArgument
from rescind.model import EnforcedReplica, Enforcement, ReplicaOutcome
from rescind.replicas.enforcement import Enforcer
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from tests.conftest import Make
from tests.contract.world import WORLD
from tests.faults.server import until as asking
from tests.http.processes import started
from tests.http.test_replicas import JOIN as ADA_JOINS
from tests.http.test_replicas import LEAVE as ADA_LEAVES
from tests.http.test_serve import ADA, ASKED, change
from tests.pooled.conftest import as_direct
from tests.sql import ours

QUESTION = ("user:ada", "write", "doc:1")
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))
SHORT = Settings(lease_seconds=1.0)
ROUNDS = 12
LONG_MS = 60_000.0


@pytest.fixture
def opened(database: str) -> Iterator[Callable[..., Authority]]:
    """Opens authorities on the database, whose organization `acme` has the facts of WORLD."""
    made: list[Authority] = []

    def open_one(settings: Settings = SHORT, *, index: bool = True) -> Authority:
        authority = Authority.open(database, organization="acme", settings=settings, index=index)
        made.append(authority)
        if not made[1:]:
            authority.apply(WORLD)
        if index:
            assert authority.load()
            until(lambda: authority.recall([QUESTION]) is not None)
        return authority

    yield open_one
    for authority in made:
        authority.close()


def until(has_come: Callable[[], object]) -> None:
    """Ask until it is so, and leave the processor to others meanwhile."""
    asking(lambda: has_come() or time.sleep(0.002))


def replicas_of(receipt: Receipt) -> tuple[EnforcedReplica, ...]:
    """What each replica did before the receipt was returned."""
    assert receipt.enforcement is not None
    return receipt.enforcement.replicas


def allows(authority: Authority) -> bool:
    """Whether its memory allows the question. What memory cannot answer it does not allow."""
    found = authority.recall([QUESTION])
    return found is not None and found[0].allowed


def test_a_revocation_is_enforced_when_it_returns(opened: Callable[..., Authority]) -> None:
    """G1: by acknowledgements that the replica gives when it next asks, not by waiting its lease out."""
    replica, revoking = opened(), opened(index=False)
    for _ in range(ROUNDS):
        revoking.apply([JOIN])
        until(lambda: allows(replica))
        receipt = revoking.apply([LEAVE])
        assert not allows(replica)
        assert [each.outcome for each in replicas_of(receipt)] == [ReplicaOutcome.ACKNOWLEDGED]


def test_control_the_wait_is_needed(
    opened: Callable[..., Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same replica goes on allowing for a moment where nobody waits for it."""
    replica, revoking = opened(Settings(listen_poll_ms=LONG_MS)), opened(index=False)
    monkeypatch.setattr(Enforcer, "enforce", lambda *_, **__: Enforcement(0.0))
    revoking.apply([LEAVE])
    assert allows(replica)


def test_a_replica_that_asks_too_rarely_is_waited_out(opened: Callable[..., Authority]) -> None:
    """G2: it does ask when it renews its lease. One that does not is waited for until its lease is over."""
    replica, revoking = (
        opened(Settings(lease_seconds=1.0, listen_poll_ms=LONG_MS)),
        opened(index=False),
    )
    keeper = replica.cache.freshness  # type: ignore[union-attr]
    assert isinstance(keeper, Replica)
    revoking.apply([LEAVE])
    assert not allows(replica)
    revoking.apply([JOIN])
    until(lambda: allows(replica))
    keeper.stop()
    assert allows(replica)
    receipt = revoking.apply([LEAVE])
    assert [each.outcome for each in replicas_of(receipt)] == [ReplicaOutcome.WAITED_OUT]
    assert not allows(replica)


@pytest.mark.parametrize("is_guarded", [True, False])
def test_revisions_of_another_server(opened: Callable[..., Authority], is_guarded: bool) -> None:
    """A pooler may lead to another server between two transactions, which has older revisions: the lease that
    was renewed here must not keep alive what it says. Control: taken for the same server, it does.
    """
    replica, revoking = opened(), opened(index=False)
    server = "'another'" if is_guarded else "rescind.server()"
    replica.store.queries["tail_revisions"] = ours(  # type: ignore[attr-defined]
        replica,
        "SELECT i.value::integer AS organization, 0 AS revision,"
        f" {server} AS server FROM rescind.json_texts(%(organizations)s) AS i",
    )
    revoking.apply([LEAVE])
    if is_guarded:
        assert not allows(replica)
    else:
        until(lambda: allows(replica))


def test_listening_beside_the_pooler(opened: Callable[..., Authority], direct: str) -> None:
    """With a direct URL a replica hears of a change at once, and does not ask."""
    told = Settings(listen_database=direct, listen_poll_ms=LONG_MS, lease_seconds=60.0)
    replica, revoking = opened(told), opened(told, index=False)
    for _ in range(ROUNDS):
        revoking.apply([JOIN])
        until(lambda: allows(replica))
        receipt = revoking.apply([LEAVE])
        assert not allows(replica)
        (outcome,) = [each.outcome for each in replicas_of(receipt)]
        assert outcome in (ReplicaOutcome.ACKNOWLEDGED, ReplicaOutcome.CURRENT)


def test_where_to_listen_must_be_the_same_database(
    database: str, direct: str, new_database: Make, postgres_server: str
) -> None:
    """Another database, a pooler, or none with this schema is refused when the authority is opened."""
    elsewhere = as_direct(new_database("postgres"), postgres_server)
    wrong = [
        (elsewhere, "the same database"),
        (postgres_server, "the same database"),
        (database, "pooler"),
        (f"{direct}&pooled=transaction", "pooler"),
    ]
    for url, said in wrong:
        with pytest.raises(InvalidArgument, match=said):
            Authority.open(database, settings=Settings(listen_database=url))


def test_workers_settle_what_nobody_tells_them_of(acme: Authority) -> None:
    """By asking every `poll_seconds`."""
    with acme.workers(concurrency=2):
        receipt = acme.apply([LEAVE], route="background")
        assert not acme.check(*QUESTION)
        until(lambda: not acme.has_due_work())
    assert not acme.check(*QUESTION)
    assert receipt.changed


def test_two_servers(tmp_path: Path, database: str) -> None:
    """`rescind serve` in two processes through the pooler: what one revoked is denied by the other."""
    with (
        started(tmp_path, "-d", database) as one,
        one.client() as first,
        started(tmp_path, "-d", database) as two,
        two.client(one.key) as second,
    ):
        change(first, ADA)
        for number in range(ROUNDS):
            writer, reader = (first, second) if number % 2 else (second, first)
            body: dict[str, Any] = {"organization": "acme"}
            writer.post("/v1/changes", json={**body, "changes": [ADA_LEAVES]}).raise_for_status()
            assert not reader.post("/v1/check", json=ASKED).json()["allowed"], number
            joined = writer.post("/v1/changes", json={**body, "changes": [ADA_JOINS]}).json()
            headers = {"Rescind-At-Least": joined["revision"]}
            assert reader.post("/v1/check", json=ASKED, headers=headers).json()["allowed"], number
