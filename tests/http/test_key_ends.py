"""A key that ends while a request is under way: what is still to come of the request is not done."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from rescind import Authority, changes
from rescind.http.auth import Caller
from rescind.http.keys import ApiKey, Credential, Keys
from rescind.http.keys import key_store as keys_of
from rescind.http.routes import imports
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from tests.http.conftest import given
from tests.http.raw import answers, connect, until_closed
from tests.http.serving import Served

BODIES = {
    "/v1/changes": b'{"changes": [{"change": "create_group", "group": "late"}]}',
    "/v1/check": b'{"subject": "user:ada", "permission": "read"}',
    "/v1/check/batch": b'{"checks": [{"subject": "user:ada", "permission": "read"}]}',
    "/organizations": b'{"name": "late"}',
}
LINE = b'{"change": "create_group", "group": "%b"}\n'
LATER = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture(params=["sqlite", "postgres"])
def acme(
    request: pytest.FixtureRequest, server: Served, new_database: Callable[[str], str]
) -> Iterator[Served]:
    """A service that remembers no key, on each engine in turn."""
    with given(server, new_database(request.param)) as running:
        running.service.keys = Keys(running.service.authority.store, remember_seconds=0)
        yield running


def revoked(served: Served, key: ApiKey, _: pytest.MonkeyPatch) -> None:
    Keys(served.service.authority.store).revoke(key.id)


def rotated(served: Served, key: ApiKey, _: pytest.MonkeyPatch) -> None:
    Keys(served.service.authority.store).rotate(key.id)


def expired(_: Served, __: ApiKey, patch: pytest.MonkeyPatch) -> None:
    now = keys_of.now_microseconds
    patch.setattr(keys_of, "now_microseconds", lambda: now() + 31 * 86_400 * 1_000_000)


def orphaned(served: Served, _: ApiKey, __: pytest.MonkeyPatch) -> None:
    served.service.authority.apply([changes.DeleteOrganization(cascade=True)], organization="acme")


ENDS = [revoked, rotated, expired, orphaned]
End = Callable[[Served, ApiKey, pytest.MonkeyPatch], None]


def begun(served: Served, path: str, key: str, *more: str) -> socket.socket:
    """A request whose head is there, and whose key has been recognized."""
    connection = connect(served)
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *more]
    lines += ["Expect: 100-continue", "Connection: close", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    assert connection.recv(1_000).startswith(b"HTTP/1.1 100 ")  # its body is waited for
    return connection


def slow_body(served: Served, path: str, end: End, patch: pytest.MonkeyPatch) -> bytes:
    """The status line of a request whose key ends while its body comes."""
    key, text = served.service.keys.create(
        "ci", ["check", "write"], organization="acme", expires_at=LATER
    )
    body = BODIES[path]
    more = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with begun(served, path, text, *more) as connection:
        connection.sendall(body[:5])
        end(served, key, patch)
        connection.sendall(body[5:])
        return answers(until_closed(connection))[0][0]


def slow_import(
    served: Served, end: Callable[[], None], key: str, groups: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Status line and body of an import, where something ends after its first batch."""
    more = ("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
    with begun(served, "/v1/import", key, *more) as connection:
        for number, group in enumerate(groups):
            line = LINE % group
            connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
            if number == 1:  # which filled the batch before
                wait_for(served, "create_group", groups[0])
                end()
        connection.sendall(b"0\r\n\r\n")
        ((status, _, body),) = answers(until_closed(connection))
        return status, body


def wait_for(served: Served, change: str, group: bytes) -> None:
    while not made(served, group):
        pass


def made(served: Served, group: bytes) -> bool:
    """Whether the log has the creation of the group."""
    entries = served.service.authority.log(organization="acme")
    return any(
        each.get("group") == group.decode()
        for entry in entries
        for each in json.loads(entry.changes)
    )


@pytest.mark.parametrize(
    ("path", "end"),
    [*((path, revoked) for path in BODIES), *(("/v1/changes", end) for end in ENDS[1:])],
)
def test_while_a_body_comes(
    acme: Served, path: str, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is refused as if the key had ended before."""
    assert slow_body(acme, path, end, monkeypatch) == b"HTTP/1.1 401 Unauthorized"
    if path == "/v1/changes" and end is not orphaned:
        assert not made(acme, b"late")


@pytest.mark.parametrize("end", ENDS)
def test_between_the_batches_of_an_import(
    acme: Served, end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was applied stays, and is told; the rest is refused."""
    monkeypatch.setattr(imports, "BATCH_SIZE", 1)
    key, text = acme.service.keys.create("ci", ["write"], organization="acme", expires_at=LATER)
    status, body = slow_import(
        acme, lambda: end(acme, key, monkeypatch), text, [b"one", b"two", b"three"]
    )
    assert status == b"HTTP/1.1 401 Unauthorized"
    assert b"batches_done_before 1" in body
    assert made(acme, b"one")
    assert not made(acme, b"two")
    assert not made(acme, b"three")


def test_without_another_look_it_goes_on(acme: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: where the key is recognized once, a revoked one goes on writing."""

    def once(credential: Credential) -> Caller:
        return credential.caller

    monkeypatch.setattr(Credential, "remembered", once)
    monkeypatch.setattr(Credential, "recognize", once)
    assert slow_body(acme, "/v1/changes", revoked, monkeypatch) == b"HTTP/1.1 200 OK"
    assert made(acme, b"late")
    monkeypatch.setattr(imports, "BATCH_SIZE", 1)
    key, text = acme.service.keys.create("ci", ["write"], organization="acme")
    end = lambda: revoked(acme, key, monkeypatch)  # noqa: E731
    assert slow_import(acme, end, text, [b"one", b"two"])[0] == b"HTTP/1.1 200 OK"
    assert made(acme, b"two")


@pytest.mark.parametrize("kind", ["blank lines", "a batch"])
def test_an_import_has_an_end(served: Served, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However it goes on: the rest is refused, to be sent again with its idempotency key."""
    monkeypatch.setattr(imports, "BATCH_SIZE", 1)
    monkeypatch.setattr(served.service, "limits", Limits(import_seconds=0.3))
    query = "/v1/import?organization=acme"
    more = ("Content-Type: application/x-ndjson", "Transfer-Encoding: chunked")
    with begun(served, query, served.admin, *more) as connection:
        line = b"\n" if kind == "blank lines" else LINE % b"one" + b"\n" * 100
        drip(connection, b"%x\r\n%b\r\n" % (len(line), line))
        got = until_closed(connection)
    if got:  # else it was reset, with what was not read
        assert got.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"request_timed_out"' in got


def drip(connection: socket.socket, piece: bytes) -> None:
    """Send it again and again until there is an answer."""
    connection.settimeout(0.01)
    try:
        while True:
            connection.sendall(piece)
            try:
                connection.recv(1, socket.MSG_PEEK)
                return
            except TimeoutError:
                continue
    except ConnectionError:
        return
    finally:
        connection.settimeout(20)


def test_the_time_of_an_import_counts_from_its_beginning(authority: Authority) -> None:
    """Before its end there is time; from then on there is none."""
    keys = Keys(authority.store)
    caller = keys.recognize(keys.create("ci", ["write"])[1])
    service = SimpleNamespace(limits=Limits(import_seconds=3_600), authority=authority)
    run = imports.Run(
        cast(Service, service),
        Credential(keys, "", caller),
        "acme",
        reason="",
        key=None,
        behalf=None,
    )
    run.require_time()
    run.deadline -= 3_600
    with pytest.raises(imports.RequestTimedOut):
        run.require_time()
