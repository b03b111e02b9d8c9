"""A first change and a first check, on every engine."""

from rescind import Authority
from rescind.changes import AddMembership, Assign, CreateOrganization, DefinePermission, DefineRole


def test_what_is_granted_is_allowed(authority: Authority) -> None:
    """A role on the organization allows what it contains."""
    authority.apply(
        [
            CreateOrganization(),
            DefinePermission(permission="doc:read"),
            DefineRole(role="viewer", permissions=("doc:read",)),
            AddMembership(subject="user:ada"),
            Assign(role="viewer", to="user:ada"),
        ]
    )
    assert authority.check("user:ada", "doc:read")
    assert not authority.check("user:bob", "doc:read")
