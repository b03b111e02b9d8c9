"""How long a client may take to send what comes next: one clock, since a timer each is dear."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, MutableMapping
from typing import Any, Final, TypeAlias

from rescind.errors import BodyTooLarge, BodyTooSlow, DecisionUnavailable
from rescind.http.server.limits import Limits

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]

_AT_ONCE: Final = struct.pack("ii", 1, 0)
LONGEST_PAUSE: Final = 1.0
"""Seconds between two looks for who is late."""


class Watch:
    """Ends connections of which something was due. For one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._pause = min(limits.head_seconds / 4, limits.answer_seconds / 4, LONGEST_PAUSE)
        self._seconds, self._most = limits.answer_seconds, limits.unread_bytes
        self._is_watching = False
        self.unread: dict[Any, float] = {}
        """Connections that have not taken all of their answers, and until when they may."""

    def over(self, connections: Collection[Any], loop: asyncio.AbstractEventLoop) -> None:
        """See to it that each of them, as long as it is there, is told `end_late` soon after its `due`."""
        if not self._is_watching:
            self._is_watching = True
            loop.call_later(self._pause, self._look, connections, loop)

    def begin_reading(self, connection: Any, *, seconds: float | None = None) -> None:
        """Give a client its time to take what was written to it."""
        until = connection.loop.time() + (self._seconds if seconds is None else seconds)
        self.unread[connection] = min(self.unread.get(connection, until), until)

    def has_read(self, connection: Any) -> None:
        """The client has taken what was written, or has gone."""
        self.unread.pop(connection, None)

    def _look(self, connections: Collection[Any], loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for late in [each for each in connections if each.due <= now]:
            late.end_late()
        self._end_slow_readers(now)
        self._is_watching = False
        if connections or self.unread:
            self.over(connections, loop)

    def _end_slow_readers(self, now: float) -> None:
        """Give up what is not read in time; and of too much, the largest first."""
        sizes = {}
        for connection, until in list(self.unread.items()):
            size = connection.transport.get_write_buffer_size()
            if not size:
                self.has_read(connection)
            elif until <= now:
                reset(connection.transport)
            else:
                sizes[connection] = size
        total = sum(sizes.values())
        for connection in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= self._most:
                break
            total -= sizes[connection]
            reset(connection.transport)


def reset(transport: Any) -> None:
    """End a connection and forget what is still to be sent on it, also in the kernel."""
    end = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


class Deadlines:
    """Cancels tasks that take too long. For one event loop."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.now = now
        """The clock, in seconds."""
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._is_watching = False

    def begin(self) -> None:
        """Give the current task its time, from now on."""
        task = asyncio.current_task()
        assert task is not None
        self._ends[task] = self.now() + self.seconds
        if not self._is_watching:
            self._watch()

    def is_over(self) -> bool:
        """Whether the current task was cancelled by its deadline; then it may go on."""
        task = asyncio.current_task()
        if task is None or task not in self._late:
            return False
        self._late.discard(task)
        task.uncancel()
        return True

    def end(self) -> None:
        """The current task is done with what had its time."""
        task = asyncio.current_task()
        if task is not None:
            self._ends.pop(task, None)
            if task in self._late:
                self._late.discard(task)
                task.uncancel()

    def _watch(self) -> None:
        now = self.now()
        for task, end in list(self._ends.items()):
            if end <= now:
                del self._ends[task]
                self._late.add(task)
                task.cancel()
        self._is_watching = bool(self._ends)
        if self._is_watching:
            pause = min(self.seconds / 4, LONGEST_PAUSE)
            asyncio.get_running_loop().call_later(pause, self._watch)


class MessageTimeouts:
    """Waits for messages, each until a deadline. For one event loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._deadlines: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._is_watching = False

    async def next(self, receive: Receive, deadline: float | None = None) -> Message:
        """The next message. Raises BodyTooSlow at the deadline (of the monotonic clock) or soon after;
        ConnectionResetError where the client has gone.
        """
        task = asyncio.current_task()
        assert task is not None
        self._deadlines[task] = deadline or time.monotonic() + self.seconds
        if not self._is_watching:
            self._watch()
        try:
            message = await receive()
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise BodyTooSlow(limit=f"{self.seconds:g} s") from None
        finally:
            self._late.discard(task)
            self._deadlines.pop(task, None)
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        return message

    async def body(self, receive: Receive, most: int) -> bytes:
        """A whole body of at most so many bytes. It has its time from its first piece on.

        Raises BodyTooLarge, and as `next`.
        """
        parts, size, deadline, more = [], 0, None, True
        while more:
            message = await self.next(receive, deadline)
            deadline = deadline or time.monotonic() + self.seconds
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = bool(message.get("more_body"))
            if size > most:
                raise BodyTooLarge(limit=f"{most} bytes")
        return b"".join(parts)

    def _watch(self) -> None:
        """Cancel who waited too long; look again soon while anybody waits."""
        now = time.monotonic()
        for task, deadline in list(self._deadlines.items()):
            if deadline <= now:
                del self._deadlines[task]
                self._late.add(task)
                task.cancel()
        self._is_watching = bool(self._deadlines)
        if self._is_watching:
            pause = min(self.seconds / 4, LONGEST_PAUSE)
            asyncio.get_running_loop().call_later(pause, self._watch)


@contextlib.contextmanager
def unavailable_in_time() -> Iterator[None]:
    """Turn a TimeoutError into DecisionUnavailable."""
    try:
        yield
    except TimeoutError:
        raise DecisionUnavailable(
            why="the database, or a thread to ask it, was not to be had"
        ) from None


def replayed(body: bytes | None, receive: Receive) -> Receive:
    """A body that was read, to be read again; then whatever comes after it."""
    if body is None:
        return receive
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay
