"""What it costs to ask about the past, and to prove it.

A log of a million changes in three years, of an organization with 20,000 people in 200 groups: snapshots are
made of it as a worker makes them, then it is asked at random times. The other parts are in `past_*.py`.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lab import past_decisions, past_review, past_verify
from lab.databases import servers
from lab.report import Goal, percentile
from lab.worlds import apply_all, group_of, subjects
from rescind import Authority, changes
from rescind.history.snapshots import LOOK_SECONDS, SnapshotWriter
from rescind.model import microseconds
from rescind.store.queries import named

ENGINES: Final = ("sqlite", "postgres")
Figures = dict[str, float]
USERS: Final = 20_000
GROUPS: Final = 200
BEGIN: Final = datetime(2023, 1, 1, tzinfo=UTC)
YEARS: Final = timedelta(days=3 * 365)
WARM: Final = 2_000
"""Questions of one block."""
PARTS: Final = (
    ("verifying", past_verify.verify),
    ("an access review", past_review.review),
    ("the decision log", past_decisions.decision_log),
)

GOALS = {
    "past.at.cold_s": Goal(1.0),
    "past.at.warm_us": Goal(20.0),
    **past_verify.GOALS,
    **past_review.GOALS,
    **past_decisions.GOALS,
}


def run(*, quick: bool, seed: int) -> Figures:
    """Figures by engine; without one, the worse of both."""
    size = 20_000 if quick else 1_000_000
    figures: Figures = {}
    with servers() as make:
        urls = {engine: make(engine) for engine in ENGINES}
        for engine, url in urls.items():
            questions = 5 if quick else 20
            figures |= _at(engine, url, size, questions, seed, kept_in=urls["sqlite"])
    worse = {
        name: max(figures[_of(name, engine)] for engine in ENGINES)
        for name in ("past.at.cold_s", "past.at.warm_us")
    }
    for what, measure in PARTS:
        _say(what)
        figures |= measure(quick=quick)
    return {**worse, **figures}


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _of(name: str, engine: str) -> str:
    room, _, rest = name.partition(".")
    return f"{room}.{engine}.{rest}"


# --- at -------------------------------------------------------------------------------------------


def _at(engine: str, url: str, size: int, questions: int, seed: int, *, kept_in: str) -> Figures:
    """The slowest of some first questions, each to another state; and what the same costs again.

    `kept_in` is the database that has the snapshots, if it is another one: both have the same log.
    """
    end = BEGIN + YEARS
    with Authority.open(url, organization="acme", clock=lambda: BEGIN) as authority:
        _say(f"{engine}, a log of {size:,} changes")
        _write_log(authority, size)
        _say(f"{engine}, snapshots")
        seconds = None
        if kept_in == url:
            seconds = _make_snapshots(authority)
        else:
            _copy_snapshots(kept_in, authority)
        kept, stored = _snapshots(authority)
        _say(f"{engine}, questions")
        cold, warm = [], []
        choose = random.Random(seed)
        for _ in range(questions):
            at = BEGIN + YEARS * choose.random()
            asked = Authority(authority.store, organization="acme", clock=lambda: end)
            ask = _ask(asked, at)
            cold.append(_seconds(ask, 1))
            warm.append(_seconds(ask, WARM))
    figures = {
        "past.at.cold_s": max(cold),
        "past.at.cold.p50_s": percentile(cold, 0.5),
        "past.at.warm_us": percentile(warm, 0.5) * 1e6,
        "past.at.changes": float(size),
        "past.at.snapshots": float(kept),
        "past.at.snapshots_mb": stored / 1e6,
    }
    if seconds is not None:
        figures["past.at.snapshots.changes_per_s"] = size / seconds
    return {_of(name, engine): value for name, value in figures.items()}


def _ask(authority: Authority, at: datetime) -> Callable[[], object]:
    return lambda: authority.check("user:7", "read", "doc:0", at=at)


def _seconds(ask: Callable[[], object], times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        ask()
    return (time.perf_counter() - begin) / times


def _write_log(authority: Authority, size: int) -> None:
    """Real changes make the organization; then its log says that members left groups and came back.

    The tables do not follow: questions about the past do not read them.
    """
    people = subjects(USERS)
    apply_all(
        authority, [changes.CreateOrganization(), changes.DefinePermission(permission="read")]
    )
    apply_all(
        authority,
        [
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.DefineResourceType(type="doc"),
            changes.CreateResource(resource="doc:0"),
        ],
    )
    apply_all(authority, (changes.AddMembership(subject=each) for each in people))
    share = USERS // GROUPS
    for number in range(GROUPS):
        apply_all(authority, group_of(f"g{number}", people[number * share : (number + 1) * share]))
    authority.apply([changes.Assign(role="reader", to="group:g0", on="doc:0")])
    revision = authority.check("user:7", "read").revision
    assert revision is not None
    first, last = revision.organization + 1, revision.organization + size
    step = int(YEARS / timedelta(microseconds=1)) // size
    if authority.store.engine == "sqlite":
        rows = f"WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last})"
    else:
        rows = f"WITH s (n) AS (SELECT generate_series(CAST({first} AS BIGINT), {last}))"
    user = f"((n - {first}) / 2 % {USERS})"
    body = (
        f"""CASE WHEN (n - {first}) % 2 = 0 THEN '[{{"change":"remove_members","group":"g'"""
        f""" ELSE '[{{"change":"add_members","group":"g' END"""
        f""" || ({user} / {share}) || '","members":["user:' || {user} || '"]}}]'"""
    )
    o, begin = revision.incarnation, microseconds(BEGIN)
    _execute(
        authority,
        f"{rows} INSERT INTO rescind.change (organization, revision, recorded_at, actor, reason, direction,"
        " route, granted, revoked, body, settled_at, environment)"
        f" SELECT {o}, n, {begin} + (n - {first} + 1) * CAST({step} AS BIGINT), 'lab', '', 'grants',"
        f" 'inline', 1, 0, {body}, {begin}, 0 FROM s",
    )
    _execute(authority, f"UPDATE rescind.organization SET revision = {last} WHERE id = {o}")


def _make_snapshots(authority: Authority) -> float:
    """As a worker does, without its pauses. Returns the seconds."""
    begin = time.perf_counter()
    writer = SnapshotWriter(authority.store)
    while writer.step() != LOOK_SECONDS:
        pass
    return time.perf_counter() - begin


def _copy_snapshots(path: str, authority: Authority) -> None:
    """Take those of another engine, a file of SQLite: of the same log they have the same bytes."""
    columns = (
        "organization, revision, environment, recorded_at, taken_at, source, format, digest, body"
    )
    put = f"INSERT INTO rescind.snapshot ({columns}) VALUES ({', '.join(['%s'] * 9)})"
    with closing(sqlite3.connect(path)) as source, authority.store.connection() as connection:
        cursor: Any = connection.cursor()  # type: ignore[attr-defined]
        cursor.executemany(put, source.execute(f"SELECT {columns} FROM rescind_snapshot"))


def _snapshots(authority: Authority) -> tuple[int, int]:
    with authority.store.connection() as connection:
        text = "SELECT count(*), sum(length(body)) FROM rescind.snapshot"
        cursor: Any = connection.execute(named(text, authority.store.engine))  # type: ignore[attr-defined]
        kept, stored = cursor.fetchone()
    return int(kept), int(stored or 0)


def _execute(authority: Authority, text: str) -> None:
    with authority.store.connection() as connection:
        connection.execute(named(text, authority.store.engine))  # type: ignore[attr-defined]
