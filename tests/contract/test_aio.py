"""`AsyncAuthority`: the methods of `Authority`, on an event loop."""

from __future__ import annotations

import ast
import asyncio
import inspect
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from rescind import Authority, RescindError
from rescind.aio import AsyncAuthority
from rescind.aio import authority as made
from rescind.aio import calls as calling
from rescind.changes import AddMembership, RemoveMembership
from rescind.errors import InvalidArgument, StoreUnavailable
from tests import aio_stub

ADA = ("user:ada", "read")
PUBLIC = sorted(
    name for name, _ in inspect.getmembers(Authority, callable) if not name.startswith("_")
)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, 60))


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - made.LEFT_OUT - {"open", "workers"}))
def test_each_method_is_there_with_its_signature_and_docstring(name: str) -> None:
    mine, theirs = getattr(AsyncAuthority, name), getattr(Authority, name)
    if name not in ("close", "recall"):
        assert mine.__doc__ == theirs.__doc__
    assert inspect.signature(mine) == inspect.signature(theirs).replace(
        return_annotation=inspect.signature(mine).return_annotation
    )


def test_each_method_that_is_made_is_of_one_kind() -> None:
    kinds = (made.CHANGING, made.READING, made.ITERATING)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert frozenset().union(*kinds, made.LEFT_OUT) <= set(PUBLIC)


def test_the_declarations_are_those_of_now() -> None:
    declared = ast.dump(ast.parse(aio_stub.PATH.read_text("utf-8")))
    assert declared == ast.dump(ast.parse(aio_stub.formatted())), "run `make aio-stub`"


def test_calls_answer_as_the_authority_does(settled: Authority) -> None:
    async def asked() -> None:
        authority = AsyncAuthority(settled, threads=2)
        decisions = await authority.check_many([(*ADA, None), ("user:eve", "read", None)])
        assert [bool(decision) for decision in decisions] == [True, False]
        assert str(await authority.check(*ADA)) == str(decisions[0])
        assert (await authority.explain(*ADA)).explanation == settled.explain(*ADA).explanation
        assert await authority.who_can("read") == settled.who_can("read")
        with pytest.raises(InvalidArgument):
            await authority.who_can("read", limit=0)

    run(asked())


def test_an_iterator_is_read_in_pieces(settled: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MOST_ITEMS", 1)
    expected = list(settled.log())

    async def read() -> None:
        authority = AsyncAuthority(settled)
        assert [entry async for entry in authority.log()] == expected
        async for entry in authority.log():
            assert entry == expected[0]
            break

    run(read())


class Held:
    """A call of the store that waits until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
        self.begun, self.released = threading.Event(), threading.Event()
        record = authority.applier.record

        def held(*arguments: Any, **named: Any) -> Any:
            self.begun.set()
            assert self.released.wait(30)
            return record(*arguments, **named)

        monkeypatch.setattr(authority.applier, "record", held)


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 30)


def test_a_cancelled_change_is_made_whole_or_not_at_all(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch, acme)

    async def cancelled() -> None:
        authority = AsyncAuthority(acme, threads=1)
        removal = asyncio.create_task(authority.apply([RemoveMembership(subject="user:ada")]))
        await until(held.begun)
        queued = asyncio.create_task(authority.apply([AddMembership(subject="user:eve")]))
        await asyncio.sleep(0)
        for task in (queued, removal):
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await queued
        for _ in range(3):
            await asyncio.sleep(0)
            removal.cancel()
        assert not removal.done(), "the cancellation did not wait for the change"
        held.released.set()
        with pytest.raises(asyncio.CancelledError):
            await removal

    run(cancelled())
    assert not acme.check(*ADA)
    assert "user:eve" not in {entry.subject for entry in acme.list_memberships().items}


def test_nobody_waits_for_a_cancelled_question(
    settled: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released = threading.Event(), threading.Event()

    def held() -> bool:
        begun.set()
        return released.wait(30)

    monkeypatch.setattr(settled, "has_due_work", held)

    async def cancelled() -> None:
        authority = AsyncAuthority(settled, threads=1)
        question = asyncio.create_task(authority.has_due_work())
        await until(begun)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        assert not released.is_set()
        released.set()

    run(cancelled())


def test_closing_waits_for_calls_and_refuses_new_ones(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, closed = Held(monkeypatch, acme), threading.Event()
    monkeypatch.setattr(acme, "close", closed.set)

    async def close() -> None:
        authority = AsyncAuthority(acme)
        removal = asyncio.create_task(authority.apply([RemoveMembership(subject="user:ada")]))
        await until(held.begun)
        closing = asyncio.create_task(authority.close())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable):
            await authority.check(*ADA)
        with pytest.raises(StoreUnavailable):
            async for _ in authority.log():
                pass
        assert not closed.is_set()
        held.released.set()
        assert (await removal).changed
        await closing
        assert closed.is_set()
        await authority.close()

    run(close())


def test_what_memory_knows_is_answered_on_the_loop(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    class InThread(Exception):
        pass

    async def refused(*_: object, **__: object) -> None:
        raise InThread

    async def answered() -> None:
        async with AsyncAuthority.open(database, organization="acme", index=True) as authority:
            await authority.load()
            await authority.check(
                *ADA
            )  # on SQLite a thread finds out that the loop's connection is current
            with monkeypatch.context() as patch:
                patch.setattr(calling.Calls, "run", refused)
                assert await authority.check(*ADA)
                assert [bool(found) for found in await authority.check_many([(*ADA, None)])] == [
                    True
                ]
                with pytest.raises(InThread):  # critical: the facts decide
                    await authority.check("agent:bot", "purge", "folder:b")
                with pytest.raises(InThread):
                    await authority.check_many([(*ADA, None)] * (made.MOST_QUESTIONS + 1))
                with pytest.raises(InThread):
                    await authority.check(*ADA, assurance="live")
            await authority.apply([RemoveMembership(subject="user:ada")])
            assert not await authority.check(*ADA)

    run(answered())


def test_opening_fails_as_the_authority_does() -> None:
    async def opened() -> None:
        with pytest.raises(InvalidArgument):
            AsyncAuthority.open("nowhere.db", threads=0)
        with pytest.raises(RescindError):
            await AsyncAuthority.open("/nowhere/at/all.db")

    run(opened())


def test_workers_settle_and_stop(acme: Authority) -> None:
    async def settled() -> None:
        authority = AsyncAuthority(acme)
        async with authority.workers() as workers:
            assert workers.sync.threads
        assert not workers.sync.threads

    run(settled())
