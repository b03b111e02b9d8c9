"""A TCP proxy on loopback to a unix socket that delays what passes, and keeps it in order.

It delays, it does not throttle: bytes that are sent close together arrive close together, as over a long
line. Each direction has its own queue of (due time, bytes).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(frozen=True)
class Line:
    """How a line behaves beside its delay. What is late makes all behind it as late.

    Each piece of data is delayed by up to `jitter` of the delay more or less, evenly. One of so many pieces
    (`stall_share`) is late by `stall_seconds`: a lost packet is sent again after 200 ms on Linux.
    """

    jitter: float = 0.0
    stall_share: float = 0.0
    stall_seconds: float = 0.2
    seed: int = 1

    def delays(self, delay_seconds: float) -> Callable[[], float]:
        """Gives the delay of one piece of data after the other."""
        rng = random.Random(self.seed)

        def one() -> float:
            seconds = delay_seconds * (1 + self.jitter * rng.uniform(-1, 1))
            return seconds + (self.stall_seconds if rng.random() < self.stall_share else 0.0)

        return one


STEADY = Line()


class DelayingProxy:
    """Runs in a process of its own, so that it does not take turns with what is measured."""

    def __init__(self, socket_path: str, delay_seconds: float, line: Line = STEADY) -> None:
        here, there = multiprocessing.Pipe()
        self._process = multiprocessing.Process(
            target=_serve, args=(socket_path, delay_seconds, line, there), daemon=True
        )
        self._process.start()
        self.port: int = here.recv()
        self.pid = self._process.pid

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def _serve(socket_path: str, delay: float, line: Line, ready: Connection) -> None:
    asyncio.run(_listen(socket_path, line.delays(delay), ready))


async def _listen(socket_path: str, delay: Callable[[], float], ready: Connection) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(socket_path)
        await asyncio.gather(
            _forward(reader, far_writer, delay), _forward(far_reader, writer, delay)
        )

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: Callable[[], float]
) -> None:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def release() -> None:
        while True:
            due, data = await queue.get()
            wait = due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if not data:
                writer.close()
                return
            writer.write(data)

    releasing = asyncio.create_task(release())
    try:
        while data := await reader.read(1 << 16):
            queue.put_nowait((loop.time() + delay(), data))
    except ConnectionError:
        pass
    queue.put_nowait((loop.time() + delay(), b""))
    await releasing
