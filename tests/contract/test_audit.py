"""An audit finds what effective roles lack and have too much, whatever made it so, and mends it."""

from __future__ import annotations

from typing import Any

import pytest

from rescind import Authority, changes
from rescind.model import RoleMode
from rescind.propagation.audit import MEMBERSHIPS_A_READ, Drift, audit
from tests.contract.world import FUTURE
from tests.sql import ours
from tests.state import may

GONE = 1_000_000
"""A number that nothing has."""


def by_hand(authority: Authority, sql: str) -> None:
    """What no change does."""
    with authority.store.connection() as connection:
        connection.execute(ours(authority, sql))  # type: ignore[attr-defined]


def settle_all(authority: Authority) -> None:
    """As workers do."""
    for work in authority.pending():
        authority.reconcile(work)


def found(authority: Authority) -> dict[str | None, Drift]:
    """The drift of each group."""
    report = audit(authority.store, "acme")
    groups = {drift.group: drift for drift in report.groups}
    assert len(groups) == len(report.groups)
    return groups


def of(subject: str) -> str:
    """A membership's number, in SQL."""
    return f"(SELECT id FROM rescind.membership WHERE subject = '{subject}')"


def given(role: str) -> str:
    """A role's assignments, in SQL."""
    held = "rescind.assignment AS a JOIN rescind.role AS q ON q.id = a.role"
    return f"(SELECT a.id FROM {held} WHERE q.slug = '{role}')"


def row(subject: str, assignment: str) -> str:
    """A statement that makes a row."""
    columns = "(organization, membership, assignment)"
    whose = "(SELECT id FROM rescind.organization WHERE slug = 'acme')"
    return f"INSERT INTO rescind.effective_role {columns} SELECT {whose}, {subject}, {assignment}"


def test_what_a_group_should_give(acme: Authority) -> None:
    """Rows that are missing, too many, or of another time are told apart, by the roles they are of."""
    acme.apply([changes.Assign(role="owner", to="group:staff", on="folder:b")])
    by_hand(
        acme,
        f"DELETE FROM rescind.effective_role WHERE membership = {of('user:bob')}"
        f" AND assignment IN {given('owner')}",
    )
    by_hand(acme, row(of("user:bob"), given("writer")))
    by_hand(
        acme,
        "UPDATE rescind.effective_role SET expires_at = 5 WHERE membership ="
        f" {of('user:ada')} AND assignment IN {given('owner')}",
    )
    drift = found(acme)
    assert drift["staff"].missing == drift["staff"].surplus == drift["eng"].surplus == 1
    assert set(drift["staff"].examples) == {
        "user:ada has owner on folder:b until the wrong time",
        "user:bob lacks owner on folder:b",
    }
    assert drift["eng"].examples == ["user:bob has writer on folder:a"]
    report = audit(acme.store, "acme", repair=True)
    assert (report.is_clean, report.repaired) == (False, 3)
    assert {(work.kind, work.group) for work in acme.pending()} == {
        ("member", "staff"),
        ("member", "eng"),
    }
    assert not may(acme, "user:bob", "write", "doc:1")
    assert may(acme, "user:bob", "purge", "folder:b")
    unsettled = found(acme)
    assert sum(each.unsettled for each in unsettled.values()) == 3
    assert audit(acme.store).is_clean
    settle_all(acme)
    assert found(acme) == {}


def test_what_comes_from_no_group(acme: Authority) -> None:
    """Rows of their own, of memberships and of assignments that are gone: one entry, mended at once."""
    by_hand(
        acme,
        f"DELETE FROM rescind.effective_role WHERE membership IN ({of('user:cyd')}, {of('agent:bot')})",
    )
    by_hand(acme, row(str(GONE), given("writer")))
    by_hand(acme, row(of("user:ada"), str(-GONE)))
    by_hand(
        acme, row(of("user:bob"), f"id FROM rescind.assignment WHERE holder = {of('agent:bot')}")
    )
    drift = found(acme)
    assert (drift[None].missing, drift[None].surplus) == (2, 2)
    assert drift["eng"].examples == [f"membership {GONE} (gone) has writer on folder:a"]
    told = {example for example in drift[None].examples if "gone" in example}
    assert told == {f"user:ada has assignment {GONE} (gone)"}
    assert audit(acme.store, repair=True).repaired == 5
    assert set(found(acme)) == {"eng"}
    settle_all(acme)
    assert found(acme) == {}


