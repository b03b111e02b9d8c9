"""Rows that no change would leave: scattered at random over organizations that share their numbers.

A statement that asks is right on any rows. So each column that it must compare has values that differ in that
column alone, and effective roles have nothing to do with the facts.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from rescind import Authority, changes
from tests.sql import ours

NOW = time.time_ns() // 1_000
HOUR = 3_600_000_000
LAST = 2**31 - 1
TIMES = (None, None, NOW - HOUR, NOW, NOW + 1, NOW + HOUR)
"""For questions of the store, which say when they are asked."""
TODAY = (None, None, NOW - HOUR, NOW + HOUR)
"""For questions that go by the database's clock."""
MEMBERS, GROUPS, RESOURCES = (1, 2, 3, 4), (-1, -2, -3, -4), tuple(range(7))
SUBJECTS = {1: "user:1", 2: "user:2", 3: "agent:3", 4: "user;4"}
SLUGS = {0: "organization", 1: "doc:1", 2: "doc:2", 3: "file:3", 4: "doc;4", 5: "doc:5", 6: "a:6"}
SHARED, OWN, GRAVE = "shared", "own", "grave"
"""Permissions: of all organizations, of each, and of each while all have one of that name."""
ENVIRONMENT = "*"


class Given(NamedTuple):
    """An assignment, or what is left of one."""

    id: int
    holder: int
    role: int | None
    resource: int | None
    expires_at: int | None
    ended: int | None
    made: int = 1

    def is_unexpired(self, now: int) -> bool:
        return self.ended is None and is_later(self.expires_at, now)


class Pending(NamedTuple):
    """Pending work, in the order of the columns that are written."""

    group: int
    kind: str
    ref: int
    fence: int | None
    urgency: int = 1
    since: int = 1
    revision: int = 1
    recorded_at: int = 1
    cursor_membership: int = 0
    cursor_assignment: int = LAST
    attempts: int = 0
    not_before: int = 0
    parked: bool = False

    @property
    def is_due(self) -> bool:
        return not self.parked and self.not_before <= NOW

    @property
    def is_begun(self) -> bool:
        return (self.cursor_membership, self.cursor_assignment) != (0, LAST)


def is_later(until: int | None, now: int) -> bool:
    return until is None or until > now


@dataclass
class Definitions:
    """Permissions and roles, of all organizations: what they have is read once."""

    permissions: dict[int, tuple[int, str, bool]] = field(default_factory=dict)
    """Of each: whose, its name, and whether it is critical."""
    roles: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    """Of each: whose, its priority, and its name."""
    contents: set[tuple[int, int]] = field(default_factory=set)

    def named(self, o: int, slug: str) -> int | None:
        """The organization's own comes before that of all."""
        found = {whose: p for p, (whose, name, _) in self.permissions.items() if name == slug}
        return found.get(o, found.get(0))

    def gives(self, role: int | None, permission: int | None) -> bool:
        return (role, permission) in self.contents

    def names_of_roles(self, o: int) -> dict[str, int]:
        """What a name of a role means in an organization."""
        found = {name: role for role, (whose, _, name) in self.roles.items() if whose == 0}
        return found | {name: role for role, (whose, _, name) in self.roles.items() if whose == o}

    def roles_of(self, o: int) -> list[int]:
        return [role for role, (whose, *_) in self.roles.items() if whose in (0, o)]


