"""Statements that move effective roles at once, or set roles aside, on rows scattered at random."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from rescind.store import Transaction
from tests.independent.scattered import (
    GROUPS,
    MEMBERS,
    NOW,
    SLUGS,
    SUBJECTS,
    TIMES,
    Given,
    Rows,
    Scattered,
    is_later,
    seeds,
)

NEVER = 2**63
REVISION = 1
"""Of each organization: the change that made its roles."""
ROLES = {"first", "second", "none", "everywhere", "nothing"}
Effective = dict[tuple[int, int], int | None]
Times = dict[int, int | None]
"""Until when each group reaches a membership."""


def slug(g: int) -> str:
    return f"g{-g}"


def end(until: int | None) -> int:
    return NEVER if until is None else until


def latest(times: Iterable[int | None]) -> int | None:
    found = list(times)
    return None if None in found else max(t for t in found if t is not None)


class Case:
    """A change of one organization: its names, and which rows they mean."""

    def __init__(self, rows: Rows, pick: random.Random) -> None:
        self.rows, self.pick = rows, pick
        named = [g for g in GROUPS if g not in rows.ended_groups]
        self.group, self.child = pick.choice(named), pick.choice(named)
        self.parent = pick.choice([None, *named])
        self.listed = pick.sample(MEMBERS, pick.randrange(1, 4))
        self.until = pick.choice(TIMES)
        self.subject = pick.choice(MEMBERS)
        self.given = [
            (pick.choice(sorted(ROLES)), pick.choice([*rows.parents]))
            for _ in range(pick.randrange(1, 5))
        ]

    def params(self, **more: Any) -> dict[str, Any]:
        subjects = [SUBJECTS[m] for m in self.listed]
        given = [{"role": role, "on": SLUGS[r]} for role, r in self.given]
        return {
            "o": self.rows.o,
            "group": slug(self.group),
            "child": slug(self.child),
            "parent": None if self.parent is None else slug(self.parent),
            "subject": None,
            "members": json.dumps([*subjects, "user:nobody"]),
            "expires_at": self.until,
            "given": json.dumps(given),
            "now": NOW,
            **more,
        }

    # --- what the names mean ------------------------------------------------------------------------

    def up(self, start: int, *, ever: bool = False) -> set[int]:
        """A group and those above it; by what was ended too, if `ever`."""
        nestings = self.rows.nestings if ever else self.rows.nested()
        found, fringe = {start}, [start]
        while fringe:
            one = fringe.pop()
            for child, parent in nestings:
                if child == one and parent not in found:
                    found.add(parent)
                    fringe.append(parent)
        return found

    def around(self, *, ever: bool = False) -> set[int]:
        """The groups around the child through the nesting, or through any."""
        first = [
            parent
            for child, parent in self.rows.nested()
            if child == self.child and self.parent in (None, parent)
            if self.parent is None or parent not in self.rows.ended_groups
        ]
        return {g for parent in first for g in self.up(parent, ever=ever)}

    def below(self, start: int) -> set[int]:
        return self.rows.closure({start}, up=False)

    def members(self, groups: Iterable[int]) -> set[int]:
        there = {*groups}
        return {m for m, g in self.rows.places if g in there}

    def touched(self, *, others: bool) -> set[int]:
        return {m for m in self.members([self.group]) if (m in self.listed) != others}

    def kept(self, m: int, *, without_group: bool = False, without_nesting: bool = False) -> Times:
        """The groups that reach a membership all the same, and until when at the latest."""
        ways = {
            (g, until)
            for (who, g), until in self.rows.places.items()
            if who == m and not (without_group and g == self.group)
        }
        fringe = [*ways]
        while fringe:
            g, until = fringe.pop()
            for child, parent in self.rows.nested():
                is_out = child == self.child and self.parent in (None, parent)
                if child == g and not (without_nesting and is_out) and (parent, until) not in ways:
                    ways.add((parent, until))
                    fringe.append((parent, until))
        return {g: latest(t for group, t in ways if group == g) for g, _ in ways}

    def live(self, groups: Iterable[int]) -> list[Given]:
        there = {*groups}
        return [a for a in self.rows.given if a.holder in there and a.ended is None]

    def assigned(self, holder: int) -> list[Given]:
        """What this change has just assigned: by the names that it was given."""
        names = self.names_of_roles()
        wanted = {(names[role], r) for role, r in self.given}
        return [
            a
            for a in self.rows.given
            if a.holder == holder and a.ended is None and a.made == REVISION + 1
            if (a.role, a.resource) in wanted
        ]

    def names_of_roles(self) -> dict[str, int]:
        return self.rows.known.names_of_roles(self.rows.o)

    # --- what they do -------------------------------------------------------------------------------

    def extended(self, who: Iterable[tuple[int, int | None]], groups: Iterable[int]) -> Effective:
        found = dict(self.rows.effective)
        for m, until in who:
            for a in self.live(groups):
                if (m, a.id) not in found or end(found[m, a.id]) < end(until):
                    found[m, a.id] = until
        return found

    def shortened(self, who: Iterable[int], groups: set[int], **without: bool) -> Effective:
        found = dict(self.rows.effective)
        for m in who:
            for g, until in self.kept(m, **without).items():
                for a in self.live([g]) if g in groups else ():
                    if (m, a.id) in found and end(until) < end(found[m, a.id]):
                        found[m, a.id] = until
        return found

    def dropped(self, who: Iterable[int], groups: set[int], **without: bool) -> Effective:
        found = dict(self.rows.effective)
        for m in who:
            lost = groups - self.kept(m, **without).keys()
            for a in self.rows.given:
                if a.holder in lost:
                    found.pop((m, a.id), None)
        return found

    def without(self, pairs: Iterable[tuple[int, int]]) -> Effective:
        gone = {*pairs}
        return {key: until for key, until in self.rows.effective.items() if key not in gone}


def joining(case: Case) -> Effective:
    places = {m: case.rows.places.get((m, case.group), -NEVER) for m in case.listed}
    who = [m for m, until in places.items() if end(until) < end(case.until)]
    return case.extended([(m, case.until) for m in who], case.up(case.group))


def missing(case: Case) -> Effective:
    places = {m: case.rows.places.get((m, case.group), -NEVER) for m in case.listed}
    who = [m for m, until in places.items() if not is_later(until, NOW)]
    return case.extended([(m, None) for m in who], case.up(case.group))


def nesting(case: Case) -> Effective:
    below = case.below(case.child)
    who = {
        m: latest(t for (one, g), t in case.rows.places.items() if one == m and g in below)
        for m in case.members(below)
    }
    return case.extended(who.items(), case.around())


def given_to_group(case: Case) -> Effective:
    below = case.below(case.group)
    found = dict(case.rows.effective)
    for m in case.members(below):
        until = latest(t for (one, g), t in case.rows.places.items() if one == m and g in below)
        for a in case.assigned(case.group):
            found.setdefault((m, a.id), until)
    return found


def given_to_subject(case: Case) -> Effective:
    found = dict(case.rows.effective)
    for a in case.assigned(case.subject):
        found.setdefault((case.subject, a.id), None)
    return found


def ended(case: Case) -> Effective:
    gone = [a for a in case.rows.given if a.ended is not None and a.ended < 0]
    direct = [(a.holder, a.id) for a in gone if a.holder > 0]
    through = [(m, a.id) for a in gone if a.holder < 0 for m in case.members(case.below(a.holder))]
    return case.without([*direct, *through])


def ended_directly(case: Case) -> Effective:
    gone = [a for a in case.rows.given if a.ended is not None and a.ended < 0 and a.holder > 0]
    return case.without((a.holder, a.id) for a in gone)


def ended_now(case: Case, holder: int) -> list[int]:
    return [a.id for a in case.rows.given if a.holder == holder and a.ended == REVISION + 1]


def below_child(case: Case) -> set[int]:
    return case.members(case.below(case.child))


def subject_of(case: Case) -> dict[str, Any]:
    return {"subject": SUBJECTS[case.subject], "group": None}


EFFECTS: dict[str, Callable[[Case], Effective]] = {
    "extend_for_members_joining": joining,
    "extend_for_members_missing": missing,
    "shorten_for_members": lambda c: c.shortened(c.touched(others=False), c.up(c.group)),
    "drop_for_members": lambda c: c.dropped(
        c.touched(others=False), c.up(c.group, ever=True), without_group=True
    ),
    "shorten_without_members": lambda c: c.shortened(
        c.touched(others=False), c.up(c.group), without_group=True
    ),
    "drop_for_others": lambda c: c.dropped(
        c.touched(others=True), c.up(c.group, ever=True), without_group=True
    ),
    "shorten_without_others": lambda c: c.shortened(
        c.touched(others=True), c.up(c.group), without_group=True
    ),
    "extend_for_nesting": nesting,
    "drop_for_nesting": lambda c: c.dropped(
        below_child(c), c.around(ever=True), without_nesting=True
    ),
    "shorten_without_nesting": lambda c: c.shortened(
        below_child(c), c.around(), without_nesting=True
    ),
    "extend_for_group": given_to_group,
    "extend_for_subject": given_to_subject,
    "drop_for_ended": ended,
    "drop_direct_for_ended": ended_directly,
    "drop_ended_of_group": lambda c: c.without(
        (m, a) for a in ended_now(c, c.group) for m in c.members(c.below(c.group))
    ),
    "drop_ended_of_subject": lambda c: c.without((c.subject, a) for a in ended_now(c, c.subject)),
}
"""Each statement, and the effective roles of the organization after it."""
OF_SUBJECT = ("extend_for_subject", "drop_ended_of_subject")


def run(scattered: Scattered, statement: str, params: dict[str, Any]) -> None:
    def body(tx: Transaction) -> None:
        tx.run(statement, **params)

    scattered.authority.store.transact(body)


def effective(scattered: Scattered) -> dict[int, Effective]:
    """All effective roles that there are, by organization."""
    found: dict[int, Effective] = {}
    for o, m, a, until in scattered.ask(
        "SELECT organization, membership, assignment, expires_at FROM rescind.effective_role"
    ):
        found.setdefault(o, {})[m, a] = until
    return found


def test_effective_roles_move_as_statements_say(scattered: Scattered) -> None:
    """Each statement on the rows that the last one left; what is another organization's stays."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        made = scattered.make(seed, TIMES)
        rows = made[1]
        found = effective(scattered)
        for statement in pick.sample(sorted(EFFECTS), len(EFFECTS)):
            case = Case(rows, pick)
            more = subject_of(case) if statement in OF_SUBJECT else {}
            run(scattered, statement, case.params(**more))
            wanted = EFFECTS[statement](case)
            rows.effective = found[rows.o] = wanted
            there = effective(scattered)
            assert there == {o: of for o, of in found.items() if of}, (statement, seed)


