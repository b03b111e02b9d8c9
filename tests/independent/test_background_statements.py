"""Statements of background work on rows scattered at random: what they choose, measure and make right."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from rescind.errors import PendingMoved
from rescind.store import Transaction
from tests.independent.scattered import (
    GROUPS,
    LAST,
    MEMBERS,
    TIMES,
    Given,
    Pending,
    Rows,
    Scattered,
    is_later,
    pending_rows,
    seeds,
)

FIRST = -(2**31)
MANY = 100
Effective = dict[tuple[int, int], int | None]


def as_row(rows: Rows, one: Pending) -> tuple[Any, ...]:
    """As a worker reads it."""
    return (
        *(rows.o, one.group, one.kind, one.ref, one.since, one.revision),
        *(one.cursor_membership, one.cursor_assignment, one.urgency, None),
        *(one.attempts, one.recorded_at),
    )


def in_order(work: Iterable[Pending]) -> list[Pending]:
    """That of the key within a group."""
    return sorted(work, key=lambda one: (one.group, one.kind, one.ref))


def require(found: list[Any], wanted: Iterable[Any], what: object) -> None:
    assert Counter(map(tuple, found)) == Counter(wanted), what


def turns(numbers: Iterable[int], after: int, first: int, limit: int) -> set[int]:
    """The first so many after one, and the first so many of all."""
    ordered = sorted({*numbers})
    return {
        *[n for n in ordered if n > after][:limit],
        *[n for n in ordered if n > first][:limit],
    }


def test_which_work_is_chosen(scattered: Scattered) -> None:
    """Due, of each urgency, in turn; the oldest of each group. What is parked or waits is left."""
    store: Any = scattered.authority.store
    everything: list[Rows] = []
    for seed in seeds(scattered):
        pick = random.Random(seed)
        made = scattered.make(seed, TIMES, has_work=True)
        everything += made
        for _ in range(4):
            after = pick.choice([-1, *(rows.o for rows in everything[-6:])])
            below, limit = pick.choice((0, 1, 2, 3)), pick.choice((1, 2, MANY))
            params = {"after": after, "below": below, "limit": limit}
            due = {
                u: [
                    rows.o
                    for rows in everything
                    for p in rows.pending
                    if p.is_due and p.urgency == u
                ]
                for u in range(below)
            }
            wanted = [
                (u, o) for u, numbers in due.items() for o in turns(numbers, after, -1, limit)
            ]
            require(store.fetch("list_due_organizations", params), wanted, params)
        for rows in made:
            after, limit = pick.choice((FIRST, *GROUPS)), pick.choice((1, 2, MANY))
            params = {"o": rows.o, "after": after, "limit": limit}
            chosen = []
            for urgency in range(3):
                of = [p for p in rows.pending if p.is_due and p.urgency == urgency]
                for g in turns((p.group for p in of), after, FIRST, limit):
                    oldest = min(
                        (p for p in of if p.group == g),
                        key=lambda p: (p.recorded_at, p.revision, p.kind, p.ref),
                    )
                    chosen.append(as_row(rows, oldest))
            require(store.fetch("list_due", params), chosen, params)


def test_which_work_a_group_has(scattered: Scattered) -> None:
    """All of it, the first, one item, and the memberships that a chunk may do together."""
    store: Any = scattered.authority.store
    for seed in seeds(scattered):
        pick = random.Random(seed)
        for rows in scattered.make(seed, TIMES, has_work=True):
            groups = {p.group for p in rows.pending if not p.parked}
            require(store.fetch("list_pending_groups", {"o": rows.o}), [(g,) for g in groups], seed)
            for g in GROUPS:
                of, params = (
                    in_order(p for p in rows.pending if p.group == g),
                    {"o": rows.o, "g": g},
                )
                last = max((p.revision for p in of), default=None)
                require(store.fetch("read_last_pending", params), [(last,)], params)
                up_to = {**params, "up_to": pick.randrange(1, 4)}
                first = [as_row(rows, p) for p in of if p.since <= up_to["up_to"]][:1]
                require(store.fetch("list_first_pending_of_group", up_to), first, up_to)
                for one in of:
                    key = {**params, "kind": one.kind, "ref": one.ref}
                    require(store.fetch("find_pending", key), [as_row(rows, one)], key)
                other = {**params, "kind": "member", "ref": 77}
                require(store.fetch("find_pending", other), [], other)
                lead = pick.choice(MEMBERS)
                span = {"first": pick.choice(MEMBERS), "limit": pick.choice((1, 2, MANY))}
                span["end"] = pick.choice([LAST, *MEMBERS])
                span |= {"urgency": pick.randrange(3), "ref": lead, **params}
                ready = [
                    (p.ref, p.since, p.revision, p.recorded_at, is_ready(p, span))
                    for p in of
                    if p.kind == "member" and span["first"] <= p.ref < span["end"]
                ]
                found = store.fetch("list_pending_members", span)
                assert [tuple(row) for row in found] == ready[: span["limit"]], span


def is_ready(one: Pending, span: dict[str, int]) -> bool:
    """Whether it may be done with others."""
    may_join = one.attempts == 0 and one.is_due
    is_whole = one.urgency == span["urgency"] and not one.is_begun
    return is_whole and (one.ref == span["ref"] or may_join)


# --- how much, and how far ------------------------------------------------------------------------


def ever(rows: Rows, start: int, *, up: bool) -> set[int]:
    """Groups above or below one, along what was ended too."""
    found, fringe = {start}, [start]
    while fringe:
        one = fringe.pop()
        for child, parent in rows.nestings:
            near, far = (child, parent) if up else (parent, child)
            if near == one and far not in found:
                found.add(far)
                fringe.append(far)
    return found


def test_how_much_work_there_is(scattered: Scattered) -> None:
    """Assignments that hold and that ended, groups, members; and where a chunk of so many ends."""
    store: Any = scattered.authority.store
    for seed in seeds(scattered):
        pick = random.Random(seed)
        for rows in scattered.make(seed, TIMES, has_work=True):
            for g in GROUPS:
                _require_measures(store, rows, pick, g)


def _require_measures(store: Any, rows: Rows, pick: random.Random, g: int) -> None:
    since = pick.randrange(1, 4)
    params = {"o": rows.o, "g": g, "since": since, "revision": since + pick.choice((0, 1, 2))}
    params |= {
        "ref": pick.randrange(1, 5),
        "urgency": pick.randrange(3),
        "top": pick.choice(GROUPS),
        "is_measured": pick.choice((False, True)),
    }
    below, holders = ever(rows, g, up=False), ever(rows, params["top"], up=True)
    members = [(m, group) for m, group in rows.places if group in below]
    span = range(params["since"], params["revision"] + 1)
    made = sorted(a.id for a in rows.given if a.holder == g and a.ended is None and a.made in span)
    ended = [a.id for a in rows.given if a.holder == g and a.ended in span]
    count = 0 if params["is_measured"] else len(members)
    counts = (len(made), len(ended), len(below), count, len(unbegun(rows, params)))
    ends = (made[0], made[-1]) if made else (None, None)
    require(store.fetch("measure_assignment", params), [(*counts, *ends)], params)
    live = [a.id for a in rows.given if a.holder in holders and a.ended is None]
    gone = [a.id for a in rows.given if a.holder in holders and a.ended is not None]
    whole = (len(live), len(gone), len(below), count, 0, None, None)
    require(store.fetch("measure_whole", params), [whole], params)
    member = (len(live), len(gone), 1, 1, 0, None, None)
    require(store.fetch("measure_member", params), [member], params)
    step = {
        "step": pick.randrange(3),
        "from_m": pick.choice(MEMBERS),
        "after_a": pick.randrange(-9, 9),
    }
    after = [
        sorted(m for m, group in members if group == b and m >= step["from_m"])[step["step"] :]
        for b in below
    ]
    bound = min((of[0] for of in after if of), default=None)
    require(store.fetch("find_membership_bound", {**params, **step}), [(bound,)], step)
    for query, ids in (("assignment", [*made, *ended]), ("whole", [*live, *gone])):
        later = sorted(a for a in ids if a > step["after_a"])[step["step"] :][:1]
        found = store.fetch(f"find_assignment_bound_{query}", {**params, **step})
        require(found, [(a,) for a in later], (query, step))


def unbegun(rows: Rows, params: dict[str, int]) -> list[Pending]:
    """The work on a group's assignments that one item of it may take over."""
    of = [p for p in rows.pending if p.group == params["g"] and p.kind == "assignment"]
    if not any(p.ref == params["ref"] and not p.parked for p in of):
        return []
    return [p for p in of if not p.is_begun and not p.parked and p.urgency == params["urgency"]]


