"""The asynchronous textbook: the membership is gone at once, a job takes what it gave, a check is a read.

On PostgreSQL, with a queue as it is often built: a table of jobs, one for each group, that a worker process
claims with SKIP LOCKED. An idle worker looks once a second. A job compares all that the group's members
should have with what they have, and writes the difference; that is correct, and late.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event

import psycopg

from lab.window.windows import Tracker, Windows

POLL_SECONDS = 1.0
MEMBERS, ASSIGNMENTS = 500, 10
OTHERS, THEIR_MEMBERS = 4, 2_000
"""Other groups, whose jobs are ahead in a busy queue, and the members of each."""
MOST_AHEAD = 20
"""A removal in a busy queue has between no and so many other jobs before it."""
PAUSES = {"idle": (0.8, 2.0), "busy": (0.2, 1.8)}
"""Seconds between two removals, at the least and at the most."""
LIMIT_SECONDS = 120.0
READY_SECONDS = 60.0
SCHEMA = """
CREATE TABLE assignment (grp int, role int, resource int, PRIMARY KEY (grp, role, resource));
CREATE TABLE member (grp int, usr int, PRIMARY KEY (grp, usr));
CREATE TABLE effective (usr int, resource int, role int, grp int, PRIMARY KEY (usr, resource, role, grp));
CREATE INDEX ON effective (grp);
CREATE TABLE job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, grp int);
"""
Row = tuple[int, int, int]


def make(url: str) -> None:
    """The tables, filled and settled. Group 0 is the one that is asked about."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        counts = {
            "groups": OTHERS,
            "assignments": ASSIGNMENTS,
            "members": MEMBERS,
            "theirs": THEIR_MEMBERS,
        }
        connection.execute(
            "INSERT INTO assignment SELECT g, 1, r FROM generate_series(0, %(groups)s) g,"
            " generate_series(0, %(assignments)s - 1) r",
            counts,
        )
        connection.execute(
            "INSERT INTO member SELECT g, g * 1000000 + u FROM generate_series(0, %(groups)s) g,"
            " generate_series(0, CASE g WHEN 0 THEN %(members)s ELSE %(theirs)s END - 1) u",
            counts,
        )
        connection.execute(
            "INSERT INTO effective SELECT usr, resource, role, grp FROM member JOIN assignment USING (grp)"
        )
        connection.execute("ANALYZE")


def measured(url: str, *, busy: bool, rounds: int, seed: int) -> Windows:
    """Members leave group 0 at random times; with `busy`, jobs of other groups come all the time."""
    name = "busy" if busy else "idle"
    rng = random.Random(seed)
    first = MEMBERS // 2 if busy else 0
    leavers = [str(number) for number in range(first, first + rounds)]
    with psycopg.connect(url, autocommit=True) as connection, worker(url):
        tracker = Tracker(lambda user: is_allowed(connection, int(user)))
        groups = itertools.cycle(range(1, OTHERS + 1))

        def remove(user: str) -> float:
            for _ in range(rng.randint(0, MOST_AHEAD) if busy else 0):
                connection.execute("INSERT INTO job (grp) VALUES (%s)", (next(groups),))
            return remove_member(connection, int(user))

        pauses = (rng.uniform(*PAUSES[name]) for _ in itertools.count())
        tracker.follow(remove, leavers, pauses, LIMIT_SECONDS)
    return Windows(
        f"textbook.{name}",
        f"Textbook, asynchronous, {name} queue",
        tracker.seconds,
        tracker.checks,
        tracker.allowed,
        note=f"a worker looks every {POLL_SECONDS:.0f} s when idle",
    )


def remove_member(connection: psycopg.Connection, user: int) -> float:
    """Take the membership away and leave a job; when that returned."""
    with connection.transaction():
        connection.execute("DELETE FROM member WHERE grp = 0 AND usr = %s", (user,))
        connection.execute("INSERT INTO job (grp) VALUES (0)")
    return time.monotonic()


def is_allowed(connection: psycopg.Connection, user: int) -> bool:
    """The plain read."""
    found = connection.execute(
        "SELECT 1 FROM effective WHERE usr = %s AND resource = 0 AND role = 1 LIMIT 1", (user,)
    )
    return found.fetchone() is not None


def reconcile(connection: psycopg.Connection) -> bool:
    """Do the oldest job, if there is one; says whether there was."""
    with connection.transaction():
        claimed = connection.execute(
            "DELETE FROM job WHERE id = (SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING grp"
        ).fetchone()
        if claimed is None:
            return False
        (group,) = claimed
        given = connection.execute(
            "SELECT resource, role FROM assignment WHERE grp = %s", (group,)
        ).fetchall()
        members = connection.execute("SELECT usr FROM member WHERE grp = %s", (group,)).fetchall()
        has: set[Row] = set(
            connection.execute(
                "SELECT usr, resource, role FROM effective WHERE grp = %s", (group,)
            ).fetchall()
        )
        wanted = {(user, resource, role) for (user,) in members for resource, role in given}
        cursor = connection.cursor()
        cursor.executemany(
            "DELETE FROM effective WHERE usr = %s AND resource = %s AND role = %s AND grp = %s",
            [(*row, group) for row in sorted(has - wanted)],
        )
        cursor.executemany(
            "INSERT INTO effective (usr, resource, role, grp) VALUES (%s, %s, %s, %s)",
            [(*row, group) for row in sorted(wanted - has)],
        )
    return True


@contextmanager
def worker(url: str) -> Iterator[None]:
    """A worker process while the block runs."""
    context = get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_work, args=(url, ready), daemon=True)
    process.start()
    try:
        if not ready.wait(READY_SECONDS):
            raise TimeoutError("the worker did not start")
        yield
    finally:
        process.terminate()
        process.join()


def _work(url: str, ready: Event) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        ready.set()
        while True:
            if not reconcile(connection):
                time.sleep(POLL_SECONDS)
