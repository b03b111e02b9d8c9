"""A server that is told to end serves until balancers have seen that it is not ready: no request fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.http.rolling import CHECK, FACTS, Balancer, Servers

LONG = 600.0
"""Longer than the test takes: what ends before that was told to."""


@pytest.fixture
def database(new_database: Callable[[str], str]) -> str:
    """On PostgreSQL, which two servers share."""
    return new_database("postgres")


@pytest.fixture(params=[LONG, 0.0], ids=["drains", "control"])
def servers(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> Iterator[tuple[Servers, bool]]:
    """Two of them, and whether they drain. They end by Ctrl-C, which does not wait for a balancer."""
    made = Servers(tmp_path, database, request.param)
    yield made, request.param > 0
    made.close()


def test_a_rolling_restart(servers: tuple[Servers, bool]) -> None:
    """No request fails, whenever the balancer looks. Control: without draining, all fail that it sends to a
    server before it has looked again.
    """
    both, drains = servers
    with both.balancer() as balancer:

        def failed(requests: int = 20) -> int:
            return sum(balancer.post("/v1/check", CHECK) != 200 for _ in range(requests))

        balancer.look()
        assert balancer.post("/v1/changes", {"organization": "acme", "changes": FACTS}) == 200
        for number in range(2 if drains else 1):
            assert failed() == 0
            both.tell_to_end(number)
            if drains:
                until_told(balancer, number)
            else:
                both.processes[number].process.wait()
            balancer.backends[number].is_ready = True  # it has not looked since
            assert (failed() == 0) == drains
            balancer.look()
            assert not balancer.backends[number].is_ready
            assert failed() == 0
            both.tell_to_end(number)  # a second time: it does not wait
            both.start_again(number)
            balancer.look()


def until_told(balancer: Balancer, number: int) -> None:
    """Until the server says that it is not ready; then its connections are closed one by one."""
    backend = balancer.backends[number]
    while backend.is_ready:
        kept, backend.idle = backend.idle, []
        backend.look()
        backend.idle = kept


def test_several_processes_drain(tmp_path: Path, database: str) -> None:
    """Told by their parent, each answers with `Connection: close`; a second signal ends them all."""
    servers = Servers(tmp_path, database, LONG, servers=1, processes=2)
    try:
        with servers.balancer() as balancer:
            balancer.look()
            assert balancer.post("/v1/changes", {"organization": "acme", "changes": FACTS}) == 200
            servers.tell_to_end(0)
            until_told(balancer, 0)
            balancer.backends[0].is_ready = True
            for _ in range(8):
                assert balancer.post("/v1/check", CHECK) == 200
        assert servers.processes[0].end() == 0
    finally:
        servers.close()