# --- making rows right ----------------------------------------------------------------------------

Do = Callable[[Transaction], None]


def effective(scattered: Scattered) -> dict[int, Effective]:
    """All effective roles that there are, by organization."""
    found: dict[int, Effective] = {}
    for o, m, a, until in scattered.ask(
        "SELECT organization, membership, assignment, expires_at FROM rescind.effective_role"
    ):
        found.setdefault(o, {})[m, a] = until
    return found


def reached(rows: Rows, m: int) -> Effective:
    """The groups that reach a membership, expired or not, and until when."""
    times: dict[int, list[int | None]] = {}
    for (who, g), until in rows.places.items():
        for above in rows.closure({g}, up=True) if who == m else ():
            times.setdefault(above, []).append(until)
    return {
        (m, g): None if None in until else max(t for t in until if t is not None)
        for g, until in times.items()
    }


def right(
    rows: Rows, concerned: Iterable[int], of: Iterable[Given], chunk: dict[str, int]
) -> Effective:
    """The rows of an organization after a chunk: those of these memberships and assignments, in its range,
    are what holds now; others stay.
    """
    found = dict(rows.effective)
    begin, end = (chunk["from_m"], chunk["after_a"]), (chunk["to_m"], chunk["up_to_a"])
    for m in concerned:
        ways = reached(rows, m)
        for a in of:
            if begin < (m, a.id) <= end:
                found.pop((m, a.id), None)
                if a.ended is None and (m, a.holder) in ways:
                    found[m, a.id] = ways[m, a.holder]
    return found


