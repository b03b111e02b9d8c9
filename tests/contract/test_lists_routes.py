"""A list is the same whichever way it is gone through, by every decision point: what a check of each allows.

The bounds that choose the way are set so low that each of them is taken in a small organization.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.decision.lists import indexed, source, stored, streams
from rescind.decision.lists.indexed import Indexed
from rescind.decision.lists.stored import Stored
from rescind.index import kinds, orders
from tests.clock import SettableClock
from tests.contract.test_lists import pages
from tests.contract.world import FUTURE, SOONER, WORLD

SUBJECTS: Final = tuple(f"user:m{n}" for n in range(12))
MORE: Final[list[Change]] = [
    *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
    changes.AddMembership(subject="service_account:ci"),
    changes.CreateGroup(group="guests"),
    changes.NestGroup(group="guests", into="eng"),
    changes.AddMembers(group="guests", members=(*SUBJECTS[::2], "service_account:ci")),
    changes.AddMembers(group="staff", members=SUBJECTS[1::3], expires_at=SOONER),
    changes.AddMembers(group="idle", members=SUBJECTS[:5]),
    *(changes.CreateResource(resource=f"doc:b{n}", parent="folder:b") for n in range(6)),
    changes.CreateResource(resource="folder:c", parent="folder:a"),
    changes.MoveResource(resource="doc:1", parent="folder:c"),
    changes.CreateResource(resource="note:1", parent="doc:1"),
    changes.Assign(role="writer", to="user:m0", on="folder:a"),
    changes.Assign(role="writer", to="user:m0", on="doc:1"),
    changes.Assign(role="owner", to="user:m0", on="doc:b3"),
    changes.Assign(role="reader", to="user:m1", on="folder:b", expires_at=SOONER),
    changes.Assign(role="unused", to="group:idle", on="folder:b", expires_at=FUTURE),
    changes.Assign(role="owner", to="group:guests", on="folder:c"),
    changes.DeactivateMembership(subject="user:m2"),
]
SINGLE: Final[list[Change]] = [
    changes.SetRoleMode(mode="single"),
    changes.Assign(role="writer", to="user:m3"),
]
WORLDS: Final[dict[str, tuple[list[Change], list[Change]]]] = {
    "settled": ([*WORLD, *MORE], []),
    "one role each": ([*WORLD, *MORE, *SINGLE], []),
    "one role each, and one by default": (
        [*WORLD, *MORE, *SINGLE, changes.SetDefaultRole(role="reader")],
        [],
    ),
    "pending": (
        [*WORLD, *MORE],
        [
            changes.RemoveMembers(group="guests", members=SUBJECTS[:4:2]),
            changes.AddMembers(group="eng", members=SUBJECTS[7:9]),
            changes.Unassign(role="reader", to="group:staff"),
            changes.Assign(role="writer", to="group:staff", on="doc:2"),
        ],
    ),
}
"""What is settled, and what is pending on top of it."""
TIMES: Final = (datetime(2050, 1, 1, tzinfo=UTC), datetime(2100, 6, 1, tzinfo=UTC))
"""Before the first thing expires, and after."""
ALL_SUBJECTS: Final = (
    *SUBJECTS,
    "user:ada",
    "user:bob",
    "user:cyd",
    "agent:bot",
    "service_account:ci",
)
RESOURCES: Final = (
    *("organization", "folder:a", "folder:b", "folder:c", "doc:1", "doc:2", "note:1"),
    *(f"doc:b{n}" for n in range(6)),
)
PERMISSIONS: Final = ("read", "write", "purge", "spare")
WAYS: Final[dict[str, list[tuple[Any, str, int]]]] = {
    "as it is": [],
    "large sets, many of each kind": [
        (orders, "SMALL", 1),
        (orders, "PART", 2),
        (kinds, "FEW", 1),
        (stored, "MOST_OF_KIND", 1),
    ],
    "many roles": [(stored, "MOST_PAIRS", 0), (streams, "MOST_AT_FIRST", 1)],
    "many groups": [(stored, "MOST_STREAMS", 0), (indexed, "MOST_STREAMS", 0)],
    "many resources below": [(stored, "MOST_BELOW", 0), (indexed, "MOST_BELOW", 0)],
    "many parents, too": [
        *(
            (module, bound, 0)
            for module in (stored, indexed)
            for bound in ("MOST_BELOW", "MOST_PARENTS")
        ),
        (indexed, "MOST_PARENTS", -2),
        (stored, "MOST_OF_KIND", 0),
        (kinds, "FEW", 0),
    ],
    "short of rows": [
        (source, "BUDGET", -7),
        (stored, "MOST_BELOW", 0),
        (indexed, "MOST_BELOW", 0),
        (Indexed, "at_once", 2),
        (Stored, "at_once", 2),
    ],
}


DATABASES: Final = [("sqlite", world) for world in WORLDS] + [
    ("postgres", world) for world in ("one role each", "pending")
]


@pytest.fixture(scope="module", params=DATABASES, ids="-".join)
def asked(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> tuple[str, dict[Any, bool]]:
    """A database, and what a live check says of everything in it at each time."""
    engine, world = request.param
    url = new_shared_database(engine)
    settled, pending = WORLDS[world]
    clock = SettableClock()
    with Authority.open(url, organization="acme", clock=clock) as authority:
        authority.apply(settled)
        if pending:
            authority.apply(pending, route="background")
            assert authority.pending()
        found = {}
        for time in TIMES:
            clock.now = time
            questions = [*itertools.product(ALL_SUBJECTS, PERMISSIONS, RESOURCES)]
            answers = authority.check_many(questions, assurance="live")
            found |= {(time, *one): bool(d) for one, d in zip(questions, answers, strict=True)}
    return url, found


def _lists(authority: Authority, limit: int, assurance: str) -> dict[Any, list[str]]:
    def walked(ask: Callable[..., Any], *names: Any, **options: Any) -> list[str]:
        found = [
            item
            for page in pages(lambda **o: ask(*names, assurance=assurance, **options, **o), limit)
            for item in page
        ]
        return sorted(found)

    subjects = ("user:m0", "user:m1", "user:ada")
    return {
        **{
            ("who", p, r, kind): walked(authority.who_can, p, r, subject_kind=kind)
            for p in ("read", "write", "purge")
            for r in ("organization", "doc:1")
            for kind in (None, "user")
        },
        **{
            ("where", s, p, of): walked(authority.resources_of, s, p, resource_type=of)
            for s in subjects
            for p in ("read", "write")
            for of in (None, "doc")
        },
        **{
            ("what", s, r): walked(authority.permissions_of, s, r)
            for s in subjects
            for r in ("organization", "doc:1")
        },
    }


def _expected(found: dict[Any, bool], time: datetime, key: tuple[Any, ...]) -> list[str]:
    can = {
        one
        for (at, *one_), is_allowed in found.items()
        if at == time and is_allowed
        for one in [tuple(one_)]
    }
    kind, *names = key
    if kind == "who":
        p, r, of = names
        named = (s for s in ALL_SUBJECTS if (s, p, r) in can)
    elif kind == "where":
        s, p, of = names
        named = (r for r in RESOURCES if (s, p, r) in can)
    else:
        s, r = names
        of, named = None, (p for p in PERMISSIONS if (s, p, r) in can)
    return sorted(name for name in named if of is None or name.startswith(f"{of}:"))


def _differences(url: str, found: dict[Any, bool], times: Sequence[datetime]) -> list[Any]:
    """Where a list is not what a check of each says."""
    different = []
    clock = SettableClock()
    with (
        Authority.open(url, organization="acme", clock=clock) as cold,
        Authority.open(url, organization="acme", clock=clock, index=True) as held,
    ):
        assert held.load()
        for time, (authority, limit) in itertools.product(times, ((cold, 2), (held, 3))):
            clock.now = time
            for key, items in _lists(authority, limit, "standard").items():
                wanted = _expected(found, time, key)
                if items != wanted:
                    different.append((time, authority is held, key, items, wanted))
    return different


@pytest.mark.parametrize("way", WAYS)
def test_every_way(
    asked: tuple[str, dict[Any, bool]], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the store and from memory, page by page."""
    for module, bound, value in WAYS[way]:
        monkeypatch.setattr(module, bound, value)
    assert _differences(*asked, TIMES if way == "as it is" else TIMES[1:]) == []


def test_control_without_the_check(
    asked: tuple[str, dict[Any, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: where everybody is gone through and nobody is checked, the lists are wrong."""
    for module, bound, value in WAYS["many groups"]:
        monkeypatch.setattr(module, bound, value)
    for source_class in (Stored, Indexed):
        monkeypatch.setattr(source_class, "subjects_allowed", lambda _, numbers: set(numbers))
    assert {key[0] for _, _, key, *_ in _differences(*asked, TIMES[1:])} == {"who"}
