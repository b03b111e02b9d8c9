"""What is answered on the event loop: what memory has, at once. All else is for threads that may wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from typing import Any

import pytest

from rescind import Authority, changes, waiting
from rescind.errors import StoreUnavailable
from rescind.http.authzen import routes as authzen
from rescind.http.keys import Keys
from rescind.http.routes import checks
from rescind.http.server import nonblocking
from rescind.http.server.entry import FastResponse, HttpEntry
from rescind.http.server.nonblocking import MOST_BYTES, MOST_QUESTIONS
from rescind.http.server.service import Service
from rescind.index.index import Index
from rescind.replicas.cache import IndexCache
from rescind.store.pool import Checkout
from rescind.store.sqlite.connections import MOST_READERS
from tests.contract.world import WORLD

CHECK: dict[str, Any] = {"subject": "user:ada", "permission": "write", "resource": "doc:1"}
LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
EVALUATION = {
    "subject": {"type": "user", "id": "ada"},
    "action": {"name": "write"},
    "resource": {"type": "doc", "id": "1"},
}


class Loop:
    """A entry point without a server. This thread stands for the event loop's."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        keys = Keys(authority.store)
        _, text = keys.create("test", ["check"], organization="acme")
        keys.note_use(keys.recognize(text))
        self.service = Service(authority, keys)
        fast_routes = {**checks.FAST_ROUTES, **authzen.FAST_ROUTES}
        self._entry = HttpEntry(None, self.service, fast_routes)  # type: ignore[arg-type]
        self._headers = {
            b"authorization": f"Bearer {text}".encode(),
            b"content-type": b"application/json",
        }

    @property
    def index(self) -> Index:
        """What is held of the organization."""
        assert self.authority.cache is not None
        return self.authority.cache.indexes["acme"].index

    def at_once(self, asked: object, path: str = "/v1/check") -> Any:
        """The answer, if there is one at once."""
        body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        found = self._entry.at_once(path, self._headers, body)
        return json.loads(found.body) if isinstance(found, FastResponse) else None


