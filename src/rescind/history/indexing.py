"""An index of a past state: the code that answers from memory answers about the past too.

Numbers are made up, in the order of names; those of roles, which break ties of priority, in their order. All
definitions are kept as the organization's own. No permission is critical: the index answers everything.
"""

from __future__ import annotations

from rescind.index import Index
from rescind.index.assignments import Held, Until
from rescind.index.catalog import Role
from rescind.index.facts import ROOT as ROOT_NUMBER
from rescind.index.facts import Rules
from rescind.model import (
    ROOT,
    GroupNumber,
    HolderNumber,
    IdRule,
    MembershipNumber,
    OnLoss,
    OrganizationNumber,
    PermissionNumber,
    ResourceNumber,
    RoleMode,
    RoleNumber,
)
from rescind.semantics.state import (
    EnvironmentState,
    OrganizationState,
    is_set_aside,
    permissions_of,
    roles_of,
)


def index_of(
    o: OrganizationNumber, state: OrganizationState, environment: EnvironmentState
) -> Index:
    """An index that answers about these facts. The organization exists in them."""
    index = Index(o)
    roles = _put_definitions(index, state, environment)
    holders = _put_people(index, state)
    resources = _put_resources(index, state)
    for (holder, role, resource), fact in state.assignments.items():
        held = Held(holders[holder], roles[role], resources[resource])
        index.facts.set_assignment(held, holds=True, until=fact.until)
    for subject, role in state.set_aside:
        if is_set_aside(state, environment, subject, role):
            number = index.facts.memberships[subject]
            index.facts.resets.setdefault(number, set()).add(roles[role])
    return index


def _put_definitions(
    index: Index, state: OrganizationState, environment: EnvironmentState
) -> dict[str, RoleNumber]:
    """Put permissions, roles and rules; returns the roles' numbers."""
    catalog = index.facts.own
    defined = sorted({*environment.permissions, *state.permissions})
    permissions = {slug: PermissionNumber(n) for n, slug in enumerate(defined, 1)}
    for slug, permission in permissions.items():
        catalog.put_permission(permission, slug, critical=False)
    roles = roles_of(state, environment)
    ranked = sorted(roles, key=lambda name: roles[name].rank)
    numbers = {name: RoleNumber(n) for n, name in enumerate(ranked, 1)}
    for name, number in numbers.items():
        role = roles[name]
        contents = frozenset(permissions[slug] for slug in permissions_of(role, environment))
        catalog.put_role(number, Role(name, role.priority, contents))
    settings = state.settings
    assert settings is not None
    default = settings.default_role
    index.facts.set_rules(
        Rules(
            settings.role_mode is RoleMode.SINGLE,
            settings.on_loss is OnLoss.NEXT_HIGHEST,
            None if default is None else numbers[default],
            settings.id_rule is IdRule.CASEFOLD,
        )
    )
    return numbers


def _put_people(index: Index, state: OrganizationState) -> dict[str, HolderNumber]:
    """Put memberships, groups, members and nestings; returns the numbers of holders."""
    facts = index.facts
    for n, subject in enumerate(sorted(state.memberships), 1):
        active = state.memberships[subject].is_active
        facts.put_membership(MembershipNumber(n), subject, active=active)
    for n, slug in enumerate(sorted(state.groups), 1):
        facts.put_group(GroupNumber(-n), slug)
    memberships, groups = facts.memberships, facts.groups
    places: dict[MembershipNumber, dict[GroupNumber, Until]] = {}
    for (subject, group), place in state.places.items():
        places.setdefault(memberships[subject], {})[groups[group]] = place.until
    for membership, its_groups in places.items():
        facts.set_groups(membership, its_groups)
    for child, parent in state.nestings:
        facts.set_nesting(groups[child], groups[parent], holds=True)
    holders: dict[str, HolderNumber] = dict(memberships)
    holders |= {f"group:{slug}": number for slug, number in groups.items()}
    return holders


def _put_resources(index: Index, state: OrganizationState) -> dict[str, ResourceNumber]:
    """Put resources; returns their numbers."""
    others = sorted(state.resources.keys() - {ROOT})
    numbers: dict[str, ResourceNumber] = {ROOT: ROOT_NUMBER}
    numbers |= {slug: ResourceNumber(n) for n, slug in enumerate(others, 1)}
    index.facts.put_resource(ROOT_NUMBER, ROOT, None)
    for slug in others:
        parent = state.resources[slug].parent
        index.facts.put_resource(numbers[slug], slug, None if parent is None else numbers[parent])
    return numbers