@dataclass
class Rows:
    """One organization's rows, and what follows from them."""

    o: int
    name: str
    known: Definitions
    is_single: bool
    default: int | None
    active: dict[int, bool]
    ended_groups: set[int]
    parents: dict[int, int | None]
    places: dict[tuple[int, int], int | None]
    nestings: dict[tuple[int, int], int | None]
    given: list[Given]
    effective: dict[tuple[int, int], int | None]
    pending: list[Pending]
    resets: set[tuple[int, int]]

    # --- what follows ------------------------------------------------------------------------------

    def nested(self) -> set[tuple[int, int]]:
        return {pair for pair, ended in self.nestings.items() if ended is None}

    def closure(self, starts: Iterable[int], *, up: bool) -> set[int]:
        """Groups, and those above or below them."""
        found, fringe = set(starts), list(starts)
        while fringe:
            one = fringe.pop()
            for child, parent in self.nested():
                start, end = (child, parent) if up else (parent, child)
                if start == one and end not in found:
                    found.add(end)
                    fringe.append(end)
        return found

    def holders(self, m: int, now: int) -> set[int]:
        direct = [g for (who, g), until in self.places.items() if who == m and is_later(until, now)]
        return {m} | self.closure(direct, up=True)

    def line(self, r: int | None) -> list[int]:
        found = []
        while r is not None:
            found.append(r)
            r = self.parents[r]
        return found

    def held(self, holders: Collection[int], places: Collection[int], now: int) -> list[Given]:
        return [
            a
            for a in self.given
            if a.holder in holders and a.resource in places and a.is_unexpired(now)
        ]

    def won(self, m: int, roles: Iterable[int | None]) -> int | None:
        """The role that counts, of those held on the organization."""
        candidates = [r for r in roles if r is not None and (m, r) not in self.resets]
        priority = {role: of[1] for role, of in self.known.roles.items()}
        return min(candidates, key=lambda r: (-priority[r], r), default=self.default)

    def gives(self, m: int, p: int | None, r: int, now: int) -> bool:
        """Whether the facts give a permission."""
        holders, line = self.holders(m, now), self.line(r)
        places = [place for place in line if place or not self.is_single]
        if any(self.known.gives(a.role, p) for a in self.held(holders, places, now)):
            return True
        wide = [a.role for a in self.held(holders, [0], now)]
        return self.is_single and self.known.gives(self.won(m, wide), p)

    def has(self, m: int, now: int) -> list[Given]:
        """What effective roles say that a membership has."""
        kept = {
            a for (who, a), until in self.effective.items() if who == m and is_later(until, now)
        }
        return [a for a in self.given if a.id in kept and a.is_unexpired(now)]

    def gives_effectively(self, m: int, p: int | None, r: int, now: int) -> bool:
        """Whether effective roles give a permission, trusted or not."""
        had, line = self.has(m, now), [place for place in self.line(r) if place]
        own = self.held([m], line, now)
        scoped = [*own, *(a for a in had if a.resource in line and a.holder < 0)]
        if any(self.known.gives(a.role, p) for a in scoped):
            return True
        wide = [a.role for a in had if a.id < 0]
        if self.is_single:
            return self.known.gives(self.won(m, wide), p)
        return any(self.known.gives(role, p) for role in wide)

    def is_trusted(self, m: int) -> bool:
        if self.is_single:
            return not self.pending
        return not any(one.fence in (0, m) for one in self.pending)

    def verdict(self, m: int, p: int, r: int, *, live: bool, now: int) -> int:
        """0 and 1 by effective roles, 2 (allowed) and 3 by the facts."""
        by_facts = 2 if self.gives(m, p, r, now) else 3
        if live or self.known.permissions[p][2]:
            return by_facts
        if self.is_trusted(m) and self.gives_effectively(m, p, r, now):
            return 1
        return by_facts if self.pending else 0

    def leanest(self, m: int, p: int, r: int, now: int) -> int:
        """As a query on effective roles alone; 4 where it cannot tell."""
        if self.is_trusted(m) and self.gives_effectively(m, p, r, now):
            return 1
        return 4 if self.pending else 0

    # --- as SQL ------------------------------------------------------------------------------------

    def statements(self) -> Iterator[str]:
        o = self.o
        mode = "single" if self.is_single else "multiple"
        yield (
            f"UPDATE rescind.organization SET role_mode = '{mode}', "
            f"default_role = {_text(self.default)} WHERE id = {o}"
        )
        yield _insert(
            "membership (organization, id, subject, active, created_at)",
            [(o, m, SUBJECTS[m], active, 1) for m, active in self.active.items()],
        )
        ended = self.ended_groups
        yield _insert(
            '"group" (organization, id, slug, ended)',
            [
                (o, g, f"\x01{g}" if g in ended else f"g{-g}", 3 if g in ended else None)
                for g in GROUPS
            ],
        )
        yield _insert(
            "resource (organization, id, slug, parent)",
            [(o, r, SLUGS[r], parent) for r, parent in self.parents.items() if r],
        )
        yield _insert(
            'group_member (organization, membership, "group", expires_at)',
            [(o, *key, until) for key, until in self.places.items()],
        )
        yield _insert(
            "recorded_nesting (organization, child, parent, ended)",
            [(o, *key, end) for key, end in self.nestings.items()],
        )
        yield _insert(
            "assignment (organization, id, holder, role, resource, expires_at, ended, made)",
            [(o, *a) for a in self.given],
        )
        yield _insert(
            "effective_role (organization, membership, assignment, expires_at)",
            [(o, *key, until) for key, until in self.effective.items()],
        )
        yield pending_rows(o, self.pending)
        yield _insert(
            "role_reset (organization, membership, role)", [(o, *key) for key in self.resets]
        )


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value).upper()


