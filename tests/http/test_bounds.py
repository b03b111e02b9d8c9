"""What one client can make a service hold: pages, answers that are not read, idle connections, names."""

from __future__ import annotations

import json
import resource
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from rescind import Authority, changelog, changes, model
from rescind.http.keys import Keys
from rescind.http.keys import key_store as keys_of
from rescind.http.routes import imports
from rescind.http.server import fast_path
from rescind.http.server import serving as serving_of
from rescind.http.server.fast_path import FastPathConnections
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from rescind.http.server.serving import DESCRIPTORS, most_connections
from rescind.model import ids as names
from tests.http.conftest import given
from tests.http.raw import answers, connect, request, until_closed
from tests.http.serving import Served, serving

LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
DOCUMENT = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
"""Whose answer is more than a socket of ours holds."""


@pytest.fixture(params=["sqlite", "postgres"])
def acme(
    request: pytest.FixtureRequest, server: Served, new_database: Callable[[str], str]
) -> Iterator[Served]:
    """A service on each engine in turn."""
    with given(server, new_database(request.param)) as running:
        yield running


# --- the log --------------------------------------------------------------------------------------


def large(number: int) -> changes.Change:
    return changes.DefinePermission(permission=f"p{number}", description="x" * 2_000)


def test_a_page_of_the_log_is_bounded(acme: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the change that has it full; the next goes on after that. Control: else it is whole."""
    for number in range(5):
        acme.service.authority.apply([large(number)], organization="acme")
    query = {"organization": "acme", "limit": 100}

    def pages() -> list[list[dict[str, Any]]]:
        found, after = [], 0
        with acme.client() as client:
            while after is not None:
                answer = client.get("/v1/changes", params={**query, "after": after})
                page = answer.raise_for_status().json()
                found.append(page["changes"])
                after = page["next_after"]
        return found

    (whole,) = pages()
    assert len(whole) == 6
    monkeypatch.setattr(acme.service, "limits", Limits(page_characters=3_000))
    cut = pages()
    assert [change for page in cut for change in page] == whole
    assert max(len(json.dumps(page[:-1])) for page in cut if len(page) > 1) < 3_500
    assert len(cut) > 2


def test_the_log_is_read_in_bounded_parts(acme: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, and with a limit, as if it were read at once."""
    authority = acme.service.authority
    for number in range(5):
        authority.apply([large(number)], organization="acme")
    whole = [list(authority.log(organization="acme", limit=n)) for n in (None, 0, 1, 4, 9)]
    sizes = []
    fetch = authority.store.fetch

    def noted(query: Any, *arguments: Any, **others: Any) -> Any:
        rows = fetch(query, *arguments, **others)
        if str(query) == "read_log":
            sizes.append(sum(len(row.body) for row in rows))
        return rows

    monkeypatch.setattr(authority.store, "fetch", noted)
    monkeypatch.setattr(changelog, "PAGE_CHARACTERS", 2_500)
    for limit, entries in zip((None, 0, 1, 4, 9), whole, strict=True):
        assert list(authority.log(organization="acme", limit=limit)) == entries
    assert max(sizes[1:]) < 2 * 2_500
    assert len(sizes) > 8


def test_a_batch_of_an_import_is_bounded(
    served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bytes as well, so that no change of the log is large. Control: else it is one batch."""
    lines = b"".join(
        b'{"change": "define_permission", "permission": "p%d", "description": "%b"}\n'
        % (number, b"x" * 1_000)
        for number in range(6)
    )
    headers = {"Content-Type": "application/x-ndjson"}
    batches = []
    for most in (imports.BATCH_BYTES, 2_500):
        monkeypatch.setattr(imports, "BATCH_BYTES", most)
        answer = client.post(
            "/v1/import", params={"organization": "acme"}, content=lines, headers=headers
        )
        batches.append(answer.raise_for_status().json()["batches"])
    assert batches == [1, 3]


# --- answers that are not read --------------------------------------------------------------------


@contextmanager
def limited(database: str, **limits: Any) -> Iterator[Served]:
    """A service of its own with these limits."""
    with Authority.open(database) as authority:
        service = Service(authority, Keys(authority.store), limits=Limits(**limits))
        with serving(service) as running:
            yield running


def silent(served: Served, stack: ExitStack) -> socket.socket:
    """A client that asks for much and takes nothing of it."""
    connection = stack.enter_context(connect(served))
    connection.sendall(DOCUMENT * 60)
    return connection


def await_end(connection: socket.socket) -> None:
    """Return when the other end has given the connection up."""
    poll = select.poll()
    poll.register(connection, 0)  # nothing but its end
    while not poll.poll(1_000):
        pass


def test_who_does_not_read_is_given_up(new_database: Callable[[str], str]) -> None:
    """When the time of an answer is over; others are served."""
    with limited(new_database("sqlite"), answer_seconds=0.2) as served, ExitStack() as stack:
        slow = [silent(served, stack) for _ in range(3)]
        for connection in slow:
            await_end(connection)
        assert answers(until_closed_after(served, LIVE))[0][0] == b"HTTP/1.1 200 OK"


def until_closed_after(served: Served, sent: bytes) -> bytes:
    with connect(served) as connection:
        connection.sendall(sent.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        return until_closed(connection)


def test_who_reads_late_but_in_time_has_all_of_it(new_database: Callable[[str], str]) -> None:
    """Control: with the time that there is by default, nothing is given up."""
    with limited(new_database("sqlite")) as served, ExitStack() as stack:
        connection = silent(served, stack)
        connection.sendall(LIVE.replace(b"Host: x", b"Host: x\r\nConnection: close"))
        assert answers(until_closed_after(served, LIVE))
        assert until_closed(connection).count(b"HTTP/1.1 200 OK") == 61


def test_too_much_that_is_not_read_is_given_up(new_database: Callable[[str], str]) -> None:
    """The largest first, before its time; what is small stays."""
    limits = {"unread_bytes": 1, "head_seconds": 1.0}
    with limited(new_database("sqlite"), **limits) as served, ExitStack() as stack:
        await_end(silent(served, stack))
        assert answers(until_closed_after(served, LIVE))[0][0] == b"HTTP/1.1 200 OK"


def test_who_does_not_read_does_not_delay_the_end(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever time an answer has: it is over soon after the service is told to stop."""
    monkeypatch.setattr(fast_path, "LAST_SECONDS", 0.1)
    with ExitStack() as stack:
        with limited(new_database("sqlite"), answer_seconds=3_600.0) as served:
            connection = silent(served, stack)
            connection.recv(1)
        await_end(connection)


# --- connections ----------------------------------------------------------------------------------


@pytest.mark.parametrize("has_room", [True, False])
def test_idle_connections_shut_nobody_out(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, has_room: bool
) -> None:
    """Whoever comes is served, be there ever so many. Control: not where no room is made."""
    if not has_room:
        monkeypatch.setattr(FastPathConnections, "make_room", lambda *_: None)
    with Authority.open(new_database("sqlite")) as authority, ExitStack() as stack:
        service = Service(authority, Keys(authority.store), limits=Limits(head_seconds=3_600))
        with serving(service, limit_concurrency=20) as served:
            statuses = set()
            for number in range(100):
                idle = stack.enter_context(connect(served))
                if number % 2:
                    idle.sendall(LIVE[:10])
                statuses.add(answers(until_closed_after(served, LIVE))[0][0])
    expected = {b"HTTP/1.1 200 OK"}
    assert statuses == (expected if has_room else expected | {b"HTTP/1.1 503 Service Unavailable"})


def test_a_request_under_way_makes_no_room(new_database: Callable[[str], str]) -> None:
    """It is answered, however many come."""
    body = b'{"organization": "acme", "changes": [{"change": "create_organization"}]}'
    with Authority.open(new_database("sqlite")) as authority, ExitStack() as stack:
        service = Service(authority, Keys(authority.store))
        with serving(service, limit_concurrency=20) as served, connect(served) as busy:
            whole = request(body, "/v1/changes", key=served.admin, more=["Connection: close"])
            busy.sendall(whole[:-5])
            for _ in range(60):
                stack.enter_context(connect(served))
            assert answers(until_closed_after(served, LIVE))[0][0] == b"HTTP/1.1 200 OK"
            busy.sendall(whole[-5:])
            assert answers(until_closed(busy))[0][0] == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("soft", "hard", "most", "raised"),
    [
        (1_024, 1_048_576, 10_000, 10_000 + DESCRIPTORS),
        (512, 512, 512 - DESCRIPTORS, 512),
        (100, 100, 50, 100),
        (20_000, 20_000, 10_000, 20_000),
        (1_024, 4_096, 4_096 - DESCRIPTORS, 4_096),
        (1_024, resource.RLIM_INFINITY, 10_000, 10_000 + DESCRIPTORS),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 10_000, resource.RLIM_INFINITY),
    ],
)
def test_connections_follow_the_limit_of_descriptors(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, most: int, raised: int
) -> None:
    """Which is raised as far as that goes, and is never too small for what else there is."""
    limit = [(soft, hard)]
    monkeypatch.setattr(serving_of.resource, "getrlimit", lambda _: limit[-1])
    monkeypatch.setattr(serving_of.resource, "setrlimit", lambda _, new: limit.append(new))
    assert most_connections(10_000) == most
    assert limit[-1][0] == raised


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/organizations", "/organizations/ID/groups"])
def test_a_search_has_a_length(acme: Served, path: str) -> None:
    """Beyond it, it is refused; the longest is looked for."""
    with acme.client() as client:
        made = client.post("/organizations", json={"name": "x"}).raise_for_status().json()
        where = path.replace("ID", made["id"])
        for text in ("a" * 50_000, "%" * 1_001):
            assert client.get(where, params={"search": text}).status_code == 400
        for text in ("%" * 1_000, "\U0001f600" * 1_000):
            assert client.get(where, params={"search": text}).status_code == 200


def test_large_ids_are_not_remembered() -> None:
    """Their checks are made anew, with the same result; those of others are made once."""
    made = []

    def check(value: object) -> str:
        made.append(value)
        return str(value)

    found = names.remembering(check)
    for text in ("a" * 20, "é" * 20, "a" * 255, "\U0001f600" * 255):
        assert found(text) == found(text) == text
    assert len(made) == 2 + 2 * 2
    assert model.subject_id("a" * 200) == model.subject_id("a" * 200) == "user:" + "a" * 200


def test_the_use_of_many_keys_is_bounded(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of it: no more than so many keys."""
    monkeypatch.setattr(keys_of, "MOST_REMEMBERED", 2)
    known = Keys(authority.store)
    for _ in range(5):
        known.note_use(known.recognize(known.create("ci", ["read"])[1]))
        assert len(known.noted_uses) <= 2
