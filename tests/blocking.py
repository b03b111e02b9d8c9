"""The methods of something asynchronous, called without `await`, for tests of `Authority`."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rescind import Authority


class Loop:
    """An event loop in a thread of its own, on which any thread has its calls made."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def items(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        """Those of an asynchronous iterator."""
        while True:
            try:
                yield self.run(_next(items))
            except StopAsyncIteration:
                return


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items)


@contextmanager
def looping() -> Iterator[Loop]:
    """A loop, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Loop(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


class Blocking:
    """The methods of `awaited`, each of which returns when its coroutine has."""

    def __init__(self, awaited: object, loop: Loop) -> None:
        self._awaited, self._loop = awaited, loop

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._awaited, name)

        def call(*arguments: Any, **named: Any) -> Any:
            async def made() -> Any:
                found = method(*arguments, **named)
                return await found if inspect.isawaitable(found) else found

            found = self._loop.run(made())
            return self._loop.items(found) if hasattr(found, "__anext__") else found

        return call


class Facing:
    """What a face of the authority offers is asked of that face, the rest of the authority behind it."""

    def __init__(
        self,
        face: object,
        behind: Authority,
        methods: Collection[str],
        options_left_out: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.face, self.behind, self.methods = face, behind, methods
        self.options_left_out = options_left_out
        self.asked: Counter[str] = Counter()

    @property
    def engine(self) -> str:
        """That of the authority behind, for tests that look at its tables."""
        return self.behind.store.engine

    def __getattr__(self, name: str) -> Callable[..., Any]:
        theirs = getattr(self.behind, name)
        if name not in self.methods:
            return theirs  # type: ignore[no-any-return]
        mine = getattr(self.face, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if not named.keys().isdisjoint(self.options_left_out.get(name, ())):
                return theirs(*arguments, **named)
            self.asked[name] += 1
            return mine(*arguments, **named)

        return call
