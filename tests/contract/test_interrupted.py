"""An exception out of a signal handler, wherever it strikes: it is the caller's, and the store goes on."""

from __future__ import annotations

import gc
import itertools
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import rescind.store
from rescind import Authority
from rescind.store import Transaction
from rescind.store.pool import Checkout
from rescind.store.queries import queries

HOME = str(Path(rescind.store.__file__).parent)
WAIT_SECONDS = 20
STRIDES = {"line": 1, "opcode": 7}

pytestmark = pytest.mark.filterwarnings(  # the driver's own generators, when they are left
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


class Interrupted(Exception):
    """As a task queue raises it when a task takes too long."""


class At:
    """Raises at the nth place where the store's own code is while it is traced.

    No garbage is collected meanwhile: what is raised in what another test left behind is told to nobody.
    """

    def __init__(self, place: int, by: str) -> None:
        self._left, self._by = place, by
        self.where = ""

    def __enter__(self) -> None:
        gc.disable()
        sys.settrace(self._enter)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        gc.enable()

    def _enter(self, frame: FrameType, *_: object) -> Any:
        if not frame.f_code.co_filename.startswith(HOME):
            return None
        if "__del__" in (
            frame.f_code.co_name,
            getattr(frame.f_back, "f_code", write.__code__).co_name,
        ):
            return None  # what is raised there is told to nobody
        frame.f_trace_opcodes = self._by == "opcode"
        return self._step

    def _step(self, frame: FrameType, event: str, _: object) -> Any:
        if event == self._by:
            self._left -= 1
            if self._left == 0:
                sys.settrace(None)
                code: CodeType = frame.f_code
                self.where = f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_name}"
                raise Interrupted
        return self._step


def interrupted(
    call: Callable[[], object], by: str, stride: int = 1
) -> Iterator[tuple[str, BaseException]]:
    """The call, interrupted at one place after another, until it comes to its end."""
    for place in itertools.count(1, stride):
        at = At(place, by)
        try:
            with at:
                call()
        except Interrupted as error:
            yield at.where, error
            continue
        assert not at.where, f"{at.where}: nobody was told"
        return


@pytest.fixture(scope="module", autouse=True)
def dropped_here() -> Iterator[None]:
    """What the driver says of connections that were lost on the way is said here, not in another module."""
    yield
    gc.collect()


STATEMENT = {
    "o": 0, "g": 0, "kind": "member", "ref": 0, "since": 0, "revision": 0, "error": "",
    "most_attempts": 1, "delay": 0,
}  # fmt: skip
"""It writes nothing, in a transaction of its own."""


def write(tx: Transaction) -> None:
    tx.run("note_failure", **STATEMENT)


def write_lastingly(tx: Any) -> None:
    """As anybody does afterwards; what is committed is on disk."""
    write(tx)
    if isinstance(tx.connection, sqlite3.Connection):
        assert tx.connection.execute("PRAGMA synchronous").fetchone() == (2,)


def read_in_steps(store: Any) -> None:
    with store.snapshot() as snapshot:
        snapshot.fetch_many([QUESTION])
        snapshot.fetch_many([QUESTION], is_last=False)


def carry(store: Any) -> None:
    with store.connection() as connection:
        store.transact(write, within=connection)


QUESTION = ("plan", {"organization": "acme"})
WRITES: dict[str, Callable[[Any], None]] = {
    "transact": lambda store: store.transact(write),
    "transact, giving way": lambda store: store.transact(write, yields=True, durable=False),
    "transact, taken back": lambda store: store.transact(write, commit=False),
}
OTHERS: dict[str, Callable[[Any], None]] = {
    "execute_alone": lambda store: store.execute_alone("record_enforced", {"notes": "[]"}),
    "connection": carry,
    "fetch": lambda store: store.fetch(*QUESTION),
    "fetch_many": lambda store: store.fetch_many([QUESTION]),
    "snapshot": read_in_steps,
}


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Another thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def lent(store: Any) -> int:
    """Connections that are not in their pool."""
    pools = store.pools() if store.engine == "sqlite" else (store.pool,)
    return sum(len(pool.connections()) - len(pool.free) for pool in pools)


def idle(store: Any) -> bool:
    """Whether none is in a transaction."""
    if store.engine == "sqlite":
        writers = [line.connection for line in store.writers.free]
        return not any(writer.connection.in_transaction for writer in writers)
    return all(line.connection.info.transaction_status == 0 for line in store.pool.free)


@pytest.mark.parametrize(
    ("name", "by"), [*((name, "line") for name in WRITES), ("transact", "opcode")]
)
def test_a_write_interrupted_anywhere(
    authority: Authority, elsewhere: ThreadPoolExecutor, name: str, by: str
) -> None:
    """While the caller still has the exception, and its frames, others write, and what they write lasts."""
    store, places = authority.store, 0
    for where, _ in interrupted(lambda: WRITES[name](store), by, STRIDES[by]):
        places += 1
        assert lent(store) == 0, where
        assert idle(store), where
        elsewhere.submit(store.transact, write_lastingly).result(WAIT_SECONDS)
        store.transact(write_lastingly)
    assert places > 50


@pytest.mark.parametrize("name", OTHERS)
def test_any_call_interrupted_anywhere(
    authority: Authority, elsewhere: ThreadPoolExecutor, name: str
) -> None:
    """When the exception is gone nothing is lent, and everybody reads and writes."""
    store, places = authority.store, 0
    for where, error in interrupted(lambda: OTHERS[name](store), "line"):
        places += 1
        error.with_traceback(None)
        error.__context__ = None
        del error
        assert lent(store) == 0, where
        assert idle(store), where
        elsewhere.submit(OTHERS[name], store).result(WAIT_SECONDS)
    assert places > 10
    store.transact(write_lastingly)


def test_the_first_call_interrupted_anywhere(database: str) -> None:
    """Also while the store is opened and its connections are made."""
    queries("sqlite" if database.startswith("sqlite") else "postgres")
    places = 0
    for where, _ in interrupted(lambda: _opened_and_written(database), "line", STRIDES["opcode"]):
        places += 1
        assert where
    assert places > 10
    with Authority.open(database) as authority:
        authority.store.transact(write_lastingly)


def _opened_and_written(database: str) -> None:
    with Authority.open(database) as authority:
        authority.store.transact(write)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_giving_back_once_is_not_enough(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where a loan that was not given back is left to its frame, it is lent while the exception is
    there.
    """
    give_back = Checkout.release

    def give_back_once(loan: Any) -> None:
        if sys._getframe(1).f_code.co_name in ("_write", "_transact"):
            frame = sys._getframe(1)
            count = seen.setdefault(id(frame), [frame, 0])
            count[1] += 1
            if count[1] > 1:
                return
        give_back(loan)

    seen: dict[int, list[Any]] = {}
    store = authority.store
    monkeypatch.setattr(Checkout, "release", give_back_once)
    assert any(_interrupted_once(store, place) for place in range(1, 200))


def _interrupted_once(store: Any, place: int) -> bool:
    """Whether a connection is lent while the exception is there. It had been made before."""
    store.transact(write)
    try:
        with At(place, "line"):
            store.transact(write)
    except Interrupted:
        return bool(lent(store))
    return False