@pytest.fixture
def loop(database: str) -> Iterator[Loop]:
    """On each engine in turn."""
    with Authority.open(database, index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        made = Loop(authority)
        authority.check("user:ada", "write", "doc:1", organization="acme")
        yield made


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """A thread that may wait."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def asked_of_database(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this thread asks the database for."""
    asked: list[str] = []

    def refuse(way: str) -> Callable[..., Any]:
        def ask(*_: Any, **__: Any) -> Any:
            asked.append(way)
            raise AssertionError

        return ask

    for way in ("fetch", "fetch_many", "snapshot", "transact"):
        monkeypatch.setattr(loop.authority.store, way, refuse(way))
    return asked


ANSWERED = {
    "a check": ("/v1/check", CHECK),
    "a deny": ("/v1/check", {**CHECK, "subject": "user:bob"}),
    "a batch": ("/v1/check/batch", {"checks": [CHECK] * MOST_QUESTIONS}),
    "an evaluation": ("/access/v1/evaluation", EVALUATION),
    "evaluations": ("/access/v1/evaluations", {**EVALUATION, "evaluations": [{}] * MOST_QUESTIONS}),
}
ELSEWHERE = {
    "the critical": ("/v1/check", {**CHECK, "permission": "purge"}),
    "live": ("/v1/check", {**CHECK, "assurance": "live"}),
    "explained": ("/v1/check", {**CHECK, "explain": True}),
    "a live batch": ("/v1/check/batch", {"checks": [CHECK], "assurance": "live"}),
    "a large batch": ("/v1/check/batch", {"checks": [CHECK] * (MOST_QUESTIONS + 1)}),
    "many evaluations": (
        "/access/v1/evaluations",
        {**EVALUATION, "evaluations": [{}] * (MOST_QUESTIONS + 1)},
    ),
    "a large body": ("/v1/check", json.dumps(CHECK).encode() + b" " * MOST_BYTES),
    "another organization": ("/v1/check", {**CHECK, "organization": "none"}),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_what_memory_has_is_answered_at_once(
    loop: Loop, asked_of_database: list[str], case: str
) -> None:
    """On each engine, without asking the database for anything."""
    path, asked = ANSWERED[case]
    assert loop.at_once(asked, path) is not None
    assert asked_of_database == []


@pytest.mark.parametrize("case", ELSEWHERE)
def test_all_else_leaves_the_loop(loop: Loop, asked_of_database: list[str], case: str) -> None:
    """What reads a database, or is large, is not answered there, and asks for nothing."""
    path, asked = ELSEWHERE[case]
    assert loop.at_once(asked, path) is None
    assert asked_of_database == []


def test_control_a_service_that_asks_on_the_loop(loop: Loop, asked_of_database: list[str]) -> None:
    """Control: answered by the service itself, the same requests ask the database."""
    for name in ("the critical", "live", "a live batch"):
        asked_of_database.clear()
        path, asked = ELSEWHERE[name]
        loop.service.nonblocking = loop.service
        assert loop.at_once(asked, path) is None
        assert asked_of_database != [], name


class Taken:
    """A lock that somebody has."""

    def __init__(self) -> None:
        self.was_waited_for = False

    def acquire(self, *, blocking: bool) -> bool:
        self.was_waited_for |= blocking
        return blocking

    def __enter__(self) -> None:
        self.was_waited_for = True

    def __exit__(self, *_: object) -> None: ...


def _taken(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Taken:
    lock = Taken()
    monkeypatch.setattr(loop.index, "mutex", lock)
    return lock


NEW = {**CHECK, "subject": "user:cyd", "resource": "doc:2"}
"""What must be worked out first, under the index's lock."""


def test_a_lock_is_not_waited_for(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a long list has the index, what is known is answered and what is not leaves the loop."""
    lock = _taken(loop, monkeypatch)
    assert loop.at_once(CHECK)["allowed"]
    assert loop.at_once(NEW) is None
    assert not lock.was_waited_for
    monkeypatch.undo()
    assert not loop.at_once(NEW)["allowed"]


def test_control_a_lock_that_is_waited_for(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: without the thread's word that it must not wait, it would."""
    lock = _taken(loop, monkeypatch)
    monkeypatch.setattr(nonblocking, "AT_ONCE", nullcontext())
    assert loop.at_once(NEW) is not None
    assert lock.was_waited_for


@pytest.fixture
def file_loop(new_database: Callable[[str], str]) -> Iterator[tuple[Loop, Authority]]:
    """On SQLite, and somebody else who changes the same file."""
    url = new_database("sqlite")
    with (
        Authority.open(url, index=True) as authority,
        Authority.open(url, organization="acme") as other,
    ):
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        loop = Loop(authority)
        authority.check("user:ada", "write", "doc:1", organization="acme")
        assert loop.at_once(CHECK)["allowed"]
        yield loop, other


def test_a_file_that_somebody_wrote_is_read_elsewhere(
    file_loop: tuple[Loop, Authority],
    elsewhere: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The loop reads no log: a thread does, and then the loop answers at once again, by the new facts."""
    loop, other = file_loop
    read: list[int] = []
    refresh = IndexCache.refresh
    monkeypatch.setattr(IndexCache, "refresh", lambda self, o: (read.append(o), refresh(self, o)))
    other.apply([LEAVE])
    assert loop.at_once(CHECK) is None
    assert read == []
    ask = ("user:ada", "write", "doc:1")
    assert not elsewhere.submit(loop.authority.check, *ask, organization="acme").result()
    assert read == [0]
    loop.authority.check(*ask, organization="acme")
    assert read == [0], "the loop's thread was told"
    assert not loop.at_once(CHECK)["allowed"]


def test_many_requests_at_once_share_a_look(file_loop: tuple[Loop, Authority]) -> None:
    """That look reads no log either."""
    loop, other = file_loop
    other.apply([LEAVE])
    with pytest.raises(waiting.MustWait), waiting.AT_ONCE, loop.authority.together():
        pass
    assert waiting.THREAD.may_wait


def test_control_told_without_reading(
    file_loop: tuple[Loop, Authority],
    elsewhere: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: told that memory has caught up when it has not, the loop allows what was revoked."""
    loop, other = file_loop
    other.apply([LEAVE])
    assert loop.at_once(CHECK) is None
    monkeypatch.setattr(IndexCache, "refresh", lambda *_: None)
    elsewhere.submit(
        loop.authority.check, "user:ada", "write", "doc:1", organization="acme"
    ).result()
    assert loop.at_once(CHECK)["allowed"]


class Wake:
    """What who waits for a connection is woken by: here, by nobody."""

    def __init__(self) -> None:
        self.was_waited_for = False

    def acquire(self, *, timeout: float) -> None:
        self.was_waited_for = True
        raise StoreUnavailable(why=f"there was none for {timeout} s")

    def locked(self) -> bool:
        return False


@pytest.mark.parametrize("guarded", [True, False])
def test_a_connection_is_not_waited_for(
    file_loop: tuple[Loop, Authority], monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """Where others have all that there may be, the loop waits for none. Control: it would."""
    loop, _ = file_loop
    watchers, wake = loop.authority.store.watchers, Wake()  # type: ignore[attr-defined]
    monkeypatch.setattr(watchers, "most", 1)
    monkeypatch.setattr(watchers, "wake", wake)
    if not guarded:
        monkeypatch.setattr(nonblocking, "AT_ONCE", nullcontext())
    loan: Checkout[Any] = Checkout()
    try:
        loan.acquire(watchers)
        assert loop.at_once(CHECK) is None
    finally:
        loan.release()
    assert wake.was_waited_for is not guarded
    assert loop.at_once(CHECK)["allowed"]


def test_who_reads_much_keeps_nobody_from_looking(file_loop: tuple[Loop, Authority]) -> None:
    """With every connection for reading in use, memory answers."""
    loop, _ = file_loop
    readers = loop.authority.store.readers  # type: ignore[attr-defined]
    with ExitStack() as stack:
        for _ in range(MOST_READERS):
            loan: Checkout[Any] = Checkout()
            stack.callback(loan.release)
            loan.acquire(readers)
        assert loop.at_once(CHECK)["allowed"]
