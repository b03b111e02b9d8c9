"""Importing and exporting on both engines: whole batches, taken up again, and there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    CreateResource,
    DeactivateMembership,
    DefinePermission,
    DefineResourceType,
    DefineRole,
    NestGroup,
    RemoveMembership,
    SetDefaultRole,
    SetRoleMode,
    Unassign,
)
from rescind.errors import BadInput, InvalidArgument, OrganizationNotFound
from rescind.model import ENVIRONMENT, IdRule, OnLoss, RoleMode
from rescind.propagation.audit import audit
from rescind.transfer import Format, Item, Source, everything, exported, foresee, load, parse, read
from rescind.transfer.batches import View
from rescind.transfer.loading import Import, surveys
from tests.conftest import SHARED

HP_LABS = SHARED / "data" / "hp_labs_americas_small.txt.gz"
LATER = datetime.now(UTC) + timedelta(days=1)


class Killed(Exception):
    """Stands for the end of the process."""


def items(*given: Change) -> list[Item]:
    return [Item(change, f"file:{n}") for n, change in enumerate(given, 1)]


def many(count: int) -> list[Item]:
    return items(*(AddMembership(subject=f"u{n}") for n in range(count)))


def test_interrupted_import_resumes(authority: Authority) -> None:
    """Killed between batches and run again, an import ends in the same facts, each batch once."""

    def kill(done: int, total: int) -> None:
        if done >= 20:
            raise Killed

    with pytest.raises(Killed):
        load(authority, many(50), digest="d", organization="acme", batch_size=10, progress=kill)
    done = len(exported(authority, "acme"))
    assert 20 <= done < 51
    revisions = len(list(authority.log(organization="acme")))
    summary = load(authority, many(50), digest="d", organization="acme", batch_size=10)
    assert (summary.repeated, summary.granting) == (revisions, summary.batches - revisions)
    assert len(exported(authority, "acme")) == 51
    assert len(list(authority.log(organization="acme"))) == summary.batches


def test_again_applies_anew(authority: Authority) -> None:
    """The same import twice passes over what was done; `again` puts back what was lost since."""
    load(authority, many(3), digest="d", organization="acme")
    authority.apply([RemoveMembership(subject="u1")], organization="acme")
    assert load(authority, many(3), digest="d", organization="acme").repeated == 1
    assert len(exported(authority, "acme")) == 3
    assert load(authority, many(3), digest="d", organization="acme", again=True).repeated == 0
    assert len(exported(authority, "acme")) == 4


def test_refused_batch_is_not_half_applied(authority: Authority) -> None:
    """A change that the store refuses is named by its place, and nothing of its batch is there."""
    bad = [*many(25), *items(Assign(role="admin", to="u1"))]
    with pytest.raises(BadInput) as caught:
        load(authority, bad, digest="d", organization="acme", batch_size=10)
    assert caught.value.facts["at"] == "file:1"
    assert caught.value.facts["batches_done_before"] == 2
    assert len(exported(authority, "acme")) == 20


def test_foreseen_is_not_done(authority: Authority) -> None:
    """A dry run tells exactly what would be granted, and changes nothing."""
    given = items(
        DefinePermission(permission="read"),
        DefineRole(role="reader", permissions=("read",)),
        AddMembership(subject="ada"),
        Assign(role="reader", to="ada"),
    )
    found = foresee(authority, given, organization="acme")["acme"]
    assert (found.granted, found.revoked) == ((("user:ada", "read", "organization"),), ())
    with pytest.raises(OrganizationNotFound):
        exported(authority, "acme")


def test_items_of_several_organizations(authority: Authority) -> None:
    """Each line's organization gets its own batches, the environment's before those that need it."""
    reader = DefineRole(role="reader", permissions=("read",))
    given = [
        Item(AddMembership(subject="ada"), "f:1", "one"),
        Item(Assign(role="reader", to="ada"), "f:2", "one"),
        Item(AddMembership(subject="bob"), "f:3", "two"),
        Item(DefinePermission(permission="read"), "f:4", ENVIRONMENT),
        Item(reader, "f:5", ENVIRONMENT),
    ]
    assert load(authority, given, digest="d").organizations == [ENVIRONMENT, "one", "two"]
    assert authority.check("ada", "read", organization="one")
    with pytest.raises(InvalidArgument):
        load(authority, many(1), digest="d")


def of_every_kind() -> list[Change]:
    return [
        CreateOrganization(name="Acme Ltd"),
        SetRoleMode(mode=RoleMode.SINGLE, on_loss=OnLoss.NEXT_HIGHEST),
        DefinePermission(permission="pay", critical=True, description="Pay – out"),
        DefineRole(role="payer", permissions=("pay", "read"), priority=3, critical=True, name="P"),
        DefineRole(role="nobody"),
        SetDefaultRole(role="nobody"),
        DefineResourceType(type="zone"),
        DefineResourceType(type="folder", parents=("organization", "zone")),
        DefineResourceType(type="document", parents=("folder",)),
        CreateResource(resource="folder:z"),
        CreateResource(resource="document:a", parent="folder:z"),
        AddMembership(subject="ada", name="Ada"),
        AddMembership(subject="agent:x"),
        DeactivateMembership(subject="agent:x"),
        CreateGroup(group="eng", name="Engineers"),
        CreateGroup(group="all"),
        AddMembers(group="eng", members=("ada",), expires_at=LATER),
        AddMembers(group="eng", members=("agent:x",)),
        NestGroup(group="eng", into="all"),
        Assign(role="payer", to="group:all", on="document:a", expires_at=LATER),
        Assign(role="reader", to="agent:x"),
    ]


def test_there_and_back(engine: str, new_database: Callable[[str], str]) -> None:
    """What was exported and imported elsewhere exports as the same lines again."""
    with Authority.open(new_database(engine)) as one, Authority.open(new_database(engine)) as two:
        shared = [DefinePermission(permission="read"), DefineRole(role="reader")]
        one.apply(shared, organization=ENVIRONMENT)
        one.apply(of_every_kind(), organization="acme")
        one.apply([CreateOrganization()], organization="beta")
        lines = list(everything(one))
        assert {name for name, _ in lines} == {ENVIRONMENT, "acme", "beta"}
        load(two, [Item(change, "f:1", name) for name, change in lines], digest="d", batch_size=4)
        assert list(everything(two)) == lines
        assert len(lines) == len(of_every_kind()) + 3


def test_roles_set_aside_are_not_exported_as_held(authority: Authority) -> None:
    """An export that would give back what a loss set aside is refused."""
    authority.apply(
        [
            CreateOrganization(),
            SetRoleMode(mode=RoleMode.SINGLE),
            DefineRole(role="low", priority=1),
            DefineRole(role="high", priority=2),
            AddMembership(subject="ada"),
            Assign(role="low", to="ada"),
            Assign(role="high", to="ada"),
        ]
    )
    authority.apply([Unassign(role="high", to="ada")])
    with pytest.raises(InvalidArgument, match="set aside"):
        exported(authority, "acme")


@pytest.fixture
def pairs() -> Source:
    if not HP_LABS.is_file():
        pytest.skip(f"{HP_LABS.name} is not beside the repository")
    return read(str(HP_LABS))


def test_real_pairs_are_exactly_true(authority: Authority, pairs: Source) -> None:
    """After importing a real organization, sampled users can do what the file says and no more."""
    load(authority, parse(pairs, Format.PAIRS), digest=pairs.digest, organization="acme")
    held: dict[str, set[str]] = {}
    for line in pairs.lines:
        user, permission = line.split()
        held.setdefault(user, set()).add(permission)
    assert (len(held), sum(map(len, held.values()))) == (3_477, 105_205)
    for user in sorted(held)[::250]:
        page = authority.permissions_of(user, limit=10_000, organization="acme")
        assert set(page.items) == held[user]


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is an OSError."""
    with pytest.raises(OSError, match="No such file"):
        read(str(tmp_path / "none"))


