"""Connections: one rate, one look for many, revocations of others, and readers that do not read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from uvicorn.server import ServerState

from rescind import Authority, changes
from rescind.http.keys import Keys
from rescind.http.routes import checks
from rescind.http.server.entry import HttpEntry
from rescind.http.server.limits import Rates
from rescind.http.server.service import Service
from rescind.http.server.serving import fast_path_config
from rescind.replicas.file_watch import FileWatch
from tests.contract.world import WORLD
from tests.http.both import ASKED, running
from tests.http.raw import LAST, answers, connect, exchanged, request, whole_answer

LEAVE = changes.RemoveMembers(group="eng", members=("user:ada",))
JOIN = changes.AddMembers(group="eng", members=("user:ada",))

# --- rates, revocations ---------------------------------------------------------------------------


def test_the_rate_counts_once(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is tried at once and goes to the application is one request."""
    spent: list[str] = []
    spend = Rates.spend

    def noted(self: Rates, key: str) -> None:
        spent.append(key)
        spend(self, key)

    monkeypatch.setattr(Rates, "spend", noted)
    with running(new_database("sqlite"), requests_per_second=4.0) as made:
        for body in (json.dumps(ASKED).encode(), b"{"):
            exchanged(made.ours, [request(body, key=made.keys["check"]), LAST])
        assert len(spent) == 2
        many = request(json.dumps(ASKED).encode(), key=made.keys["check"]) * 40
        found = answers(exchanged(made.ours, [many, LAST]))
        assert b"HTTP/1.1 429 Too Many Requests" in {status for status, _, _ in found}


@contextmanager
def unseeing(watch: FileWatch) -> Iterator[None]:
    """As `shared_freshness`, without asking the file."""
    watch.sharing.is_shared = True
    yield
    watch.sharing.is_shared = False


@pytest.mark.parametrize("looks", [True, False])
def test_what_another_process_revokes(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    """Is denied at once, also where many are answered together. Control: not if nobody looks."""
    database = new_database("sqlite")
    with running(database) as made, Authority.open(database, organization="acme") as other:
        asks = [json.dumps(ASKED)] * 4
        key = made.keys["check"]
        exchanged(made.ours, [request(asks[0].encode(), key=key), LAST])
        if not looks:
            monkeypatch.setattr(FileWatch, "shared_freshness", unseeing)
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(made.ours)) for _ in asks]
            for _ in range(20 if looks else 1):
                for change, expected in ((LEAVE, b"false"), (JOIN, b"true")):
                    other.apply([change])
                    for _ in range(2):  # by a thread that reads the log, and then at once
                        for client, ask in zip(clients, asks, strict=True):
                            client.sendall(request(ask.encode(), key=key))
                        got = [whole_answer(client) for client in clients]
                        seen = expected if looks else b"true"  # as it was before
                        assert all(b'"allowed":' + seen in each for each in got)
                        if not looks:
                            return
        assert made.at_once.count(True) > 100


def test_one_look_for_those_that_had_begun(new_database: Callable[[str], str]) -> None:
    """It sees what was written before; what is written later is seen after."""
    database = new_database("sqlite")
    with (
        Authority.open(database, organization="acme", index=True) as authority,
        Authority.open(database, organization="acme") as other,
    ):
        authority.apply(WORLD)
        authority.load()
        question = ("user:ada", "write", "doc:1")
        assert authority.check(*question)
        other.apply([LEAVE])
        with authority.together():
            assert not authority.check(*question)
            other.apply([JOIN])
        assert authority.check(*question)
        with authority.together():
            assert authority.check(*question)


# --- slow readers ---------------------------------------------------------------------------------


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.calls: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return "close" in self.calls

    def close(self) -> None:
        self.calls.append("close")

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")


TURNS = 50
"""Of the loop: more than a request takes that waits for no thread."""


@pytest.mark.parametrize("is_paused", [True, False])
def test_who_does_not_read_is_not_read_from(
    new_database: Callable[[str], str], is_paused: bool
) -> None:
    """Nothing is answered while the client takes nothing, and no more is read. Control: else it is."""
    with Authority.open(new_database("sqlite"), index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        keys = Keys(authority.store, remember_seconds=3_600)
        key = keys.create("test", ["check"])[1]
        keys.note_use(keys.recognize(key))
        authority.check("user:ada", "write", "doc:1", organization="acme")  # memory has caught up
        entry = HttpEntry(None, Service(authority, keys), checks.FAST_ROUTES)  # type: ignore[arg-type]
        ask = request(json.dumps(ASKED).encode(), key=key)
        first, later, calls = asyncio.run(_fed(entry, ask, is_paused=is_paused))
        assert first.count(b"HTTP/1.1 200 OK") == (0 if is_paused else 3)
        assert later.count(b"HTTP/1.1 200 OK") == 3
        assert ("pause_reading" in calls) == is_paused


async def _fed(entry: HttpEntry, ask: bytes, *, is_paused: bool) -> tuple[bytes, bytes, list[str]]:
    """What is written of three answers, and what when the client takes it."""
    config = fast_path_config(entry)
    config.load()
    transport = Transport()
    state = ServerState()
    connection: Any = config.http_protocol_class(config=config, server_state=state, app_state={})
    connection.connection_made(transport)
    if is_paused:
        connection.pause_writing()
    connection.data_received(ask * 3)
    await _turns()
    first = b"".join(transport.written)
    if is_paused:
        connection.resume_writing()
    await _turns()
    later, calls = b"".join(transport.written), list(transport.calls)
    connection.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return first, later, calls


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
