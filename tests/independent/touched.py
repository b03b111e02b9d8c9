"""Which pairs of membership and assignment a change or a chunk may touch, by the facts that differ.

Worked out from rows as `tests.state.rows_of` reads them, in sets: no SQL.
"""

from __future__ import annotations

from rescind.propagation.jobs import LAST, Job
from tests.state import Rows

PairOf = tuple[int, int]


class Graph:
    """Members, nestings and assignments that are or were, before or after."""

    def __init__(self, before: Rows, after: Rows) -> None:
        self.before, self.after = before, after
        both = [*before["recorded_nesting"], *after["recorded_nesting"]]
        self.nestings = {(child, parent) for child, parent, _ in both}
        both = [*before["group_member"], *after["group_member"]]
        self.members = {(member, group) for member, group, _ in both}
        self.members |= {
            (ref, group)
            for rows in (before, after)
            for kind, group, ref, *_ in rows["pending"]
            if kind == "member"
        }
        both = [*before["assignment"], *after["assignment"]]
        self.holders = {(row[0], row[1]) for row in both}

    def up(self, group: int) -> set[int]:
        """The holder and everything that it flows into."""
        return _closed(group, self.nestings)

    def below(self, holder: int) -> set[int]:
        """The memberships that reach a holder; itself if it is one."""
        if holder > 0:
            return {holder}
        groups = _closed(holder, {(parent, child) for child, parent in self.nestings})
        return {member for member, group in self.members if group in groups}

    def held_up(self, group: int) -> set[int]:
        """The assignments of a group and of everything that it flows into."""
        up = self.up(group)
        return {assignment for assignment, holder in self.holders if holder in up}


def _closed(start: int, edges: set[PairOf]) -> set[int]:
    found = {start}
    while more := {end for begin, end in edges if begin in found} - found:
        found |= more
    return found


def moved(before: Rows, after: Rows, table: str) -> set[tuple[int, ...]]:
    """The rows of a table that are not the same."""
    return set(before[table]) ^ set(after[table])


def outside(before: Rows, after: Rows) -> set[PairOf]:
    """Effective roles that a change touched though no fact behind them changed."""
    graph = Graph(before, after)
    found = {(row[0], row[1]) for row in moved(before, after, "effective_role")}
    for member, group, _ in moved(before, after, "group_member"):
        found -= {(member, assignment) for assignment in graph.held_up(group)}
    for child, parent, _ in moved(before, after, "recorded_nesting"):
        held = graph.held_up(parent)
        found -= {(member, assignment) for member in graph.below(child) for assignment in held}
    for row in moved(before, after, "assignment"):
        found -= {(member, row[0]) for member in graph.below(row[1])}
    gone = {row[0] for row in before["membership"]} - {row[0] for row in after["membership"]}
    return {pair for pair in found if pair[0] not in gone}


def outside_chunk(job: Job, before: Rows, after: Rows) -> set[PairOf]:
    """Effective roles that a chunk touched though they are not of its job, or not in its range."""
    graph = Graph(before, after)
    found = {(row[0], row[1]) for row in moved(before, after, "effective_role")}
    if job.kind == "member":  # may do others of the group with it
        refs = {row[2] for row in before["pending"] if row[:2] == ("member", job.group)}
        concerned, held = refs, graph.held_up(job.group)
    elif job.kind == "whole":
        concerned, held = graph.below(job.group), graph.held_up(job.ref)
    else:
        concerned = graph.below(job.group)
        held = {
            row[0]
            for row in before["assignment"]
            if row[1] == job.group and _is_of(row, *_range_of(job, before))
        }
    cursors = [row[8:10] for row in after["pending"] if row[:3] == (job.kind, job.group, job.ref)]
    last = cursors[0] if cursors else (LAST, LAST)
    first = (job.cursor_membership, job.cursor_assignment)
    return {
        pair
        for pair in found
        if not (first < pair <= last and pair[0] in concerned and pair[1] in held)
    }


def _range_of(job: Job, before: Rows) -> PairOf:
    """The job's revisions, and those of the jobs that it may take over."""
    spans = [row[6:8] for row in before["pending"] if row[:2] == ("assignment", job.group)]
    return min(first for first, _ in spans), max(last for _, last in spans)


def _is_of(row: tuple[int, ...], first: int, last: int) -> bool:
    made, ended = row[5:7]
    return first <= made <= last or (ended is not None and first <= ended <= last)


def at_rest(rows: Rows) -> list[tuple[int, int, int | None]]:
    """The effective roles that follow from the facts: when the last way to each assignment expires."""
    nestings = [(child, parent) for child, parent, ended in rows["recorded_nesting"] if not ended]
    ends: dict[PairOf, set[int | None]] = {}
    for member, group, until in rows["group_member"]:
        for reached in _closed(group, set(nestings)):
            ends.setdefault((member, reached), set()).add(until)
    for member, _, _ in rows["membership"]:
        ends[member, member] = {None}
    found = []
    for assignment, holder, *_, ended in rows["assignment"]:
        for (member, reached), untils in ends.items():
            if reached == holder and ended is None:
                until = None if None in untils else max(filter(None, untils))
                found.append((member, assignment, until))
    return sorted(found, key=repr)
