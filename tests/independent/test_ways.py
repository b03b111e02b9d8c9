"""Every way to hold a role, with one link of it that expires or is taken: asked at every decision point.

Beside each way are its look-alikes: another role at the same place, the same role at another place, and an
organization with the same names and numbers in which nothing expires and nothing is taken, and one where each
leads to the next.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import DecisionPoint, RoleMode
from rescind.store import open_store
from tests.clock import SettableClock
from tests.conftest import ENGINES
from tests.sql import ours

END = datetime(2020, 1, 1, tzinfo=UTC)
BEFORE = END - timedelta(microseconds=1)
ROOT = "organization"
HOLDERS = ("own", "group", "nested")
LINKS = {
    "own": ("role",),
    "group": ("role", "place"),
    "nested": ("role", "place", "nesting"),
}
"""What may be taken of each way; all but a nesting may expire."""


@dataclass(frozen=True)
class Way:
    """How one subject holds the role `reader`, and on what."""

    name: str
    holder: str
    on: str
    expires: str | None
    taken: str | None

    @property
    def subject(self) -> str:
        return f"user:{self.name}"

    @property
    def resource(self) -> str:
        return {"wide": ROOT, "folder": f"folder:{self.name}", "doc": f"doc:{self.name}"}[self.on]

    @property
    def assignee(self) -> str:
        return {
            "own": self.subject,
            "group": f"group:in-{self.name}",
            "nested": f"group:out-{self.name}",
        }[self.holder]

    def end(self, link: str) -> datetime | None:
        return END if self.expires == link else None


def ways() -> Iterator[Way]:
    numbers = itertools.count()
    for holder in HOLDERS:
        ends = (None, *(link for link in LINKS[holder] if link != "nesting"))
        for on in ("wide", "folder", "doc"):
            for expires in ends:
                for taken in (None, *LINKS[holder]):
                    yield Way(f"s{next(numbers)}", holder, on, expires, taken)


WAYS = tuple(ways())
FACTS: list[Change] = [
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="write"),
    changes.DefineRole(role="reader", permissions=("read",), priority=2),
    changes.DefineRole(role="writer", permissions=("write",), priority=1),
    changes.DefineResourceType(type="folder"),
    changes.DefineResourceType(type="doc", parents=("folder",)),
]


def people(mode: RoleMode, *, ends: bool = False, is_crossed: bool = False) -> list[Change]:
    """Everybody's groups and resources, and the other role that each holds at the same place. Crossed, each
    resource, place and nesting leads to the next one's.
    """
    found: list[Change] = [changes.CreateOrganization(), changes.SetRoleMode(mode=mode)]
    for way in WAYS:
        found += [
            changes.AddMembership(subject=way.subject),
            changes.CreateResource(resource=f"folder:{way.name}"),
            changes.CreateGroup(group=f"out-{way.name}"),
            changes.CreateGroup(group=f"in-{way.name}"),
        ]
    for way, after in zip(WAYS, (*WAYS[1:], WAYS[0]), strict=True):
        to = after if is_crossed else way
        inner = f"in-{way.name}"
        until = way.end("place") if ends else None
        found += [
            changes.CreateResource(resource=f"doc:{way.name}", parent=f"folder:{to.name}"),
            changes.NestGroup(group=inner, into=f"out-{to.name}"),
            changes.AddMembers(group=inner, members=(to.subject,), expires_at=until),
            changes.Assign(role="writer", to=way.assignee, on=way.resource),
        ]
    return found


def given(*, ends: bool) -> list[Change]:
    """What makes everybody a reader."""
    return [
        changes.Assign(
            role="reader",
            to=way.assignee,
            on=way.resource,
            expires_at=way.end("role") if ends else None,
        )
        for way in WAYS
    ]


def takes(way: Way) -> Change:
    """What takes it from one."""
    if way.taken == "place":
        return changes.RemoveMembers(group=f"in-{way.name}", members=(way.subject,))
    if way.taken == "nesting":
        return changes.UnnestGroup(group=f"in-{way.name}", out_of=f"out-{way.name}")
    return changes.Unassign(role="reader", to=way.assignee, on=way.resource)


@dataclass
class Asked:
    """Where all are asked, and what is right now."""

    plain: Authority
    indexed: Authority
    clock: SettableClock
    is_taken: bool = False

    @property
    def some(self) -> tuple[Way, ...]:
        """Who is asked about alone: all; on a server, where a statement costs more, every seventh."""
        return WAYS if self.plain.store.engine == "sqlite" else WAYS[::7]

    def allowed(self) -> list[Way]:
        is_past = self.clock.now == END
        return [
            way
            for way in WAYS
            if not (is_past and way.expires) and not (self.is_taken and way.taken)
        ]

    def must_be_right(self, *, settled: bool) -> None:
        """Each may read what is hers, and what is above it if she holds the role there."""
        allowed = self.allowed()
        questions = []
        for before, way, after in zip((WAYS[-1], *WAYS), WAYS, (*WAYS[1:], WAYS[0]), strict=False):
            folder, doc = f"folder:{way.name}", f"doc:{way.name}"
            others = (f"doc:{before.name}", f"doc:{after.name}", ROOT)
            for place, kinds in (
                *((other, "wide") for other in others),
                (folder, "wide folder"),
                (doc, "wide folder doc"),
            ):
                is_right = way in allowed and way.on in kinds.split()
                questions.append(((way.subject, "read", place), is_right))
        names = [question for question, _ in questions]
        wanted = [is_right for _, is_right in questions]
        self.indexed.load("acme")
        for authority, assurance in (
            (self.plain, "standard"),
            (self.plain, "live"),
            (self.indexed, "standard"),
        ):
            options: dict[str, Any] = {"organization": "acme", "assurance": assurance}
            found = authority.check_many(names, **options)
            assert [decision.allowed for decision in found] == wanted, assurance
            some = {way.subject for way in self.some}
            alone = [authority.check(*name, **options) for name in names if name[0] in some]
            right_alone = [is_right for name, is_right in questions if name[0] in some]
            assert [decision.allowed for decision in alone] == right_alone, assurance
            if settled and authority is self.plain and assurance == "standard":
                assert {decision.point for decision in (*found, *alone)} == {
                    DecisionPoint.EFFECTIVE
                }

    def lists_must_be_right(self) -> None:
        """Who may read something, and what somebody may read or do."""
        allowed = self.allowed()
        wide = {way.subject for way in allowed if way.on == "wide"}
        options: dict[str, Any] = {"organization": "acme", "limit": 1_000}
        everything = {f"{kind}:{way.name}" for kind in ("folder", "doc") for way in WAYS} | {ROOT}
        for way in self.some:
            doc = f"doc:{way.name}"
            own = {way.subject} if way in allowed else set()
            assert set(self.plain.who_can("read", doc, **options).items) == wide | own, way
            below = {"wide": everything, "folder": {way.resource, doc}, "doc": {doc}}[way.on]
            reached = self.plain.resources_of(way.subject, "read", **options).items
            assert set(reached) == (below if way in allowed else set()), way
            may = set(self.plain.permissions_of(way.subject, doc, **options).items)
            assert ("read" in may) == (way in allowed), way

    def view_must_be_right(self, database: str) -> None:
        """The same by SQL; what the view holds it to be is the time of the database."""
        sql = ours(
            database,
            "SELECT subject FROM rescind.effective_permission"
            " WHERE organization = 'acme' AND permission = 'read' AND resource = ",
        )
        allowed = self.allowed()
        wide = {way.subject for way in allowed if way.on == "wide"}
        with closing(_connected(database)) as reader:
            for way in self.some:
                rows = reader.execute(f"{sql} 'doc:{way.name}'").fetchall()
                own = {way.subject} if way in allowed else set()
                assert {subject for (subject,) in rows} == wide | own, way


def _connected(database: str) -> Any:
    if database.startswith("sqlite:///"):
        return sqlite3.connect(database.removeprefix("sqlite:///"))
    return psycopg.connect(database, autocommit=True)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(BEFORE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", [RoleMode.MULTIPLE, RoleMode.SINGLE])
def test_every_way(
    mode: RoleMode, engine: str, clock: SettableClock, new_database: Callable[[str], str]
) -> None:
    """While roles are given in the background and after, before the end and at it, while links are taken and
    after, each way allows exactly what it should, whoever is asked.
    """
    database = new_database(engine)
    with (
        Authority(open_store(database), clock=clock) as plain,
        Authority(open_store(database), clock=clock, index=True) as indexed,
    ):
        plain.apply(FACTS, organization="*")
        plain.apply(people(mode, ends=True), organization="acme", route="inline")
        plain.apply(people(mode), organization="twin", route="inline")
        plain.apply(people(mode, is_crossed=True), organization="crossed", route="inline")
        for name in ("twin", "crossed"):
            plain.apply(given(ends=False), organization=name, route="background")
        asked = Asked(plain, indexed, clock)
        plain.apply(given(ends=True), organization="acme", route="background")
        asked.must_be_right(settled=False)
        settle(plain)
        asked.must_be_right(settled=True)
        asked.lists_must_be_right()
        clock.now = END
        asked.must_be_right(settled=True)
        asked.lists_must_be_right()
        asked.view_must_be_right(database)
        clock.now = BEFORE
        batch = [takes(way) for way in WAYS if way.taken]
        plain.apply(batch, organization="acme", route="background")
        asked.is_taken = True
        asked.must_be_right(settled=False)
        asked.lists_must_be_right()
        clock.now = END
        asked.view_must_be_right(database)
        settle(plain)
        asked.must_be_right(settled=True)
        asked.view_must_be_right(database)


def settle(authority: Authority) -> None:
    """Do what is pending in the one organization; the other's work stays."""
    for work in authority.pending(limit=10_000, organization="acme"):
        authority.reconcile(work)
