"""An import that stopped, or that lasts, gives nothing back that others took after it had begun."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    ChangeMembershipId,
    CreateGroup,
    CreateOrganization,
    DeactivateMembership,
    DefinePermission,
    DefineRole,
    DeleteGroup,
    DeleteOrganization,
    DeleteRole,
    NestGroup,
    ReactivateMembership,
    RemoveMembers,
    RemoveMembership,
    ReplaceAssignments,
    ReplaceMembers,
    SetIdRule,
    Unassign,
    UnnestGroup,
)
from rescind.errors import BadInput, InvalidArgument, StoreConflict
from rescind.model import IdRule
from rescind.transfer import Format, Item, Source, Summary, exported, load, parse
from rescind.transfer import batches as applying
from rescind.transfer.since import Taken

PEOPLE = [f"p{n}" for n in range(12)]
GROUPS = ["g0", "g1", "g2"]


class Killed(Exception):
    """Stands for the end of the process."""


def listed(text: str) -> Source:
    return Source("f", "d", tuple(text.splitlines()))


def members_file() -> list[Item]:
    rows = [f"g{n % 3},{who}" for n, who in enumerate(PEOPLE)]
    return parse(listed("\n".join(["group,subject", *rows])))


def changes_file() -> list[Item]:
    made: list[Change] = [
        *(CreateGroup(group=group) for group in GROUPS),
        NestGroup(group="g0", into="g1"),
        *(AddMembership(subject=who) for who in PEOPLE),
        *(AddMembers(group=f"g{n % 3}", members=(who,)) for n, who in enumerate(PEOPLE)),
        *(Assign(role="reader", to=who) for who in PEOPLE),
        Assign(role="reader", to="group:g0"),
    ]
    return [Item(change, f"f:{n}") for n, change in enumerate(made, 1)]


FILES: dict[str, Callable[[], list[Item]]] = {"list": members_file, "changes": changes_file}


@pytest.fixture
def ready(authority: Authority) -> Authority:
    """An organization with a role, and somebody of the files in it."""
    authority.apply(
        [
            CreateOrganization(),
            DefinePermission(permission="read"),
            DefineRole(role="reader", permissions=("read",)),
            *(AddMembership(subject=who) for who in PEOPLE[::2]),
        ]
    )
    return authority


def run(authority: Authority, items: Sequence[Item], *, stop_after: int | None = None) -> Summary:
    batches = 0

    def progress(done: int, total: int) -> None:
        nonlocal batches
        batches += 1
        if batches == stop_after:
            raise Killed

    return load(authority, items, digest="d", organization="acme", batch_size=4, progress=progress)


def stopped(authority: Authority, items: Sequence[Item], after: int = 1) -> None:
    with pytest.raises(Killed):
        run(authority, items, stop_after=after)


def facts(authority: Authority) -> set[str]:
    """Whatever gives somebody something, a line each."""
    found: set[str] = set()
    for change in exported(authority, "acme"):
        if isinstance(change, AddMembers):
            found |= {f"{who} in {change.group}" for who in change.members}
        elif isinstance(change, Assign):
            found.add(f"{change.to} as {change.role}")
        elif isinstance(change, NestGroup):
            found.add(f"{change.group} in {change.into}")
        elif isinstance(change, AddMembership):
            found.add(change.subject)
        elif isinstance(change, CreateGroup):
            found.add(f"group:{change.group}")
        elif isinstance(change, DeactivateMembership):
            found.remove(change.subject)
    return found


TAKING: dict[str, tuple[Change, str]] = {
    "a membership": (RemoveMembership(subject="p10"), r"user:p10\b.*"),
    "an active one": (DeactivateMembership(subject="p10"), r"user:p10"),
    "a place in a group": (RemoveMembers(group="g1", members=("p10",)), r"user:p10 in g1"),
    "by a replacement": (ReplaceMembers(group="g1", members=()), r"user:.* in g1"),
    "a group": (DeleteGroup(group="g1", cascade=True), r".*\bg1"),
    "a nesting": (UnnestGroup(group="g0", out_of="g1"), r"g0 in g1"),
    "a role": (Unassign(role="reader", to="p10"), r"user:p10 as reader"),
    "roles by a replacement": (ReplaceAssignments(to="p10", assignments=()), r"user:p10 as .*"),
    "a role of all": (DeleteRole(role="reader", cascade=True), r".* as reader"),
}
"""A change of somebody else, and what facts must not be there after it."""


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
@pytest.mark.parametrize("taking", TAKING)
def test_what_was_taken_stays_taken(
    ready: Authority, taking: str, is_guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between an import that stopped and its next run. Control: unguarded it comes back, or is refused."""
    change, gone = TAKING[taking]

    def is_back() -> bool:
        return any(re.fullmatch(gone, fact) for fact in facts(ready))

    stopped(ready, changes_file())
    ready.apply(creating())
    assert is_back()
    ready.apply([change])
    assert not is_back()
    if not is_guarded:
        monkeypatch.setattr(Taken, "note", lambda *_: None)
        with suppress(BadInput):
            run(ready, changes_file())
            assert is_back()
        return
    assert run(ready, changes_file()).left_out
    assert not is_back()
    named = {"p10", "g1", "reader"} & set(re.findall(r"\w+", f"{change}"))
    wanted = {f"user:{who} in g{n % 3}" for n, who in enumerate(PEOPLE)}
    assert {fact for fact in wanted if not named & set(re.findall(r"\w+", fact))} <= facts(ready)