def concerned_below(rows: Rows, g: int, chunk: dict[str, int]) -> set[int]:
    """Members of a group and those below it, and whose place there is pending."""
    below = ever(rows, g, up=False)
    known = {m for m, group in rows.places if group in below}
    known |= {p.ref for p in rows.pending if p.kind == "member" and p.group in below}
    return {m for m in known if chunk["from_m"] <= m <= chunk["to_m"]}


def any_chunk(pick: random.Random) -> dict[str, int]:
    from_m = pick.choice((1, 1, 2, 3))
    to_m = pick.choice([LAST, *range(from_m, 5)])
    after_a = pick.choice((FIRST, FIRST, -4, 2))
    up_to_a = pick.choice((LAST, LAST, -3, 6))
    if from_m == to_m and after_a > up_to_a:
        up_to_a = LAST
    return {"from_m": from_m, "after_a": after_a, "to_m": to_m, "up_to_a": up_to_a}


def run(scattered: Scattered, statements: Iterable[str], params: dict[str, Any]) -> None:
    def body(tx: Transaction) -> None:
        for statement in statements:
            tx.run(statement, **params)

    scattered.authority.store.transact(body)


def test_a_chunk_makes_its_rows_right_and_no_others(scattered: Scattered) -> None:
    """Of all that flows to some memberships, of one of them, or of a group's changed assignments; whatever
    rows there were.
    """
    for seed in seeds(scattered):
        pick = random.Random(seed)
        made = scattered.make(seed, TIMES, has_work=True)
        before = effective(scattered)
        for rows in made:
            g, chunk = pick.choice(GROUPS), any_chunk(pick)
            since = pick.randrange(1, 4)
            is_of_one = chunk["from_m"] == chunk["to_m"]
            params: dict[str, Any] = {**chunk, "o": rows.o, "g": g, "since": since}
            params |= {"revision": since + pick.choice((0, 1, 2)), "top": pick.choice(GROUPS)}
            params |= {"ref": pick.choice(MEMBERS), "first": FIRST, "last": LAST}
            params["above"] = chunk["after_a"] if is_of_one else FIRST
            params["up_to"] = chunk["up_to_a"] if is_of_one else LAST
            kind = pick.choice(("whole", "member", "members", "assignment"))
            if kind == "assignment":
                statements = ["make_assignment_again", "make_assignment", "unmake_assignment"]
                span = range(params["since"], params["revision"] + 1)
                of = [
                    a
                    for a in rows.given
                    if a.holder == g and (a.made if a.ended is None else a.ended) in span
                ]
                concerned = concerned_below(rows, g, chunk)
                alive = rows.closure({g}, up=False)
                concerned |= {
                    m
                    for m, group in rows.places
                    if group in alive and chunk["from_m"] <= m <= chunk["to_m"]
                }
            else:
                statements = [f"make_{kind}", f"unmake_{kind}"]
                holders = ever(rows, params["top"], up=True)
                of = [a for a in rows.given if a.holder in holders]
                some = pick.sample(MEMBERS, 2)
                params["members"] = f"[{some[0]}, {some[1]}]"
                if kind == "member":
                    chunk["from_m"] = pick.choice((1, params["ref"]))
                    chunk["to_m"] = pick.choice((params["ref"], LAST))
                elif kind == "members":
                    chunk = {"from_m": FIRST, "after_a": LAST, "to_m": LAST, "up_to_a": LAST}
                params |= chunk
                concerned = {
                    "whole": concerned_below(rows, g, chunk),
                    "member": {params["ref"]},
                    "members": {*some},
                }[kind]
            run(scattered, statements, params)
            before[rows.o] = right(rows, concerned, of, chunk)
            found = effective(scattered)
            assert {o: here for o, here in before.items() if here} == found, (kind, params)


