"""Several pieces of pending work of one group that become one: none of them is lost."""

from __future__ import annotations

from rescind import Authority, changes
from rescind.insight.audit import audit
from tests.state import may


def _given(authority: Authority, number: int) -> None:
    """Another role for everybody in eng, in the background."""
    give = changes.Assign(role=("reader", "writer", "owner")[number], to="group:eng", on="doc:2")
    authority.apply([give], route="background")


def test_parked_work_is_not_lost_among_newer(acme: Authority) -> None:
    """What was parked is settled like what came after it, when its group is settled by a call."""
    _given(acme, 0)
    acme.park(acme.pending()[0])
    _given(acme, 1)
    _given(acme, 2)
    assert [work.is_parked for work in acme.pending()] == [True, False, False]
    acme.reconcile("eng")
    assert acme.pending() == []
    assert audit(acme).is_clean
    assert may(acme, "user:ada", "read", "doc:2")


def test_newer_work_is_not_parked_with_older(acme: Authority) -> None:
    """Only what was parked stays so, while what came after it is done."""
    _given(acme, 0)
    acme.park(acme.pending()[0])
    _given(acme, 1)
    _given(acme, 2)
    with acme.workers():
        while acme.has_due_work():
            pass
    (left,) = acme.pending()
    assert (left.is_parked, left.since, left.revision) == (True, left.since, left.since)
    assert audit(acme).is_clean
