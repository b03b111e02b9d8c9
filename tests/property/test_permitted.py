"""The rows that `rescind.sql.permitted` finds in a table, in random trees: exactly those that a check allows.

Each state is asked twice: as the clause is, which looks few resources up, and as it is where they are many.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest

from rescind import Authority, changes, model, sql
from rescind.changes import Change
from rescind.store.queries import Engine
from tests.contract.test_view import run
from tests.contract.world import FUTURE
from tests.walked import walked

FOLDERS: Final = tuple(f"folder:{n}" for n in range(9))
DOCUMENTS: Final = tuple(f"doc:{n}" for n in range(12))
RESOURCES: Final = (*FOLDERS, *DOCUMENTS)
PLACES: Final = sorted((*RESOURCES, "organization"))
SUBJECTS: Final = ("user:deep", "user:below", "user:above")
HOLDERS: Final = ("user:below", "user:above", "group:below", "group:above")
ROLES: Final = {"reader": ("read",), "writer": ("read", "write"), "purger": ("purge",)}
STEPS: Final = 5
_FACTS: Final[list[Change]] = [
    changes.CreateOrganization(),
    *(changes.DefinePermission(permission=name) for name in ("read", "write")),
    changes.DefinePermission(permission="purge", critical=True),
    *(
        changes.DefineRole(role=role, permissions=permissions, priority=number)
        for number, (role, permissions) in enumerate(ROLES.items())
    ),
    changes.DefineResourceType(type="folder"),
    changes.DefineResourceType(type="doc"),
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    *(changes.CreateGroup(group=group) for group in ("below", "above")),
    changes.NestGroup(group="below", into="above"),
    changes.AddMembers(group="below", members=("user:below",)),
    changes.AddMembers(group="above", members=("user:above",)),
]
_TABLE: Final = (
    "CREATE TABLE document (resource TEXT PRIMARY KEY)",
    "INSERT INTO document SELECT slug FROM rescind.resource",
    "INSERT INTO document VALUES ('doc:not created')",
)


def _tree(pick: random.Random) -> Iterator[Change]:
    """A chain of five folders with a document at its end, others anywhere, and documents anywhere."""
    for number, folder in enumerate(FOLDERS):
        above = FOLDERS[:number]
        parent = above[-1] if 0 < number < 5 else pick.choice((None, *above))
        yield changes.CreateResource(resource=folder, parent=parent)
    yield changes.CreateResource(resource=DOCUMENTS[0], parent=FOLDERS[4])
    for document in DOCUMENTS[1:]:
        yield changes.CreateResource(resource=document, parent=pick.choice((None, *FOLDERS)))


def _given(pick: random.Random) -> set[tuple[str, str, str | None]]:
    """Roles on resources, those of the chain among others, and one on the organization."""
    places = (*FOLDERS[:5], *pick.sample(RESOURCES, 5))
    given = {(pick.choice([*ROLES]), pick.choice(HOLDERS), place) for place in places}
    return given | {("reader", "user:deep", FOLDERS[0]), ("writer", pick.choice(HOLDERS), None)}


def _step(pick: random.Random, given: set[tuple[str, str, str | None]]) -> Change:
    """A move, a loss or a gain."""
    kind = pick.choice(("move", "move", "lose", "lose", "gain"))
    if kind == "move":
        place = pick.randrange(1, len(RESOURCES))
        above = pick.choice((None, *FOLDERS[: min(place, len(FOLDERS))]))
        return changes.MoveResource(resource=RESOURCES[place], parent=above)
    role, to, on = pick.choice(sorted(given, key=str))
    if kind == "lose":
        given.discard((role, to, on))
        given.add(("purger", "user:deep", "folder:4"))
        return changes.Unassign(role=role, to=to, on=on)
    until = pick.choice((None, FUTURE))
    return changes.Assign(role=role, to=pick.choice(HOLDERS), on=on, expires_at=until)


_CUT: Final = {
    "sqlite": ("x.id = up.parent AND", "x.id = up.parent AND FALSE AND"),
    "postgres": ("ELSE EXISTS (", "ELSE FALSE AND EXISTS ("),
}
"""What makes of a clause one that does not look at what is far above a resource."""
_SHALLOW: Final = ("y.parent = below.id", "y.parent = below.id AND FALSE")
"""What makes of SQLite's one that lists nothing below a resource. PostgreSQL has that in a function."""


def _differences(
    authority: Authority, database: str, cut: tuple[str, str] | None = None
) -> list[Any]:
    """Where rows and checks differ, by the ways to the rows."""
    engine: Engine = "postgres" if database.startswith("postgres") else "sqlite"
    clause = sql.permitted("document AS d", resource="d.resource", engine=engine)
    found = []
    with closing(_reader(database)) as reader:
        ways = {"listed": clause, "walked": walked(reader, clause)}
        for subject, permission in itertools.product(SUBJECTS, ("read", "write", "purge")):
            answers = authority.check_many([(subject, permission, place) for place in PLACES])
            wanted = [place for place, answer in zip(PLACES, answers, strict=True) if answer]
            asked = {"organization": "acme", "subject": subject, "permission": permission}
            for way, text in ways.items():
                whole = text if cut is None else text.replace(*cut)
                rows = reader.execute(f"{whole} SELECT resource FROM permitted", asked).fetchall()
                slugs = sorted(slug for (slug,) in rows)
                if slugs != wanted:
                    found.append((way, subject, permission, slugs, wanted))
    return found


def _reader(database: str) -> Any:
    if database.startswith("postgres"):
        return psycopg.connect(database, autocommit=True)
    return sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)


@pytest.mark.parametrize("mode", model.RoleMode)
def test_rows_are_what_checks_allow(
    authority: Authority, database: str, mode: model.RoleMode
) -> None:
    """After each change, with its work pending, in deep trees and after moves; and after an expiry.

    (Controls: where the walk upward is cut, rows are missing; and where the list downward is.)
    """
    pick = random.Random(mode)
    given = _given(pick)
    authority.apply([*_FACTS, changes.SetRoleMode(mode=mode), *_tree(pick)])
    held = sorted(given, key=str)
    authority.apply([changes.Assign(role=role, to=to, on=on) for role, to, on in held])
    run(database, *_TABLE)
    assert _differences(authority, database) == []
    engine = authority.store.engine
    assert {way for way, *_ in _differences(authority, database, _CUT[engine])} == {"walked"}
    if engine == "sqlite":
        assert {way for way, *_ in _differences(authority, database, _SHALLOW)} == {"listed"}
    for _ in range(STEPS):
        authority.apply([_step(pick, given)], route="background")
        assert _differences(authority, database) == []
    run(database, "UPDATE rescind.assignment SET expires_at = 1 WHERE id % 2 = 0 AND ended IS NULL")
    assert _differences(authority, database) == []
