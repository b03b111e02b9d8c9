"""Metrics of several processes are those of one service, also when one is killed; and those of a worker."""

from __future__ import annotations

import os
import re
import signal
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx

from rescind import Authority
from rescind.changes import AddMembers
from tests.contract.world import WORLD
from tests.faults.server import until
from tests.http.processes import Process, started
from tests.insight.scraped import Scraped, scraped, value

QUESTION = {"organization": "acme", "subject": "user:ada", "permission": "read"}
CHECKS = 24


def scrape(url: str) -> Scraped:
    """What is scraped that is not zero: most of it is, and reading that takes longest."""
    answer = httpx.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    lines = (line for line in answer.text.splitlines(keepends=True) if not line.endswith(" 0.0\n"))
    return defaultdict(float, scraped("".join(lines)))


def checks(found: Scraped) -> float:
    return sum(number for (name, _), number in found.items() if name == "rescind_checks_total")


def counters(found: Scraped) -> dict[object, float]:
    """Everything that may only grow."""
    return {
        key: number
        for key, number in found.items()
        if key[0].endswith(("_total", "_bucket", "_count", "_sum"))
    }


def children(process: Process) -> list[int]:
    pid = process.process.pid
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def metrics_of(process: Process) -> str:
    """The address that it printed."""
    found = re.match(r"metrics on (\S+)", process.read_line())
    assert found is not None
    return found[1]


def test_one_scrape_tells_of_all_processes_and_of_one_that_was_killed(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    """Counters go on where they were; what the killed one held is gone, and comes back with its successor."""
    database = new_database("postgres")
    with Authority.open(database) as authority:
        authority.apply(WORLD, organization="acme")
    options = ("-d", database, "--processes", "2", "--metrics-port", "0")
    with started(tmp_path, *options, RESCIND_METRICS_ACCESS="loopback") as server:
        url = metrics_of(server)

        asked = 0

        def ask() -> None:
            nonlocal asked
            asked += 1
            with server.client() as client:  # a connection of its own, which any process may take
                assert client.post("/v1/check", json=QUESTION).status_code == 200

        for _ in range(CHECKS):
            ask()
        until(lambda: ask() is None and value(scrape(url), "rescind_index_organizations") == 2)
        with server.client() as client:
            assert client.get("/metrics").status_code == 404  # they have a port of their own
            change = {"changes": [{"change": "add_membership", "subject": "user:new"}]}
            made = client.post("/v1/changes", json={"organization": "acme", **change})
            assert made.status_code == 200
        until(lambda: checks(scrape(url)) == asked)
        until(lambda: value(scrape(url), "rescind_replicas") >= 2)
        before = scrape(url)
        labels = {"kind": "add_membership", "direction": "grants", "route": "inline"}
        assert value(before, "rescind_change_duration_seconds_count", **labels) == 1
        assert value(before, "rescind_lease_expires_timestamp_seconds") > 0

        killed = children(server)[0]
        os.kill(killed, signal.SIGKILL)
        until(lambda: killed not in children(server))
        until(lambda: value(scrape(url), "rescind_index_organizations") <= 1)
        until(lambda: len(children(server)) == 2)
        until(lambda: ask() is None and value(scrape(url), "rescind_index_organizations") == 2)
        after = scrape(url)
        grown = {key: after[key] - number for key, number in counters(before).items()}
        assert min(grown.values()) >= 0
        assert checks(after) > checks(before)
        assert server.end() == 0


def test_a_worker_has_its_own(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    """What it did, and what is pending in its database; for a key."""
    database = new_database("sqlite")
    with Authority.open(database) as authority:
        authority.apply(WORLD, organization="acme")
    command = ("worker", "--metrics-port", "0", "--metrics-access", "loopback", "-d", database)
    with started(tmp_path, command=command, announced="metrics on") as worker:
        found = scrape(worker.url)
        assert value(found, "rescind_database_up") == 1
        assert value(found, "rescind_chunk_duration_seconds_count") == 0
        assert httpx.get(worker.url.replace("/metrics", "/readyz")).status_code == 200
        assert httpx.get(worker.url.replace("/metrics", "/v1/keys")).status_code == 404
        with Authority.open(database) as authority:
            grown = [AddMembers(group="staff", members=("user:cyd",))]
            authority.apply(grown, organization="acme", route="background")
        until(lambda: value(scrape(worker.url), "rescind_chunk_duration_seconds_count") > 0)
        settled = "rescind_settlement_duration_seconds_count"
        until(lambda: value(scrape(worker.url), settled, direction="grants") == 1)
        assert worker.end() == 0
