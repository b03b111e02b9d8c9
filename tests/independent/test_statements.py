"""Each statement that asks, on rows scattered at random: as its definition says, worked out row by row."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from tests.independent.scattered import (
    GRAVE,
    GROUPS,
    MEMBERS,
    NOW,
    OWN,
    RESOURCES,
    SHARED,
    SLUGS,
    SUBJECTS,
    TIMES,
    TODAY,
    Given,
    Rows,
    Scattered,
    seeds,
)

HOLDERS = (*MEMBERS, *GROUPS)
MANY = 100


class Ask:
    """Asks of one organization, membership, permission and resource, and says what is to be answered."""

    def __init__(self, scattered: Scattered, rows: Rows, pick: random.Random) -> None:
        self.store: Any = scattered.authority.store
        self.rows, self.pick, self.known = rows, pick, rows.known
        self.m, self.r = pick.choice(MEMBERS), pick.choice([*rows.parents])
        self.p = pick.choice([*self.known.permissions])
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.wanted: list[Callable[[list[Any]], None]] = []

    def some(self, of: Collection[Any], least: int = 1) -> list[Any]:
        return self.pick.sample([*of], self.pick.randint(least, len(of)))

    def put(self, query: str, wanted: Any, **params: Any) -> None:
        """Ask, and want exactly these rows, in any order."""

        def require(found: list[Any]) -> None:
            shown = [tuple(row) for row in found]
            assert Counter(shown) == Counter(wanted), (query, params)

        self._put(query, params, require)

    def put_in_order(self, query: str, wanted: list[Any], **params: Any) -> None:
        def require(found: list[Any]) -> None:
            assert [tuple(row) for row in found] == wanted, (query, params)

        self._put(query, params, require)

    def put_limited(self, query: str, wanted: Collection[Any], **params: Any) -> None:
        """Want these rows, or as many of them as are asked for."""
        most = self.pick.choice((1, 2, MANY))

        def require(found: list[Any]) -> None:
            shown = Counter(tuple(row) for row in found)
            assert shown <= Counter(wanted), (query, params)
            assert shown.total() == min(most, len(wanted)), (query, params)

        self._put(query, {**params, "most": most}, require)

    def _put(self, query: str, params: dict[str, Any], require: Callable[[Any], None]) -> None:
        rows = self.rows
        given = {"o": rows.o, "m": self.m, "p": self.p, "r": self.r, "now": NOW}
        listed = {name: json.dumps(v) if isinstance(v, list) else v for name, v in params.items()}
        self.asked.append((query, {**given, **listed}))
        self.wanted.append(require)

    def ask(self) -> None:
        """All at once."""
        answers = self.store.fetch_many(self.asked)
        for require, found in zip(self.wanted, answers, strict=True):
            require(found)

    # --- lists -------------------------------------------------------------------------------------

    def roles_and_places(self) -> None:
        rows, known = self.rows, self.known
        having = sorted(role for role in known.roles if known.gives(role, self.p))
        most = self.pick.choice((1, 3, MANY))
        owners = [(role, known.roles[role][0]) for role in having[:most]]
        self.put("list_roles_with", owners, most=most)
        self.put("list_line", [(r,) for r in rows.line(self.r)])
        places, roles = self.some(rows.parents), self.some(known.roles_of(rows.o))
        held = [a for a in rows.held(GROUPS, places, NOW) if a.role in roles]
        below = rows.closure({a.holder for a in held}, up=False)
        self.put_limited("list_groups_by_role", [(g,) for g in below], places=places, roles=roles)
        held = [a for a in rows.held(GROUPS, places, NOW) if known.gives(a.role, self.p)]
        below = rows.closure({a.holder for a in held}, up=False)
        self.put_limited("list_groups_by_place", [(g,) for g in below], places=places)
        holders = self.some(HOLDERS)
        self.put(
            "list_roles_on",
            {(a.role,) for a in rows.held(holders, places, NOW)},
            places=places,
            holders=holders,
        )
        wide = [a.role for a in rows.held(holders, [0], NOW)]
        self.put("list_role_won", [(rows.won(self.m, wide),)], holders=holders)
        is_any = any(known.gives(role, self.p) for role in roles)
        self.put("list_any_with", [(1,)] if is_any else [], roles=roles)
        ids = self.some(known.permissions)
        named = [
            (p, known.permissions[p][1]) for p in ids if known.permissions[p][0] in (0, rows.o)
        ]
        self.put("list_permissions", named, ids=ids)

    def subjects_and_resources(self) -> None:
        rows = self.rows
        ids = self.some(MEMBERS)
        self.put("list_subjects", [(m, SUBJECTS[m]) for m in ids if rows.active[m]], ids=[*ids, 9])
        allowed = [(m,) for m in ids if rows.gives(m, self.p, self.r, NOW)]
        self.put("list_subjects_allowed", allowed, ids=[*ids, 9])
        most = self.pick.choice((1, MANY))
        users = [(m, rows.active[m]) for m in (1, 2)][:most]
        span = {"kind": "user:", "kind_end": "user;", "most": most}
        self.put_in_order("list_subjects_of_kind", users, **span)
        docs = sorted((SLUGS[r], r) for r in rows.parents if SLUGS[r].startswith("doc:"))
        span = {"kind": "doc:", "kind_end": "doc;", "most": most}
        self.put_in_order("list_resources_of_kind", [(r,) for _, r in docs][:most], **span)
        self.put("list_holders", [(h,) for h in rows.holders(self.m, NOW)])
        holders, places = self.some(HOLDERS), self.some(rows.parents)
        held = [
            (a.resource, self.gives(a))
            for a in rows.given
            if a.holder in holders and a.ended is None and a.resource
        ]
        self.put_limited("list_places", held, holders=holders)
        below = {r for r in rows.parents if {*rows.line(r)} & {*places}}
        self.put_limited("list_below", [(r,) for r in below], places=places)
        self.put_limited("list_parents", [(p,) for p in {*rows.parents.values()} if p])
        lines = {r for place in places if place for r in rows.line(place) if r}
        self.put(
            "list_lines",
            [
                (
                    r,
                    rows.parents[r] or 0,
                    any(
                        self.gives(a) for a in rows.given if a.resource == r and a.holder in holders
                    ),
                )
                for r in lines
            ],
            ids=[place for place in places if place],
            holders=holders,
        )
        self.put("list_resources", [(r, SLUGS[r]) for r in places], ids=[*places, 99])

    def gives(self, a: Given) -> bool:
        return a.is_unexpired(NOW) and self.known.gives(a.role, self.p)

    def streams(self) -> None:
        rows = self.rows
        there = [a for a in rows.given if a.ended is None]

        def put(
            query: str, of: Callable[[int, int], dict[int, bool]], keys: Collection[Any]
        ) -> None:
            streams, wanted = [], []
            for number in range(3):
                key, after = self.pick.choice([*keys]), self.pick.choice((-1, 0, 1, 2))
                key = key if isinstance(key, tuple) else (key,)
                most = self.pick.choice((1, 2, MANY))
                listed = sorted((n, force) for n, force in of(*key).items() if n > after)
                streams.append([*key, after, most])
                wanted += [(number, n, force) for n, force in listed[:most]]
            self.put(query, wanted, streams=streams)

        put(
            "stream_members",
            lambda g: {  # type: ignore[misc]
                m: until is None or until > NOW
                for (m, group), until in rows.places.items()
                if group == g
            },
            GROUPS,
        )
        put(
            "stream_holders",
            lambda role, r: {
                a.holder: a.is_unexpired(NOW) for a in there if (a.role, a.resource) == (role, r)
            },
            [(role, r) for role in self.known.roles_of(rows.o) for r in rows.parents],
        )
        put(
            "stream_holders_of_any",
            lambda r: {  # type: ignore[misc]
                one.holder: any(
                    self.gives(a) for a in there if (a.holder, a.resource) == (one.holder, r)
                )
                for one in rows.given
                if one.resource == r
            },
            rows.parents,
        )
        put(
            "stream_places",
            lambda h: {  # type: ignore[misc]
                one.resource: any(
                    self.gives(a) for a in there if (a.holder, a.resource) == (h, one.resource)
                )
                for one in there
                if one.holder == h and one.resource is not None
            },
            HOLDERS,
        )
        put(
            "stream_children",
            lambda r: {n: True for n, parent in rows.parents.items() if parent == r},  # type: ignore[misc]
            rows.parents,
        )
        put(
            "stream_contents",
            lambda role: {p: True for has, p in self.known.contents if has == role},  # type: ignore[misc]
            self.known.roles,
        )
        after, most = self.pick.choice((-1, 0, 1, 2)), self.pick.choice((1, 2, MANY))
        for query, numbers in (("stream_memberships", MEMBERS), ("stream_resources", rows.parents)):
            listed = [(0, n, True) for n in sorted(numbers) if n > after][:most]
            self.put_in_order(query, listed, after=after, most=most)

    # --- checks ------------------------------------------------------------------------------------

    def checks(self) -> None:
        rows, known = self.rows, self.known
        slug = self.pick.choice((SHARED, OWN, GRAVE, GRAVE, "unknown"))
        p = known.named(rows.o, slug)
        m = self.pick.choice([*[*MEMBERS] * 3, None])
        r = self.pick.choice([*[*rows.parents] * 2, None])
        names = {
            "organization": rows.name,
            "subject": "user:nobody" if m is None else SUBJECTS[m],
            "permission": slug,
            "resource": "doc:none" if r is None else SLUGS[r],
        }
        is_there = m is not None and rows.active[m] and r is not None
        default = known.gives(rows.default, p)
        numbers = (m, p, r)
        mode = "single" if rows.is_single else "multiple"
        for query in ("read_asked", "list_names"):
            active = None if m is None else rows.active[m]
            shown = (m, active, p, r, rows.is_single, default) if query == "read_asked" else numbers
            self._put(query, names, self._after_revisions(rows.o, shown))
        for query in ("check", "check_effective", "check_live"):
            for live in (False, True) if query == "check" else (False,):
                verdict: int | None = None
                if is_there:
                    assert m is not None
                    assert r is not None
                    of = (m, -1 if p is None else p, r)
                    if p is None:
                        verdict = self._of_unknown(query, m, live=live)
                    elif query == "check":
                        verdict = rows.verdict(*of, live=live, now=NOW)
                    elif query == "check_live":
                        verdict = rows.verdict(*of, live=True, now=NOW)
                    else:
                        verdict = rows.leanest(*of, NOW)
                critical = None if p is None else known.permissions[p][2]
                active = None if m is None else rows.active[m]
                suffix = "" if query == "check" else f"_{mode}"
                shown = (m, active, critical, r, verdict, mode)
                self._put(
                    f"{query}{suffix}",
                    {**names, "live": live},
                    self._after_revisions(rows.o, shown),
                )

    def _of_unknown(self, query: str, _: int, *, live: bool) -> int:
        if query == "check_live" or live:
            return 3
        if not self.rows.pending:
            return 0
        return 4 if query == "check_effective" else 3

    @staticmethod
    def _after_revisions(o: int, wanted: tuple[Any, ...]) -> Callable[[list[Any]], None]:
        def require(found: list[Any]) -> None:
            (row,) = found
            assert (row[0], *row[3:]) == (o, *wanted)

        return require


def test_lists_ask_what_they_say(scattered: Scattered) -> None:
    """Roles, places, streams, subjects, resources and permissions, each with its limits."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        for rows in scattered.make(seed, TIMES):
            for _ in range(3):
                ask = Ask(scattered, rows, pick)
                ask.roles_and_places()
                ask.subjects_and_resources()
                ask.streams()
                ask.ask()