def test_what_batches_leave_is_done(authority: Authority) -> None:
    """An import that is too much for the inline route leaves nothing to workers, but what is parked."""
    authority.settings = replace(authority.settings, inline_most_pairs=3)
    authority = Authority(authority.store, organization="acme", settings=authority.settings)
    groups = [f"g{n}" for n in range(4)]
    people = tuple(f"user:{n}" for n in range(5))
    made = [
        DefinePermission(permission="read"),
        DefineRole(role="reader", permissions=("read",)),
        *(AddMembership(subject=subject) for subject in people),
        *(CreateGroup(group=group) for group in groups),
        *(AddMembers(group=group, members=people) for group in groups),
        *(Assign(role="reader", to=f"group:{group}") for group in groups),
    ]
    seen: list[int] = []
    load(
        authority,
        [Item(change, str(place)) for place, change in enumerate(made)],
        digest="d",
        organization="acme",
        progress=lambda *_: seen.append(len(authority.pending())),
    )
    assert seen[-1] > 0
    assert authority.pending() == []
    assert audit(authority.store).is_clean


def test_an_organization_is_named_by_a_later_line(authority: Authority) -> None:
    """What creates it begins a batch; the organization has the name that the input gives it."""
    create = CreateOrganization(name="Beta Ltd", id_rule=IdRule.EXACT)
    lines = items(CreateGroup(group="g1"), create, CreateGroup(group="g2"), create)
    load(authority, lines, digest="named", organization="beta")
    assert exported(authority, "beta")[0] == create
    assert load(authority, lines, digest="again", organization="beta").batches == 2


@pytest.mark.parametrize("count", [100, 400])
def test_inactive_is_worked_out_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Who is inactive is worked out once a survey and once an attempt at a batch, not once an item."""
    load(authority, many(count), digest="0" * 64, organization="acme")
    asked: list[None] = []
    inactive = View.inactive.fget
    assert inactive is not None

    def counted(view: View) -> frozenset[str]:
        asked.append(None)
        return inactive(view)

    monkeypatch.setattr(View, "inactive", property(counted))
    whole = Import(many(count), "1" * 64, "acme")
    surveys(authority, whole)
    assert len(asked) == 1
    summary = load(authority, many(count), digest="1" * 64, organization="acme", batch_size=50)
    assert summary.batches == count // 50 + 1  # one more item makes the organization
    assert len(asked) == 1 + summary.batches
