"""An import gives nothing back that others took: by editing a role, moving a resource, choosing a default."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    DefinePermission,
    DefineRole,
    EditRole,
    MoveResource,
    SetDefaultRole,
)
from rescind.model import IdRule
from rescind.transfer import Item, load
from rescind.transfer.since import Taken, rest_of


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Authority]:
    with Authority.open(tmp_path / "a.db", organization="acme", create=True) as authority:
        authority.apply(
            [
                CreateOrganization(),
                DefinePermission(permission="read"),
                DefinePermission(permission="write"),
                DefineRole(role="editor", permissions=("read", "write")),
                AddMembership(subject="user:ada"),
                Assign(role="editor", to="user:ada"),
            ]
        )
        yield authority


@pytest.mark.parametrize(
    "take", [EditRole(role="editor", remove=("write",)), EditRole(role="editor", set=("read",))]
)
def test_a_permission_that_was_taken_from_a_role_stays_taken(acme: Authority, take: Change) -> None:
    """(Control: with `again`, the file gives it back.)"""
    items = [
        Item(CreateGroup(group="ops"), "line 1"),
        Item(EditRole(role="editor", add=("write",)), "line 2"),
    ]
    begun: list[int] = []

    def taken_meanwhile(done: int, _: int) -> None:
        if not begun:
            acme.apply([take])
        begun.append(done)

    summary = load(
        acme, items, digest="d", organization="acme", batch_size=1, progress=taken_meanwhile
    )
    assert not acme.check("user:ada", "write")
    assert acme.check("user:ada", "read")
    assert [(each.at, each.what) for each in summary.left_out] == [("line 2", "write of editor")]
    load(acme, items, digest="d", organization="acme", again=True)
    assert acme.check("user:ada", "write")


def left_of(taken: Taken, change: Change) -> Change | None:
    item, _ = rest_of(Item(change, "line 1"), taken, frozenset())
    return None if item is None else item.change


def test_what_others_chose_stays() -> None:
    """The rest of an edit is done. (Control: of another role or resource, all of it.)"""
    taken = Taken()
    taken.note(
        [
            EditRole(role="editor", remove=("write",)),
            EditRole(role="viewer", set=("read",)),
            MoveResource(resource="doc:1", parent="doc:private"),
            SetDefaultRole(role=None),
        ]
    )
    for found in (taken, taken.spelled(IdRule.CASEFOLD)):
        edit = EditRole(role="editor", add=("write", "share"))
        assert left_of(found, edit) == EditRole(role="editor", add=("share",))
        assert left_of(found, EditRole(role="viewer", set=("read", "write"))) == EditRole(
            role="viewer", set=("read",)
        )
        assert left_of(found, EditRole(role="viewer", add=("write",))) is None
        assert left_of(found, MoveResource(resource="doc:1", parent="doc:public")) is None
        assert left_of(found, SetDefaultRole(role="editor")) is None
        for other in (
            EditRole(role="owner", add=("write",)),
            EditRole(role="editor", remove=("write",)),
            MoveResource(resource="doc:2", parent="doc:public"),
        ):
            assert left_of(found, other) == other
