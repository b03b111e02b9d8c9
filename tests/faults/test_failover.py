"""The primary is lost and its synchronous standby promoted, while replicas hold leases: a URL with both hosts
finds the new one, nothing that had returned is lost, and what is revoked there is enforced when it returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, StoreError, StoreReadOnly, StoreUnavailable
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from rescind.store.migrations import migrate
from rescind.store.migrations.reading import opened
from rescind.store.postgres import connection, location, store
from rescind.store.postgres.primary import IS_STANDBY
from tests.contract.world import WORLD
from tests.faults.server import Server, Standby, execute, running, until, until_answered
from tests.pgbouncer import bouncing

SHORT = Settings(lease_seconds=1.0, silence_seconds=3.0)
ADA = ("user:ada", "write", "doc:1")
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rescind_1'"
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

    def alone(self, more: str = "") -> str:
        """The standby's URL."""
        return f"{self.database.replace(str(self.primary.folder), str(self.standby.folder))}{more}"

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """The standby receives what is committed, and applies none of it while the block lasts."""
        execute(self.standby.folder, "SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state()"
        until(lambda: execute(self.standby.folder, state) == [("paused",)])
        try:
            yield
        finally:
            execute(self.standby.folder, "SELECT pg_wal_replay_resume()")


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


@pytest.mark.parametrize("more", ["", "&target_session_attrs=read-write"])
def test_the_standby_is_passed_over(pair: Pair, more: str) -> None:
    """Though it is the first host, and whether the URL says that the primary is wanted or not."""
    with Authority.open(pair.both("standby", more), organization="acme", settings=SHORT) as found:
        assert found.apply([changes.CreateGroup(group=f"first{bool(more)}")]).changed
    assert location(pair.both("standby", more)).startswith("rescind_1 on ")


def test_migrations_pass_over_the_standby(pair: Pair) -> None:
    """A standby may say that nothing is pending, or that something is."""
    migrate(pair.both("standby", more=""))
    with opened(pair.both("standby", more="")) as (reading, _):
        assert reading.exec_driver_sql(f"SELECT {IS_STANDBY}").scalar() is False


def test_a_standby_is_refused(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is behind, and would allow what was revoked. Control: unrecognized, it does."""
    alone = pair.alone()
    with Authority.open(pair.database, organization="acme") as writer, pair.held_back():
        writer.apply([LEAVE])
        for url in (alone, pair.both("standby", "&target_session_attrs=any")):
            with pytest.raises(StoreUnavailable, match="is a standby") as caught:
                Authority.open(url, organization="acme", settings=SHORT)
            assert "target_session_attrs=standby" in str(caught.value)
        monkeypatch.setattr(store, "require_primary", lambda *_, **__: None)
        with Authority.open(alone, organization="acme", settings=SHORT) as unguarded:
            assert unguarded.check(*ADA)
    with Authority.open(pair.database, organization="acme") as writer:
        assert not writer.check(*ADA)
        writer.apply([changes.AddMembers(group="eng", members=("user:ada",))])


def test_a_name_that_comes_to_lead_to_a_standby(pair: Pair) -> None:
    """Connections that are made from then on are refused, whatever is open already."""
    link = pair.primary.folder.parent / "database"
    link.symlink_to(pair.primary.folder)
    url = pair.database.replace(str(pair.primary.folder), str(link))
    with Authority.open(url, organization="acme", settings=SHORT) as found:
        assert found.check(*ADA)
        link.unlink()
        link.symlink_to(pair.standby.folder)
        assert found.check(*ADA)
        pair.primary.execute(CUT)
        until(lambda: "is a standby" in refusal_of(found))
        assert "is a standby" in refusal_of(found)


@pytest.mark.parametrize("wanted", ["standby", "prefer-standby", "read-only"])
def test_a_standby_that_is_asked_for_answers(pair: Pair, wanted: str) -> None:
    """For lists and reports; it takes no change."""
    said = f"&target_session_attrs={wanted}"
    for url in (pair.alone(said), pair.both("standby", said)):
        with Authority.open(url, organization="acme", settings=SHORT) as reader:
            until(lambda reader=reader: "user:ada" in reader.who_can(*ADA[1:]).items)  # type: ignore[misc]
            with pytest.raises(StoreReadOnly):
                reader.apply([changes.CreateGroup(group="never")])


def test_a_standby_to_listen_at_is_refused(pair: Pair) -> None:
    """It tells nobody of changes. (Control: the primary is taken.)"""
    for url, is_refused in ((pair.alone(), True), (pair.database, False)):
        with pytest.raises(InvalidArgument, match="primary") if is_refused else nullcontext():
            Authority.open(pair.database, settings=replace(SHORT, listen_database=url)).close()


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_pooler_that_comes_to_lead_to_a_standby(
    pair: Pair, is_guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection to the pooler lives on, and each transaction looks where it is. Control: without that
    a check is answered there.
    """
    if not is_guarded:
        monkeypatch.setattr(store, "require_primary", lambda *_, **__: None)
        monkeypatch.setattr(connection, "unless_standby", lambda _, value: f"'{value}'")
    link = pair.primary.folder.parent / f"pooled{is_guarded}"
    link.symlink_to(pair.primary.folder)
    with (
        bouncing(pair.database.replace(str(pair.primary.folder), str(link))) as bouncer,
        Authority.open(bouncer.url("rescind_1"), organization="acme", settings=SHORT) as found,
    ):
        found.store.queries["where"] = f"SELECT {IS_STANDBY}"  # type: ignore[attr-defined]
        assert found.check(*ADA)
        link.unlink()
        link.symlink_to(pair.standby.folder)
        pair.primary.execute(CUT)
        if is_guarded:
            until(lambda: "is a standby" in refusal_of(found))
        else:
            until(lambda: until_answered(lambda: found.store.fetch("where", {})) == [(True,)])
            assert found.check(*ADA)


def refusal_of(authority: Authority) -> str:
    """With which error a check is refused; nothing if it is answered."""
    try:
        authority.check(*ADA)
    except StoreUnavailable as error:
        return str(error)
    return ""


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
