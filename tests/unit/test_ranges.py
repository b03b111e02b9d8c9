"""Where chunks of background work end: together they are everything, once, and each is of about a size."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.errors import GroupNotFound, StoreBusy, StoreConflict, StoreReadOnly, StoreUnavailable
from rescind.model import AssignmentNumber, GroupNumber, OrganizationNumber
from rescind.propagation import ranges, reconcile, work
from rescind.propagation.jobs import LAST, Extent, Job, Progress
from rescind.propagation.members import MembershipRange, read_window
from rescind.propagation.ranges import Ranges
from rescind.store.rows.reconcile import (
    FIND_MEMBERSHIP_BOUND,
    AssignmentBoundRow,
    MembershipBoundRow,
    PendingMemberRow,
    SettledRow,
)

Key = tuple[int, int]
BEGIN: Key = (0, LAST)
END: Key = (LAST, LAST)


def job(kind: str = "assignment", ref: int = -5, **changed: Any) -> Job:
    """Not begun."""
    made = Job(OrganizationNumber(1), GroupNumber(-5), kind, ref, 3, 4, 0, LAST, 1, None, 0, 0)  # type: ignore[arg-type]
    return replace(made, **changed)


class Facts:
    """The groups that a job is about, as sets of memberships, and the assignments that it is about."""

    engine = "sqlite"

    def __init__(self, groups: list[set[int]], assignments: set[int]) -> None:
        self.groups, self.assignments, self.asked = groups, assignments, 0

    def fetch(self, query: Any, params: dict[str, Any]) -> list[Any]:
        self.asked += 1
        step = params["step"]
        if query is FIND_MEMBERSHIP_BOUND:
            after = [sorted(m for m in of if m >= params["from_m"])[step:] for of in self.groups]
            return [MembershipBoundRow(min((of[0] for of in after if of), default=None))]  # type: ignore[type-var,arg-type]
        found = sorted(a for a in self.assignments if a > params["after_a"])[step : step + 1]
        return [AssignmentBoundRow(AssignmentNumber(a)) for a in found]

    def extent(self) -> Extent:
        number = len(self.assignments)
        members = sum(map(len, self.groups))
        return Extent(number // 2, number - number // 2, len(self.groups), members)


groups = st.lists(st.sets(st.integers(1, 30), max_size=12), min_size=1, max_size=3)
assignments = st.sets(st.integers(-20, 20).filter(bool), max_size=12)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=4)


def covered(chunk: dict[str, int], key: Key) -> bool:
    """Whether a pair is in a chunk: keys are in order."""
    return (chunk["from_m"], chunk["after_a"]) < key <= (chunk["to_m"], chunk["up_to_a"])


@given(groups, assignments, sizes, st.sampled_from(["assignment", "whole", "member"]), st.data())
def test_chunks_are_everything_once(
    groups: list[set[int]],
    assignments: set[int],
    sizes: list[int],
    kind: str,
    data: st.DataObject,
) -> None:
    """Each begins where the one before ended; none is much larger than asked for, nor needlessly small. Who
    leaves meanwhile makes no difference to the others.
    """
    if kind == "member":
        groups = [{7}]
    facts = Facts(groups, assignments)
    current, extent = job(kind, 7 if kind == "member" else -5), facts.extent()
    found = Ranges(facts)  # type: ignore[arg-type]
    todo = {(m, a) for of in groups for m in of for a in assignments}
    place, turn = BEGIN, 0
    while place != END:
        pairs = sizes[turn % len(sizes)]
        chunk = found.after(current, extent, pairs)
        here = {key for key in todo if covered(chunk, key)}
        assert not any(key <= place for key in here)
        assert all(covered(chunk, key) for key in todo if place < key <= _end(chunk))
        _require_size(facts, chunk, here, pairs, kind)
        todo -= here
        place = _end(chunk)
        current = replace(current, cursor_membership=place[0], cursor_assignment=place[1])
        if kind != "member" and todo and data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted({m for m, _ in todo})))
            todo = {key for key in todo if key[0] != gone}
            for of in groups:
                of.discard(gone)
        turn += 1
        assert turn < 500
    assert not todo


def _end(chunk: dict[str, int]) -> Key:
    return chunk["to_m"], chunk["up_to_a"]


def _require_size(
    facts: Facts, chunk: dict[str, int], here: set[Key], pairs: int, kind: str
) -> None:
    each, extent = len(facts.assignments), facts.extent()
    if each > pairs:
        assert len(here) <= pairs
        is_whole = chunk["up_to_a"] == LAST
        assert is_whole or len(here) == pairs or kind == "member"
        is_end = _end(chunk) == END
        assert is_end or chunk["looked_at"] == pairs
        return
    if kind == "member":
        assert _end(chunk) == END
        return
    a_group = max(pairs // max(each, 1) // len(facts.groups), 1)
    before = [len([m for m in of if chunk["from_m"] <= m < chunk["to_m"]]) for of in facts.groups]
    assert max(before) <= a_group
    if _end(chunk) != END:
        assert max(before) == a_group
        assert chunk["looked_at"] == a_group * len(facts.groups) * each
    assert chunk["up_to_a"] == LAST
    assert extent.assignments == each


@pytest.mark.parametrize("kind", ["assignment", "whole"])
def test_bounds_within_a_membership_are_looked_up_once(kind: str) -> None:
    """The next membership has the same, until the job changes. The last chunk looks at all there is."""
    facts = Facts([set(range(1, 6))], set(range(1, 11)))
    found, current = Ranges(facts), job(kind)  # type: ignore[arg-type]
    asked, looked_at = [], []
    while (current.cursor_membership, current.cursor_assignment) != END:
        before = facts.asked
        chunk = found.after(current, facts.extent(), 4)
        asked.append(facts.asked - before)
        looked_at.append(chunk["looked_at"])
        m, a = _end(chunk)
        current = replace(current, cursor_membership=m, cursor_assignment=a)
    assert asked == [2, 2, 2] + 4 * [1, 1, 1] + [1]
    assert looked_at == 5 * [4, 4, 4] + [facts.extent().pairs]
    facts.assignments -= {1, 2, 3}
    assert found.after(job(kind), facts.extent(), 4)["up_to_a"] == 4
    found.forget()
    assert found.after(job(kind), facts.extent(), 4)["up_to_a"] == 7


def test_bounds_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many are forgotten together, and looked up again."""
    monkeypatch.setattr(ranges, "MOST_BOUNDS", 2)
    facts = Facts([{1}], set(range(1, 21)))
    found = Ranges(facts)  # type: ignore[arg-type]
    asked = []
    for after in (1, 2, 1, 3, 1, 2, 2):
        before = facts.asked
        chunk = found.after(job(cursor_membership=1, cursor_assignment=after), facts.extent(), 3)
        assert _end(chunk) == (1, after + 3)
        asked.append(facts.asked - before)
    assert asked == [2, 2, 1, 2, 2, 2, 1]


