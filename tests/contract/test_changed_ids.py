"""Ids and display names that change: all that somebody has stays, and the old id is nobody's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rescind import Authority, Direction, Route, changes
from rescind.applying import transaction as batch_module
from rescind.changes import Change
from rescind.errors import (
    GroupExists,
    GroupNotFound,
    InvalidChange,
    MembershipExists,
    MembershipNotFound,
)
from rescind.index import follow as tail
from rescind.index.build import build_index
from rescind.index.facts import Facts
from rescind.index.index import ALLOWED
from rescind.model import RoleMode
from rescind.settings import Settings
from tests.contract.world import WORLD
from tests.state import dump

MARRIED = changes.ChangeMembershipId(subject="ada", new_id="ada.king")
GROUP = changes.ChangeGroupId(group="eng", new_id="engineering")


@pytest.fixture
def held(acme: Authority, database: str) -> Iterator[Authority]:
    """The same facts in the memory of another process, as far as the first can tell."""
    with Authority.open(database, organization="acme", index=True) as opened:
        assert opened.load()
        yield opened


def can(authority: Authority, subject: str) -> set[tuple[str, str]]:
    """What a subject can do, by every decision point, which agree."""
    asked = [(p, r) for p in ("read", "write") for r in ("organization", "doc:1", "folder:a")]
    found = [
        {each for each in asked if authority.check(subject, *each, assurance=assurance)}
        for assurance in ("standard", "live")
    ]
    listed = {(p, r) for p, r in asked if f"user:{subject}" in authority.who_can(p, r).items}
    explained = {each for each in asked if authority.explain(subject, *each)}
    assert found[0] == found[1] == listed == explained
    return found[0]


def test_change_membership_id_keeps_all(acme: Authority, held: Authority) -> None:
    """Groups, roles and display name; and the old id may nothing, anywhere, when the call returns."""
    before = can(held, "ada")
    assert before
    receipt = acme.apply([MARRIED])
    assert receipt.changed
    assert receipt.direction is Direction.REVOKES
    for authority in (acme, held):
        assert can(authority, "ada") == set()
        assert can(authority, "ada.king") == before
    acme.apply([changes.AddMembership(subject="ada")])
    for authority in (acme, held):
        assert can(authority, "ada") == set()
        assert can(authority, "ada.king") == before
    acme.apply([changes.RemoveMembership(subject="ada.king")])
    assert can(acme, "ada.king") == can(held, "ada.king") == set()


def test_change_group_id_keeps_all(acme: Authority, held: Authority) -> None:
    """Nobody gains or loses anything, and a new group of the old id has nothing of it."""
    before = can(held, "ada")
    receipt = acme.apply([GROUP, changes.CreateGroup(group="eng")])
    assert receipt.direction is Direction.GRANTS
    assert can(acme, "ada") == before
    acme.apply([changes.AddMembers(group="eng", members=("cyd",))])
    assert can(held, "ada") == before
    assert can(acme, "cyd") == can(held, "cyd") == set()
    taken = acme.apply([changes.RemoveMembers(group="engineering", members=("ada",))])
    assert taken.direction is Direction.REVOKES
    assert can(acme, "ada") == can(held, "ada") == set()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (changes.ChangeMembershipId(subject="ada", new_id="bob"), MembershipExists),
        (changes.ChangeMembershipId(subject="nobody", new_id="x"), MembershipNotFound),
        (changes.ChangeMembershipId(subject="ada", new_id="agent:ada"), InvalidChange),
        (changes.ChangeGroupId(group="eng", new_id="staff"), GroupExists),
        (changes.ChangeGroupId(group="nowhere", new_id="x"), GroupNotFound),
        (changes.RenameMembership(subject="nobody", name="N"), MembershipNotFound),
    ],
)
def test_refusals(acme: Authority, change: Change, error: type[Exception]) -> None:
    """An id that somebody has, nobody, or another kind of subject: nothing is written."""
    before = dump(acme)
    with pytest.raises(error):
        acme.apply([change])
    assert dump(acme) == before


@pytest.mark.parametrize(
    "change",
    [
        changes.ChangeMembershipId(subject="ada", new_id="user:ada"),
        changes.ChangeGroupId(group="eng", new_id="eng"),
        changes.RenameMembership(subject="ada", name="Ada"),
    ],
)
def test_what_is_so_already_alters_nothing(acme: Authority, change: Change) -> None:
    assert not acme.apply([change]).changed


def test_rename_membership_gives_a_name_again(acme: Authority) -> None:
    """Adding the membership again with the new name is a no-op then, as it is for a group."""
    assert acme.apply([changes.RenameMembership(subject="ada", name="Ada King")]).changed
    assert not acme.apply([changes.AddMembership(subject="ada", name="Ada King")]).changed


CHAINS: list[list[Change]] = [
    [
        changes.ChangeMembershipId(subject="ada", new_id="tmp"),
        changes.ChangeMembershipId(subject="bob", new_id="ada"),
        changes.ChangeMembershipId(subject="tmp", new_id="bob"),
    ],
    [MARRIED, changes.ChangeMembershipId(subject="ada.king", new_id="ada")],
    [MARRIED, changes.AddMembership(subject="ada"), changes.RemoveMembership(subject="ada.king")],
    [
        changes.RemoveMembers(group="eng", members=("ada",)),
        changes.Assign(role="reader", to="ada", on="doc:1"),
        MARRIED,
    ],
    [MARRIED, changes.ReplaceAssignments(to="ada.king", assignments=())],
    [changes.Unassign(role="writer", to="group:eng", on="folder:a"), GROUP],
    [changes.ReplaceMembers(group="eng", members=("cyd",)), GROUP],
    [changes.UnnestGroup(group="eng", out_of="staff"), GROUP],
    [
        changes.ChangeGroupId(group="eng", new_id="tmp"),
        changes.ChangeGroupId(group="staff", new_id="eng"),
        changes.ChangeGroupId(group="tmp", new_id="staff"),
    ],
    [changes.DeleteGroup(group="idle"), changes.ChangeGroupId(group="eng", new_id="idle")],
    [GROUP, changes.CreateGroup(group="eng"), changes.NestGroup(group="eng", into="engineering")],
    [
        changes.Unassign(role="reader", to="group:staff"),
        changes.ChangeGroupId(group="staff", new_id="all"),
        changes.RemoveMembership(subject="cyd"),
        changes.ChangeMembershipId(subject="bob", new_id="cyd"),
    ],
]


def test_an_index_that_follows_is_as_one_built_anew(acme: Authority, held: Authority) -> None:
    """Whatever was noted of an old id in the same part of the log is read again of the new one."""
    for number, chain in enumerate(CHAINS):
        for steps in ([chain], [[change] for change in chain]):
            name = f"org-{number}-{len(steps)}"
            acme.apply(WORLD, organization=name)
            assert held.load(name)
            for step in steps:
                acme.apply(step, organization=name)
            _assert_followed(acme, held, name)


def _assert_followed(acme: Authority, held: Authority, name: str) -> None:
    ((o,),) = acme.store.fetch("find_organization", {"organization": name})
    fresh, _ = build_index(acme.store, o)
    token = acme.store.seals.revision(*acme.store.fetch("read_revision", {"o": o})[0]).token()
    for subject in ("ada", "ada.king", "bob", "cyd", "tmp"):
        for permission in ("read", "write"):
            asked = (f"user:{subject}", permission, "doc:1")
            told = [
                each.check(*asked, organization=name, at_least=token).allowed
                for each in (held, acme)
            ]
            assert told[0] is told[1], asked
    followed = held.cache.indexes[name].state.index.facts  # type: ignore[union-attr]
    for part in ("memberships", "subjects", "groups", "group_names", "group_numbers", "inactive"):
        assert getattr(followed, part) == getattr(fresh.facts, part), part
    for part in ("groups_of", "members_of", "parents_of", "children_of", "text_bytes", "places"):
        assert getattr(followed, part) == getattr(fresh.facts, part), part
    assert followed.assignments.held_by == fresh.facts.assignments.held_by


def test_an_index_that_misses_the_old_id_still_allows_it(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: what the log names of a changed id is what takes the old one away."""
    ((o,),) = acme.store.fetch("find_organization", {"organization": "acme"})
    verdicts = []
    for is_noted in (True, False):
        index, at = build_index(acme.store, o)
        if not is_noted:
            note = lambda _, found: found.subjects.add("user:ada.king")  # noqa: E731
            monkeypatch.setattr(changes.ChangeMembershipId, "note_affected", note)
        acme.apply([MARRIED])
        read = tail.read_tail(acme.store, index, at)
        assert read is not None
        read.apply(index)
        verdicts.append(index.verdict("user:ada", "read", "organization", lambda: 0))
        acme.apply([changes.ChangeMembershipId(subject="ada.king", new_id="ada")])
    assert verdicts == [None, ALLOWED]


