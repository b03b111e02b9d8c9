"""Logs of older versions get their chain: interrupted, by several at once, under changes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.history.log_start import log_start
from rescind.model import Fault, FaultKind
from rescind.propagation import chain_pages, chaining
from rescind.propagation.chaining import chain_all, chain_some
from rescind.propagation.worker import Worker
from rescind.store.rows.log import READ_CHAIN_PAGE
from tests.contract.test_log_verify import run
from tests.contract.world import WORLD
from tests.probe import Probe

GIVE = changes.Assign(role="reader", to="user:ada")
TAKE = changes.Unassign(role="reader", to="user:ada")
OLD = "UPDATE rescind.change SET digest = NULL, environment = NULL WHERE organization = {}"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three changes are a page."""
    monkeypatch.setattr(chain_pages, "PAGE", 3)


def filled(authority: Authority, count: int = 7, organization: str = "acme") -> None:
    """An organization with a log of so many changes."""
    authority.apply(WORLD, organization=organization)
    for number in range(count - 1):
        authority.apply([(GIVE, TAKE)[number % 2]], organization=organization)


def faults(authority: Authority) -> dict[str, Fault]:
    found = authority.verify_log()
    return {each.organization: each.fault for each in found if each.fault is not None}


def test_an_old_log_is_chained(authority: Authority) -> None:
    """All organizations; what is chained before stays, and the next change is chained at once."""
    filled(authority)
    filled(authority, 4, "other")
    run(authority, OLD.format(1), OLD.format(2) + " AND revision > 2")
    assert faults(authority) == {
        "acme": Fault(FaultKind.UNCHAINED, 1),
        "other": Fault(FaultKind.UNCHAINED, 3),
    }
    authority.apply([GIVE])
    assert chain_all(authority.store) == 8 + 2
    assert (chain_some(authority.store), faults(authority)) == (0, {})
    authority.apply([TAKE])
    authority.apply([GIVE], organization="other")
    assert (chain_some(authority.store), faults(authority)) == (0, {})


def test_a_worker_does_it(authority: Authority) -> None:
    filled(authority)
    run(authority, OLD.format(1))
    worker = Worker(authority.store)
    while worker.work_once():
        pass
    assert faults(authority) == {}


def test_a_log_that_is_cleared_meanwhile(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the look for what has no digest: then there is nothing to do for it."""
    filled(authority)
    run(authority, OLD.format(1))
    fetch = authority.store.fetch

    def cleared(query: Any, *arguments: Any, **options: Any) -> Any:
        return [] if query == READ_CHAIN_PAGE else fetch(query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(authority.store, "fetch", cleared)
        assert chain_some(authority.store) == 0
    assert chain_all(authority.store) == 7
    assert faults(authority) == {}


class StoppedError(Exception):
    """The process is gone."""


def test_it_is_interrupted_at_any_statement(authority: Authority, probe: Probe) -> None:
    """Then it goes on where it was, with changes in between."""
    filled(authority)
    run(authority, OLD.format(1))
    steps: list[int] = []

    def stop(query: str) -> None:
        steps.append(1)
        if len(steps) > most:
            raise StoppedError

    for most in range(20):
        steps.clear()
        probe.before = stop
        try:
            chain_all(authority.store)
            break
        except StoppedError:
            probe.before = None
            if most % 3 == 0:
                authority.apply([(GIVE, TAKE)[most // 3 % 2]])
                run(authority, OLD.format(1) + f" AND revision > {4 + most}")
    else:
        pytest.fail("it never came to an end")
    probe.before = None
    chain_all(authority.store)
    assert faults(authority) == {}


def test_two_do_it_at_once_under_changes(authority: Authority) -> None:
    """No digest is wrong, and in the end none is missing."""
    filled(authority, 12)
    run(authority, OLD.format(1))
    begin = threading.Barrier(3)

    def chain(_: int) -> None:
        begin.wait(30)
        while chain_some(authority.store):
            pass

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(chain, number) for number in range(2)]
        begin.wait(30)
        for number in range(12):
            authority.apply([(TAKE, GIVE)[number % 2]])
        for each in done:
            each.result(60)
    chain_all(authority.store)
    assert faults(authority) == {}


def test_a_log_whose_first_changes_were_deleted(authority: Authority) -> None:
    """It starts where it begins. With digests in it, what is missing is not made up."""
    filled(authority)
    filled(authority, 5, "other")
    gone = "DELETE FROM rescind.change WHERE organization = {} AND revision <= 2"
    run(authority, gone.format(1), OLD.format(1), gone.format(2))
    run(authority, OLD.format(2) + " AND revision = 3")
    assert chain_all(authority.store) == 5
    start = log_start(authority.store, 1)  # type: ignore[arg-type]
    assert start is not None
    assert (start.revision, start.why) == (2, "there was no log before")
    assert faults(authority) == {"other": Fault(FaultKind.MISSING, 1)}


def test_a_repaired_hole_does_not_hide_an_edit(authority: Authority) -> None:
    """Who edits a change and clears its digest is found at the next one."""
    filled(authority)
    run(authority, "UPDATE rescind.change SET reason = 'x', digest = NULL WHERE revision = 4")
    chain_all(authority.store)
    assert faults(authority) == {"acme": Fault(FaultKind.ALTERED, 5)}


def test_gaps_of_an_old_log_are_chained_over(authority: Authority) -> None:
    """Each run between them by one statement. What is missing stays missing."""
    filled(authority, 9)
    run(authority, OLD.format(1), "DELETE FROM rescind.change WHERE revision IN (3, 4, 6)")
    assert chain_all(authority.store) == 6
    rows = run(authority, "SELECT revision FROM rescind.change WHERE digest IS NULL")
    assert rows == []
    assert faults(authority) == {"acme": Fault(FaultKind.MISSING, 3)}


@pytest.mark.parametrize("size", [0, 1_000, 10**9])
def test_long_changes_are_chained(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Each is read alone, and a transaction ends after so many bytes of them."""
    monkeypatch.setattr(chain_pages, "LONG", 40)
    monkeypatch.setattr(chaining, "PAGE_BYTES", size)
    monkeypatch.setattr(chaining, "LOCKED_BYTES", size)
    filled(authority, 8)
    run(authority, OLD.format(1))
    done = []
    while some := chain_some(authority.store):
        done.append(some)
    assert sum(done) == 8
    assert max(done) == (1 if size == 0 else 3)
    assert faults(authority) == {}


def test_a_page_is_read_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much is in it. While the organization is locked, a transaction ends sooner."""
    read: list[int] = []
    whole = chain_pages.read_page

    def counted(*given: Any, **how: Any) -> chain_pages.Page:
        page = whole(*given, **how)
        read.append(len(page))
        return page

    monkeypatch.setattr(chaining, "read_page", counted)
    monkeypatch.setattr(chaining, "LOCKED_BYTES", 0)
    filled(authority, 8)
    run(authority, OLD.format(1))
    assert chain_all(authority.store) == 8
    assert read == [3, 3, 2, 2, 1, 1]  # the last are read before the lock and with it
    assert faults(authority) == {}