# --- roles set aside ------------------------------------------------------------------------------


def wide(rows: Rows, m: int) -> set[int]:
    """The organization-wide roles that a membership holds."""
    return {a.role for a in rows.held(rows.holders(m, NOW), [0], NOW) if a.role is not None}


def remembered(rows: Rows, touched: Iterable[int]) -> dict[int, int]:
    """The winning role of each who has another that counts."""
    if not rows.is_single:
        return {}
    counting = {m: {r for r in wide(rows, m) if (m, r) not in rows.resets} for m in touched}
    priority = {role: of[1] for role, of in rows.known.roles.items()}
    return {
        m: min(roles, key=lambda r: (-priority[r], r))
        for m, roles in counting.items()
        if len(roles) > 1
    }


def holders_of(case: Case, role: int) -> set[int]:
    """The memberships that may hold a role on the organization, expired or not."""
    direct = {a.holder for a in case.rows.given if (a.role, a.resource, a.ended) == (role, 0, None)}
    groups = {g for h in direct if h < 0 for g in case.below(h)}
    return {h for h in direct if h > 0} | case.members(groups)


def before(scattered: Scattered) -> dict[tuple[int, int], int]:
    return {
        (o, m): role
        for o, m, role in scattered.ask(
            "SELECT organization, membership, role FROM rescind.role_before"
        )
    }


