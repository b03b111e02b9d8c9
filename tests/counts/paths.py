"""The hot paths, and what one run of each costs on a small organization on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple

from rescind import Authority, changes
from rescind.http.app import application
from rescind.http.keys import Keys
from rescind.http.server.entry import FastResponse
from rescind.http.server.limits import Limits
from rescind.http.server.service import Service
from rescind.propagation.work import Work
from tests.contract.world import WORLD
from tests.faults.small import Steady
from tests.jobs import due_jobs
from tests.steps import steps

REPEATS: Final = 4
"""The least of several runs counts: the first ones fill caches."""
MEMBERS: Final = 40
QUESTION: Final = ("user:ada", "write", "doc:1")


class Cost(NamedTuple):
    """What one run of a path costs."""

    python: int
    """Bytecode instructions, on the thread that asks."""
    sqlite: int
    """Steps of SQLite's virtual machine, on the connection that writes."""


Counts = dict[str, Cost]


def measured(database: str) -> Counts:
    """The cost of each path, on a fresh, migrated file."""
    with Authority.open(database, organization="acme") as authority:
        authority.apply(WORLD)
        authority.apply([changes.CreateGroup(group="team")])
        members = tuple(f"user:{number}" for number in range(MEMBERS))
        authority.apply([changes.AddMembership(subject=member) for member in members])
        authority.apply([changes.AddMembers(group="team", members=members)])
        found = {
            "inline change": least(_changes(authority)),
            "chunk": least(_chunks(authority)),
            "check in SQL": least(lambda: cost(lambda: authority.check(*QUESTION), None)),
        }
    with Authority.open(database, organization="acme", index=True) as authority:
        authority.load()
        found["check from memory"] = least(lambda: cost(lambda: authority.check(*QUESTION), None))
        found["check over HTTP"] = least(_requests(authority))
    return found


def least(run: Callable[[], Cost]) -> Cost:
    """The least of several runs, number by number."""
    return Cost(*map(min, zip(*(run() for _ in range(REPEATS)), strict=True)))


def cost(action: Callable[[], object], writer: sqlite3.Connection | None) -> Cost:
    """What one run of an action costs."""
    with _counting(writer) as taken:
        _, python = steps(action)
    return Cost(python, len(taken))


@contextmanager
def _counting(writer: sqlite3.Connection | None) -> Iterator[list[None]]:
    """One item for each step of SQLite within the block."""
    taken: list[None] = []
    if writer is None:
        yield taken
        return
    # Built in: a function of Python would be counted as instructions of the path.
    writer.set_progress_handler(partial(taken.append, None), 1)
    try:
        yield taken
    finally:
        writer.set_progress_handler(None, 1)


def _writer(authority: Authority) -> sqlite3.Connection:
    connection: sqlite3.Connection = authority.store.writer  # type: ignore[attr-defined]
    return connection


def _changes(authority: Authority) -> Callable[[], Cost]:
    """A member is added to a group, and removed again."""
    add = changes.AddMembers(group="eng", members=("user:bob",))
    remove = changes.RemoveMembers(group="eng", members=("user:bob",))

    def both() -> None:
        authority.apply([add])
        authority.apply([remove])

    return lambda: cost(both, _writer(authority))


def _chunks(authority: Authority) -> Callable[[], Cost]:
    """A chunk gives a role to the members of a group."""

    def chunk() -> Cost:
        role, team = "reader", "group:team"
        authority.apply([changes.Assign(role=role, to=team)], route="background")
        work = Work(authority.store, due_jobs(authority.store)[0])
        pace: Any = Steady(MEMBERS)
        found = cost(lambda: work.step(pace), _writer(authority))
        authority.apply([changes.Unassign(role=role, to=team)], route="background")
        authority.reconcile("team")
        return found

    return chunk


def _requests(authority: Authority) -> Callable[[], Cost]:
    """A check over HTTP, as far as it is ours: the request is read already, the response is not sent."""
    keys = Keys(authority.store, remember_seconds=3_600)
    secret = keys.create("counts", ["check"])[1]
    keys.note_use(keys.recognize(secret))
    entry = application(Service(authority, keys, limits=Limits(requests_per_second=0)))
    headers = {b"authorization": f"Bearer {secret}".encode(), b"content-type": b"application/json"}
    subject, permission, resource = QUESTION
    asked = {"organization": "acme", "subject": subject, "permission": permission}
    body = json.dumps({**asked, "resource": resource}).encode()
    authority.check(
        *QUESTION
    )  # reads what the key's row has changed, which a request would not do at once

    def request() -> None:
        response = entry.at_once("/v1/check", headers, body)
        assert isinstance(response, FastResponse), response

    return lambda: cost(request, None)
