"""Keys, the seal of tokens and the password of the database are exchanged while clients check and change."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from rescind import Authority, changes
from rescind.client import Client, Retries
from rescind.errors import InvalidToken, RescindError, StoreUnavailable, Unauthenticated
from rescind.history.restoring import begin_incarnation
from rescind.http.keys import Keys
from rescind.http.server.service import Service
from rescind.model import Microseconds
from rescind.store import open_store
from rescind.store.migrations import migrate
from rescind.store.open import with_password_file
from tests.contract.world import WORLD
from tests.faults.server import Server, running, until
from tests.http.serving import Served, serving

ONCE = Retries(most_tries=1)
"""So that no failure is hidden."""
PACE_SECONDS = 0.02
"""Between two requests of a client, so that the load leaves the processor to others."""
MORE = 5


@dataclass
class Load:
    """Clients that check and change, each request once. `key` and `token` are what they use now."""

    url: str
    key: str
    token: str | None = None
    done: Counter[str] = field(default_factory=Counter)
    failed: list[RescindError] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """As long as the block runs."""
        over = threading.Event()

        def work(what: str, ask: Callable[[Client, int], object]) -> None:
            client = Client(self.url, key=lambda: self.key, organization="acme", retries=ONCE)
            with client:
                number = 0
                while not over.wait(PACE_SECONDS):
                    number += 1
                    try:
                        ask(client, number)
                        self.done[what] += 1
                    except RescindError as error:
                        self.failed.append(error)

        def check(client: Client, _: int) -> None:
            assert client.check("user:ada", "write", "doc:1", at_least=self.token)

        def change(client: Client, number: int) -> None:
            client.apply([changes.CreateGroup(group=f"g{number}")])

        threads = [
            threading.Thread(target=work, args=("checks", check)),
            threading.Thread(target=work, args=("more checks", check)),
            threading.Thread(target=work, args=("changes", change)),
        ]
        for thread in threads:
            thread.start()
        try:
            self.goes_on()
            yield self
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def goes_on(self) -> None:
        """Each has done some more."""
        start = self.done.copy()
        kinds = ("checks", "more checks", "changes")
        until(lambda: all(self.done[kind] >= start[kind] + MORE for kind in kinds))


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, new_database: Callable[..., str]) -> Iterator[Served]:
    """A service with an index, on each engine."""
    database = new_database(request.param, is_filled=True)
    with (
        Authority.open(database, organization="acme", index=True) as authority,
        serving(Service(authority, Keys(authority.store))) as running,
    ):
        yield running


def accepted(served: Served, key: str) -> bool:
    """Whether a request that begins now is answered with it."""
    with Client(served.url, key=key, organization="acme", retries=ONCE) as client:
        try:
            client.check("user:ada", "read")
        except Unauthenticated:
            return False
        return True


def test_an_api_key(served: Served) -> None:
    """With a grace no request fails. Without one, no request that begins after the rotation returned is
    answered with the old secret; nor after `revoke`. Control: within the grace it is.
    """
    keys = served.service.keys
    made, former = keys.create("billing", ["check", "write"])
    with Load(served.url, former).running() as load:
        _, load.key = keys.rotate(made.id, grace_seconds=600)
        load.goes_on()
        assert accepted(served, former)  # the control
        _, newest = keys.rotate(made.id, grace_seconds=600)
        assert not accepted(served, former)  # one former secret at a time
        load.key = newest
        load.goes_on()
        assert load.failed == []
        other, victim = keys.create("other", ["check"])
        for end in (keys.rotate, keys.revoke):
            assert accepted(served, victim)
            ended = end(other.id)
            assert not any(accepted(served, victim) for _ in range(MORE))
            if isinstance(ended, tuple):
                victim = ended[1]
        load.goes_on()
        assert load.failed == []


def test_what_seals_tokens(served: Served) -> None:
    """Only `invalid_token`, and only to who hands one over from before; never again without it. Control:
    before, it is taken.
    """
    authority = served.service.authority
    key = served.key("check", "write")
    with Load(served.url, key).running() as load:
        before = load.token = authority.apply([changes.CreateGroup(group="x")]).token
        load.goes_on()
        assert load.failed == []
        begin_incarnation(authority.store, Microseconds(time.time_ns() // 1_000))
        until(lambda: load.failed)
        with Client(served.url, key=key, organization="acme", retries=ONCE) as client:
            for _ in range(MORE):
                with pytest.raises(InvalidToken):
                    client.check("user:ada", "read", at_least=before)
        load.token = None
        load.goes_on()
        seen = len(load.failed)
        load.goes_on()
        assert {type(error) for error in load.failed} == {InvalidToken}
        assert len(load.failed) == seen


# --- the password of the database -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that asks the role `program` for a password."""
    with running() as started:
        started.execute("CREATE ROLE program LOGIN PASSWORD 'first'")
        rules = started.folder / "pg_hba.conf"
        rules.write_text(f"local all program scram-sha-256\n{rules.read_text()}")
        started.execute("SELECT pg_reload_conf()")
        yield started


def test_the_password_of_the_database(server: Server, tmp_path: Path) -> None:
    """Open connections go on. Those that end are replaced by such with the new password, from the file.
    The old one is good for nothing. Control: while the file has the old one, no connection is opened.
    """
    owned = server.new_database()
    migrate(owned, grant_to=("program",))
    with Authority.open(owned, organization="acme") as owner:
        owner.apply(WORLD)
    file = tmp_path / "password"
    file.write_text("first")
    url = owned.replace("postgres@", "program@", 1)
    store = open_store(with_password_file(url, str(file)))
    with (
        Authority(store, organization="acme", index=True) as authority,
        serving(Service(authority, Keys(store))) as served,
        Load(served.url, served.key("check", "write")).running() as load,
    ):
        server.execute("ALTER ROLE program PASSWORD 'second'")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url, password="first")
        load.goes_on()  # by the connections that are open
        assert load.failed == []
        end_connections(server)
        until(lambda: load.failed)  # the control: the file has not changed
        with pytest.raises(StoreUnavailable):
            Authority.open(with_password_file(url, str(file)))
        file.write_text("second")
        load.goes_on()
        seen = len(load.failed)
        load.goes_on()
        assert len(load.failed) == seen
        assert {type(error).retry for error in load.failed} == {True}


def end_connections(server: Server) -> None:
    """As a restart of the server, or the age of a connection, would."""
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'program'"
    )