def _insert(into: str, rows: list[tuple[object, ...]]) -> str:
    values = ", ".join(f"({', '.join(map(_text, row))})" for row in rows)
    return f"INSERT INTO rescind.{into} VALUES {values}" if rows else ""


def pending_rows(o: int, work: list[Pending]) -> str:
    """The statement that makes an organization's pending work."""
    return _insert(
        'pending (organization, "group", kind, ref, fence, urgency, since, revision, recorded_at, '
        "cursor_membership, cursor_assignment, attempts, not_before, parked, direction)",
        [(o, *one, "revokes") for one in work],
    )


def scatter(
    pick: random.Random, o: int, name: str, known: Definitions, times: tuple[int | None, ...]
) -> Rows:
    """Random rows of an organization that has none yet."""
    roles = known.roles_of(o)
    parents: dict[int, int | None] = {0: None}
    for r in pick.sample(RESOURCES[1:], 5):
        parents[r] = pick.choice([*parents])
    given: dict[Any, Given] = {}
    for number in range(1, pick.randrange(6, 16)):
        resource = pick.choice([0, 0, *parents])
        is_ended = pick.random() < 0.2
        one = Given(
            number if resource else -number,
            pick.choice((*MEMBERS, *GROUPS)),
            pick.choice([None, *roles]) if is_ended else pick.choice(roles),
            pick.choice([None, resource]) if is_ended else resource,
            pick.choice(times),
            pick.choice((2, 3, 4, -3)) if is_ended else None,
            pick.randrange(1, 5),
        )
        given.setdefault(one.id if is_ended else one[1:4], one)
    live = {a[1:4] for a in given.values() if a.ended is None}
    kept = [a for a in given.values() if a.ended is None or a[1:4] not in live]
    ids = [a.id for a in kept]
    pairs = [(m, a) for m in MEMBERS for a in (*ids, 50, -50)]
    kinds = pick.choice([0, 0, 1, 2])
    nested = [(c, p) for c in GROUPS for p in GROUPS if c > p]
    return Rows(
        o,
        name,
        known,
        is_single=pick.random() < 0.5,
        default=pick.choice([None, *roles]),
        active={m: pick.random() < 0.8 for m in MEMBERS},
        ended_groups={GROUPS[-1]} if pick.random() < 0.3 else set(),
        parents=parents,
        places={
            (m, g): pick.choice(times) for m in MEMBERS for g in GROUPS if pick.random() < 0.35
        },
        nestings={pair: pick.choice((None, None, 4)) for pair in nested if pick.random() < 0.4},
        given=kept,
        effective={key: pick.choice(times) for key in pick.sample(pairs, len(pairs) // 3)},
        pending=[
            Pending(pick.choice(GROUPS), kind, number, pick.choice((None, 0, *MEMBERS)))
            for number, kind in enumerate(pick.choices(("member", "whole"), k=kinds))
        ],
        resets={(m, r) for m in MEMBERS for r in roles if pick.random() < 0.2},
    )


def much_pending(pick: random.Random) -> list[Pending]:
    """Work of every kind, in every condition."""
    keys = {
        (
            pick.choice(GROUPS),
            kind,
            pick.choice(MEMBERS) if kind == "member" else pick.randrange(1, 5),
        )
        for kind in pick.choices(("member", "member", "assignment", "whole"), k=12)
    }
    found = []
    for key in sorted(keys):
        since = pick.randrange(1, 4)
        is_begun = pick.random() < 0.25
        found.append(
            Pending(
                *key,
                fence=pick.choice((None, 0, *MEMBERS)),
                urgency=pick.randrange(3),
                since=since,
                revision=since + pick.choice((0, 0, 1, 2)),
                recorded_at=NOW - pick.randrange(1, 4),
                cursor_membership=pick.choice((0, 2)) if is_begun else 0,
                cursor_assignment=pick.choice((3, LAST)) if is_begun else LAST,
                attempts=pick.choice((0, 0, 0, 1)),
                not_before=pick.choice((0, 0, NOW - HOUR, NOW + HOUR)),
                parked=pick.random() < 0.2,
            )
        )
    return found


def define(authority: Authority, pick: random.Random, names: list[str]) -> None:
    """What all organizations have, once; and organizations with roles of the same names, and no facts."""
    permissions = [
        changes.DefinePermission(permission=SHARED),
        changes.DefinePermission(permission=GRAVE),
    ]
    if not authority.store.fetch("index_permissions", {"owner": 0}):
        wide = [
            changes.DefineRole(role="everywhere", permissions=(SHARED, GRAVE), priority=1),
            changes.DefineRole(role="nothing", priority=2),
        ]
        authority.apply([*permissions, *wide], organization=ENVIRONMENT)
    for name in names:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission=OWN),
                changes.DefineRole(role="first", permissions=(OWN, SHARED), priority=1),
                changes.DefineRole(role="second", priority=1),
                changes.DefineRole(role="none", priority=pick.choice((0, 3))),
            ],
            organization=name,
        )


