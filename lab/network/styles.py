"""The ways to make one change, on one topology: each is an action that adds or removes a member, in turn.

Each style has a user of its own, so that none finds what another left.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from lab.databases import bare_insert
from lab.network import textbook
from lab.statements import recorded, replayed
from lab.worlds import apply_all, people_and_things, settle
from rescind import Authority, Route, changes
from rescind.store.migrations import migrate
from rescind.store.postgres import configure
from rescind.store.sqlite import connect

MEMBERS = 10
"""Of each group beside who joins and leaves: the work of a change is that of one member."""
STYLES = {
    "bare": "one bare insert",
    "textbook": "textbook, row by row",
    "best": "textbook, all rows at once",
    "statements": "Rescind's statements, one by one",
    "inline": "Rescind, inline",
    "background": "Rescind, background",
}
USERS = {"statements": "user:0", "inline": "user:1", "background": "user:2"}
TEXTBOOK = ("bare", "textbook", "best")
"""The styles that any database has."""


@dataclass(frozen=True)
class Action:
    """One change, and what has to be done before the next that is not part of it."""

    change: Callable[[], object]
    after: Callable[[], object] = lambda: None


def styles_of(engine: str) -> tuple[str, ...]:
    """What can be measured on an engine: SQLite's statements are no round trips, so none is one by one."""
    if engine == "mariadb":
        return TEXTBOOK
    if engine == "sqlite":
        return tuple(style for style in STYLES if style != "statements")
    return tuple(STYLES)


def make_world(engine: str, url: str, sizes: Sequence[int]) -> None:
    """The textbook's tables and Rescind's, each with a group for every number of assignments."""
    textbook.make(url, sizes)
    if engine == "mariadb":
        return
    migrate(url)
    users = tuple(f"user:{number}" for number in range(len(USERS), len(USERS) + MEMBERS))
    with Authority.open(url, organization="lab") as authority:
        apply_all(authority, people_and_things(len(USERS) + MEMBERS, max(sizes)))
        for size in sizes:
            given = tuple(changes.Given(role="reader", on=f"doc:{n}") for n in range(size))
            authority.apply(
                [
                    changes.CreateGroup(group=group(size)),
                    changes.AddMembers(group=group(size), members=users),
                    changes.ReplaceAssignments(to=f"group:{group(size)}", assignments=given),
                ]
            )
        settle(authority)


def group(size: int) -> str:
    """The group with that many assignments."""
    return f"of-{size}"


def scripts(near: str, sizes: Sequence[int]) -> dict[int, list[list[tuple[str, Any]]]]:
    """For each size the statements of adding and of removing a member, recorded without delay."""
    with Authority.open(near, organization="lab") as authority:
        return {
            size: recorded([_apply(authority, change) for change in _both("statements", size)])
            for size in sizes
        }


@contextmanager
def action(
    style: str,
    engine: str,
    url: str,
    near: str,
    size: int,
    script: list[list[tuple[str, Any]]] | None = None,
) -> Iterator[Action]:
    """The action of a style over connections to this URL. `script` is that of the statements; what is not
    part of a change is done over the `near` URL, which is quicker.
    """
    if style == "bare":
        with _bare(engine, url) as insert:
            yield Action(insert)
    elif style in TEXTBOOK:
        with textbook.toggling(url, size, one_by_one=style == "textbook") as change:
            yield Action(change)
    elif style == "statements":
        assert script is not None
        with psycopg.connect(url, autocommit=True) as connection:
            configure(connection)
            yield Action(replayed(connection, script))
    else:
        yield from _rescind(style, url, near, size)


def _rescind(style: str, url: str, near: str, size: int) -> Iterator[Action]:
    route = Route.INLINE if style == "inline" else Route.BACKGROUND
    with (
        Authority.open(url, organization="lab") as authority,
        Authority.open(near, organization="lab") as worker,
    ):
        turn = itertools.cycle(_both(style, size))

        def change() -> None:
            receipt = authority.apply([next(turn)], route=route)
            assert receipt.changed
            assert receipt.route is route

        yield Action(change, lambda: settle(worker) if style == "background" else None)


def _both(style: str, size: int) -> list[changes.Change]:
    member = (USERS[style],)
    return [
        changes.AddMembers(group=group(size), members=member),
        changes.RemoveMembers(group=group(size), members=member),
    ]


def _apply(authority: Authority, change: changes.Change) -> Callable[[], object]:
    return lambda: authority.apply([change], route=Route.INLINE)


@contextmanager
def _bare(engine: str, url: str) -> Iterator[Callable[[], object]]:
    """A durable insert of one row."""
    if engine == "sqlite":
        connection = connect(url)
        try:
            yield bare_insert(engine, connection)
        finally:
            connection.close()
    elif engine == "postgres":
        with psycopg.connect(url, autocommit=True) as connection:
            configure(connection)
            yield bare_insert(engine, connection)
    else:
        made = textbook.engine_of(url)
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as ours:
            execute = ours.exec_driver_sql
            execute(
                "CREATE TABLE IF NOT EXISTS bare (id int AUTO_INCREMENT PRIMARY KEY, note text)"
            )
            yield lambda: execute("INSERT INTO bare (note) VALUES ('x')")
        made.dispose()