def creating() -> list[Change]:
    """What is not there yet when the import has stopped, but is to be taken."""
    return [
        *(CreateGroup(group=group) for group in GROUPS),
        NestGroup(group="g0", into="g1"),
        AddMembers(group="g1", members=("p10",)),
        Assign(role="reader", to="p10"),
    ]


@pytest.mark.parametrize("kind", FILES)
def test_somebody_removed_while_it_lasts(ready: Authority, kind: str) -> None:
    """Not only between two runs: each batch heeds what was taken before it. It is named by its line."""
    taken: list[str] = []

    def take(done: int, total: int) -> None:
        if not taken:
            taken.append("p10")
            ready.apply([RemoveMembership(subject="p10")])

    items = FILES[kind]()
    summary = load(ready, items, digest="d", organization="acme", batch_size=4, progress=take)
    assert "user:p10" not in facts(ready)
    assert len(facts(ready)) > len(PEOPLE)
    assert {each.what.split()[0] for each in summary.left_out} == {"user:p10"}
    assert {each.at for each in summary.left_out} <= {
        item.row(n) for item in items for n in range(12)[: len(item.rows) or 1]
    }


def test_a_list_is_finished_without_the_one_who_was_removed(ready: Authority) -> None:
    """The import is not refused for naming somebody who is gone; its row is told."""
    stopped(ready, members_file(), after=3)
    ready.apply([RemoveMembership(subject="p10")])
    summary = run(ready, members_file())
    assert [(each.at, each.what) for each in summary.left_out] == [("f:12", "user:p10 in g1")]
    there = {fact for fact in facts(ready) if " in " in fact}
    wanted = {f"user:{who} in g{n % 3}" for n, who in enumerate(PEOPLE)}
    assert wanted - there == {"user:p10 in g1"}
    again = run(ready, members_file())
    assert [each.at for each in again.left_out] == ["f:12"]
    assert "user:p10" not in facts(ready)


@pytest.mark.parametrize("sets_rule", [True, False], ids=["set later", "set before"])
def test_another_spelling_of_who_was_removed(authority: Authority, sets_rule: bool) -> None:
    """Under the rule that folds ids, the file's spelling does not bring back who left by another."""
    rule = IdRule.EXACT if sets_rule else IdRule.CASEFOLD
    authority.apply([CreateOrganization(id_rule=rule), AddMembership(subject="p0")])
    text = "group,subject\ng,P1\ng,p2\n"
    items = parse(listed(text)) + parse(listed("group,subject\nlast,P1\n"))
    stopped(authority, items)
    if sets_rule:
        authority.apply([RemoveMembership(subject="P1")])
        authority.apply([SetIdRule(rule=IdRule.CASEFOLD)])
    else:
        authority.apply([RemoveMembership(subject="p1")])
    assert "user:p1" not in facts(authority)
    assert run(authority, items).left_out
    assert "user:p1" not in facts(authority)
    assert "user:p2 in g" in facts(authority)


def test_an_id_that_was_changed_is_nobodys(ready: Authority) -> None:
    """Whoever has another id now is not made again under the old one."""
    stopped(ready, members_file(), after=3)
    ready.apply([ChangeMembershipId(subject="p10", new_id="ten")])
    assert [e.why for e in run(ready, members_file()).left_out] == [
        "was given another id since the import began"
    ]
    assert "user:p10" not in facts(ready)


def test_again_gives_it_back(ready: Authority) -> None:
    """Whoever says so wants what the file says."""
    run(ready, members_file())
    ready.apply([RemoveMembership(subject="p11")])
    load(ready, members_file(), digest="d", organization="acme", batch_size=4, again=True)
    assert "user:p11 in g2" in facts(ready)


def test_a_row_of_somebody_deactivated_does_not_stop_others(ready: Authority) -> None:
    """It is named; once she is back the same file does her row too."""
    ready.apply([DeactivateMembership(subject="p2")])
    first = run(ready, members_file())
    assert [(e.at, e.what, e.why) for e in first.left_out] == [
        ("f:4", "user:p2 in g2", "is deactivated")
    ]
    ready.apply([ReactivateMembership(subject="p2")])
    assert "user:p2 in g2" not in facts(ready)
    assert run(ready, members_file()).left_out == []
    assert "user:p2 in g2" in facts(ready)


