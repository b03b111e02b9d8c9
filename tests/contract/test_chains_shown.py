"""Explanations in a single-role organization: every chain that counts is shown, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rescind import Authority, changes
from rescind.model import Chain
from rescind.semantics import access
from tests.property.chains import assert_each_allows, assert_none_is_missing

ADA = "user:ada"
WORLD: list[changes.Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="guest", permissions=("read",)),
    changes.DefineRole(role="viewer", permissions=("read",), priority=1),
    changes.DefineRole(role="chief", priority=2),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="doc:1"),
    changes.AddMembership(subject=ADA),
    changes.SetRoleMode(mode="single"),
    changes.SetDefaultRole(role="guest"),
    changes.Assign(role="viewer", to=ADA, on="doc:1"),
]


def shown(authority: Authority) -> set[tuple[str, str, bool]]:
    """Role, place and whether by default of each chain on `doc:1`, live and not alike."""
    found = []
    for assurance in ("standard", "live"):
        decision = authority.explain(ADA, "read", "doc:1", assurance=assurance)
        assert decision.explanation is not None
        chains = decision.explanation.chains
        found.append({(c.role, c.assigned_on, c.is_default_role) for c in chains})
    assert found[0] == found[1]
    return found[0]


def test_the_default_role_is_shown_beside_a_resource(authority: Authority) -> None:
    """Both allow, so both are shown; a role that wins takes the default role's place."""
    authority.apply(WORLD)
    on_doc = ("viewer", "doc:1", False)
    assert shown(authority) == {on_doc, ("guest", "organization", True)}
    authority.apply([changes.Assign(role="viewer", to=ADA)])
    assert shown(authority) == {on_doc, ("viewer", "organization", False)}
    authority.apply([changes.Assign(role="chief", to=ADA)])
    assert shown(authority) == {on_doc}


def test_a_role_that_is_set_aside_has_no_chain(authority: Authority) -> None:
    """Also where it is the default role, which counts by itself."""
    authority.apply(WORLD)
    authority.apply([changes.Assign(role=role, to=ADA) for role in ("guest", "chief")])
    authority.apply([changes.Unassign(role="chief", to=ADA)])
    on_doc = ("viewer", "doc:1", False)
    assert shown(authority) == {on_doc, ("guest", "organization", True)}
    authority.apply([changes.SetDefaultRole(role=None)])
    assert shown(authority) == {on_doc}


IN_MEMORY = access.World(
    memberships={ADA: True},
    roles={
        "guest": access.Role(frozenset({"read"}), 0, 0),
        "viewer": access.Role(frozenset({"read"}), 1, 1),
    },
    resources={access.ROOT: None, "doc:1": access.ROOT},
    assignments={access.Assignment(ADA, "viewer", "doc:1"): None},
    is_single_role=True,
    default_role="guest",
)
ON_DOC = Chain(ADA, (), "viewer", "read", "doc:1", "doc:1", None)
BY_DEFAULT = Chain(ADA, (), "guest", "read", access.ROOT, "doc:1", None, is_default_role=True)


def test_the_properties_hold_of_both_chains() -> None:
    assert_each_allows(IN_MEMORY, [ON_DOC, BY_DEFAULT], 0)
    assert_none_is_missing(IN_MEMORY, [ON_DOC, BY_DEFAULT], 0)


@pytest.mark.parametrize("chains", [[ON_DOC], [BY_DEFAULT]])
def test_control_a_chain_too_few(chains: list[Chain]) -> None:
    """Control: where a chain is left out, something allows without those that are shown."""
    with pytest.raises(AssertionError, match="more allows"):
        assert_none_is_missing(IN_MEMORY, chains, 0)


def test_control_a_chain_too_many() -> None:
    """Control: a chain that does not count does not allow alone."""
    aside = replace(
        IN_MEMORY,
        assignments={access.Assignment(ADA, "guest"): None},
        resets={(ADA, "guest")},
    )
    with pytest.raises(AssertionError, match="does not allow alone"):
        assert_each_allows(aside, [replace(BY_DEFAULT, is_default_role=False)], 0)
