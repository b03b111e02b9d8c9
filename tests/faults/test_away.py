"""PostgreSQL is away: checks and `/readyz` say so within two seconds, whatever else waits for it longer.

Nothing here looks at a clock: a call that is bounded ends while one that is not is still waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from rescind import Authority
from rescind.errors import DecisionUnavailable
from rescind.http.keys import Keys
from rescind.http.server import unauthenticated
from rescind.http.server.service import Service
from rescind.http.server.threads import GRACE_SECONDS, THREADS
from rescind.settings import Settings
from rescind.store.postgres import PostgresStore, connection
from tests.faults.gate import Gate
from tests.faults.server import until, until_answered
from tests.faults.small import FACTS, MEMBERS, PLACES, prepare
from tests.http.serving import serving

NAME = "acme"
ASKED = (MEMBERS[0], "read", PLACES[0])
BOUNDED = Settings(check_seconds=0.3, silence_seconds=1e6)
PATIENT = Settings(check_seconds=1e6, silence_seconds=1e6)
QUESTION = {"organization": NAME, "subject": ASKED[0], "permission": "read", "resource": ASKED[2]}
CHANGES = {"organization": NAME, "changes": [{"change": "create_group", "group": "team"}]}

CHECKS: dict[str, Callable[[Authority], object]] = {
    "check": lambda far: far.check(*ASKED),
    "live check": lambda far: far.check(*ASKED, assurance="live"),
    "explained check": lambda far: far.check(*ASKED, explain=True),
    "a hundred checks": lambda far: far.check_many([ASKED] * 100),
}


class Far:
    """A database by way of two gates, as two hosts of one server."""

    def __init__(self, database: str) -> None:
        parts = psycopg.conninfo.conninfo_to_dict(database)
        socket = str(Path(str(parts["host"])) / ".s.PGSQL.5432")
        self.first, self.second = Gate(socket), Gate(socket)
        self._name = str(parts["dbname"])
        prepare(database)
        with Authority.open(database, organization=NAME) as near:
            near.apply(FACTS, route="inline")

    @property
    def url(self) -> str:
        """By the first gate alone."""
        return self.first.url(self._name)

    @property
    def both(self) -> str:
        """By the first gate, or else by the second."""
        ports = f"{self.first.port},{self.second.port}"
        options = "sslmode=disable&gssencmode=disable"
        hosts = f"host=127.0.0.1,127.0.0.1&port={ports}"
        return f"postgresql://postgres@/{self._name}?{hosts}&{options}"

    def open(self, url: str, settings: Settings) -> Authority:
        """An authority that has one connection at most."""
        store = PostgresStore(url, connections=1, settings=settings)
        return Authority(store, organization=NAME, settings=settings)

    def close(self) -> None:
        """End it, whatever state it is in."""
        for gate in (self.first, self.second):
            gate.open()
            gate.close()


@pytest.fixture(scope="module")
def far(new_shared_database: Callable[[str], str]) -> Iterator[Far]:
    """One for all tests."""
    made = Far(new_shared_database("postgres"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def opened(far: Far) -> Iterator[None]:
    """Both gates are open when a test begins."""
    yield
    far.first.open()
    far.second.open()


def test_the_bounds_are_two_seconds() -> None:
    """As they are set, together with what is waited beyond them."""
    assert Settings().check_seconds + GRACE_SECONDS <= 2
    assert unauthenticated.READY_SECONDS + unauthenticated.LOOK_SECONDS <= 2


@pytest.mark.parametrize("state", ["stalled", "shut"])
@pytest.mark.parametrize("ask", CHECKS.values(), ids=CHECKS)
def test_a_check_ends(far: Far, state: str, ask: Callable[[Authority], object]) -> None:
    """On a connection that swallows everything, on none that can be had, and behind somebody who has the only
    one. Control: without the bound it is still waiting then.
    """
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))
        stack.callback(far.first.open)  # before the pool ends
        bounded = stack.enter_context(far.open(far.url, BOUNDED))
        patient = stack.enter_context(far.open(far.url, PATIENT))
        for each in (bounded, patient):
            until_answered(partial(ask, each))
        far.first.stall() if state == "stalled" else far.first.shut()
        waiting = pool.submit(ask, patient)
        behind = pool.submit(ask, bounded)
        for _ in range(2):
            with pytest.raises(DecisionUnavailable):
                ask(bounded)
        with pytest.raises(DecisionUnavailable):
            behind.result()
        assert state == "shut" or not waiting.done()
        far.first.open()
        assert until_answered(partial(ask, bounded))


@pytest.mark.parametrize("state", ["stalled", "shut"])
def test_another_host_is_asked_in_time(far: Far, state: str) -> None:
    """The first host of the URL says nothing, or refuses: the check is answered by the second."""
    with far.open(far.both, Settings(check_seconds=3.0, silence_seconds=0.5)) as authority:
        assert until_answered(lambda: authority.check(*ASKED))
        far.first.stall() if state == "stalled" else far.first.shut()
        for _ in range(2):  # the connection that was open says nothing either
            authority.store.reconnect()
            assert authority.check(*ASKED)


def test_a_first_host_that_takes_all_the_time(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where hosts do not share it, the second one is not asked in time."""
    shared = connection.Connecting.next_deadline

    def whole(self: Any) -> float:
        self.hosts = 1
        return shared(self)

    monkeypatch.setattr(connection.Connecting, "next_deadline", whole)
    with far.open(far.both, BOUNDED) as authority:
        far.first.stall()
        authority.store.reconnect()
        with pytest.raises(DecisionUnavailable):
            authority.check(*ASKED)