def test_work_moves_on(scattered: Scattered) -> None:
    """The cursor of one item, while its revision is as it was read; its failures are forgotten."""
    for seed in [*seeds(scattered)][:6]:
        made = scattered.make(seed, TIMES, has_work=True)
        pick = random.Random(seed)
        for rows in made:
            for is_moved in (True, False):
                one = pick.choice(rows.pending)
                params = {**key_of(rows, one), "to_m": 3, "up_to_a": 5, "looked_at": 7, "total": 20}
                if is_moved:
                    params["revision"] = 99
                before = all_pending(scattered)
                run(scattered, ["advance_pending"], params)
                wanted = dict(before)
                if not is_moved:
                    place = (rows.o, one.group, one.kind, one.ref)
                    old = before[place]
                    moved = {"cursor_membership": 3, "cursor_assignment": 5, "attempts": 0}
                    wanted[place] = {**old, **moved, "done": old["done"] + 7, "total": 20}
                    index = rows.pending.index(one)
                    rows.pending[index] = one._replace(
                        cursor_membership=3, cursor_assignment=5, attempts=0
                    )
                assert all_pending(scattered) == wanted, params


def key_of(rows: Rows, one: Pending) -> dict[str, Any]:
    return {
        "o": rows.o,
        "g": one.group,
        "kind": one.kind,
        "ref": one.ref,
        "revision": one.revision,
        "since": one.since,
        "urgency": one.urgency,
        "cursor_m": one.cursor_membership,
        "cursor_a": one.cursor_assignment,
    }


