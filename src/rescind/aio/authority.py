"""`Authority` on an event loop. What memory can answer at once is answered on the loop, without a thread.

Each method that is not written out here is made from the one of `Authority`, with its signature and its
docstring. `authority.pyi` declares all of them for type checkers; `make aio-stub` writes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from functools import partial, update_wrapper
from types import TracebackType
from typing import Any, Final

from rescind.aio.calls import Calls
from rescind.authority import Authority, load_all
from rescind.awaited import awaited
from rescind.errors import StoreUnavailable
from rescind.model import Decision, require_number
from rescind.propagation.worker import Workers
from rescind.waiting import AT_ONCE, MustWait

THREADS: Final = 8
MOST_THREADS: Final = 1_000
MOST_QUESTIONS: Final = 128
"""Of one call, that are answered on the event loop: together they take well under a millisecond."""

CHANGING: Final = frozenset(
    (
        "apply",
        "apply_review",
        "audit_replay",
        "enforce",
        "load",
        "park",
        "prune_log",
        "reconcile",
        "retry",
        "start_review",
    )
)
"""The methods that write, or set something up. A cancellation waits for the end of one that has begun."""
READING: Final = frozenset(
    (
        "access_history",
        "count_review",
        "find_review",
        "has_due_work",
        "list_assignments",
        "list_expiring",
        "list_groups",
        "list_members",
        "list_memberships",
        "list_permissions",
        "list_resources",
        "list_reviews",
        "list_roles",
        "log_page",
        "look_alikes",
        "pending",
        "permissions_of",
        "preview",
        "resources_of",
        "review_lines_of",
        "similar_organizations",
        "unknown_names",
        "verify_reviews",
        "who_can",
    )
)
"""The methods that only read. Nobody waits for one whose task was cancelled."""
ITERATING: Final = frozenset(("actions", "log", "log_heads", "review_lines", "verify_log"))
"""The methods whose result is read with `async for`."""
LEFT_OUT: Final = frozenset(("together",))
"""`together` is of a thread, and the tasks of a loop share theirs. `check_many` is for many checks."""


class AsyncAuthority:
    """`Authority` for `asyncio`. May be used from many tasks, and from several event loops.

    A check that the index can answer at once (`index=True`) is answered on the loop. Everything else is done
    in `threads` threads of its own, and waits for a free one. Where a task is cancelled, a call that has not
    begun is never made. A change that has begun is made and enforced, and the cancellation waits for it:
    nothing is left half done.

    `within` takes a synchronous connection, which a thread of the pool uses.
    """

    def __init__(self, authority: Authority, *, threads: int = THREADS) -> None:
        require_number("threads", threads, least=1, most=MOST_THREADS)
        load_all()
        self.sync = authority
        """The authority itself. Its methods block."""
        self._calls = Calls(threads)

    @classmethod
    def open(
        cls, database: str | os.PathLike[str], *, threads: int = THREADS, **options: Any
    ) -> Opening:
        """As `Authority.open`: await it, or use it in `async with`."""
        return Opening(partial(Authority.open, database, **options), threads)

    async def close(self) -> None:
        """Refuse new calls, wait for those under way, then close the authority. Closes once."""
        await self._calls.close(self.sync.close)

    async def __aenter__(self) -> AsyncAuthority:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # --- what memory may answer -------------------------------------------------------------------

    @awaited
    async def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Decision:
        if not options:
            found = self.recall([(subject, permission, resource)], organization=organization)
            if found is not None:
                return found[0]
        call = partial(self.sync.check, subject, permission, resource, organization=organization)
        return await self._calls.run(partial(call, **options), to_its_end=False)

    @awaited
    async def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        **options: Any,
    ) -> list[Decision]:
        if not options:
            found = self.recall(questions, organization=organization)
            if found is not None:
                return found
        call = partial(self.sync.check_many, questions, organization=organization, **options)
        return await self._calls.run(call, to_its_end=False)

    @awaited
    async def explain(
        self, subject: str, permission: str, resource: str | None = None, **options: Any
    ) -> Decision:
        call = partial(self.sync.explain, subject, permission, resource, **options)
        return await self._calls.run(call, to_its_end=False)

    def recall(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
    ) -> list[Decision] | None:
        """As `check_many`, if memory has all answers at once; else None. It never waits: no `await`."""
        self._calls.require_open()
        try:
            if len(questions) > MOST_QUESTIONS:
                return None
            with AT_ONCE:
                return self.sync.recall(questions, organization=organization)
        except (MustWait, StoreUnavailable, TypeError):  # a thread finds out, and says so
            return None

    def workers(self, **options: Any) -> AsyncWorkers:
        return AsyncWorkers(self.sync.workers(**options), self._calls)


class Opening:
    """An authority that is being opened: `await` it, or use it in `async with`."""

    def __init__(self, opened: Callable[[], Authority], threads: int) -> None:
        require_number("threads", threads, least=1, most=MOST_THREADS)
        self._opened, self._threads = opened, threads
        self._authority: AsyncAuthority | None = None

    def __await__(self) -> Generator[Any, None, AsyncAuthority]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncAuthority:
        self._authority = await self._open()
        return self._authority

    async def __aexit__(self, *_: object) -> None:
        if self._authority is not None:
            await self._authority.close()

    async def _open(self) -> AsyncAuthority:
        calls = Calls(1)
        found: list[Authority] = []

        def opened() -> None:
            load_all()  # here, and not on the event loop
            found.append(self._opened())

        try:
            await calls.run(opened, to_its_end=True)
        except BaseException:
            for authority in found:  # opened, and then nobody wanted it
                authority.close()
            raise
        finally:
            await calls.close(lambda: None)
        return AsyncAuthority(found[0], threads=self._threads)


class AsyncWorkers:
    """Workers in threads of this process, between `start` and `stop`, or in an `async with` block."""

    def __init__(self, workers: Workers, calls: Calls) -> None:
        self.sync = workers
        self._calls = calls

    async def start(self) -> AsyncWorkers:
        """As `Workers.start`."""
        await self._calls.run(self.sync.start, to_its_end=True)
        return self

    async def stop(self) -> None:
        """As `Workers.stop`."""
        await self._calls.run(self.sync.stop, to_its_end=True)

    async def __aenter__(self) -> AsyncWorkers:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _coroutine(name: str) -> Callable[..., Any]:
    to_its_end = name in CHANGING

    async def call(self: AsyncAuthority, /, *arguments: Any, **named: Any) -> Any:
        method = getattr(self.sync, name)
        return await self._calls.run(partial(method, *arguments, **named), to_its_end=to_its_end)

    return update_wrapper(call, getattr(Authority, name))


def _iterator(name: str) -> Callable[..., Any]:
    def call(self: AsyncAuthority, /, *arguments: Any, **named: Any) -> Any:
        return self._calls.iterate(partial(getattr(self.sync, name), *arguments, **named))

    return update_wrapper(call, getattr(Authority, name))


def _as_authority_has_it(name: str) -> None:
    """Give a method that is written out the signature and the docstring of `Authority`'s."""
    mine, theirs = getattr(AsyncAuthority, name), getattr(Authority, name)
    mine.__wrapped__, mine.__doc__ = theirs, theirs.__doc__


for _name in CHANGING | READING:
    setattr(AsyncAuthority, _name, _coroutine(_name))
for _name in ITERATING:
    setattr(AsyncAuthority, _name, _iterator(_name))
for _name in ("check", "check_many", "explain", "workers"):
    _as_authority_has_it(_name)
