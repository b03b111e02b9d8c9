"""A standby is promoted while the old primary lives: no replica answers from memory past its lease."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from rescind import Authority, changes
from rescind.errors import StoreUnavailable
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from rescind.store import Listener, Rows
from tests.contract.world import WORLD
from tests.faults.server import Server, Standby, execute, running, until
from tests.sql import ours

SHORT = Settings(lease_seconds=1.0, silence_seconds=3.0)
ADA, BOB = ("user:ada", "write", "doc:1"), ("user:bob", "read", "doc:2")
ADA_LEAVES = changes.RemoveMembers(group="eng", members=("user:ada",))
BOB_LEAVES = changes.RemoveMembers(group="staff", members=("user:bob",))


@dataclass
class Split:
    """Two primaries, who revokes at the new one, and replicas that began at the old one."""

    old: Server
    new: Standby
    link: Path
    """Where replicas look for the server; it leads to the old one."""
    revoking: Authority
    guarded: Authority
    careless: Authority
    """Its renewals are not waited for until standbys have them."""
    moved: Authority
    """It finds the server by the link."""
    mistaken: Authority
    """So does this one, and takes every server for the same."""

    def lead_to_the_new(self, replica: Authority) -> None:
        """The link leads to the new server, and the connection of the replica's lease ends."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.new.folder)
        news = _keeper(replica).news
        pid = news.connection.info.backend_pid  # type: ignore[union-attr]
        self.old.execute(f"SELECT pg_terminate_backend({pid})")


def _keeper(replica: Authority) -> Replica:
    assert replica.cache is not None
    assert isinstance(replica.cache.freshness, Replica)
    return replica.cache.freshness


@pytest.fixture(scope="module")
def split() -> Iterator[Split]:
    """With a synchronous standby, promoted when all replicas hold the organization."""
    with running() as old, ExitStack() as stack:
        database = old.new_database()
        link = old.folder.parent / "primary"
        link.symlink_to(old.folder)
        by_link = database.replace(str(old.folder), str(link))
        with Authority.open(database, organization="acme") as writer:
            writer.apply(WORLD)
            writer.apply(WORLD, organization="beta")
        new = Standby(old)
        stack.callback(new.stop)
        old.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        old.execute("SELECT pg_reload_conf()")
        until(lambda: old.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))

        def replica(url: str, organization: str = "acme") -> Authority:
            opened = Authority.open(url, organization=organization, settings=SHORT, index=True)
            stack.callback(opened.close)
            return opened

        guarded, careless = replica(database), replica(database)
        moved, mistaken = replica(by_link, "beta"), replica(by_link, "beta")
        careless.store.queries["renew_lease"] = (  # type: ignore[attr-defined]
            ours(
                careless,
                "UPDATE rescind.replica SET beat = beat + 1 WHERE id = %(replica)s"
                " RETURNING rescind.server()",
            )
        )
        queries = mistaken.store.queries  # type: ignore[attr-defined]
        for name, sql in queries.items():
            queries[name] = sql.replace("rescind.server()", "''")
        for each in (guarded, careless, moved, mistaken):
            assert each.load()
            until(lambda each=each: allowed_by_memory(each, ADA))  # type: ignore[misc]
        new.promote()
        elsewhere = database.replace(str(old.folder), str(new.folder))
        revoking = stack.enter_context(
            Authority.open(elsewhere, organization="acme", settings=SHORT)
        )
        yield Split(old, new, link, revoking, guarded, careless, moved, mistaken)
        old.execute("ALTER SYSTEM RESET synchronous_standby_names")
        old.execute("SELECT pg_reload_conf()")


def allowed_by_memory(replica: Authority, question: tuple[str, str, str]) -> bool:
    """Whether memory allows it. Where it has no answer, a check asks the database that it is connected to."""
    found = replica.recall([question])
    return found is not None and found[0].allowed


def test_a_lease_ends_with_the_partition(split: Split) -> None:
    """G1: a replica that stays with the old primary cannot renew its lease there without the standby, so
    nothing that the new one revoked is allowed out of memory. Control: one whose renewals are not waited
    for goes on allowing.
    """
    receipt = split.revoking.apply([ADA_LEAVES])
    assert f"{os.uname().nodename}:{os.getpid()}" in receipt.waited_out
    assert not allowed_by_memory(split.guarded, ADA)
    until(lambda: allowed_by_memory(split.careless, ADA))


def test_what_remains(split: Split) -> None:
    """Who asks the old primary is told what was true there: that it must be stopped is not ours to see to."""
    assert execute(split.old.folder, "SELECT NOT pg_is_in_recovery()") == [(True,)]
    assert split.guarded.check(*BOB, assurance="live")


def test_a_replica_that_comes_to_another_server(split: Split) -> None:
    """Begins anew there, and lets go of what it has from the other. Control: one that takes it for the same
    server renews its lease at the new primary, reads the old one's log, and goes on allowing.
    """
    for replica in (split.moved, split.mistaken):
        split.lead_to_the_new(replica)
    renewed = "SELECT beat FROM rescind.replica WHERE id = %(replica)s"
    names = {"replica": _keeper(split.mistaken).id}
    split.revoking.store.queries["renewed"] = renewed  # type: ignore[attr-defined]
    before = split.revoking.store.fetch("renewed", names)
    until(lambda: split.revoking.store.fetch("renewed", names) != before)
    split.revoking.apply([BOB_LEAVES], organization="beta")
    assert not allowed_by_memory(split.moved, BOB)
    until(lambda: allowed_by_memory(split.mistaken, BOB))
    assert split.moved.load()
    assert not split.moved.check(*BOB)
    assert _keeper(split.moved).server != _keeper(split.guarded).server


@pytest.mark.parametrize("guarded", [True, False])
def test_a_wait_for_the_standby_that_is_canceled(split: Split, guarded: bool) -> None:
    """PostgreSQL commits without the standby then, and warns: the lease is not renewed. Control: unheard,
    it would be.
    """
    listener = split.guarded.store.listen("nothing")
    assert listener.wait(0) is None
    connection = listener.connection  # type: ignore[attr-defined]
    pid = connection.info.backend_pid
    if not guarded:
        connection.remove_notice_handler(listener.note_warning)  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(_ask, listener)
        until(lambda: split.old.execute(f"{_WAITING} AND pid = {pid}"))
        split.old.execute(f"SELECT pg_cancel_backend({pid})")
        if guarded:
            with pytest.raises(StoreUnavailable):
                renewing.result()
        else:
            assert renewing.result() != []
    listener.close()


@pytest.mark.parametrize("cancels", [True, False])
def test_a_renewal_that_is_given_up(split: Split, cancels: bool) -> None:
    """Leaves no process behind that waits for the standby in the server. Control: not canceled, it does."""
    listener = split.guarded.store.listen("nothing")
    assert listener.wait(0) is None
    connection = listener.connection  # type: ignore[attr-defined]
    pid, connection.silence_seconds = connection.info.backend_pid, 0.2
    connection.cancels_when_silent = cancels
    with pytest.raises(StoreUnavailable):
        _ask(listener)
    left = f"{_WAITING} AND pid = {pid}"
    if cancels:
        until(lambda: not split.old.execute(left))
    else:
        assert split.old.execute(left)
        split.old.execute(f"SELECT pg_terminate_backend({pid})")


_WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def _ask(listener: Listener) -> Rows:
    """A lease of somebody else's, which no other renewal has locked."""
    return listener.fetch("register_replica", {"replica": token_hex(8), "name": "test", "ttl": 0})