def test_no_host_answers(far: Far) -> None:
    """Two that say nothing take no longer than one."""
    with far.open(far.both, BOUNDED) as authority:
        far.first.stall()
        far.second.stall()
        for _ in range(2):
            with pytest.raises(DecisionUnavailable):
                authority.check(*ASKED)


# --- over HTTP ---------------------------------------------------------------------------------------


def _checks(client: httpx.Client) -> list[Callable[[], int]]:
    """Checks that need the database, by three kinds of routes."""
    authzen = {
        "subject": {"type": "user", "id": "ada"},
        "action": {"name": "read"},
        "resource": {"type": "doc", "id": "1"},
    }
    asked: list[tuple[str, Any]] = [
        ("/v1/check", QUESTION),
        (f"/o/{NAME}/access/v1/evaluation", authzen),
        ("/authorization/organization_memberships/om_1/check", {"permission_slug": "read"}),
    ]
    return [partial(_status, client, path, body) for path, body in asked]


def _status(client: httpx.Client, path: str, body: Any) -> int:
    return client.post(path, json=body).status_code


@pytest.mark.parametrize("settings", [BOUNDED, PATIENT], ids=["bounded", "control"])
def test_a_service_whose_threads_all_wait(
    far: Far, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """Checks are 503, and it is not ready, while changes are waited for by all its threads. Control: where a
    check may wait as long, it is not answered then; that it is not ready is known all the same.
    """
    monkeypatch.setattr(unauthenticated, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(unauthenticated, "READY_SECONDS", 0.0)
    with ExitStack() as stack:
        authority = stack.enter_context(far.open(far.url, settings))
        served = stack.enter_context(serving(Service(authority, Keys(authority.store))))
        limits = httpx.Limits(max_connections=None)
        client = stack.enter_context(served.client(limits=limits))
        pool = stack.enter_context(ThreadPoolExecutor(THREADS + 3))
        stack.callback(far.first.open)  # before the pool ends
        until(lambda: _status(client, "/v1/check", QUESTION) == 200)
        until(lambda: client.get("/readyz").status_code == 200)
        far.first.stall()
        changing = [pool.submit(_status, client, "/v1/changes", CHANGES) for _ in range(THREADS)]
        if settings is BOUNDED:
            assert [ask() for ask in _checks(client)] == [503] * 3
            assert client.get("/readyz").json()["not_ready"].keys() == {"database"}
        else:
            checking = [pool.submit(ask) for ask in _checks(client)]
            assert client.get("/readyz").json()["not_ready"].keys() == {"database"}
            assert not any(each.done() for each in checking)
        assert not all(each.done() for each in changing)
