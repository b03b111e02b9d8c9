"""What a change names is told by its type."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from rescind.changes import (
    AddMembers,
    Assign,
    Change,
    NestGroup,
    UnnestGroup,
    groups_in,
    members_in,
    naming,
    subjects_in,
)

UNIONS = {
    "subject": naming.OfMembership,
    "members": naming.OfMembers,
    "to": naming.OfHolder,
    "group": naming.OfGroup,
    "role": naming.OfRole,
    "permission": naming.OfPermission,
}


@pytest.mark.parametrize("field", UNIONS)
def test_a_union_has_every_type_with_its_field(field: str) -> None:
    """A new type of change that names such a thing cannot be forgotten."""
    union: Any = UNIONS[field]
    having = {kind for kind in get_args(Change) if field in kind.__struct_fields__}
    assert set(get_args(union)) == having


@pytest.mark.parametrize(
    ("change", "subjects", "groups"),
    [
        (AddMembers(group="eng", members=("user:ada", "bob")), ("user:ada", "bob"), ("eng",)),
        (NestGroup(group="eng", into="all"), (), ("eng", "all")),
        (UnnestGroup(group="eng", out_of="all"), (), ("eng", "all")),
        (Assign(role="reader", to="user:ada"), ("user:ada",), ()),
        (Assign(role="reader", to="group:eng"), (), ("eng",)),
    ],
)
def test_what_is_named(change: Change, subjects: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """Members, memberships and holders are subjects; a holder may be a group."""
    assert (subjects_in(change), groups_in(change)) == (subjects, groups)
    assert members_in(change) == (subjects if isinstance(change, AddMembers) else ())
