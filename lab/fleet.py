"""Revocations with replicas: how long until they return, and whether anybody is allowed afterwards.

Each round revokes and grants one membership. After a revocation returned every replica is asked; after a
grant returned every replica asks itself until it is allowed.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from lab.databases import bare, bare_insert, servers
from lab.proxy import DelayingProxy
from lab.replicas import Remote, replicas
from lab.report import Goal, percentile
from lab.worlds import apply_all, definitions, subjects
from rescind import Authority, changes
from rescind.settings import Settings

GOALS = {
    "fleet.4.return_ratio": Goal(
        4.0,
        why="the change itself is 4 to 5 bare commits; waking four processes on two processors adds two",
    ),
    "fleet.4.return_p99_ms": Goal(25.0),
    "fleet.stopped.over_bound": Goal(1.1),
    "fleet.cut.over_bound": Goal(1.1),
    "fleet.allowed_after_return": Goal(0),
}
Figures = dict[str, float]
USERS = 1_000
QUESTION = ("user:7", "read", "doc:0")
MEMBER = ("user:7",)


def run(*, quick: bool, seed: int) -> Figures:  # noqa: ARG001
    """Times in ms; the bound is TTL·(1+ε)+δ."""
    figures: Figures = {"fleet.allowed_after_return": 0, "fleet.probes": 0}
    probes = 5_000 if quick else 100_000
    with servers() as make:
        for count in (1, 4, 16):
            print(f"lab: {count} replicas …", file=sys.stderr)
            url = _recorded(make("postgres"))
            with replicas([url] * count) as fleet:
                rounds = (50 if quick else 500) if count < 16 else (20 if quick else 200)
                asked = -(-probes // (3 * rounds * count))
                _rounds(url, fleet, rounds, asked, figures)
        print("lab: one stopped, one cut off …", file=sys.stderr)
        _silent(_recorded(make("postgres")), 2 if quick else 5, figures)
    return figures


def _recorded(url: str) -> str:
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, definitions())
        apply_all(authority, (changes.AddMembership(subject=s) for s in subjects(USERS)))
        everybody = tuple(subjects(USERS))
        authority.apply(
            [
                changes.CreateResource(resource="doc:0"),
                changes.CreateGroup(group="all"),
                changes.AddMembers(group="all", members=everybody),
                changes.Assign(role="reader", to="group:all", on="doc:0"),
            ]
        )
    return url


def _rounds(url: str, fleet: list[Remote], rounds: int, asked: int, figures: Figures) -> None:
    prefix = f"fleet.{len(fleet)}"
    returned: list[float] = []
    commits: list[float] = []
    enforced: list[float] = []
    visible: list[float] = []
    with Authority.open(url, organization="lab") as authority, bare("postgres", url) as connection:
        insert = bare_insert("postgres", connection)
        for _ in range(rounds):
            start = time.monotonic()
            insert()
            commits.append(time.monotonic() - start)
            start = time.monotonic()
            receipt = authority.apply([changes.RemoveMembers(group="all", members=MEMBER)])
            returned.append(time.monotonic() - start)
            enforced.append(receipt.enforcement_seconds or 0.0)
            _ask_all(fleet, asked, figures)
            for remote in fleet:
                remote.watch(QUESTION)
            start = time.monotonic()
            authority.apply([changes.AddMembers(group="all", members=MEMBER)])
            visible.append(max(remote.seen() for remote in fleet) - start)
    bare_ms = percentile(commits, 0.5) * 1e3
    figures[f"{prefix}.bare_ms"] = bare_ms
    for name, times in (("return", returned), ("enforce", enforced), ("grant_visible", visible)):
        figures[f"{prefix}.{name}_p50_ms"] = percentile(times, 0.5) * 1e3
        figures[f"{prefix}.{name}_p99_ms"] = percentile(times, 0.99) * 1e3
    figures[f"{prefix}.return_ratio"] = percentile(returned, 0.5) * 1e3 / bare_ms


def _ask_all(fleet: list[Remote], times: int, figures: Figures) -> None:
    for remote in fleet:
        figures["fleet.allowed_after_return"] += remote.allowed(QUESTION, times)
        figures["fleet.probes"] += times


def _silent(url: str, rounds: int, figures: Figures) -> None:
    """Four replicas, of which one is stopped, then one hears and says nothing but goes on answering."""
    settings = Settings()
    bound = settings.lease_seconds * (1 + settings.clock_drift) + settings.lease_grace_seconds
    socket = url.split("?host=")[1]
    database = url.removeprefix("postgresql://postgres@/").split("?")[0]
    proxy = DelayingProxy(f"{socket}/.s.PGSQL.5432", 0.0)
    options = "sslmode=disable&gssencmode=disable"
    through = f"postgresql://postgres@127.0.0.1:{proxy.port}/{database}?{options}"
    pid = proxy.pid
    assert pid is not None
    try:
        with replicas([url, url, url, through]) as fleet:
            for name in ("stopped", "cut"):
                times = []
                for _ in range(rounds):
                    if name == "stopped":
                        fleet[0].stop()
                    else:
                        os.kill(pid, signal.SIGSTOP)
                    try:
                        times.append(_revoke(url, fleet[1:], figures))
                    finally:
                        fleet[0].go_on()
                        os.kill(pid, signal.SIGCONT)
                    _ask_all(fleet, 10, figures)
                    _grant(url, fleet)
                figures[f"fleet.{name}.return_ms"] = max(times) * 1e3
                figures[f"fleet.{name}.over_bound"] = max(times) / bound
    finally:
        proxy.close()


def _revoke(url: str, fleet: list[Remote], figures: Figures) -> float:
    with Authority.open(url, organization="lab") as authority:
        start = time.monotonic()
        authority.apply([changes.RemoveMembers(group="all", members=MEMBER)])
        seconds = time.monotonic() - start
    _ask_all(fleet[:2], 10, figures)
    return seconds


def _grant(url: str, fleet: list[Remote]) -> None:
    """And wait until every replica holds the organization again, and knows."""
    with Authority.open(url, organization="lab") as authority:
        authority.apply([changes.AddMembers(group="all", members=MEMBER)])
    for remote in fleet:
        remote.watch(QUESTION)
    for remote in fleet:
        remote.seen()
    time.sleep(1.0)
