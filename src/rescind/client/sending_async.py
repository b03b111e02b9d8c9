"""Sends requests on an event loop. As `sending`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from rescind import forks
from rescind.client.calls import Request
from rescind.client.connecting import (
    Target,
    TooLarge,
    closed,
    context_of,
    failure_of,
    limits_of,
    lower,
    require_context,
    require_plain,
    timeout_of,
)
from rescind.client.policy import Answer, Failure
from rescind.client.sending import FAILURES


class AsyncSender:
    """The connections of an `AsyncClient`: those of each event loop are its own."""

    def __init__(
        self,
        target: Target,
        connect_seconds: float,
        most_connections: int,
        context: ssl.SSLContext | None,
        transport: Callable[[], httpx.AsyncBaseTransport] | None,
    ) -> None:
        require_context(context)
        self.target = target
        self._connect_seconds, self._most_connections = connect_seconds, most_connections
        self._context, self._transport = context, transport
        self._of_loops: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}
        self._is_closed = False
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """Leave the parent's connections alone; a child makes its own."""
        if self._of_loops:
            forks.keep(self._of_loops)
            self._of_loops = {}

    async def close(self) -> None:
        """Close the connections of this event loop, and take no more calls. Closing again does nothing."""
        self._is_closed = True
        http = self._of_loops.pop(asyncio.get_running_loop(), None)
        if http is not None:
            await http.aclose()

    async def send(self, request: Request, seconds: float) -> Answer | Failure:
        """The answer to a request, if it is there within so many seconds."""
        most = self.target.most_bytes
        try:
            async with asyncio.timeout(seconds), self._opened(request, seconds) as response:
                body = bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > most:
                        raise TooLarge
                return Answer(response.status_code, lower(response.headers), bytes(body))
        except FAILURES as error:
            return failure_of(error, most)
        except RuntimeError:
            if self._is_closed:  # meanwhile
                raise closed() from None
            raise

    @asynccontextmanager
    async def stream(
        self, request: Request, seconds: float
    ) -> AsyncIterator[Answer | AsyncIterator[bytes]]:
        """A long answer in parts, each of which must be there within so many seconds. It is an Answer if it
        is not one of success. What it raises is for `failure_of`.
        """
        opened = self._opened(request, seconds)
        async with asyncio.timeout(seconds):
            response = await opened.__aenter__()
        try:
            if response.status_code == 200:
                yield self._parts(response, seconds)
            else:
                body = bytearray()
                async with asyncio.timeout(seconds):
                    async for part in response.aiter_raw():
                        body += part
                        if len(body) > self.target.most_bytes:
                            raise TooLarge
                yield Answer(response.status_code, lower(response.headers), bytes(body))
        finally:
            await opened.__aexit__(None, None, None)

    async def _parts(self, response: httpx.Response, seconds: float) -> AsyncIterator[bytes]:
        parts = response.aiter_raw()
        while True:
            async with asyncio.timeout(seconds):
                part = await anext(parts, None)
            if part is None:
                return
            yield part

    @asynccontextmanager
    async def _opened(self, request: Request, seconds: float) -> AsyncIterator[httpx.Response]:
        target, http = self.target, self._client()
        sent = http.build_request(
            request.method,
            target.url(request),
            headers=target.headers(request),
            content=request.body,
            timeout=timeout_of(seconds, self._connect_seconds),
        )
        response = await http.send(sent, stream=True, follow_redirects=False)
        try:
            require_plain(response.headers)
            yield response
        finally:
            await response.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._is_closed:
            raise closed()
        loop = asyncio.get_running_loop()
        http = self._of_loops.get(loop)
        if http is None:
            for ended in [each for each in self._of_loops if each.is_closed()]:
                del self._of_loops[ended]
            if self._transport is not None:
                transport = self._transport()
            else:
                transport = httpx.AsyncHTTPTransport(
                    verify=context_of(self._context, self.target),
                    limits=limits_of(self._most_connections),
                    trust_env=False,
                )
            http = httpx.AsyncClient(transport=transport, trust_env=False)
            self._of_loops[loop] = http
        return http
