"""How long a client may take to send what comes next: one clock, since a timer each is dear."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, Final, TypeAlias

from rescind.errors import BodyTooSlow

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]

LONGEST_PAUSE: Final = 1.0
"""Seconds between two looks for who is late."""


class Watch:
    """Ends connections of which something was due. For one event loop."""

    def __init__(self, seconds: float) -> None:
        self._pause = min(seconds / 4, LONGEST_PAUSE)
        self._is_watching = False

    def over(self, connections: Collection[Any], loop: asyncio.AbstractEventLoop) -> None:
        """See to it that each of them, as long as it is there, is told `end_late` soon after its `due`."""
        if not self._is_watching:
            self._is_watching = True
            loop.call_later(self._pause, self._look, connections, loop)

    def _look(self, connections: Collection[Any], loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for late in [each for each in connections if each.due <= now]:
            late.end_late()
        self._is_watching = False
        if connections:
            self.over(connections, loop)


class Patience:
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
