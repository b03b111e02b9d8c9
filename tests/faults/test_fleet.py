"""Real processes and a nemesis: nobody is allowed what was revoked; without a guard, somebody is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults import fleet, history
from tests.faults.fleet import Plan
from tests.faults.history import CHECK, FRESH, GRANT, REVOKE, Event
from tests.faults.server import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server to crash."""
    with running() as found:
        yield found


def test_nobody_is_allowed_what_was_revoked(server: Server) -> None:
    """G1, G2, G6 and read-your-writes, while processes are stopped, killed and cut off."""
    kinds: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for seed in (7, 8, 9):  # a busy machine does less in each
        events, violations, faults = fleet.run(Plan(seconds=15, seed=seed), server)
        assert violations == []
        kinds.update(event.kind for event in events)
        done += faults
        if min(kinds[REVOKE], kinds[GRANT], kinds[FRESH]) > 10:
            break
    assert min(kinds[REVOKE], kinds[GRANT], kinds[FRESH]) > 10
    assert kinds[CHECK] > 1_000
    assert done.total() > 5


@pytest.mark.parametrize("guard", ["wait", "expiry", "log"])
def test_without_a_guard_somebody_is(server: Server, guard: str) -> None:
    """The control: the same fleet, less one of the things that the promise rests on."""
    for seed in range(5):
        plan = Plan(seconds=6, replicas=2, workers=1, seed=seed, off=(guard,), faults=("stall",))
        _, violations, _ = fleet.run(plan, server)
        if violations:
            return
    pytest.fail(f"without {guard} nothing was found")


def test_a_check_is_judged_by_what_returned_before_it() -> None:
    """An allow is a violation only after a revocation returned and before anything was granted again."""
    revoked = [Event(GRANT, "k", 0, 10), Event(REVOKE, "k", 20, 30)]
    again = [*revoked, Event(GRANT, "k", 40, None)]

    def found(writes: list[Event], check: Event) -> int:
        return len(list(history.violations([*writes, check])))

    assert found(revoked, Event(CHECK, "k", 31, 35, allowed=True)) == 1
    assert found(revoked, Event(CHECK, "k", 29, 35, allowed=True)) == 0
    assert found(revoked, Event(CHECK, "k", 31, 35, allowed=False)) == 0
    assert found(again, Event(CHECK, "k", 31, 35, allowed=True)) == 1
    assert found(again, Event(CHECK, "k", 31, 41, allowed=True)) == 0
    assert found(revoked[:1], Event(FRESH, "k", 11, 12, allowed=False)) == 1
    assert found(revoked, Event(FRESH, "k", 11, 25, allowed=False)) == 0
