"""A check that nobody awaits is an error where it is taken for its answer, never an allow."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import pytest

from rescind import Authority
from rescind.aio import AsyncAuthority
from rescind.awaited import Awaited
from rescind.client import AsyncClient
from tests.contract.world import WORLD

NOBODY = ("user:nobody", "purge")
ASKED: dict[str, Callable[[Any], Any]] = {
    "check": lambda asked: asked.check(*NOBODY),
    "check_many": lambda asked: asked.check_many([(*NOBODY, None)]),
    "explain": lambda asked: asked.explain(*NOBODY),
}
"""Everything whose result is a condition somewhere."""


@pytest.mark.parametrize("how", ASKED)
def test_an_answer_that_is_not_awaited_is_no_condition(how: str, tmp_path: Path) -> None:
    """In the process, from memory or not, and of the service. Awaited it is a denial."""

    async def asked() -> None:
        database = str(tmp_path / "acme.db")
        for index in (False, True):
            opened = Authority.open(database, organization="acme", index=index, create=True)
            opened.apply(WORLD)
            authority = AsyncAuthority(opened)
            with pytest.raises(TypeError, match="write `await`"):
                assert ASKED[how](authority)
            with pytest.raises(TypeError, match="write `await`"):
                assert not ASKED[how](authority)
            found = await ASKED[how](authority)
            assert not (found[0] if how == "check_many" else found)
            await authority.close()
        async with AsyncClient("http://127.0.0.1:9", key="k", organization="acme") as client:
            with pytest.raises(TypeError, match="write `await`"):
                assert ASKED[how](client)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(asked())


def test_control_a_coroutine_counts_as_allowed(tmp_path: Path) -> None:
    """What Python does with one."""
    with Authority.open(tmp_path / "acme.db", organization="acme", create=True) as opened:
        opened.apply(WORLD)
        authority = AsyncAuthority(opened)
        plain: Coroutine[Any, Any, Any] = authority.check(*NOBODY).coroutine  # type: ignore[attr-defined]
        assert plain
        plain.close()


def test_it_is_a_coroutine_for_everything_else() -> None:
    """A task, a timeout, several at once; it can be cancelled and closed."""

    async def made() -> None:
        async def answer(number: int) -> int:
            await asyncio.sleep(0)
            return number

        async def forever() -> None:
            await asyncio.Event().wait()

        async def failing() -> None:
            raise LookupError

        one = Awaited(answer(0))
        assert asyncio.iscoroutine(one)
        one.close()
        assert await asyncio.create_task(Awaited(answer(1))) == 1
        assert await asyncio.wait_for(Awaited(answer(2)), 60) == 2
        assert await asyncio.gather(Awaited(answer(3)), answer(4)) == [3, 4]
        task = asyncio.create_task(Awaited(forever()))
        await asyncio.sleep(0)
        assert "Awaited" in repr(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(LookupError):
            await Awaited(failing())
        Awaited(answer(5)).close()

    asyncio.run(made())
    assert asyncio.run(Awaited(asyncio.sleep(0, "done"))) == "done"


@pytest.mark.parametrize("kind", [AsyncAuthority, AsyncClient])
def test_a_double_of_it_is_awaited_too(kind: type[Any]) -> None:
    """`create_autospec` asks whether a method is a coroutine function."""
    double = create_autospec(kind)
    for name in ASKED:
        assert isinstance(getattr(double, name), AsyncMock), name
        assert asyncio.iscoroutinefunction(getattr(kind, name))
        assert "permission" in str(inspect.signature(getattr(kind, name))) or name == "check_many"