# --- many memberships -----------------------------------------------------------------------------

spans = st.sampled_from([(1, 2), (1, 3), (2, 3)])
pending = st.dictionaries(st.integers(1, 40), st.tuples(spans, st.booleans()), max_size=15)


class Members:
    """Pending memberships of a group."""

    def __init__(self, rows: Iterable[PendingMemberRow]) -> None:
        self.rows = list(rows)

    def fetch(self, _: Any, params: dict[str, Any]) -> list[PendingMemberRow]:
        assert params["g"] == -5
        first, end = params["first"], params["end"]
        return [row for row in self.rows if first <= row.ref < end][: params["limit"]]


@given(pending, st.integers(1, 40), st.integers(1, 5))
def test_windows_are_all_pending_memberships(
    rows: dict[int, tuple[tuple[int, int], bool]], own: int, limit: int
) -> None:
    """Each once, from the job's own to the end, then from the beginning to its own.

    A change may settle where its next membership is not the one after.
    """
    listed = [
        PendingMemberRow(ref, *span, 9, ready)  # type: ignore[arg-type]
        for ref, (span, ready) in sorted(rows.items())
    ]
    late = [row for row in listed if row.ref >= own]
    early = [row for row in listed if row.ref < own]
    expected = [late[at : at + limit] for at in range(0, len(late), limit)] or [[]]
    expected += [early[at : at + limit] for at in range(0, len(early), limit)]
    of_group = job("member", own)
    unread: MembershipRange | None = MembershipRange.of(of_group)
    for place, some in enumerate(expected):
        assert unread is not None
        window = read_window(Members(listed), of_group, unread, limit=limit)  # type: ignore[arg-type]
        assert window.ready == tuple(row for row in some if row.is_ready)
        unread = window.rest
        following = expected[place + 1][0] if place + 1 < len(expected) else None
        if window.ready:
            is_of_one = following is not None and all(
                (row.since, row.revision) == (following.since, following.revision)
                for row in window.ready
            )
            assert window.may_settle != is_of_one
    assert unread is None


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(3, 4), st.integers(1, 2), st.integers())))
def test_spans_are_since_the_earliest(settled: list[tuple[int, int, int, int]]) -> None:
    """Of each range of revisions, once, and when the first of its rows became pending."""
    found = json.loads(work.spans_of(settled))
    wanted = {
        (since, revision): min(at for _, r, s, at in settled if (s, r) == (since, revision))
        for _, revision, since, _ in settled
    }
    assert {(since, revision): at for since, revision, at in found} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize(
    ("error", "is_of_store"),
    [
        (StoreUnavailable(database="x"), True),
        (StoreReadOnly(why="a standby"), True),
        (StoreBusy(why="locked"), True),
        (StoreConflict(why="a bad row"), False),
        (GroupNotFound(organization="acme", group="g"), False),
        (ValueError("a bug"), False),
    ],
)
def test_what_fails_for_all_jobs(error: Exception, is_of_store: bool) -> None:
    """What may pass by itself concerns the store, but for a conflict, which concerns the job."""
    assert work.is_of_store(error) is is_of_store


@pytest.mark.parametrize(
    ("changed", "is_noted"),
    [({}, True), ({"is_restart": True}, False), ({"revision": None}, False)],
)
def test_what_is_measured_of_a_chunk(changed: dict[str, Any], is_noted: bool) -> None:
    """How long it took, what it wrote, how long it waited, what it settled; nothing where it did nothing."""
    noted: list[Any] = []

    class Instruments:
        def __getattr__(self, name: str) -> Any:
            return lambda *of: noted.append((name, *of))

    row = SettledRow("revokes", 2_500_000)  # type: ignore[call-arg]
    done = Progress(5, 6, False, 0.25, revision=9, waited_seconds=0.5, settled=(row,))  # type: ignore[arg-type]
    reconcile.note_chunk(Instruments(), replace(done, **changed))  # type: ignore[arg-type]
    assert noted == is_noted * [
        ("note_chunk", 0.25, 5, 6),
        ("note_lock_wait", "chunk", 0.5),
        ("note_settlement", "revokes", 2.5),
    ]
