"""What an audit finds wrong with some memberships, against a count over single rows."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from rescind.propagation.comparison import Difference, Unsettled, differences
from rescind.store.rows.audit import AuditPendingRow, ExpectedRow, FoundRow

MEMBERSHIPS, HOLDERS = (1, 2), (-1, -2, 1)
ASSIGNMENTS = {-1: (1, 2, 3), -2: (4,), 1: (5, 6)}
GONE = (8, 9)
"""Assignments that nobody holds any more."""
times = st.sampled_from([None, 10, 20])
pairs = [(m, h) for m in MEMBERSHIPS for h in HOLDERS]
rows = [(m, a) for m in MEMBERSHIPS for a in (*sum(ASSIGNMENTS.values(), ()), *GONE)]
HOLDER_OF = {a: h for h, held in ASSIGNMENTS.items() for a in held}


@given(
    st.dictionaries(st.sampled_from(pairs), times), st.dictionaries(st.sampled_from(rows), times)
)
def test_differences_are_what_single_rows_say(
    due: dict[tuple[int, int], int | None], had: dict[tuple[int, int], int | None]
) -> None:
    """What is due and not there is missing; what is there and not due, or until another time, is surplus."""
    wrong: dict[tuple[int, int | None], Difference] = {}
    surplus: dict[tuple[int, int | None], set[int]] = defaultdict(set)

    def of(m: int, holder: int | None) -> Difference:
        return wrong.setdefault((m, holder), Difference(m, holder))  # type: ignore[arg-type]

    for (m, a), until in had.items():
        holder = HOLDER_OF.get(a)
        is_due = holder is not None and (m, holder) in due
        if not (is_due and due[m, holder] == until):  # type: ignore[index]
            of(m, holder).surplus += 1
            of(m, holder).is_due = is_due
            surplus[m, holder].add(a)
    for m, holder in due:
        if missing := sum((m, a) not in had for a in ASSIGNMENTS[holder]):
            of(m, holder).missing = missing

    counted = Counter((m, HOLDER_OF.get(a), until) for (m, a), until in had.items())
    first = {
        key: min(a for (m, a), until in had.items() if (m, HOLDER_OF.get(a), until) == key)
        for key in counted
    }
    found = list(
        differences(
            [ExpectedRow(m, holder, until) for (m, holder), until in due.items()],  # type: ignore[arg-type]
            [FoundRow(*key, number, first[key]) for key, number in counted.items()],  # type: ignore[arg-type]
            {holder: len(held) for holder, held in ASSIGNMENTS.items()},  # type: ignore[misc]
        )
    )
    for one in found:
        key = (one.membership, one.holder)
        assert (one.assignment is not None) == bool(surplus[key])
        assert one.assignment is None or one.assignment in surplus[key]
        assert one.rows == one.missing + one.surplus
        one.assignment = None
    by_pair = {(one.membership, one.holder): one for one in found}
    assert len(by_pair) == len(found)
    assert by_pair == wrong


pending = st.lists(
    st.sampled_from(
        [
            AuditPendingRow("assignment", -1, None),  # type: ignore[arg-type]
            AuditPendingRow("member", None, 1),  # type: ignore[arg-type]
            AuditPendingRow("whole", None, None),
        ]
    ),
    unique=True,
)


@given(pending, st.sampled_from(MEMBERSHIPS), st.sampled_from([*HOLDERS, None]))
def test_what_pending_work_may_mend(
    rows: list[AuditPendingRow], membership: int, holder: int | None
) -> None:
    """Work on a whole group any; on a membership what that has; on a group's assignments what comes of that
    group, and rows whose assignment is gone, since it may have been the group's.
    """
    kinds = {row.kind for row in rows}
    may = (
        "whole" in kinds
        or ("member" in kinds and membership == 1)
        or ("assignment" in kinds and holder in (-1, None))
    )
    assert Unsettled(rows).may_mend(Difference(membership, holder)) is may  # type: ignore[arg-type]
