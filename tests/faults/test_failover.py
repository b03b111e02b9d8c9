"""The primary is lost and its synchronous standby promoted, while replicas hold leases: a URL with both hosts
finds the new one, nothing that had returned is lost, and what is revoked there is enforced when it returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from rescind import Authority, changes
from rescind.errors import StoreError, StoreReadOnly
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from rescind.store.postgres import location
from tests.contract.world import WORLD
from tests.faults.server import Server, Standby, running, until, until_answered

SHORT = Settings(lease_seconds=1.0, silence_seconds=3.0)
ADA = ("user:ada", "write", "doc:1")
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))


@dataclass
class Pair:
    """A primary and its synchronous standby, and a URL with both."""

    primary: Server
    standby: Standby
    database: str
    """The primary's URL."""

    def both(self, first: str = "primary", more: str = "&target_session_attrs=read-write") -> str:
        """A URL with both hosts."""
        hosts = [str(self.primary.folder), str(self.standby.folder)]
        if first == "standby":
            hosts.reverse()
        return f"{self.database.replace(str(self.primary.folder), ','.join(hosts))}{more}"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with running() as primary, ExitStack() as stack:
        database = primary.new_database()
        with Authority.open(database, organization="acme") as writer:
            writer.apply(WORLD)
        standby = Standby(primary)
        stack.callback(standby.stop)
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        primary.execute("SELECT pg_reload_conf()")
        until(
            lambda: primary.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
        )
        yield Pair(primary, standby, database)


def test_the_standby_is_passed_over(pair: Pair) -> None:
    """Though it is the first host. Control: without `target_session_attrs` it is asked, and refuses."""
    with Authority.open(pair.both("standby"), organization="acme", settings=SHORT) as found:
        assert found.apply([changes.CreateGroup(group="first")]).changed
    anything = pair.both("standby", more="")
    with (
        Authority.open(anything, organization="acme", settings=SHORT) as found,
        pytest.raises(StoreReadOnly),
    ):
        found.apply([changes.CreateGroup(group="second")])
    assert location(anything).startswith("rescind_1 on ")


def test_the_standby_takes_over(pair: Pair) -> None:
    """Once promoted, the same authorities go on there; the replica has a lease of the new primary."""
    url = pair.both()
    with (
        Authority.open(url, organization="acme", settings=SHORT, index=True) as replica,
        Authority.open(url, organization="acme", settings=SHORT) as revoking,
    ):
        assert replica.load()
        until(lambda: allowed_by_memory(replica))
        assert replica.cache is not None
        keeper = replica.cache.freshness
        assert isinstance(keeper, Replica)
        before = keeper.server
        last = revoking.apply([changes.CreateGroup(group="last")])
        pair.primary.crash()
        pair.standby.promote()
        until_answered(lambda: revoking.apply([LEAVE], idempotency_key="leave"))
        assert not allowed_by_memory(replica)
        assert until_answered(lambda: revoking.log(after=last.revision.organization - 1))
        assert not until_answered(lambda: replica.check(*ADA))
        until(lambda: holds(replica))
        assert keeper.server != before
        until(lambda: is_acknowledged(revoking, replica))


def is_acknowledged(revoking: Authority, replica: Authority) -> bool:
    """Whether a revocation was acknowledged rather than waited out; it is enforced either way."""
    revoking.apply([changes.AddMembers(group="eng", members=("user:ada",))])
    until(lambda: holds(replica) and allowed_by_memory(replica))
    receipt = revoking.apply([LEAVE])
    assert not allowed_by_memory(replica)
    return receipt.waited_out == ()


def allowed_by_memory(replica: Authority) -> bool:
    """Whether memory allows it. Where it has no answer, a check asks the database."""
    found = replica.recall([ADA])
    return found is not None and found[0].allowed


def holds(replica: Authority) -> bool:
    """Whether the replica answers from memory. It is asked to load what it has let go of."""
    try:
        return replica.load() and replica.recall([ADA]) is not None
    except StoreError as error:
        assert error.retry, error
        return False
