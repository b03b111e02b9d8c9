"""What hash partitions of the per-organization tables cost a change and a check, on one PostgreSQL server.

Two databases of one server hold the same organization: one with plain tables, one with PARTITIONS of each.
Both do the same in turn, so that noise hits both alike.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Callable
from contextlib import ExitStack

import psycopg

from lab.inline import load
from lab.report import Goal, interleaved, percentile
from lab.servers import postgres
from rescind import Authority, changes
from rescind.store.migrations import migrate

GOALS = {"partitions.change.ratio": Goal(1.1), "partitions.check.ratio": Goal(1.1)}
PARTITIONS = 16
KINDS = ("plain", "partitioned")
Figures = dict[str, float]
Actions = dict[str, Callable[[], object]]


def run(*, quick: bool, seed: int) -> Figures:
    """Times in ms or µs as the name says; ratios are partitioned to plain, of medians."""
    rounds = 100 if quick else 1_000
    figures: Figures = {"partitions.number": PARTITIONS}
    with postgres() as socket, ExitStack() as opened:
        authorities = {
            kind: opened.enter_context(_filled(str(socket), kind, seed)) for kind in KINDS
        }
        print("lab: changes …", file=sys.stderr)
        taken = interleaved(rounds, _changes(authorities))
        both = {kind: taken[f"{kind}.add"] + taken[f"{kind}.remove"] for kind in KINDS}
        figures |= _figures("change", both, "ms", 1e3)
        print("lab: checks …", file=sys.stderr)
        figures |= _figures(
            "check", interleaved(rounds * 10, _checks(authorities, seed), 100), "us", 1e6
        )
    return figures


def _filled(socket: str, kind: str, seed: int) -> Authority:
    with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}") as admin:
        admin.autocommit = True
        admin.execute(f"CREATE DATABASE lab_{kind}")
    url = f"postgresql://postgres@/lab_{kind}?host={socket}"
    migrate(url, partitions=PARTITIONS if kind == "partitioned" else None)
    authority = Authority.open(url, organization="lab")
    load(authority, seed)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return authority


def _changes(authorities: dict[str, Authority]) -> Actions:
    """A member is added to the group of a hundred assignments, and removed again, inline."""

    def toggled(authority: Authority, change: changes.Change) -> Callable[[], object]:
        return lambda: authority.apply([change])

    member = ("user:7",)
    steps = {
        "add": changes.AddMembers(group="hundred", members=member),
        "remove": changes.RemoveMembers(group="hundred", members=member),
    }
    return {
        f"{kind}.{name}": toggled(authorities[kind], change)
        for name, change in steps.items()
        for kind in KINDS
    }


def _checks(authorities: dict[str, Authority], seed: int) -> Actions:
    """The same questions to the database of each kind, none from memory."""

    def asking(authority: Authority) -> Callable[[], object]:
        rng = random.Random(seed)
        questions = itertools.cycle(
            [
                (f"user:{rng.randrange(2_000)}", "read", f"folder:{rng.randrange(1_000)}")
                for _ in range(997)
            ]
        )
        return lambda: authority.check(*next(questions))

    return {kind: asking(authorities[kind]) for kind in KINDS}


def _figures(name: str, taken: dict[str, list[float]], unit: str, scale: float) -> Figures:
    figures = {
        f"partitions.{name}.{kind}.p{int(share * 100)}_{unit}": percentile(taken[kind], share)
        * scale
        for kind in KINDS
        for share in (0.5, 0.99)
    }
    plain, parted = (percentile(taken[kind], 0.5) for kind in KINDS)
    return {f"partitions.{name}.ratio": parted / plain, **figures}
