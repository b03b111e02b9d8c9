"""A TCP way to a server's unix socket that can be held up or shut, and opened again."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Gate:
    """Listens on loopback. While `stalled` nothing passes and nobody is told; `shut` cuts what is open."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._loop = asyncio.new_event_loop()
        self._passable = asyncio.Event()
        self._passable.set()
        self._is_shut = False
        self._writers: set[asyncio.StreamWriter] = set()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        ready.wait()

    def url(self, database: str) -> str:
        """A database of that server, by way of the gate."""
        options = "sslmode=disable&gssencmode=disable"
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?{options}"

    def stall(self) -> None:
        """Let nothing pass until `open`."""
        self._loop.call_soon_threadsafe(self._passable.clear)

    def shut(self) -> None:
        """Cut every connection, and refuse new ones until `open`."""
        self._loop.call_soon_threadsafe(self._cut, True)

    def open(self) -> None:
        """Let everything pass."""
        self._loop.call_soon_threadsafe(self._cut, False)
        self._loop.call_soon_threadsafe(self._passable.set)

    def close(self) -> None:
        """End it."""
        self.shut()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _cut(self, is_shut: bool) -> None:
        self._is_shut = is_shut
        if is_shut:
            for writer in self._writers:
                writer.transport.abort()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(ready))
        finally:
            self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await self._stop.wait()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._socket_path)
        except OSError:  # the server is down
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, OSError):
            while data := await reader.read(1 << 16):
                await self._passable.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
