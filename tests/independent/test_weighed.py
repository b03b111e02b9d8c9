"""What a change in the background weighs, and the work that it leaves, against a count over all rows.

Random changes, none of which is carried out, in two organizations with the same names: assignments and
nestings that were taken back remain beside those that are.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import RoleMode
from rescind.store import open_store
from tests.conftest import ENGINES
from tests.sql import ours

SOON, LATE = datetime(2100, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
SUBJECTS = tuple(f"user:{number}" for number in range(4))
GROUPS = ("a", "b", "c", "d")
ROLES = ("reader", "owner")
PLACES = ("organization", "doc:1", "doc:2")
STEPS = {"sqlite": 240, "postgres": 60}
ENVIRONMENT: list[Change] = [
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",), priority=1),
    changes.DefineRole(role="owner", permissions=("read",), priority=2, critical=True),
    changes.DefineResourceType(type="doc"),
]


def facts(mode: RoleMode) -> list[Change]:
    return [
        changes.CreateOrganization(),
        changes.SetRoleMode(mode=mode),
        *(changes.CreateResource(resource=place) for place in PLACES[1:]),
        *(changes.AddMembership(subject=subject) for subject in SUBJECTS),
        *(changes.CreateGroup(group=group) for group in GROUPS),
    ]


class Work(NamedTuple):
    """A piece of pending work: its direction, urgency and fence."""

    direction: str
    urgency: int
    fence: int | None


Key = tuple[str, str, str]
"""Group, kind, and what it is about."""


class Rows:
    """The rows of an organization by name, and what is counted over them."""

    def __init__(self, reader: Any, engine: str, organization: str) -> None:
        def read(sql: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in reader.execute(ours(engine, sql)).fetchall()]

        (found,) = read(
            f"SELECT id, revision FROM rescind.organization WHERE slug = '{organization}'"
        )
        o, self.revision = found
        of = f"WHERE organization = {o}"
        names = dict(read(f'SELECT id, slug FROM rescind."group" {of}'))
        self.numbers = {
            name: int(n) for n, name in read(f"SELECT id, subject FROM rescind.membership {of}")
        }
        subjects = {number: name for name, number in self.numbers.items()}
        self.places = {
            (names[g], subjects[m]): until
            for g, m, until in read(
                f'SELECT "group", membership, expires_at FROM rescind.group_member {of}'
            )
        }
        nested = read(f"SELECT child, parent, ended FROM rescind.recorded_nesting {of}")
        self.ever = {(names[c], names[p]) for c, p, _ in nested}
        self.nested = {(names[c], names[p]) for c, p, ended in nested if ended is None}
        self.assigned = [
            (names.get(h), role, place, ended is None)
            for h, role, place, ended in read(
                "SELECT a.holder, q.slug, x.slug, a.ended FROM rescind.assignment AS a"
                " LEFT JOIN rescind.role AS q ON q.id = a.role LEFT JOIN rescind.resource AS x"
                f" ON x.organization = {o} AND x.id = a.resource WHERE a.organization = {o}"
            )
        ]
        self.pending: dict[Key, Work] = {
            (names[g], kind, names[ref] if kind == "whole" else str(ref)): Work(*work)
            for g, kind, ref, *work in read(
                f'SELECT "group", kind, ref, direction, urgency, fence FROM rescind.pending {of}'
            )
        }

    def around(self, groups: Iterable[str]) -> set[str]:
        """The groups and all that they are or were nested in."""
        return closure(groups, self.ever)

    def members_below(self, groups: Iterable[str]) -> int:
        """Places in the groups and in those nested in them."""
        below = closure(groups, {(parent, child) for child, parent in self.nested})
        return sum(group in below for group, _ in self.places)

    def held(self, groups: set[str], *, takes: bool) -> int:
        """Assignments of the groups; also those taken back, if the change takes."""
        return sum(h in groups and (takes or is_live) for h, _, _, is_live in self.assigned)

    def has_critical(self, groups: set[str]) -> bool:
        return any(h in groups and r == "owner" and live for h, r, _, live in self.assigned)


def closure(starts: Iterable[str], edges: set[tuple[str, str]]) -> set[str]:
    found = set(starts)
    while more := {up for low, up in edges if low in found} - found:
        found |= more
    return found


def expected(rows: Rows, change: Change, mode: RoleMode) -> tuple[int, dict[Key, Work]]:
    """The pairs that a change concerns, and the work that it leaves."""
    is_single, now, pairs = mode is RoleMode.SINGLE, str(rows.revision + 1), 0
    left: dict[Key, Work] = {}

    def leave(key: Key, *, revokes: bool, critical: bool, fence: int | None) -> None:
        direction = "revokes" if revokes or is_single else "grants"
        urgency = 2 if not revokes else 0 if critical else 1
        left[key] = Work(direction, urgency, 0 if is_single else fence if revokes else None)

    def lose(group: str, subjects: list[str], around: set[str]) -> int:
        for subject in subjects:
            fence = rows.numbers[subject]
            is_critical = rows.has_critical(around)
            leave((group, "member", str(fence)), revokes=True, critical=is_critical, fence=fence)
        return len(subjects) * rows.held(around, takes=True)

    match change:
        case changes.AddMembers(group=group, members=members, expires_at=until):
            around, takes = rows.around([group]), until is not None
            critical = takes and rows.has_critical(around)
            for subject in members:
                is_there = (group, subject) in rows.places
                before = moment(rows.places.get((group, subject)))
                if is_there and before == (until or NEVER):
                    continue
                pairs += rows.held(around, takes=takes)
                shortens = is_there and (until or NEVER) < before
                fence = rows.numbers[subject]
                key = (group, "member", str(fence))
                leave(key, revokes=shortens, critical=critical, fence=fence)
        case changes.RemoveMembers(group=group, members=members):
            pairs = lose(
                group, [s for s in members if (group, s) in rows.places], rows.around([group])
            )
        case changes.ReplaceMembers(group=group, members=members):
            around = rows.around([group])
            others = [s for g, s in rows.places if g == group and s not in members]
            pairs = lose(group, others, around)
            for subject in (s for s in members if (group, s) not in rows.places):
                pairs += rows.held(around, takes=False)
                key = (group, "member", str(rows.numbers[subject]))
                leave(key, revokes=False, critical=False, fence=None)
        case changes.RemoveMembership(subject=subject):
            groups = [group for group, member in rows.places if member == subject]
            around = rows.around(groups)
            pairs = rows.held(around, takes=True)
            for group in groups:
                lose(group, [subject], around)
        case changes.NestGroup(group=child, into=parent) if (child, parent) not in rows.nested:
            pairs = rows.members_below([child]) * rows.held(rows.around([parent]), takes=False)
            leave((child, "whole", parent), revokes=False, critical=False, fence=0)
        case changes.UnnestGroup(group=child, out_of=parent) if (child, parent) in rows.nested:
            around = rows.around([parent])
            pairs = rows.members_below([child]) * rows.held(around, takes=True)
            critical = rows.has_critical(around)
            leave((child, "whole", parent), revokes=True, critical=critical, fence=0)
        case changes.Assign(role=role, to=to, on=on) | changes.Unassign(role=role, to=to, on=on):
            group, takes = to.removeprefix("group:"), isinstance(change, changes.Unassign)
            if ((group, role, on or "organization", True) in rows.assigned) == takes:
                pairs = rows.members_below([group])
                key = (group, "assignment", now)
                leave(key, revokes=takes, critical=role == "owner", fence=None)
                if takes:  # what ended is denied by its tombstone
                    left[key] = left[key]._replace(fence=None)
    return pairs, left


def moment(until: int | None) -> datetime:
    return NEVER if until is None else datetime.fromtimestamp(until / 1e6, UTC)


def joined(before: Work | None, new: Work) -> Work:
    """A newer change joins the work that is there: revoking wins, and the greater urgency."""
    if before is None:
        return new
    direction = "revokes" if "revokes" in (before.direction, new.direction) else "grants"
    fence = before.fence if new.fence is None else new.fence
    return Work(direction, min(before.urgency, new.urgency), fence)


def any_change(chance: random.Random) -> Change:
    group, other = chance.sample(GROUPS, 2)
    members = tuple(chance.sample(SUBJECTS, chance.randint(1, 3)))
    role, place = chance.choice(ROLES), chance.choice(PLACES)
    low, high = sorted((group, other))
    made: list[Change] = [
        changes.AddMembers(
            group=group, members=members, expires_at=chance.choice((None, None, SOON, LATE))
        ),
        changes.RemoveMembers(group=group, members=members),
        changes.ReplaceMembers(group=group, members=members),
        changes.RemoveMembership(subject=members[0]),
        changes.NestGroup(group=low, into=high),
        changes.UnnestGroup(group=low, out_of=high),
        changes.Assign(role=role, to=f"group:{group}", on=place),
        changes.Unassign(role=role, to=f"group:{group}", on=place),
    ]
    return chance.choices(made, (6, 2, 1, 1, 3, 3, 8, 8))[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", [RoleMode.MULTIPLE, RoleMode.SINGLE])
def test_weights_and_work(mode: RoleMode, engine: str, new_database: Callable[[str], str]) -> None:
    """Each receipt says how many pairs the change concerns, and each piece of work is as it should be."""
    database, chance = new_database(engine), random.Random(11)
    with Authority(open_store(database)) as authority, closing(_connected(database)) as reader:
        authority.apply(ENVIRONMENT, organization="*")
        for name in ("acme", "other"):
            authority.apply(facts(mode), organization=name, route="inline")
        for step in range(STEPS[engine]):
            name, change = chance.choice(("acme", "other")), any_change(chance)
            before = Rows(reader, engine, name)
            pairs, left = expected(before, change, mode)
            receipt = authority.apply([change], organization=name, route="background")
            assert receipt.fan_out == pairs, (step, name, change)
            after = {key: joined(before.pending.get(key), work) for key, work in left.items()}
            assert Rows(reader, engine, name).pending == before.pending | after, (step, change)
            if isinstance(change, changes.RemoveMembership):
                authority.apply([changes.AddMembership(subject=change.subject)], organization=name)
            if step % 30 == 29:
                for work in authority.pending(organization=name, limit=1_000):
                    authority.reconcile(work)


def _connected(database: str) -> Any:
    if database.startswith("sqlite:///"):
        return sqlite3.connect(database.removeprefix("sqlite:///"))
    return psycopg.connect(database, autocommit=True)
