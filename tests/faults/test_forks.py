"""Servers that load the application and fork: a child begins as a new process does."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes, forks
from rescind.errors import StoreUnavailable
from rescind.store.sqlite import files
from rescind.store.sqlite import store as sqlite_store
from tests.contract.world import WORLD

THREADS, ROUNDS, WAIT_SECONDS = 8, 5, 60
QUESTION = ("user:ada", "read")


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """Used before it is forked, so that it has connections."""
    authority.apply(WORLD)
    authority.check(*QUESTION)
    return authority


def in_child(act: Callable[[], Any]) -> Any:
    """What `act` returns in a forked child, which ends without cleaning up."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(into, json.dumps(act()).encode())
        except BaseException as error:
            os.write(into, json.dumps(f"{type(error).__name__}: {error}").encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as answer:
        said = answer.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return json.loads(said)


def used_by_threads(authority: Authority) -> dict[str, int]:
    """How calls of threads that begin together end."""
    ends: Counter[str] = Counter()
    together = threading.Barrier(THREADS)

    def use(number: int) -> None:
        together.wait(WAIT_SECONDS)
        for turn in range(ROUNDS):
            made = changes.CreateGroup(group=f"g-{number}-{turn}")
            tried("check", lambda: authority.check(*QUESTION))
            tried("change", lambda made=made: authority.apply([made]))  # type: ignore[misc]

    def tried(name: str, call: Callable[[], object]) -> None:
        try:
            call()
            ends[name] += 1
        except Exception as error:
            ends[type(error).__name__] += 1

    threads = [threading.Thread(target=use, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    return dict(ends)


@pytest.mark.parametrize("is_new", [True, False], ids=["begins anew", "control"])
def test_threads_of_a_child(acme: Authority, is_new: bool) -> None:
    """All that they ask is answered, all that they change is recorded once, and the parent goes on.
    Control: where it inherits connections, the child can do nothing.
    """
    if not is_new:
        hooks: Any = forks.closed_before if acme.store.engine == "sqlite" else forks.reinitialized
        hooks.discard(acme.store)
    before = len(list(acme.log()))
    ends = in_child(lambda: used_by_threads(acme))
    assert (ends == {"check": THREADS * ROUNDS, "change": THREADS * ROUNDS}) is is_new
    assert len(list(acme.log())) - before == ends.get("change", 0)
    assert acme.check(*QUESTION)


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_child_opens_one_pool(acme: Authority) -> None:
    """Its threads have no more connections together than one process may have, and none of the parent's."""
    parents = {line.number for line in acme.store.pool.connections()}  # type: ignore[attr-defined]

    def use() -> list[int]:
        used_by_threads(acme)
        return [line.number for line in acme.store.pool.connections()]  # type: ignore[attr-defined]

    children = in_child(use)
    assert 0 < len(children) <= acme.store.pool.most  # type: ignore[attr-defined]
    assert not parents & set(children)


@pytest.mark.parametrize("is_left_alone", [True, False])
@pytest.mark.parametrize("engine", ["postgres"])
def test_what_a_child_closes_is_not_its_parents(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, is_left_alone: bool
) -> None:
    """A child that closes its authority leaves the parent its connections. Control: closed as they are, they
    end for the parent too.
    """
    (line,) = acme.store.pool.connections()  # type: ignore[attr-defined]
    if not is_left_alone:
        monkeypatch.setattr(type(line.connection), "close", psycopg.Connection.close)

    def close() -> None:
        acme.close()
        line.connection.close()

    in_child(close)
    if is_left_alone:
        assert acme.check(*QUESTION)
        assert [line] == acme.store.pool.connections()  # type: ignore[attr-defined]
    else:
        with pytest.raises(StoreUnavailable):
            acme.check(*QUESTION)


def test_a_connection_in_use_is_of_no_use_to_a_child(acme: Authority) -> None:
    """A process forked in the middle of a read raises, and does not speak for its parent."""
    with acme.store.snapshot() as snapshot:
        ask = [("find_organization", {"organization": "acme"})]
        expected = snapshot.fetch_many(ask)
        if acme.store.engine == "postgres":
            said = in_child(lambda: snapshot.fetch_many(ask))
            assert said.startswith("StoreUnavailable")
            assert in_child(lambda: acme.check(*QUESTION).allowed) is True
        else:
            said = in_child(lambda: acme.check(*QUESTION).allowed)
            assert said.startswith("DecisionUnavailable")
        assert snapshot.fetch_many(ask) == expected
    assert acme.check(*QUESTION)


@pytest.mark.parametrize("is_refused", [True, False])
@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_was_inherited_open_is_refused(
    acme: Authority, database: str, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    """Also to who opens it again in the child, who would seem to have locks that it has not. Control: nobody
    else refuses it.
    """
    if not is_refused:
        monkeypatch.setattr(sqlite_store.files, "refuse_inherited", lambda _: None)

    def open_again() -> bool:
        with Authority.open(database, organization="acme") as other:
            return bool(other.check(*QUESTION).allowed)

    with acme.store.snapshot():
        said = in_child(open_again)
    assert (said is True) is not is_refused
    assert in_child(open_again) is True
    assert not files.inherited


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_fork_waits_for_a_transaction_of_another_thread(acme: Authority) -> None:
    """The child has the file to itself, and does not find it locked for ever by nobody."""
    store: Any = acme.store
    inside, go = threading.Event(), threading.Event()

    def change(_: object) -> None:
        inside.set()
        assert go.wait(WAIT_SECONDS)

    changing = threading.Thread(target=store.transact, args=(change,))
    changing.start()
    assert inside.wait(WAIT_SECONDS)

    def let_go() -> None:
        while not store.writers.is_paused:  # the fork has begun to wait
            pass
        go.set()

    releasing = threading.Thread(target=let_go)
    releasing.start()
    assert in_child(lambda: acme.apply([changes.CreateGroup(group="made")]).changed) is True
    changing.join(WAIT_SECONDS)
    releasing.join(WAIT_SECONDS)
    assert acme.apply([changes.CreateGroup(group="after")]).changed


@contextmanager
def everything_locked(authority: Authority) -> Iterator[list[Callable[[], Any]]]:
    """As if other threads were in the middle of everything; gives how to find the locks."""
    cache, enforcer = authority.cache, authority.enforcer
    assert cache is not None
    found = [
        lambda: authority.applier.costs.lock,
        lambda: cache.load_lock,
        lambda: cache.registry_lock,
        lambda: enforcer.times.lock,
        lambda: enforcer.acknowledgements.changed,
    ]
    if authority.store.engine == "sqlite":
        found.append(lambda: authority.store.write_queue.lock)  # type: ignore[attr-defined]
    held = [find() for find in found]
    for lock in held:
        lock.acquire()
    try:
        yield found
    finally:
        for lock in held:
            lock.release()


def _is_locked(lock: Any) -> bool:
    if lock.acquire(blocking=False):
        lock.release()
        return False
    return True


@pytest.mark.parametrize("is_new", [True, False], ids=["begins anew", "control"])
def test_no_lock_is_inherited(database: str, is_new: bool) -> None:
    """What threads of the parent have locked is free in the child. Control: without the hook it is not."""
    with Authority.open(database, organization="acme", index=True) as authority:
        authority.apply(WORLD)
        authority.load()
        everywhere = set(forks.reinitialized)
        if not is_new:
            forks.reinitialized.clear()
        try:
            with everything_locked(authority) as locks:
                said = in_child(lambda: [_is_locked(find()) for find in locks])
        finally:
            for thing in everywhere:
                forks.reinitialized.add(thing)
    assert any(said) is not is_new


def test_workers_of_a_child_begin_when_they_are_started(acme: Authority) -> None:
    """None of the parent's works there; they may be stopped, and started."""
    workers = acme.workers(concurrency=2)
    with workers:

        def use() -> list[int]:
            seen = [len(workers.threads)]
            workers.stop()
            workers.start()
            seen.append(sum(thread.is_alive() for thread in workers.threads))
            workers.stop()
            return seen

        assert in_child(use) == [0, 2]
        assert all(thread.is_alive() for thread in workers.threads)