COLUMNS = (
    *("since", "revision", "cursor_membership", "cursor_assignment", "done", "total", "attempts"),
    *("recorded_at", "fence", "urgency", "parked", "not_before"),
)


def all_pending(scattered: Scattered) -> dict[tuple[int, int, str, int], dict[str, Any]]:
    found = scattered.ask(
        f'SELECT organization, "group", kind, ref, {", ".join(COLUMNS)} FROM rescind.pending'
    )
    return {row[:4]: dict(zip(COLUMNS, row[4:], strict=True)) for row in found}


@pytest.mark.parametrize(
    "other", ["o", "g", "kind", "ref", "revision", "since", "cursor_m", "cursor_a"]
)
def test_work_that_is_not_as_it_was_read_is_refused(scattered: Scattered, other: str) -> None:
    """Whichever part of it is another; as it was read, it is not."""
    for rows in scattered.make(3, TIMES, has_work=True):
        one = rows.pending[0]
        rows.pending = [one]
        params = key_of(rows, one)
        changed: dict[str, Any] = {"o": 0, "kind": "whole" if one.kind != "whole" else "member"}
        wrong = {**params, other: changed[other] if other in changed else params[other] - 1_000}

        def refuse(tx: Transaction, names: dict[str, Any] = params) -> None:
            tx.refuse("refuse_pending_moved", **names)

        scattered.authority.store.transact(refuse)
        with pytest.raises(PendingMoved):
            scattered.authority.store.transact(lambda tx, wrong=wrong: refuse(tx, wrong))  # type: ignore[misc]


def test_work_is_gathered(scattered: Scattered) -> None:
    """An item takes over the group's others that are not begun, as urgent as it is, and not parked."""
    for seed in seeds(scattered):
        pick = random.Random(seed)
        for rows in scattered.make(seed, TIMES, has_work=True):
            of = [p for p in rows.pending if p.kind == "assignment"]
            if not of:
                continue
            one = pick.choice(of)
            if one.is_begun:  # then it gathers nothing
                continue
            before = all_pending(scattered)
            params = key_of(rows, one)
            run(scattered, ["gather_pending", "delete_gathered"], params)
            wanted = dict(before)
            place = (rows.o, one.group, one.kind, one.ref)
            joined = unbegun(rows, params)
            if joined:
                fences = [p.fence for p in joined if p.fence is not None]
                wanted[place] = {
                    **before[place],
                    "since": min(p.since for p in joined),
                    "revision": max(p.revision for p in joined),
                    "recorded_at": min(p.recorded_at for p in joined),
                    "fence": min(fences, default=None),
                }
                for p in joined:
                    if p != one:
                        del wanted[rows.o, p.group, p.kind, p.ref]
            assert all_pending(scattered) == wanted, params


def test_work_that_is_parked_gathers_nothing(scattered: Scattered) -> None:
    """Whatever other work the group has by the same number."""
    rows = scattered.make(1, TIMES)[1]
    parked = Pending(-1, "assignment", 1, None, since=1, revision=3, parked=True)
    other = Pending(-1, "assignment", 2, None, since=2, revision=2)
    work = [parked, other, Pending(-1, "member", 1, None), Pending(-2, "assignment", 1, None)]
    anew = f"DELETE FROM rescind.pending WHERE organization = {rows.o}"
    scattered.write([anew, pending_rows(rows.o, work)])
    before = all_pending(scattered)
    run(scattered, ["gather_pending", "delete_gathered"], key_of(rows, parked))
    assert all_pending(scattered) == before


def test_expiry_is_at_an_instant() -> None:
    """What ends at a time has ended then."""
    assert [is_later(until, 5) for until in (None, 4, 5, 6)] == [True, False, False, True]
