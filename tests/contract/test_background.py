"""A role taken off a group by the background route: what is left to do, how urgent and how large it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rescind import Authority, Direction, Receipt, Route, changes
from rescind.propagation.budget import ESTIMATE_PAIRS
from rescind.settings import Settings
from rescind.store import open_store
from tests.state import may

MEMBERS = tuple(f"user:{number}" for number in range(30))
"""Of eng, which is in staff."""
FACTS = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineRole(role="owner", permissions=("read",), critical=True),
    changes.CreateGroup(group="eng"),
    changes.CreateGroup(group="staff"),
    changes.CreateGroup(group="idle"),
    changes.NestGroup(group="eng", into="staff"),
    *(changes.AddMembership(subject=member) for member in (*MEMBERS, "user:bob")),
    changes.AddMembers(group="eng", members=MEMBERS),
    changes.AddMembers(group="staff", members=("user:bob",)),
    changes.AddMembers(group="idle", members=("user:bob",)),
    *(changes.Assign(role="reader", to=f"group:{group}") for group in ("eng", "staff", "idle")),
    changes.Assign(role="owner", to="group:eng"),
]


@pytest.fixture
def few(database: str) -> Iterator[Authority]:
    """An authority that does only small changes inline."""
    settings = Settings(inline_most_pairs=10, critical_inline_most_pairs=10)
    with Authority(open_store(database), organization="few", settings=settings) as authority:
        authority.apply(FACTS, route=Route.INLINE)
        yield authority


def _unassign(authority: Authority, group: str, role: str = "reader") -> Receipt:
    change = changes.Unassign(role=role, to=f"group:{group}")
    return authority.apply([change], route=Route.BACKGROUND)


def test_how_much_it_is(few: Authority) -> None:
    """The receipt's fan-out is the members at any depth, and it revokes; nothing taken is nothing to do."""
    receipt = _unassign(few, "staff")
    assert (receipt.direction, receipt.fan_out) == (Direction.REVOKES, len(MEMBERS) + 1)
    assert receipt.settled_at is None
    assert "31 pairs" in receipt.route_reason
    again = _unassign(few, "staff")
    assert (again.changed, again.fan_out) == (False, 0)
    assert len(few.pending()) == 1


def test_it_is_counted_only_so_far(few: Authority) -> None:
    """However large the group is, no further than an estimate needs."""
    many = tuple(f"user:more-{number}" for number in range(ESTIMATE_PAIRS))
    few.apply([changes.AddMembership(subject=member) for member in many], route=Route.INLINE)
    few.apply([changes.AddMembers(group="idle", members=many)], route=Route.INLINE)
    assert _unassign(few, "idle").fan_out == ESTIMATE_PAIRS


def test_what_is_critical_goes_first(few: Authority) -> None:
    """Whether the role that was taken is a critical one decides, not what the change before it was about."""
    _unassign(few, "eng")
    _unassign(few, "eng", "owner")
    assert [work.is_critical for work in few.pending()] == [True, False]
    few.reconcile("eng")
    few.apply(
        [
            changes.Assign(role="owner", to="group:eng"),
            changes.Unassign(role="owner", to="group:eng"),
            changes.Unassign(role="reader", to="group:idle"),
        ],
        route=Route.BACKGROUND,
    )
    assert {work.group: work.is_critical for work in few.pending()} == {"eng": True, "idle": False}


def test_only_the_large_step_goes_to_the_background(few: Authority) -> None:
    """Of a batch, what fits is settled at once; what does not is left, and both are denied at once."""
    taken = [
        changes.Unassign(role="reader", to=f"group:{group}") for group in ("idle", "staff", "eng")
    ]
    receipt = few.apply([*taken, changes.Unassign(role="owner", to="group:eng")])
    assert (receipt.route, receipt.direction) == (Route.BACKGROUND, Direction.REVOKES)
    assert [work.group for work in few.pending()] == ["eng", "staff"]
    assert not any(may(few, subject, "read") for subject in ("user:0", "user:bob"))
    few.reconcile("eng")
    few.reconcile("staff")
    assert not few.pending()
    assert not any(may(few, subject, "read") for subject in ("user:0", "user:bob"))