def aside(scattered: Scattered) -> set[tuple[int, int, int]]:
    return {*scattered.ask("SELECT organization, membership, role FROM rescind.role_reset")}  # type: ignore[arg-type]


def test_winning_roles_are_remembered(scattered: Scattered) -> None:
    """Of those who are touched and have another role that counts, once."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        kept = before(scattered)
        for rows in scattered.make(seed, TIMES):
            case = Case(rows, pick)
            role, owner = pick.choice(
                [(s, 0 if s in ("everywhere", "nothing") else rows.o) for s in ROLES]
            )
            touched: dict[str, tuple[set[int], dict[str, Any]]] = {
                "remember_roles_of_members": (case.touched(others=False), {}),
                "remember_roles_of_others": (case.touched(others=True), {}),
                "remember_roles_below": (case.members(case.below(case.group)), {}),
                "remember_roles_of_holders": (
                    holders_of(case, case.names_of_roles()[role]),
                    {"role": role, "owner": owner},
                ),
            }
            for statement in pick.sample(sorted(touched), 3):
                who, more = touched[statement]
                run(scattered, statement, case.params(**more))
                for m, won in remembered(rows, who).items():
                    kept.setdefault((rows.o, m), won)
                assert before(scattered) == kept, (statement, seed)
            run(scattered, "remember_roles_below", case.params(**subject_of(case)))
            for m, won in remembered(rows, [case.subject]).items():
                kept.setdefault((rows.o, m), won)
            assert before(scattered) == kept, seed


def test_roles_are_set_aside_and_given_back(scattered: Scattered) -> None:
    """Of who has lost the role that won, all that is held; what is named counts again."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        made = scattered.make(seed, TIMES)
        kept = aside(scattered)
        for rows in made:
            case, o = Case(rows, pick), rows.o
            roles = rows.known.roles_of(o)
            lost = {m: pick.choice(roles) for m in MEMBERS if pick.random() < 0.6}
            scattered.write(
                f"INSERT INTO rescind.role_before (organization, membership, role) VALUES ({o}, {m}, {role})"
                for m, role in lost.items()
            )
            run(scattered, "set_aside", case.params())
            for m, role in lost.items():
                if role not in wide(rows, m):
                    kept |= {(o, m, held) for held in wide(rows, m)}
            assert aside(scattered) == kept, seed
            run(scattered, "forget_roles_before", case.params())
            assert before(scattered) == {}
            for statement, (who, named, more) in pick.sample([*given_back(case).items()], 4):
                run(scattered, statement.strip(), case.params(**more))
                kept -= {(o, m, role) for m in who for role in named}
                assert aside(scattered) == kept, (statement, seed)


