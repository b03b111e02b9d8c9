"""A newer change to the same thing joins the work that is pending for it; revoking wins over granting."""

from __future__ import annotations

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import Direction
from tests.contract.test_log_verify import run
from tests.contract.world import FUTURE, SOONER
from tests.state import dump, may

BOB = ("user:bob",)
JOIN = changes.AddMembers(group="eng", members=BOB, expires_at=FUTURE)
NEST = changes.NestGroup(group="idle", into="eng")
OPPOSITES: dict[str, tuple[Change, Change]] = {
    "removed": (JOIN, changes.RemoveMembers(group="eng", members=BOB)),
    "replaced": (JOIN, changes.ReplaceMembers(group="eng", members=("user:ada",))),
    "shortened": (JOIN, changes.AddMembers(group="eng", members=BOB, expires_at=SOONER)),
    "gone": (JOIN, changes.RemoveMembership(subject="user:bob")),
    "unnested": (NEST, changes.UnnestGroup(group="idle", out_of="eng")),
}


def directions(authority: Authority, group: str) -> list[Direction]:
    """Of the work that is pending for a group."""
    return [work.direction for work in authority.pending() if work.group == group]


@pytest.mark.parametrize("what", OPPOSITES)
def test_a_revocation_joins_a_pending_grant(acme: Authority, what: str) -> None:
    """It is one piece of work then, and takes away; what waits for it is weighed as a revocation."""
    grant, revocation = OPPOSITES[what]
    group = "eng" if grant is JOIN else "idle"
    acme.apply([grant], route="background")
    assert directions(acme, group) == [Direction.GRANTS]
    acme.apply([revocation], route="background")
    assert directions(acme, group) == [Direction.REVOKES]


@pytest.mark.parametrize("what", ["removed", "replaced", "unnested"])
def test_a_grant_joins_a_pending_revocation(acme: Authority, what: str) -> None:
    """What is to be taken away still is: the work goes on taking away, and then gives."""
    grant, revocation = OPPOSITES[what]
    group = "eng" if grant is JOIN else "idle"
    acme.apply([grant])
    acme.apply([revocation], route="background")
    acme.apply([grant], route="background")
    assert directions(acme, group) == [Direction.REVOKES]
    acme.reconcile(group)
    assert what == "unnested" or may(acme, "user:bob", "write", "doc:1")


def test_how_long_a_revocation_waits(acme: Authority) -> None:
    """Since the first: one that joins a grant begins anew, and one that joins a revocation does not."""
    hour = 3_600

    def waits_after(change: Change) -> bool:
        run(acme, f"UPDATE rescind.pending SET recorded_at = recorded_at - {hour * 1_000_000}")
        acme.apply([change], route="background")
        (work,) = acme.pending()
        return work.lag_seconds >= hour

    leave = OPPOSITES["removed"][1]
    acme.apply([JOIN], route="background")
    assert [waits_after(change) for change in (leave, JOIN, leave)] == [False, True, True]


def test_completing_members_takes_nothing(acme: Authority) -> None:
    """What was taken from the group before, and is pending, is not weighed for who joins."""
    acme.apply([changes.Unassign(role="writer", to="group:eng", on="folder:a")], route="background")
    both = changes.ReplaceMembers(group="eng", members=("user:ada", "user:bob"))
    assert acme.apply([both], route="background").fan_out == 1


def test_nothing_is_left_of_a_group(acme: Authority) -> None:
    """Deleted inline, with nothing pending, its row goes at once."""
    before = dump(acme)['"group"']
    acme.apply([changes.DeleteGroup(group="eng", cascade=True)])
    assert len(dump(acme)['"group"']) == len(before) - 1
