"""The product answers as an oracle does that was written from the documentation alone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rescind import Authority
from tests.conftest import ENGINES
from tests.independent.compare import Disagreement, Fault, Play, failure_of
from tests.independent.steps import Kind, Maker
from tests.independent.worlds import compare, kinds
from tests.probe import probe_of

WORLDS = tuple(kinds(0, 8))
"""2,000 changes and more on SQLite, and half of them on PostgreSQL, where each takes longer."""
PLAYED = [("sqlite", kind) for kind in WORLDS] + [("postgres", kind) for kind in WORLDS[:4]]


@pytest.mark.parametrize(
    ("engine", "kind"), PLAYED, ids=lambda given: getattr(given, "seed", given)
)
def test_any_changes(kind: Kind, engine: str, new_database: Callable[[str], str]) -> None:
    """Every answer after every step of random changes; longer runs: `make independent MINUTES=…`."""
    compare(kind, lambda: new_database(engine), most_tries=60)


def without(*queries: str) -> Fault:
    """The product does not do what these statements do."""

    def leave(play: Play) -> None:
        for authority in (play.plain, play.indexed):
            probe_of(authority).omitted.update(queries)

    return leave


def altered(queries: str, pattern: str, by: str) -> Fault:
    """The product has something else in its statements whose names begin so."""

    def alter(play: Play) -> None:
        for authority in (play.plain, play.indexed):
            _alter(authority, queries, pattern, by)

    return alter


def _alter(authority: Authority, queries: str, pattern: str, by: str) -> None:
    texts: dict[str, str] = authority.store.queries  # type: ignore[attr-defined]
    changed = 0
    for name, text in texts.items():
        if name.startswith(queries):
            texts[name], count = re.subn(pattern, by, text)
            changed += count
    assert changed


NO_ROW = r"SELECT * FROM (\1) AS t WHERE 1 = 0"
FAULTS: dict[str, tuple[Fault, int]] = {
    "what expires is allowed for ever": (
        altered("check", r"expires_at > (:now|%\(now\)s)", "expires_at > 0"),
        2,
    ),
    "what expires is allowed at its instant": (
        altered("check", r"_at > (:now|%\(now\)s)", r"_at >= \1"),
        2,
    ),
    "work behind a change makes nothing": (without("make_assignment", "make_member"), 2),
    "a new member's effective roles are not made": (without("extend_for_members_joining"), 1),
    "nothing is set aside": (without("set_aside"), 1),
    "what is given stays set aside": (without("give_back_to_holder", "give_back_to_members"), 5),
    "the lowest role wins": (altered("check", r"priority DESC", "priority"), 1),
    "taking permissions out of a role grants": (without("note_role_permissions_lost"), 1),
    "memory does not hear of assignments": (
        altered("tail_assign", r"(?s)(.+)", r"SELECT * FROM (\1) AS t WHERE 1 = 0"),
        2,
    ),
}
"""What is wrong, and the first world in which it is looked for: one that tells it early."""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FAULTS)
def test_control_of_faults(name: str, engine: str, new_database: Callable[[str], str]) -> None:
    """Each of these is found, in a world in which nothing is found without it."""
    fault, seed = FAULTS[name]
    for kind in WORLDS[seed::4]:
        failure = failure_of(new_database(engine), Maker(kind).steps(), fault)
        if failure is not None:
            assert isinstance(failure[1], Disagreement), failure
            return
    pytest.fail(f"not found: {name}")
