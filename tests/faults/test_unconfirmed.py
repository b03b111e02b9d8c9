"""G3: a commit whose wait for the synchronous standby is canceled is not reported as done."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from signal import SIGCONT, SIGSTOP
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import OutcomeUnknown
from rescind.http.keys import Keys
from rescind.settings import Settings
from rescind.store.postgres import connection
from tests.contract.world import WORLD
from tests.faults.server import Server, Standby, execute, running, until
from tests.state import may

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
PATIENT = Settings(silence_seconds=60.0)
ADA = ("user:ada", "write", "doc:1")
LEAVES = [changes.RemoveMembers(group="eng", members=("user:ada",))]
KEY = "once"
_numbers = itertools.count()


class Pair:
    """A primary, and the synchronous standby that its commits wait for."""

    def __init__(self, primary: Server, standby: Standby, database: str) -> None:
        self.primary, self._standby, self.database = primary, standby, database

    @contextmanager
    def stopped_standby(self) -> Iterator[None]:
        """The standby confirms nothing while the block lasts."""
        ((pid,),) = execute(self._standby.folder, "SELECT pid FROM pg_stat_wal_receiver")
        os.kill(pid, SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, SIGCONT)

    def until_waiting(self, call: Future[Any]) -> None:
        """Until a commit waits for the standby, or the call has ended without."""
        until(lambda: call.done() or self.primary.execute(WAITING))

    def cancel(self) -> None:
        """Have no commit wait any longer."""
        for (pid,) in self.primary.execute(WAITING):
            self.primary.execute(f"SELECT pg_cancel_backend({pid})")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """One for all tests."""
    with running() as primary:
        database, standby = primary.new_database(), Standby(primary)
        try:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            primary.execute("SELECT pg_reload_conf()")
            is_there = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
            until(lambda: primary.execute(is_there))
            yield Pair(primary, standby, database)
        finally:
            primary.execute("ALTER SYSTEM RESET synchronous_standby_names")
            primary.execute("SELECT pg_reload_conf()")
            standby.stop()


@pytest.fixture
def authority(pair: Pair) -> Iterator[Authority]:
    """With an organization of its own."""
    name = f"acme-{next(_numbers)}"
    with Authority.open(pair.database, organization=name, settings=PATIENT) as opened:
        opened.apply(WORLD)
        yield opened


def _in_a_transaction(authority: Authority) -> None:
    with authority.store.connection() as within:
        authority.apply(LEAVES, within=within)


COMMITS: dict[str, Callable[[Authority], object]] = {
    "a change": lambda authority: authority.apply(LEAVES),
    "a change with a key": lambda authority: authority.apply(LEAVES, idempotency_key=KEY),
    "a transaction": _in_a_transaction,
    "a statement by itself": lambda authority: Keys(authority.store).create("name", ["read"]),
}


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "control"])
@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS)
def test_a_canceled_wait(
    pair: Pair,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    commit: Callable[[Authority], object],
    is_heard: bool,
) -> None:
    """Is an unknown outcome, and the next change is not blamed for it. Control: with the warning unheard, it
    is reported as done.
    """
    if not is_heard:
        monkeypatch.setattr(connection, "is_canceled_wait", lambda _: False)
    with ThreadPoolExecutor(1) as pool:
        with pair.stopped_standby():
            committing = pool.submit(commit, authority)
            pair.until_waiting(committing)
            pair.cancel()
            outcome = committing.exception()
        assert isinstance(outcome, OutcomeUnknown) == is_heard
        assert not is_heard or "SyncRep" in str(outcome) or "replication" in str(outcome)
    assert authority.apply([changes.CreateGroup(group="later")]).changed


def test_a_transaction_of_the_caller(pair: Pair, authority: Authority) -> None:
    """Is on record, whoever was warned."""
    with psycopg.connect(authority.store.url) as theirs:  # type: ignore[attr-defined]
        warned: list[str] = []
        theirs.add_notice_handler(lambda notice: warned.append(str(notice.source_function)))
        receipt = authority.apply(LEAVES, within=theirs)
        with ThreadPoolExecutor(1) as pool, pair.stopped_standby():
            committing = pool.submit(theirs.commit)
            pair.until_waiting(committing)
            pair.cancel()
            committing.result()
        assert warned == ["SyncRepWaitForLSN"]
        assert receipt.enforce().enforced_at


REPEATS: dict[str, dict[str, Any]] = {"by its key": {"idempotency_key": KEY}, "as it is": {}}


@pytest.mark.parametrize("options", REPEATS.values(), ids=REPEATS)
def test_a_repeated_change(pair: Pair, authority: Authority, options: dict[str, Any]) -> None:
    """Has one effect, and returns when the standby has it, not before."""
    with ThreadPoolExecutor(1) as pool:
        with pair.stopped_standby():
            _commit_in_vain(pair, pool, authority, options)
            repeating = pool.submit(authority.apply, LEAVES, **options)
            pair.until_waiting(repeating)
            assert not repeating.done()
        assert repeating.result().revision.organization == 2
    assert not may(authority, *ADA)


def test_a_repeated_change_that_only_reads(pair: Pair, authority: Authority) -> None:
    """Control: a repeat that finds its key and writes nothing returns without the standby."""
    authority.store.queries["confirm_keyed_outcome"] = "SELECT 1"  # type: ignore[attr-defined]
    options = REPEATS["by its key"]
    with ThreadPoolExecutor(1) as pool, pair.stopped_standby():
        _commit_in_vain(pair, pool, authority, options)
        assert authority.apply(LEAVES, **options).revision.organization == 2


def _commit_in_vain(
    pair: Pair, pool: ThreadPoolExecutor, authority: Authority, options: dict[str, Any]
) -> None:
    committing = pool.submit(authority.apply, LEAVES, **options)
    pair.until_waiting(committing)
    pair.cancel()
    assert isinstance(committing.exception(), OutcomeUnknown)


@pytest.mark.parametrize("writes", [True, False], ids=["writes", "control: only reads"])
def test_a_kept_answer(pair: Pair, authority: Authority, writes: bool) -> None:
    """An answer of the management API is given again when the standby has it, and not before."""
    names = {"caller": f"caller {next(_numbers)}", "key": KEY}
    if not writes:
        authority.store.queries["read_answer"] = (  # type: ignore[attr-defined]
            "SELECT digest FROM rescind.directory_answer WHERE caller = %(caller)s AND key = %(key)s"
        )

    def claim() -> None:
        with authority.store.connection() as within:
            claimed = {"digest": "same", "now": 0, **names}
            if not authority.store.fetch("claim_answer", claimed, within=within):
                assert authority.store.fetch("read_answer", names, within=within)

    with ThreadPoolExecutor(1) as pool:
        with pair.stopped_standby():
            claiming = pool.submit(claim)
            pair.until_waiting(claiming)
            pair.cancel()
            assert isinstance(claiming.exception(), OutcomeUnknown)
            again = pool.submit(claim)
            pair.until_waiting(again)
            assert again.done() == (not writes)
        again.result()