def own_grave(pick: random.Random, o: int) -> Iterator[str]:
    """A permission that differs from the one of all organizations, which came later; a role has it."""
    critical = _text(pick.random() < 0.5)
    yield (
        "INSERT INTO rescind.permission (organization, slug, description, critical) "
        f"VALUES ({o}, '{GRAVE}', '', {critical})"
    )
    yield (
        "INSERT INTO rescind.role_permission (role, permission) "
        "SELECT q.id, p.id FROM rescind.role AS q JOIN rescind.permission AS p "
        f"ON p.organization = {o} AND p.slug = '{GRAVE}' WHERE q.organization = {o} "
        "AND q.slug = 'second'"
    )


class Scattered:
    """Organizations with random rows, in a database of any engine."""

    def __init__(self, authority: Authority, database: str) -> None:
        self.authority, self.database = authority, database
        self._connection = self._connected()

    def close(self) -> None:
        self._connection.close()

    def make(
        self, seed: int, times: tuple[int | None, ...], *, has_work: bool = False
    ) -> list[Rows]:
        """Three more organizations; with much pending work if they are to have it."""
        pick = random.Random(seed)
        names = [f"{seed}-{n}-{len(times)}" for n in range(3)]
        define(self.authority, pick, names)
        numbers = dict(self.ask("SELECT slug, id FROM rescind.organization"))
        self.write(each for name in names for each in own_grave(pick, numbers[name]))
        known = self._definitions()
        found = [scatter(pick, numbers[name], name, known, times) for name in names]
        for rows in found if has_work else ():
            rows.pending = much_pending(pick)
        self.write(filter(None, (statement for rows in found for statement in rows.statements())))
        return found

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of any question, as a user of SQL asks it."""
        return [tuple(row) for row in self._connection.execute(ours(self.database, sql))]

    def write(self, statements: Iterable[str]) -> None:
        """More rows, at once."""
        for statement in statements:
            self._connection.execute(ours(self.database, statement))

    def _definitions(self) -> Definitions:
        permissions = "SELECT id, organization, slug, critical FROM rescind.permission"
        return Definitions(
            {p: (o, slug, bool(c)) for p, o, slug, c in self.ask(permissions)},
            {
                role: (o, priority, name)
                for role, o, priority, name in self.ask(
                    "SELECT id, organization, priority, slug FROM rescind.role"
                )
            },
            set(self.ask("SELECT role, permission FROM rescind.role_permission")),
        )

    def _connected(self) -> Any:
        if self.database.startswith("sqlite"):
            path = self.database.removeprefix("sqlite:///")
            return sqlite3.connect(path, isolation_level=None)
        return psycopg.connect(self.database, autocommit=True)


EXAMPLES = int(os.environ.get("RESCIND_EXAMPLES", "12"))


def seeds(scattered: Scattered) -> range:
    """So many times: fewer where each takes longer."""
    return range(EXAMPLES if scattered.database.startswith("sqlite") else max(EXAMPLES // 4, 1))
