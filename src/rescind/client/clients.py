"""`Client` and `AsyncClient`: they send what `Operations` describes, and wait. All else is shared.

Each method is made from the one of `Operations`. `clients.pyi` declares all of them for type checkers; `make
client-stub` writes it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Final

import httpx

from rescind.awaited import awaited
from rescind.client.calls import Call, Lines, Pages
from rescind.client.connecting import MOST_BYTES, MOST_CONNECTIONS, Key, failure_of
from rescind.client.core import BROKEN, Core, WholeLines, kind_of, pause_of, signed
from rescind.client.operations import Operations
from rescind.client.policy import Answer, Failure, Retries, Timeouts
from rescind.client.sending import FAILURES, Sender
from rescind.client.sending_async import AsyncSender

METHODS: Final = tuple(
    sorted(name for name in dir(Operations) if not name.startswith("_") and name != "asking")
)

DECISIONS: Final = ("check", "check_many", "explain")


class Client:
    """The service as an `Authority`. Safe to use from many threads, and after a fork.

    `url` is the service's address, perhaps with a path; `key` an API key, or a function that returns it.
    `organization` is the one meant where a call names none. With `read_your_writes`, questions about an
    organization see the changes that this client made to it. A call ends within `timeouts`, its repetitions
    included. An answer of more than `most_bytes` is refused. `ssl_context` replaces the usual verification of
    the service; `transport` makes one of httpx's, for proxies.
    """

    def __init__(
        self,
        url: str,
        *,
        key: Key,
        organization: str | None = None,
        read_your_writes: bool = False,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        most_bytes: int = MOST_BYTES,
        most_connections: int = MOST_CONNECTIONS,
        ssl_context: ssl.SSLContext | None = None,
        transport: Callable[[], httpx.BaseTransport] | None = None,
    ) -> None:
        self._core = core = Core(
            url,
            key,
            organization,
            read_your_writes,
            timeouts,
            retries,
            most_bytes,
            most_connections,
        )
        connect = core.policy.timeouts.connect_seconds
        self._sender = Sender(core.target, connect, most_connections, ssl_context, transport)

    def close(self) -> None:
        """Close all connections. Calls under way fail; later ones raise StoreUnavailable."""
        self._sender.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return self._core.shown("Client")

    def _made(self, asked: Any) -> Any:
        """The result of what an operation described."""
        if isinstance(asked, Call):
            return self._answered(asked, self._core.deadline(asked))
        if isinstance(asked, Pages):
            return self._items(asked)
        if isinstance(asked, Lines):
            return self._lines(asked)
        return self._stepped(asked)

    def _answered(self, call: Call[Any], deadline: float) -> Any:
        attempts = self._core.begin(call, deadline)
        while True:
            outcome = self._sender.send(call.request, attempts.seconds(time.monotonic()))
            pause = attempts.after(outcome, time.monotonic())
            if pause is None:
                return attempts.value
            time.sleep(pause)

    def _stepped(self, steps: Generator[Call[Any], Any, Any]) -> Any:
        result, deadline = None, None
        while True:
            try:
                call = steps.send(result)
            except StopIteration as end:
                return end.value
            deadline = deadline or self._core.deadline(call)
            result = self._answered(call, deadline)

    def _items(self, pages: Pages[Any] | None) -> Iterator[Any]:
        while pages is not None:
            items, pages = self._answered(pages.page, self._core.deadline(pages.page))
            yield from items

    def _lines(self, lines: Lines[Any]) -> Iterator[Any]:
        attempts, last = self._core.begin_lines(lines), lines.after
        most = self._core.target.most_bytes
        while True:
            outcome: Answer | Failure
            try:
                seconds = attempts.seconds(time.monotonic())
                with self._sender.stream(lines.open(last), seconds) as opened:
                    if isinstance(opened, Answer):
                        outcome = opened
                    else:
                        rest = WholeLines(most)
                        for part in opened:
                            for line in rest.of(part):
                                item, last = lines.read(line)
                                attempts.progressed(time.monotonic())
                                yield item
                        rest.end()
                        return
            except (*FAILURES, *BROKEN) as error:
                outcome = failure_of(error, most)
            time.sleep(pause_of(attempts, outcome))


class AsyncClient:
    """`Client` for `asyncio`. May be used from many tasks; each event loop has its own connections.

    Where a task is cancelled, its request is given up: a change may be done or not. The same call with the
    same `idempotency_key` tells.
    """

    def __init__(
        self,
        url: str,
        *,
        key: Key,
        organization: str | None = None,
        read_your_writes: bool = False,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        most_bytes: int = MOST_BYTES,
        most_connections: int = MOST_CONNECTIONS,
        ssl_context: ssl.SSLContext | None = None,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        self._core = core = Core(
            url,
            key,
            organization,
            read_your_writes,
            timeouts,
            retries,
            most_bytes,
            most_connections,
        )
        connect = core.policy.timeouts.connect_seconds
        self._sender = AsyncSender(core.target, connect, most_connections, ssl_context, transport)

    async def close(self) -> None:
        """Close the connections of this event loop; later calls raise StoreUnavailable."""
        await self._sender.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return self._core.shown("AsyncClient")

    async def _answered(self, call: Call[Any], deadline: float) -> Any:
        attempts = self._core.begin(call, deadline)
        while True:
            outcome = await self._sender.send(call.request, attempts.seconds(time.monotonic()))
            pause = attempts.after(outcome, time.monotonic())
            if pause is None:
                return attempts.value
            await asyncio.sleep(pause)

    async def _stepped(self, steps: Generator[Call[Any], Any, Any]) -> Any:
        result, deadline = None, None
        while True:
            try:
                call = steps.send(result)
            except StopIteration as end:
                return end.value
            deadline = deadline or self._core.deadline(call)
            result = await self._answered(call, deadline)

    async def _items(self, pages: Pages[Any] | None) -> AsyncIterator[Any]:
        while pages is not None:
            items, pages = await self._answered(pages.page, self._core.deadline(pages.page))
            for item in items:
                yield item

    async def _lines(self, lines: Lines[Any]) -> AsyncIterator[Any]:
        attempts, last = self._core.begin_lines(lines), lines.after
        most = self._core.target.most_bytes
        while True:
            outcome: Answer | Failure
            try:
                seconds = attempts.seconds(time.monotonic())
                async with self._sender.stream(lines.open(last), seconds) as opened:
                    if isinstance(opened, Answer):
                        outcome = opened
                    else:
                        rest = WholeLines(most)
                        async for part in opened:
                            for line in rest.of(part):
                                item, last = lines.read(line)
                                attempts.progressed(time.monotonic())
                                yield item
                        rest.end()
                        return
            except (*FAILURES, *BROKEN) as error:
                outcome = failure_of(error, most)
            await asyncio.sleep(pause_of(attempts, outcome))


def _sync(name: str) -> Callable[..., Any]:
    operation = getattr(Operations, name)

    def call(self: Client, /, *arguments: Any, **named: Any) -> Any:
        return self._made(operation(self._core.operations, *arguments, **named))

    return signed(call, operation)


def _async(name: str) -> Callable[..., Any]:
    operation = getattr(Operations, name)
    kind = kind_of(operation)
    if kind in ("Pages", "Lines"):

        def iterate(self: AsyncClient, /, *arguments: Any, **named: Any) -> Any:
            asked = operation(self._core.operations, *arguments, **named)
            return self._items(asked) if kind == "Pages" else self._lines(asked)

        return signed(iterate, operation)

    async def call(self: AsyncClient, /, *arguments: Any, **named: Any) -> Any:
        asked = operation(self._core.operations, *arguments, **named)
        if kind == "Steps":
            return await self._stepped(asked)
        return await self._answered(asked, self._core.deadline(asked))

    return signed(awaited(call) if name in DECISIONS else call, operation)


for _name in METHODS:
    setattr(Client, _name, _sync(_name))
    setattr(AsyncClient, _name, _async(_name))
