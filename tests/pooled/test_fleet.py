"""Real processes and a nemesis, through PgBouncer: nobody is allowed what was revoked."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults import fleet
from tests.faults.fleet import Plan
from tests.faults.history import CHECK, FRESH, GRANT, REVOKE
from tests.faults.server import Server, running
from tests.pgbouncer import HOSTILE, Bouncer, bouncing

pytestmark = pytest.mark.skipif(
    not os.environ.get("RESCIND_TEST_POOLED"), reason="`make pgbouncer` runs it"
)


class Pooled:
    """A server, with its pooler as the way to it."""

    def __init__(self, server: Server, bouncer: Bouncer) -> None:
        self._server = server
        self.folder, self.socket = server.folder, bouncer.socket
        self.new_database = server.new_database
        self.crash, self.start = server.crash, server.start


@pytest.fixture(scope="module")
def pooled() -> Iterator[Pooled]:
    """A server to crash, behind a pooler whose sessions have been misused."""
    with running() as server:
        url = f"postgresql://postgres@/postgres?host={server.folder}"
        with bouncing(url, connect_query=HOSTILE) as bouncer:
            yield Pooled(server, bouncer)


def test_nobody_is_allowed_what_was_revoked(pooled: Pooled) -> None:
    """G1, G2, G6 and read-your-writes, while processes are stopped, killed and cut off."""
    plan = Plan(seconds=40, seed=3)
    events, violations, done = fleet.run(plan, pooled)  # type: ignore[arg-type]
    assert violations == []
    kinds = Counter(event.kind for event in events)
    assert min(kinds[REVOKE], kinds[GRANT], kinds[FRESH]) > 3
    assert kinds[CHECK] > 1_000
    assert done.total() > 5


def test_without_a_guard_somebody_is(pooled: Pooled) -> None:
    """The control: the same fleet, whose replicas renew their leases without reading the log."""
    for seed in range(3):
        plan = Plan(seconds=20, replicas=2, workers=1, seed=seed, off=("log",), faults=("stall",))
        _, violations, _ = fleet.run(plan, pooled)  # type: ignore[arg-type]
        if violations:
            return
    pytest.fail("without the log nothing was found")