def test_rows_of_what_was_taken_back(acme: Authority) -> None:
    """A row of an assignment that is only on record is mended, also while it has to be kept there."""
    leave = changes.RemoveMembers(group="staff", members=("user:bob",))
    acme.apply([leave], route="background")
    (older,) = acme.pending()
    acme.park(older)
    acme.apply([changes.Unassign(role="writer", to="group:eng", on="folder:a")], route="background")
    acme.reconcile("eng")
    assert (audit(acme.store).is_clean, acme.pending()[0].kind) == (True, "member")
    by_hand(acme, row(of("user:cyd"), "id FROM rescind.assignment WHERE ended IS NOT NULL"))
    assert audit(acme.store, repair=True).repaired == 1
    assert audit(acme.store).is_clean


def test_of_a_deleted_group(acme: Authority) -> None:
    """Its rows are mended without its name."""
    acme.apply([changes.DeleteGroup(group="eng", cascade=True)], route="background")
    assert found(acme)[None].unsettled
    by_hand(acme, "DELETE FROM rescind.pending")
    assert found(acme)[None].surplus == 1
    assert not may(acme, "user:ada", "write", "doc:1")
    audit(acme.store, repair=True)
    settle_all(acme)
    assert found(acme) == {}


def test_reads_are_small(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many memberships, assignments and pieces of pending work there are in all."""
    subjects = [f"user:{n}" for n in range(5 * MEMBERSHIPS_A_READ)]
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.DefinePermission(permission="read"),
            changes.DefineRole(role="reader", permissions=("read",)),
            changes.CreateGroup(group="all"),
            *(changes.AddMembership(subject=subject) for subject in subjects),
            *(changes.Assign(role="reader", to=subject) for subject in subjects),
        ]
    )
    join = changes.AddMembers(group="all", members=tuple(subjects))
    authority.apply([join], route="background")
    assert len(authority.pending()) == len(subjects)
    sizes = []
    fetch_many = authority.store.fetch_many

    def counted(questions: Any) -> Any:
        answers = fetch_many(questions)
        sizes.extend(map(len, answers))
        return answers

    monkeypatch.setattr(authority.store, "fetch_many", counted)
    report = audit(authority.store)
    assert (report.is_clean, report.memberships) == (True, len(subjects))
    assert max(sizes) == 2 * MEMBERSHIPS_A_READ  # themselves, and in the group


def test_the_next_change_is_told_from_a_repair(acme: Authority) -> None:
    """Whoever is at a repair sees that there is more to look at: see `property/test_schedules.py`."""
    by_hand(acme, "DELETE FROM rescind.effective_role")
    audit(acme.store, repair=True)
    before = {work.group_number: work.revision for work in acme.pending()}
    leave = [changes.RemoveMembers(group="eng", members=("user:ada",))]
    receipt = acme.apply(leave, route="background")
    (after,) = (work for work in acme.pending() if work.revision == receipt.revision.organization)
    assert before[after.group_number] < after.revision
    settle_all(acme)
    assert audit(acme.store).is_clean


@pytest.mark.parametrize("is_deleted", [False, True])
def test_what_happens_meanwhile(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, is_deleted: bool
) -> None:
    """An organization that takes another mode is mended as it is then; one that is deleted needs nothing."""
    by_hand(acme, "DELETE FROM rescind.effective_role")
    fetch_many = acme.store.fetch_many

    def overtaken(questions: Any) -> Any:
        monkeypatch.undo()
        answers = fetch_many(questions)
        if is_deleted:
            acme.apply([changes.DeleteOrganization(cascade=True)])
        else:
            acme.apply([changes.SetRoleMode(mode=RoleMode.SINGLE)])
        return answers

    monkeypatch.setattr(acme.store, "fetch_many", overtaken)
    report = audit(acme.store, "acme", repair=True)
    assert bool(report.repaired) != is_deleted
    settle_all(acme)
    assert audit(acme.store).is_clean


def test_expiries_of_paths(acme: Authority) -> None:
    """A row that outlives the way to it is drift, and is denied in time all the same once that is told."""
    acme.apply([changes.AddMembers(group="eng", members=("user:bob",), expires_at=FUTURE)])
    by_hand(
        acme,
        f"UPDATE rescind.effective_role SET expires_at = NULL WHERE membership = {of('user:bob')}",
    )
    assert found(acme)["eng"].examples == ["user:bob has writer on folder:a until the wrong time"]
    audit(acme.store, repair=True)
    settle_all(acme)
    assert found(acme) == {}