def test_an_index_that_keeps_the_old_subject_differs(
    acme: Authority, held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a membership is taken from its old id before it has the new one."""
    monkeypatch.setattr(Facts, "unplace_memberships", lambda *_: None)
    acme.apply([MARRIED])
    with pytest.raises(AssertionError):
        _assert_followed(acme, held, "acme")


def test_pending_work_goes_on_under_another_id(acme: Authority, held: Authority) -> None:
    """It is kept by numbers: the fence holds for the new id, and settling gives what the facts say."""
    late = {"route": Route.BACKGROUND}
    acme.apply([changes.AddMembers(group="staff", members=("cyd",))], **late)  # type: ignore[arg-type]
    acme.apply([changes.RemoveMembers(group="eng", members=("ada",))], **late)  # type: ignore[arg-type]
    acme.apply([MARRIED, GROUP, changes.ChangeMembershipId(subject="cyd", new_id="dan")])
    for authority in (acme, held):
        assert can(authority, "ada.king") == can(authority, "ada") == can(authority, "cyd") == set()
        assert ("read", "doc:1") in can(authority, "dan")
    for group in ("engineering", "staff"):
        acme.reconcile(group)
    assert not acme.pending()
    assert can(acme, "ada.king") == set()
    assert ("read", "doc:1") in can(acme, "dan")


def test_a_replica_that_does_not_answer_is_waited_out(
    new_database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed id revokes: the call returns when no replica can still allow the old one."""
    url = new_database("postgres")  # type: ignore[operator]
    short = Settings(lease_seconds=0.3)
    with Authority.open(url, organization="acme", settings=short) as writer:
        writer.apply(WORLD)
        with Authority.open(url, organization="acme", settings=short, index=True) as replica:
            assert replica.load()
            assert replica.check("ada", "read")
            receipt = writer.apply([MARRIED])
            assert receipt.enforced_at is not None
            assert not replica.check("ada", "read")
            assert replica.check("ada.king", "read", at_least=receipt.token)


SINGLE: list[Change] = [
    changes.SetRoleMode(mode=RoleMode.SINGLE),
    changes.SetDefaultRole(role="unused"),
]


def test_what_a_batch_sets_aside_is_of_the_same_person(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a single-role organization a batch is judged by its end, whatever ids it changes on the way.

    Control: by the names as they are written the loss is not seen.
    """
    acme.apply(SINGLE)
    losing = [MARRIED, changes.RemoveMembers(group="eng", members=("ada.king",))]
    acme.apply(
        [changes.Assign(role="reader", to="ada"), changes.Assign(role="owner", to="group:eng")]
    )
    told = acme.preview(losing)
    assert ("user:ada.king", "read", "organization") in told.granted
    acme.apply(losing)
    before = acme.store.fetch(
        "read_resets", {"o": acme.store.fetch("plan", {"organization": "acme"})[0][0]}
    )
    assert before == [("user:ada.king", "reader")]
    acme.apply(
        [
            changes.Assign(role="reader", to="ada.king"),
            changes.ChangeMembershipId(subject="ada.king", new_id="ada"),
        ]
    )
    o = acme.store.fetch("plan", {"organization": "acme"})[0][0]
    assert acme.store.fetch("read_resets", {"o": o}) == []
    acme.apply([changes.AddMembers(group="eng", members=("ada",))])
    monkeypatch.setattr(batch_module, "at_start", list)
    acme.apply(losing)
    assert acme.store.fetch("read_resets", {"o": o}) == []


def test_the_key_of_a_changed_id_gives_the_same_receipt(acme: Authority) -> None:
    """Repeated after the change it is not refused for the id that is gone."""
    first = acme.apply([MARRIED, GROUP], idempotency_key="once")
    assert acme.apply([MARRIED, GROUP], idempotency_key="once") == first


def test_the_difference_is_of_ids(acme: Authority) -> None:
    """What the old one loses and the new one gains, exactly; of a group's id, nothing."""
    told = acme.preview([MARRIED])
    assert {each[0] for each in told.revoked} == {"user:ada"}
    assert {each[0] for each in told.granted} == {"user:ada.king"}
    assert len(told.revoked) == len(told.granted)
    told = acme.preview([GROUP])
    assert not told.revoked
    assert not told.granted
