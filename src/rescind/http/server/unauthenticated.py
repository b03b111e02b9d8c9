"""Routes that need no key. They cost less than a check, and read the database at most twice a second."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

import msgspec
from litestar import Litestar
from litestar.serialization import encode_json
from msgspec import Struct

from rescind.errors import RescindError
from rescind.http.openapi_document import finished
from rescind.http.problems import detail_of
from rescind.http.server import scrapes
from rescind.http.server.asgi import CACHE
from rescind.http.server.headers import Fields, Headers, takes_gzip
from rescind.http.server.service import Service
from rescind.store import Store
from rescind.store.rows.keys import READ_API_KEY
from rescind.waiting import deadline_within, until

READY_SECONDS: Final = 0.5
"""How long an answer to `/readyz` holds that the database was there."""
LOOK_SECONDS: Final = 1.4
"""How long the database has to answer. Together it is known within two seconds that it is away."""

Answer: TypeAlias = tuple[int, Fields, bytes]
Discovery: TypeAlias = Callable[[Service, bytes, str, Headers], dict[str, Any]]
"""The body for a path of discovery, by scheme and headers. Raises InvalidRequest."""

_JSON: Final = (b"content-type", b"application/json")
_VARY: Final = (b"vary", b"accept-encoding")
_KEPT: Final = (CACHE, b"max-age=300")
"""What is the same as long as the service is: a cache may keep it for five minutes."""


class HealthResponse(Struct):
    """Whether the service is well, and what is not ready and why."""

    status: str
    not_ready: dict[str, str]


_ALIVE: Final = msgspec.json.encode(HealthResponse("ok", {}))


class Document:
    """The OpenAPI document of an application, made once for all of a process."""

    _lock = threading.Lock()
    encoded: tuple[bytes, bytes] | None = None

    @classmethod
    def of(cls, app: Litestar) -> tuple[bytes, bytes]:
        """The document as it is, and compressed. The first call takes long: keep it off the event loop."""
        with cls._lock:
            if cls.encoded is None:
                plain = encode_json(finished(app.openapi_schema.to_schema()))
                cls.encoded = plain, gzip.compress(plain, mtime=0)
            return cls.encoded

    @classmethod
    def is_made(cls) -> bool:
        """Whether `of` returns at once."""
        return cls.encoded is not None


class Readiness:
    """Whether a service is ready. For one event loop."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._good: tuple[Store | None, float] = (None, 0.0)
        self._look: asyncio.Future[str | None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rescind-ready")

    async def missing(self) -> dict[str, str]:
        """What is not ready, and why."""
        found = {}
        if self._service.is_stopping:
            found["server"] = "is stopping"
        if (why := await self._database()) is not None:
            found["database"] = why
        return found

    async def _database(self) -> str | None:
        """All who ask while somebody looks have the same answer."""
        store = self._service.authority.store
        if self._good[0] is store and time.monotonic() < self._good[1]:
            return None
        if self._look is None:
            loop = asyncio.get_running_loop()
            self._look = loop.run_in_executor(self._thread, why_not_ready, store)
            self._look.add_done_callback(self._seen)
        look, begun = self._look, time.monotonic()
        try:
            why = await asyncio.wait_for(asyncio.shield(look), LOOK_SECONDS)
        except TimeoutError:
            return f"has not answered for {LOOK_SECONDS:g} s"
        if why is None:
            self._good = store, begun + READY_SECONDS
        return why

    def _seen(self, _: asyncio.Future[Any]) -> None:
        self._look = None


def why_not_ready(store: Store) -> str | None:
    try:
        with until(deadline_within(LOOK_SECONDS)):
            store.fetch(READ_API_KEY, {"id": ""})
    except RescindError as error:
        return detail_of(error)
    return None


class UnauthenticatedRoutes:
    """The routes of one service that need no key. For one event loop."""

    def __init__(self, service: Service, app: Litestar, discovery: Discovery) -> None:
        self._service, self._app, self._discovery = service, app, discovery
        self._readiness = Readiness(service)
        self._scrapes = ThreadPoolExecutor(1, thread_name_prefix="rescind-scrape")

    async def answer(self, raw_path: bytes, scheme: str, headers: Headers) -> Answer:
        """The response to GET. Raises InvalidRequest."""
        if raw_path == scrapes.PATH:
            return await self._metrics(headers)
        if raw_path == b"/livez":
            return 200, [_JSON], _ALIVE
        if raw_path == b"/readyz":
            missing = await self._readiness.missing()
            health = HealthResponse("not ready" if missing else "ok", missing)
            return 503 if missing else 200, [_JSON], msgspec.json.encode(health)
        if raw_path == b"/openapi.json":
            return 200, *await self._document(headers)
        found = self._discovery(self._service, raw_path, scheme, headers)
        return 200, [_JSON, _KEPT], msgspec.json.encode(found)

    async def _metrics(self, headers: Headers) -> Answer:
        """In a thread of its own, so that requests which wait for the database do not hide what is wrong."""
        accept = headers.get(b"accept", b"").decode("latin-1")
        loop = asyncio.get_running_loop()
        content_type, text = await loop.run_in_executor(
            self._scrapes, scrapes.scrape, self._service, accept
        )
        return 200, [(b"content-type", content_type.encode())], text

    async def _document(self, headers: Headers) -> tuple[Fields, bytes]:
        if not Document.is_made():
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, Document.of, self._app)
        plain, compressed = Document.of(self._app)
        if not takes_gzip(headers):
            return [_JSON, _VARY, _KEPT], plain
        return [_JSON, _VARY, _KEPT, (b"content-encoding", b"gzip")], compressed