def test_checks_ask_what_they_say(scattered: Scattered) -> None:
    """By effective roles, or live, in both role modes; of what is there and what is not."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        for rows in scattered.make(seed, TIMES):
            ask = Ask(scattered, rows, pick)
            for _ in range(12):
                ask.checks()
            ask.ask()


def test_the_view_shows_what_is_allowed(scattered: Scattered) -> None:
    """All of it, and nothing else, in every organization."""
    for seed in seeds(scattered):
        for rows in scattered.make(seed, TODAY):
            found = scattered.ask(
                "SELECT subject, permission, resource FROM rescind.effective_permission "
                f"WHERE organization = '{rows.name}'"
            )
            wanted = Counter(
                (SUBJECTS[m], rows.known.permissions[p][1], SLUGS[r])
                for m in MEMBERS
                for p, (o, *_) in rows.known.permissions.items()
                for r in rows.parents
                if o in (0, rows.o) and rows.active[m]
                if rows.verdict(m, p, r, live=False, now=NOW + 1) in (1, 2)
            )
            assert Counter(found) == wanted, (seed, rows.name)


def test_what_is_scattered_is_of_every_kind() -> None:
    """Names that a range must not have are beside those that it must."""
    assert sorted(SLUGS) == [*RESOURCES]
    assert "user;" > "user:~"
