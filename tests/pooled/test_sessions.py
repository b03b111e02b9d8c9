"""Nothing relies on a session of the server: what others left there does not matter, and nothing is left."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, RoleNotFound, StoreError
from rescind.store import open_store
from rescind.store.migrations import migrate
from rescind.store.postgres import connection as connections
from rescind.store.postgres import connector
from tests.contract.world import WORLD
from tests.docs.pages import ROOT
from tests.pgbouncer import Bouncer, bouncing
from tests.pooled.conftest import name_of
from tests.pooled.renaming import RenamingProxy

SETTINGS = (
    "SELECT current_setting('enable_seqscan'), current_setting('plan_cache_mode'),"
    " current_setting('jit'), current_setting('synchronous_commit'), current_setting('lock_timeout'),"
    " current_setting('transaction_isolation')"
)
OURS = ("off", "force_generic_plan", "off", "on", "10s", "read committed")
ASKED = 24
"""Questions enough for every session of the pool."""


def settings_of(store: Any) -> set[tuple[str, ...]]:
    """The settings that the store's statements run with, in one session after the other."""
    store.queries["settings"] = SETTINGS
    return {store.fetch("settings", {})[0] for _ in range(ASKED)}


def test_a_pooler_is_noticed(database: str, direct: str, postgres_server: str) -> None:
    """By itself, unless the URL says what it is."""
    for url, is_pooled in (
        (database, True),
        (direct, False),
        (f"{database}&pooled=transaction", True),
        (f"{direct}&pooled=transaction", True),
        (f"{direct}&pooled=session", False),
        (f"{database}&pooled=session", False),
    ):
        store: Any = open_store(url)
        assert store.connector.pooling.is_pooled is is_pooled, url
        store.close()
    with pytest.raises(InvalidArgument, match="pooled=transaction or pooled=session"):
        open_store(f"{database}&pooled=statement")


def test_settings_are_those_of_the_transaction(database: str) -> None:
    """In each session, which others have misused. Control: without what a transaction begins with, theirs
    hold, and a commit would not be durable.
    """
    store: Any = open_store(database)
    assert settings_of(store) == {OURS}
    with store.snapshot() as snapshot:
        assert snapshot.fetch_many([("settings", {})])[0][0][:5] == OURS[:5]
    for pooled in store.pool.connections():
        pooled.connection.opening = ()
    (theirs,) = settings_of(store)
    assert theirs[0] == "on"
    assert theirs[3:5] == ("off", "1ms")
    store.close()


def test_nothing_is_left_behind(acme: Authority, database: str, direct: str) -> None:
    """No setting, no prepared statement and no temporary object, in any session that was used. Control: a
    connection that is configured for a session does leave its settings.
    """
    for number in range(ASKED):
        acme.apply([changes.CreateGroup(group=f"g{number}")])
        acme.check("user:ada", "write", "doc:1", assurance="live")
        acme.who_can("write", "doc:1")
    left = (
        "SELECT current_setting('enable_seqscan'), current_setting('jit'),"
        " (SELECT count(*) FROM pg_prepared_statements),"
        " (SELECT count(*) FROM pg_class WHERE relpersistence = 't')"
    )
    with psycopg.connect(direct) as plain:
        jit = plain.execute("SHOW jit").fetchone()
    assert jit is not None
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as other:
        found = {other.execute(left.encode()).fetchone() for _ in range(ASKED)}
        assert found == {("on", jit[0], 0, 0)}
        connections.configure(other)
        found = {other.execute(left.encode()).fetchone() for _ in range(ASKED)}
        assert ("off", "off", 0, 0) in found