def test_somebody_is_deactivated_between_look_and_lock(
    ready: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is looked at again. Control: without saying at which revision it is refused."""
    look, struck = applying.Batches.look, []
    says_revision = True

    def overtaken(self: applying.Batches, items: Sequence[Item]) -> applying.View:
        view = look(self, items)
        if not struck:
            struck.append(1)
            ready.apply([DeactivateMembership(subject="p2")])
        return view if says_revision else replace(view, revision=None)

    monkeypatch.setattr(applying.Batches, "look", overtaken)
    assert [e.at for e in run(ready, members_file()).left_out] == ["f:4"]
    ready.apply([ReactivateMembership(subject="p2")])
    struck.clear()
    says_revision = False
    with pytest.raises(Exception, match="deactivated"):
        load(ready, members_file(), digest="other", organization="acme")


def test_an_organization_that_always_moves_ends_the_import(
    ready: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an error that may be tried again, and not never."""
    look, count = applying.Batches.look, iter(range(1_000))

    def overtaken(self: applying.Batches, items: Sequence[Item]) -> applying.View:
        view = look(self, items)
        ready.apply([CreateGroup(group=f"other{next(count)}")])
        return view

    monkeypatch.setattr(applying.Batches, "look", overtaken)
    with pytest.raises(StoreConflict):
        run(ready, members_file())
    assert next(count) == 1 + applying.ATTEMPTS


def test_a_deleted_organization_is_not_made_again(ready: Authority) -> None:
    """By the same import, unless it is said."""
    stopped(ready, members_file())
    ready.apply([DeleteOrganization(cascade=True)])
    with pytest.raises(InvalidArgument, match="deleted since the import began"):
        run(ready, members_file())
    ready.apply([CreateOrganization()])
    with pytest.raises(InvalidArgument, match="deleted since the import began"):
        run(ready, members_file())
    load(ready, members_file(), digest="d", organization="acme", again=True)
    assert "user:p11 in g2" in facts(ready)


def test_two_imports_of_one_file_at_once(ready: Authority) -> None:
    """Each takes the other's batches for its own: nobody is left out, and nothing is done twice."""
    done: list[Summary] = []

    def both(at: int, total: int) -> None:
        if not done:
            done.append(run(ready, members_file()))

    load(ready, members_file(), digest="d", organization="acme", batch_size=4, progress=both)
    assert done[0].left_out == []
    assert {fact for fact in facts(ready) if " in " in fact} == {
        f"user:{who} in g{n % 3}" for n, who in enumerate(PEOPLE)
    }


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
@pytest.mark.parametrize("seed", range(5))
def test_at_random(
    ready: Authority, seed: int, is_guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped anywhere, with anything taken in between, however often: what was taken stays taken, and the
    rest of the file is there in the end. Control: unguarded something comes back, or the import is refused.
    """
    if is_guarded:
        assert not revived(ready, seed)
        return
    monkeypatch.setattr(Taken, "note", lambda *_: None)
    try:
        assert revived(ready, seed)
    except BadInput as error:
        assert "not" in str(error)


def revived(authority: Authority, seed: int) -> set[str]:
    """What was taken between runs and is there again at some time, or is missing without a reason."""
    dice = random.Random(seed)
    kind = dice.choice([*FILES])
    gone: set[str] = set()
    back: set[str] = set()
    for stop_after in (*(dice.randint(2, 5) for _ in range(3)), None, None):
        with suppress(Killed):
            run(authority, FILES[kind](), stop_after=stop_after)
        back |= gone & facts(authority)
        taken = dice.sample(sorted(facts(authority)), 3) if stop_after else []
        for fact in taken:
            if (change := taking_back(fact)) is not None:
                authority.apply([change])
                gone.add(fact)
    wanted = {f"user:{who} in g{n % 3}" for n, who in enumerate(PEOPLE)}
    missing = {fact for fact in wanted - facts(authority) if not gone & parts_of(fact)}
    return back | missing


def parts_of(fact: str) -> set[str]:
    subject, _, group = fact.partition(" in ")
    return {fact, subject, f"group:{group}"}


def taking_back(fact: str) -> Change | None:
    subject, word, rest = fact.partition(" in ")
    if word and subject.startswith("user:"):
        return RemoveMembers(group=rest, members=(subject,))
    if word:
        return UnnestGroup(group=subject, out_of=rest)
    holder, word, role = fact.partition(" as ")
    if word:
        return Unassign(role=role, to=holder)
    return RemoveMembership(subject=fact) if fact.startswith("user:") else None


def test_pairs_leave_out_who_is_deactivated(authority: Authority) -> None:
    """Also where a role and a group are made for what people have."""
    authority.apply([CreateOrganization(), AddMembership(subject="bob")])
    authority.apply([DeactivateMembership(subject="bob")])
    items = parse(listed("ada read\nbob read\n"), Format.PAIRS)
    summary = load(authority, items, digest="d", organization="acme")
    assert [(e.at, e.what) for e in summary.left_out] == [("f:2", "user:bob in set-0001")]
    assert authority.check("ada", "read")