def given_back(case: Case) -> dict[str, tuple[set[int], set[int | None], dict[str, Any]]]:
    """Whose and which roles count again after each statement."""
    rows = case.rows

    def there(m: int, groups: Iterable[int]) -> bool:
        return any(is_later(rows.places.get((m, g), -NEVER), NOW) for g in groups)

    def named(holder: int) -> set[int | None]:
        names = case.names_of_roles()
        wanted = {names[role] for role, r in case.given if r == 0}
        return {a.role for a in rows.held([holder], [0], NOW) if a.role in wanted}

    def by(groups: Iterable[int]) -> set[int | None]:
        return {a.role for a in rows.held({*groups}, [0], NOW)}

    below = case.below(case.group)
    return {
        "give_back_to_holder": ({m for m in MEMBERS if there(m, below)}, named(case.group), {}),
        "give_back_to_members": (
            {m for m in case.listed if there(m, [case.group])},
            by(case.up(case.group)),
            {},
        ),
        "give_back_by_nesting": (
            {m for m in MEMBERS if there(m, case.below(case.child))},
            by(case.around()),
            {},
        ),
        "give_back_to_holder ": ({case.subject}, named(case.subject), subject_of(case)),
    }


@pytest.mark.parametrize(
    ("mode", "on_loss"), [("other", "default"), ("same", "next-highest"), ("same", "default")]
)
def test_what_was_set_aside_is_forgotten(scattered: Scattered, mode: str, on_loss: str) -> None:
    """Where the mode or what a loss leaves becomes another; and with its role."""
    for rows in scattered.make(7, TIMES):
        kept, o = aside(scattered), rows.o
        modes = ("single", "multiple") if rows.is_single else ("multiple", "single")
        params = {"o": o, "mode": modes[mode == "other"], "on_loss": on_loss}
        role = rows.known.roles_of(o)[0]
        columns = "(organization, membership, role)"
        scattered.write([f"INSERT INTO rescind.role_before {columns} VALUES ({o}, 1, {role})"])
        for name in ("first", "everywhere"):
            run(scattered, "delete_role_resets_of_role", {"o": o, "role": name})
            number = rows.known.names_of_roles(o)[name]
            if name == "first":
                kept = {one for one in kept if one[0] != o or one[2] != number}
            assert aside(scattered) == kept
        run(scattered, "forget_role_resets", params)
        run(scattered, "forget_roles_before_mode", params)
        is_new = (mode, on_loss) != ("same", "default")
        kept = {one for one in kept if not (is_new and one[0] == o)}
        assert aside(scattered) == kept
        assert ((o, 1) in before(scattered)) != is_new
    number = rows.known.names_of_roles(rows.o)["everywhere"]
    run(scattered, "delete_role_resets_of_role", {"o": 0, "role": "everywhere"})
    assert aside(scattered) == {one for one in kept if one[2] != number}
