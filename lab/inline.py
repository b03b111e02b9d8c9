"""What a change and a check cost, beside a bare insert and a bare look-up in the same run."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from lab.databases import bare_insert, writer
from lab.report import Goal, interleaved, percentile
from lab.servers import far_away, postgres
from lab.statements import recorded, replayed
from lab.worlds import settle
from rescind import Authority, changes
from rescind.changes import Change
from rescind.store import open_store
from rescind.store.migrations import migrate
from rescind.store.postgres import PostgresStore, configure
from rescind.store.sqlite import connect

IN_POSTGRES = (
    "finding names, holders and places alone is 2.7 bare look-ups; no part of the rest is more than"
    " a few µs"
)
IN_SQLITE = (
    "the bare look-up is one key of one table; a check finds four names first, 2.8 bare look-ups, and"
    " then reads about a dozen rows by key; checks from memory are the answer"
)
GOALS = {
    "inline.postgres.rtt20.ratio": Goal(1.3),
    "inline.postgres.rtt0.ratio": Goal(
        3,
        why=(
            "a change is 8.5 statements in one pipeline; the driver sends each by itself, and the server"
            " works through them one after the other"
        ),
    ),
    "inline.sqlite.ratio": Goal(6),
    "check.live.postgres.ratio": Goal(3, why=IN_POSTGRES),
    "check.effective.postgres.ratio": Goal(3, why=IN_POSTGRES),
    "check.live.sqlite.ratio": Goal(3, why=IN_SQLITE),
    "check.effective.sqlite.ratio": Goal(3, why=IN_SQLITE),
    "import.sqlite.seconds": Goal(15),
    "import.postgres.seconds": Goal(25),
}
ROUND_TRIP_SECONDS = 0.020
PAIRS = Path(__file__).parents[2] / "shared" / "data" / "hp_labs_americas_small.txt.gz"
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Figures:
    """All figures of the benchmark; times in ms or µs as the name says."""
    rounds = 60 if quick else 400
    figures: Figures = {}
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder, postgres() as socket:
        near = f"postgresql://postgres@/postgres?host={socket}"
        file = str(Path(folder) / "lab.db")
        for url in (near, file):
            migrate(url)
            with Authority.open(url, organization="lab") as authority:
                load(authority, seed)
        with psycopg.connect(near, autocommit=True) as connection:
            connection.execute("ANALYZE")
        _say("changes")
        figures |= _sqlite_changes(file, rounds)
        figures |= _postgres_changes("inline.postgres.rtt0", near, rounds)
        with far_away(socket, ROUND_TRIP_SECONDS) as far:
            figures |= _postgres_changes("inline.postgres.rtt20", far, rounds // 3)
            figures |= _naive_changes(near, far, rounds // 12)
        _say("checks")
        figures |= _checks("sqlite", file, rounds * 10, seed)
        figures |= _checks("postgres", near, rounds * 10, seed)
        _say("imports")
        figures |= _import("sqlite", str(Path(folder) / "import.db"))
        with psycopg.connect(near, autocommit=True) as connection:
            connection.execute("CREATE DATABASE lab_import")
        figures |= _import("postgres", f"postgresql://postgres@/lab_import?host={socket}")
    return figures


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


# --- the world ------------------------------------------------------------------------------------


def load(authority: Authority, seed: int) -> None:
    """2,000 users in 200 nested groups with 10 assignments each; one group with 100 for the changes."""
    rng = random.Random(seed)
    users = [f"user:{n}" for n in range(2_000)]
    batch: list[Change] = [
        changes.CreateOrganization(),
        changes.DefinePermission(permission="read"),
        changes.DefinePermission(permission="write"),
        changes.DefineRole(role="reader", permissions=("read",)),
        changes.DefineRole(role="writer", permissions=("read", "write")),
        changes.DefineResourceType(type="folder"),
        changes.CreateGroup(group="hundred"),
    ]
    batch += [changes.AddMembership(subject=user) for user in users]
    for n in range(1_000):
        parent = f"folder:{(n - 1) // 10}" if n else None
        batch.append(changes.CreateResource(resource=f"folder:{n}", parent=parent))
    batch += [
        changes.Assign(role="reader", to="group:hundred", on=f"folder:{n}") for n in range(100)
    ]
    for n in range(200):
        batch.append(changes.CreateGroup(group=f"g{n}"))
        if n >= 20:
            batch.append(changes.NestGroup(group=f"g{n}", into=f"g{n % 20}"))
        members = tuple(rng.sample(users, 50))
        batch.append(changes.AddMembers(group=f"g{n}", members=members))
        batch += [
            changes.Assign(
                role=rng.choice(("reader", "writer")),
                to=f"group:g{n}",
                on=f"folder:{rng.randrange(1_000)}",
            )
            for _ in range(10)
        ]
    for start in range(0, len(batch), 500):
        authority.apply(batch[start : start + 500])
    settle(authority)


# --- changes --------------------------------------------------------------------------------------


def _toggles(authority: Authority) -> dict[str, Callable[[], object]]:
    member = ("user:7",)
    return {
        "add": lambda: authority.apply([changes.AddMembers(group="hundred", members=member)]),
        "remove": lambda: authority.apply([changes.RemoveMembers(group="hundred", members=member)]),
    }


def _change_figures(prefix: str, taken: dict[str, list[float]], ratio: str) -> Figures:
    figures = {
        f"{prefix}.{name}.p{int(share * 100)}_ms": percentile(seconds, share) * 1e3
        for name, seconds in taken.items()
        for share in (0.5, 0.99)
    }
    both = percentile(taken["add"] + taken["remove"], 0.5)
    return {ratio: both / percentile(taken["bare"], 0.5), **figures}


def _sqlite_changes(file: str, rounds: int) -> Figures:
    with Authority.open(file, organization="lab") as authority:
        insert = bare_insert("sqlite", writer(authority))
        actions = {"bare": insert, **_toggles(authority)}
        return _change_figures("inline.sqlite", interleaved(rounds, actions), "inline.sqlite.ratio")


def _postgres_changes(prefix: str, url: str, rounds: int) -> Figures:
    with (
        Authority.open(url, organization="lab") as authority,
        psycopg.connect(url, autocommit=True) as bare,
    ):
        configure(bare)
        bare.execute("CREATE TABLE IF NOT EXISTS bare (id serial PRIMARY KEY, note text)")
        insert = "INSERT INTO bare (note) VALUES ('x')"
        actions = {"bare": lambda: bare.execute(insert, prepare=True), **_toggles(authority)}
        return _change_figures(prefix, interleaved(rounds, actions), f"{prefix}.ratio")


def _naive_changes(near: str, far: str, rounds: int) -> Figures:
    """The very statements of the two changes, each sent when the one before it has been answered."""
    with Authority.open(near, organization="lab") as authority:
        scripts = recorded(list(_toggles(authority).values()))
    with (
        psycopg.connect(far, autocommit=True) as naive,
        psycopg.connect(far, autocommit=True) as bare,
    ):
        configure(naive)
        insert = "INSERT INTO bare (note) VALUES ('x')"
        actions = {
            "bare": lambda: bare.execute(insert, prepare=True),
            "change": replayed(naive, scripts),
        }
        taken = interleaved(max(rounds, 6), actions, warm_up=4)
    middle = {name: percentile(seconds, 0.5) for name, seconds in taken.items()}
    return {
        "inline.naive.rtt20.ratio": middle["change"] / middle["bare"],
        "inline.naive.rtt20.p50_ms": middle["change"] * 1e3,
    }


# --- checks ---------------------------------------------------------------------------------------


def _checks(engine: str, url: str, rounds: int, seed: int) -> Figures:
    rng = random.Random(seed)
    questions = itertools.cycle(
        [
            (f"user:{rng.randrange(2_000)}", "read", f"folder:{rng.randrange(1_000)}")
            for _ in range(997)
        ]
    )
    store = open_store(url)
    numbers = itertools.cycle(range(1, 1_000))
    table = "rescind_membership" if engine == "sqlite" else "rescind.membership"
    look_up = f"SELECT subject FROM {table} WHERE organization = 1 AND id = "
    with (
        Authority(store, organization="lab") as authority,
        closing(_bare_connection(store, url)) as bare,
    ):
        mark, options = ("?", {}) if engine == "sqlite" else ("%s", {"prepare": True})
        actions = {
            "bare": lambda: bare.execute(look_up + mark, (next(numbers),), **options).fetchone(),
            "effective": lambda: authority.check(*next(questions)),
            "live": lambda: authority.check(*next(questions), assurance="live"),
        }
        taken = interleaved(rounds, actions, warm_up=100)
    figures = {
        f"check.{name}.{engine}.p{int(share * 100)}_us": percentile(seconds, share) * 1e6
        for name, seconds in taken.items()
        for share in (0.5, 0.99)
    }
    bare_p50 = figures[f"check.bare.{engine}.p50_us"]
    for name in ("effective", "live"):
        figures[f"check.{name}.{engine}.ratio"] = (
            figures[f"check.{name}.{engine}.p50_us"] / bare_p50
        )
    return figures


def _bare_connection(store: object, url: str) -> Any:
    if isinstance(store, PostgresStore):
        connection = psycopg.connect(url, autocommit=True)
        configure(connection)
        return connection
    found: sqlite3.Connection = connect(url)
    return found


# --- imports --------------------------------------------------------------------------------------


def _import(engine: str, url: str) -> Figures:
    """The real pairs through the command line, as a user would; no figure without the data."""
    if not PAIRS.exists():
        _say(f"{PAIRS.name} is not there: no figure for the import")
        return {}
    command = [str(Path(sys.executable).parent / "rescind"), "-d", url, "-o", "lab"]
    subprocess.run([*command, "init"], check=True, capture_output=True, env=dict(os.environ))
    start = perf_counter()
    subprocess.run([*command, "import", str(PAIRS), "--json"], check=True, capture_output=True)
    return {f"import.{engine}.seconds": perf_counter() - start}
