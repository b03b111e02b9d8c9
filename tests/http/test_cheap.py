"""What anybody can ask for without a key, and what is refused, costs the event loop less than a check."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rescind import Authority
from rescind.http.app import application
from rescind.http.keys import Keys
from rescind.http.server import unauthenticated
from rescind.http.server.entry import HttpEntry
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from rescind.http.server.unauthenticated import Document
from tests.contract.world import WORLD

CHECK = json.dumps(
    {"organization": "acme", "subject": "user:ada", "permission": "write", "resource": "doc:1"}
).encode()
JSON = (b"content-type", b"application/json")
PUBLIC = [
    "/livez",
    "/readyz",
    "/openapi.json",
    "/.well-known/authzen-configuration",
    "/.well-known/authzen-configuration/o/acme",
]
REFUSED = [
    ("GET", "/nothing", "", 404),
    ("GET", "/organizations/x/y/z", "", 404),
    ("GET", "//v1//keys", "admin", 404),
    ("POST", "/v1/changes/", "admin", 404),
    ("GET", "/v1/check", "", 405),
    ("TRACE", "/organizations", "", 405),
    ("GET", "/v1/keys", "", 401),
    ("POST", "/v1/changes", "nonsense", 401),
    ("POST", "/v1/check", "nonsense", 401),
    ("GET", "/organizations", "", 401),
    ("GET", "/v1/keys", "check", 403),
    ("POST", "/v1/changes", "check", 403),
    ("OPTIONS", "/v1/keys", "", 204),
]


class Counted:
    """A entry point, and how many calls a request to it makes on the event loop's thread."""

    def __init__(self, entry: HttpEntry, keys: dict[str, str]) -> None:
        self.entry, self.keys = entry, keys

    async def ask(self, method: str, path: str, key: str, body: bytes = b"") -> tuple[int, int]:
        """The status, and the number of calls."""
        headers = [(b"host", b"x"), JSON]
        if key:
            headers.append((b"authorization", f"Bearer {self.keys.get(key, key)}".encode()))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
            "state": {},
        }
        sent: list[Any] = []
        calls = 0

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        def count(_: Any, event: str, __: Any) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            await self.entry(scope, receive, send)
        finally:
            sys.setprofile(None)
        return sent[0]["status"], calls

    async def second(self, *asked: Any) -> tuple[int, int]:
        """The same, when it was asked before."""
        await self.ask(*asked)
        return await self.ask(*asked)


@contextmanager
def counted(database: str) -> Iterator[Counted]:
    with Authority.open(database, index=True) as authority:
        authority.apply(WORLD, organization="acme")
        authority.load("acme")
        keys = Keys(authority.store, remember_seconds=3_600)
        texts = {name: keys.create(name, [name])[1] for name in ("admin", "check")}
        for text in texts.values():
            keys.note_use(keys.recognize(text))
        service = Service(authority, keys, limits=Limits(requests_per_second=0))
        yield Counted(application(service), texts)


@pytest.fixture(scope="module")
def entry(new_shared_database: Callable[[str], str]) -> Iterator[Counted]:
    """On SQLite, with an organization in memory."""
    with counted(new_shared_database("sqlite")) as made:
        yield made


async def most(entry: Counted) -> int:
    """The calls of a check that memory answers."""
    status, calls = await entry.second("POST", "/v1/check", "check", CHECK)
    assert status == 200
    return calls


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_route_costs_less_than_a_check(entry: Counted, path: str) -> None:
    """As counted in calls of functions."""

    async def compare() -> None:
        status, calls = await entry.second("GET", path, "")
        assert status == 200
        assert calls < await most(entry)

    asyncio.run(compare())


@pytest.mark.parametrize(("method", "path", "key", "expected"), REFUSED)
def test_a_refusal_costs_less_than_a_check(
    entry: Counted, method: str, path: str, key: str, expected: int
) -> None:
    """So does a question for the methods."""

    async def compare() -> None:
        status, calls = await entry.second(method, path, key)
        assert status == expected
        assert calls < await most(entry)

    asyncio.run(compare())


def test_the_frameworks_own_refusals_cost_more(entry: Counted) -> None:
    """Control: left to the framework, what is refused costs more than a check, and the count sees it."""

    async def compare() -> None:
        direct = Counted(entry.entry.app, entry.keys)  # type: ignore[arg-type]
        for method, path in (("GET", "/v1/keys"), ("POST", "/v1/changes")):
            assert (await direct.second(method, path, ""))[1] > await most(entry)

    asyncio.run(compare())


def test_the_document_is_made_once(entry: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for the first time at once."""
    made = []
    encode = unauthenticated.encode_json
    monkeypatch.setattr(
        unauthenticated, "encode_json", lambda value: made.append(1) or encode(value)
    )
    monkeypatch.setattr(Document, "encoded", None)

    async def several() -> None:
        scope_headers: dict[bytes, bytes] = {}
        found = await asyncio.gather(
            *(
                entry.entry.unauthenticated.answer(b"/openapi.json", "http", scope_headers)
                for _ in range(5)
            )
        )
        assert len({id(body) for _, _, body in found}) == 1

    asyncio.run(several())
    assert len(made) == 1


def test_readiness_asks_the_database_seldom(
    entry: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for many that ask at once. Control: where an answer holds no time, each asks."""
    asked = []
    look = unauthenticated.why_not_ready
    monkeypatch.setattr(
        unauthenticated, "why_not_ready", lambda store: asked.append(1) or look(store)
    )

    async def several() -> None:
        readiness = unauthenticated.Readiness(entry.entry.service)
        for _ in range(3):
            assert await asyncio.gather(*(readiness.missing() for _ in range(5))) == [{}] * 5

    monkeypatch.setattr(unauthenticated, "READY_SECONDS", 3_600.0)
    asyncio.run(several())
    assert len(asked) == 1
    monkeypatch.setattr(unauthenticated, "READY_SECONDS", 0.0)
    asyncio.run(several())
    assert len(asked) > 2