def test_prepared_statements_would_be_others(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: this pooler does not know them, so that preparing fails."""

    def prepares(*arguments: Any, **more: Any) -> None:
        connections.configure_pooled(*arguments, **{**more, "prepares": True})

    monkeypatch.setattr(connector, "configure_pooled", prepares)

    def change_and_check(authority: Authority) -> None:
        for _ in range(ASKED):
            authority.apply([changes.CreateOrganization()], organization="other")
            authority.check("user:ada", "write", organization="other")

    with (
        Authority.open(database, organization="acme") as authority,
        pytest.raises(StoreError, match="prepared statement"),
    ):
        change_and_check(authority)


def test_prepared_statements_that_the_pooler_keeps(
    database: str, direct: str, postgres_server: str
) -> None:
    """Are used where the URL asks for it and the pooler gives them names of its own. One that does not is
    refused, and no statement of the attempt is left in its sessions.
    """
    with pytest.raises(InvalidArgument, match="max_prepared_statements"):
        open_store(f"{database}&prepared=on")
    folder = psycopg.conninfo.conninfo_to_dict(postgres_server)["host"]
    with closing(RenamingProxy(f"{folder}/.s.PGSQL.5432")) as keeping:
        name = name_of(direct)
        url = keeping.url(name)
        with Authority.open(url, organization="acme") as authority:
            authority.apply(WORLD)
            assert keeping.renamed == []
        url += "&prepared=on"
        with Authority.open(url, organization="acme", index=True) as authority:
            assert authority.load()
            for _ in range(3):
                with pytest.raises(RoleNotFound):
                    authority.apply([changes.Assign(role="nobody", to="user:ada")])
                authority.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
                assert not authority.check("user:ada", "write", "doc:1", assurance="live")
                authority.apply([changes.AddMembers(group="eng", members=("user:ada",))])
                assert authority.check("user:ada", "write", "doc:1", assurance="live")
        assert len(keeping.renamed) > 10
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as other:
        left = "SELECT count(*) FROM pg_prepared_statements"
        assert {other.execute(left).fetchone() for _ in range(ASKED)} == {(0,)}


def round_trips(authority: Authority, action: Callable[[], object], folder: Path) -> int:
    """How many times the server was waited for, as the driver's library traces it."""
    action()  # a direct connection prepares its statements
    action()
    store: Any = authority.store
    (connection,) = [pooled.connection for pooled in store.pool.connections()]
    with (folder / "trace").open("w+") as trace:
        connection.pgconn.trace(trace.fileno())
        action()
        connection.pgconn.untrace()
        trace.seek(0)
        return trace.read().count("ReadyForQuery")


def test_round_trips(database: str, direct: str, tmp_path: Path) -> None:
    """Settings for each transaction take none: a change and a check are one, as without a pooler."""
    numbers, found = itertools.count(), {}
    with (
        Authority.open(database, organization="acme") as pooled,
        Authority.open(direct, organization="acme") as plain,
    ):
        pooled.apply(WORLD)
        for authority in (pooled, plain):

            def add(authority: Authority = authority) -> None:
                authority.apply([changes.CreateGroup(group=f"g{next(numbers)}")])

            def check(authority: Authority = authority) -> None:
                assert authority.check("user:ada", "write", "doc:1", assurance="live")

            def page(authority: Authority = authority) -> None:
                assert authority.who_can("write", "doc:1")

            found[authority] = [
                round_trips(authority, each, tmp_path) for each in (add, check, page)
            ]
    assert all(more <= least for more, least in zip(found[pooled], found[plain], strict=True))
    assert found[pooled][:2] == [1, 1]


def test_migrating_needs_the_server_itself(database: str, direct: str) -> None:
    """A pooler is named, and how to go on. The server itself is accepted."""
    for url in (database, f"{direct}&pooled=transaction"):
        with pytest.raises(InvalidArgument, match="pooler") as caught:
            migrate(url)
        assert "the server itself" in str(caught.value.hint or caught.value)
    migrate(direct)


def test_a_pooler_in_session_mode(postgres_server: str, direct: str) -> None:
    """Is taken for one in transaction mode unless the URL says it: then its sessions are used."""
    name = name_of(direct)
    with bouncing(postgres_server, mode="session") as bouncer:
        url = bouncer.url(name)
        with Authority.open(url, organization="acme", index=True) as careful:
            careful.apply(WORLD)
            assert careful.store.connector.pooling.is_pooled  # type: ignore[attr-defined]
        with Authority.open(f"{url}&pooled=session", organization="acme", index=True) as plain:
            assert plain.load()
            assert plain.check("user:ada", "write", "doc:1")
            assert not plain.store.connector.is_polled  # type: ignore[attr-defined]


def test_a_callers_transaction(acme: Authority, database: str) -> None:
    """`within` works on a connection of the caller's through the pooler, if it prepares nothing either."""
    with psycopg.connect(database, prepare_threshold=None) as theirs:
        for number in range(ASKED):
            acme.apply([changes.CreateGroup(group=f"w{number}")], within=theirs)
            assert acme.check("user:ada", "write", "doc:1", within=theirs)
            theirs.commit()
        prepared = theirs.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        assert prepared == (0,)


def test_the_settings_of_the_page(postgres_server: str, direct: str) -> None:
    """PgBouncer takes what the documentation recommends, and a change and a check go through it. Where it
    listens, and who may log in, is the test's own.
    """
    page = (ROOT / "docs/howto/run-behind-pgbouncer.md").read_text("utf-8")
    (block,) = re.findall(r"^\[pgbouncer\]\n((?:\w+ = \S+\n)+)", page, re.MULTILINE)
    said = dict(re.findall(r"^(\w+) = (\S+)$", block, re.MULTILINE))
    assert said.pop("pool_mode") == "transaction"
    for own in ("listen_addr", "listen_port", "auth_type", "auth_file"):
        del said[own]
    with (
        bouncing(postgres_server, **said) as bouncer,
        Authority.open(bouncer.url(name_of(direct)), organization="acme") as authority,
    ):
        authority.apply(WORLD)
        assert authority.check("user:ada", "write", "doc:1")


def test_the_pooler_restarts(postgres_server: str, direct: str) -> None:
    """What was asked before the pooler ended fails or not; what is asked afterwards is answered."""
    name = name_of(direct)
    with bouncing(postgres_server, admin_users="postgres") as bouncer:
        authority = Authority.open(bouncer.url(name), organization="acme")
        authority.apply(WORLD)
        restart(bouncer)
        assert authority.check("user:ada", "write", "doc:1")
        authority.close()


def restart(bouncer: Bouncer) -> None:
    """Cut every connection of the pooler's, as a restart of the server behind it would."""
    with psycopg.connect(bouncer.url("pgbouncer"), autocommit=True) as admin:
        admin.execute("RECONNECT")
