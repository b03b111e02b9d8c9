"""Background work on SQLite does not keep the write lock from others, of whichever process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from rescind import Authority, changes
from rescind.model import Receipt
from rescind.store import Transaction
from rescind.store.contract import LockCost
from rescind.store.sqlite import write_queue

Pause = Callable[[float], None]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> dict[int, Pause]:
    """What threads do instead of waiting a little, by their number."""
    known: dict[int, Pause] = {}
    real = write_queue.time.sleep
    monkeypatch.setattr(
        write_queue.time, "sleep", lambda seconds: known.get(threading.get_ident(), real)(seconds)
    )
    return known


@pytest.fixture
def url(new_database: Callable[[str], str]) -> str:
    """A database with an organization."""
    made = new_database("sqlite")
    with Authority.open(made, organization="acme") as authority:
        authority.apply([changes.CreateOrganization()])
    return made.removeprefix("sqlite:///")


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """Another thread; with a store of its own it is to the file what another process is."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


class Other:
    """Somebody who changes something, and asks again for the file when told to."""

    def __init__(
        self, url: str, seen: list[str], pauses: dict[int, Pause], pool: ThreadPoolExecutor
    ) -> None:
        self.waits, self.may_ask = threading.Event(), threading.Event()
        self._url, self._seen, self._pauses, self._pool = url, seen, pauses, pool

    def begin(self) -> Future[Receipt]:
        """Returns when it waits for the file."""
        change = self._pool.submit(self._change)
        assert self.waits.wait(30)
        return change

    def _change(self) -> Receipt:
        self._pauses[threading.get_ident()] = self._pause
        with Authority.open(self._url, organization="acme") as authority:
            receipt = authority.apply([changes.CreateGroup(group="eng")])
        self._seen.append("other")
        return receipt

    def _pause(self, _: float) -> None:
        self.waits.set()
        assert self.may_ask.wait(30)


@pytest.mark.parametrize("yields", [True, False])
def test_who_yields_lets_another_process_in_first(
    yields: bool, url: str, pauses: dict[int, Pause], elsewhere: ThreadPoolExecutor
) -> None:
    """Somebody who began to wait during a transaction has the file before the next one of who gives way.
    Control: one that does not give way has it again first.
    """
    seen: list[str] = []
    other = Other(url, seen, pauses, elsewhere)
    waiting: list[Future[Receipt]] = []

    def let_in(_: float) -> None:
        other.may_ask.set()
        waiting[0].result(30)

    with Authority.open(url) as mine:
        pauses[threading.get_ident()] = let_in
        mine.store.transact(lambda _: waiting.append(other.begin()), yields=yields)
        assert mine.store.waiting() == 1
        mine.store.transact(lambda _: seen.append("mine"), yields=yields)
        other.may_ask.set()
        assert waiting[0].result(30).changed
        assert mine.store.waiting() == 0
    assert seen == (["other", "mine"] if yields else ["mine", "other"])


def test_who_waits_for_a_transaction_is_seen_before_it_ends(
    url: str, pauses: dict[int, Pause], elsewhere: ThreadPoolExecutor
) -> None:
    """Who waited may have had its turn by the time that a commit returns, which may write the log back."""
    other = Other(url, [], pauses, elsewhere)
    waiting: list[Future[Receipt]] = []
    held: list[Callable[[], LockCost]] = []

    def keep_out(tx: Transaction) -> None:
        held.append(tx.lock_cost(number=1))
        waiting.append(other.begin())
        held.append(tx.lock_cost(number=1))

    with Authority.open(url) as mine:
        mine.store.transact(keep_out, yields=True)
        other.may_ask.set()
        assert waiting[0].result(30).changed
        assert mine.store.waiting() == 0
    assert [measured().waiting for measured in held] == [0, 1]


def test_a_stopped_process_that_waits_does_not_stop_background_work(
    url: str, pauses: dict[int, Pause], elsewhere: ThreadPoolExecutor
) -> None:
    """Who gives way does so for a while, not for ever."""
    seen: list[str] = []
    other = Other(url, seen, pauses, elsewhere)
    waiting: list[Future[Receipt]] = []
    with Authority.open(url) as mine:
        mine.store.transact(lambda _: waiting.append(other.begin()), yields=True)
        mine.store.transact(lambda _: seen.append("mine"), yields=True)
        assert seen == ["mine"]
        other.may_ask.set()
        assert waiting[0].result(30).changed


def test_a_waiting_thread_is_seen_by_its_own_process_and_by_others(url: str) -> None:
    """While a thread waits, a look from the same process and one from another both see it, and neither
    look takes it away; afterwards nobody is seen.
    """
    mine, theirs = write_queue.WriteQueue(url), write_queue.WriteQueue(url)
    with mine.announce_everywhere() as wait, mine.announce_everywhere() as wait_too:
        assert (mine.waiting(), theirs.waiting()) == (0, 0)
        wait(0.0)
        wait_too(0.0)
        for _ in range(2):
            assert (mine.waiting(), theirs.waiting()) == (1, 1)
    assert (mine.waiting(), theirs.waiting()) == (0, 0)
    with mine.announce_here():
        assert (mine.waiting(), theirs.waiting()) == (1, 0)
    mine.close()
    theirs.close()
    assert mine.waiting() == 0


def test_where_nobody_can_be_seen_there_are_gaps(url: str, pauses: dict[int, Pause]) -> None:
    """Without the file beside the database, who gives way leaves the database alone before each
    transaction, for longer than it takes others to ask again.
    """
    os.unlink(f"{url}-turn")
    os.mkdir(f"{url}-turn")
    gaps: list[float] = []
    pauses[threading.get_ident()] = gaps.append
    with Authority.open(url) as mine:
        for _ in range(3):
            mine.store.transact(lambda _: None, yields=True)
    assert gaps == [write_queue.GAP_SECONDS] * 3
    assert write_queue.GAP_SECONDS > write_queue.LONG_RETRY_SECONDS
