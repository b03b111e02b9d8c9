"""The facts of two states, compared by name and kind: of the log replayed, and of the tables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from rescind.semantics.state import (
    EnvironmentState,
    OrganizationState,
    Role,
    is_set_aside,
    permissions_of,
)

Facts: TypeAlias = Mapping[Hashable, Any]
"""What is known by name: values that are equal where the facts are."""


class FactDifference(NamedTuple):
    """A fact that the log and the tables do not agree on. None stands for one that is not there."""

    kind: str
    name: str
    in_log: str | None
    in_tables: str | None


def settings(state: OrganizationState, _: EnvironmentState) -> Facts:
    there = state.settings
    if there is None:
        return {}
    names = ("name", "id_rule", "role_mode", "on_loss", "default_role")
    return {name: getattr(there, name) for name in names}


def memberships(state: OrganizationState, _: EnvironmentState) -> Facts:
    return {
        subject: ("active" if fact.is_active else "deactivated", fact.name)
        for subject, fact in state.memberships.items()
    }


def groups(state: OrganizationState, _: EnvironmentState) -> Facts:
    return {group: (fact.name,) for group, fact in state.groups.items()}


def places(state: OrganizationState, _: EnvironmentState) -> Facts:
    return {key: (fact.until,) for key, fact in state.places.items()}


def nestings(state: OrganizationState, _: EnvironmentState) -> Facts:
    return dict.fromkeys(state.nestings, ())


def permissions(state: OrganizationState | EnvironmentState, _: EnvironmentState) -> Facts:
    return {
        name: ("critical" if fact.critical else "", fact.description)
        for name, fact in state.permissions.items()
    }


def roles(state: OrganizationState | EnvironmentState, environment: EnvironmentState) -> Facts:
    return {name: _role(role, environment) for name, role in state.roles.items()}


def _role(role: Role, environment: EnvironmentState) -> tuple[Any, ...]:
    return (
        role.priority,
        "critical" if role.critical else "",
        "required" if role.required else "",
        role.name,
        role.resource_type,
        *sorted(permissions_of(role, environment)),
    )


def role_order(state: OrganizationState | EnvironmentState, _: EnvironmentState) -> Facts:
    """Between equal priorities the role that was defined first wins."""
    order = sorted(state.roles, key=lambda name: state.roles[name].rank)
    return {name: (place,) for place, name in enumerate(order, 1)}


def resource_types(state: OrganizationState | EnvironmentState, _: EnvironmentState) -> Facts:
    return {name: fact.parents for name, fact in state.resource_types.items()}


def resources(state: OrganizationState, _: EnvironmentState) -> Facts:
    return {name: (fact.parent,) for name, fact in state.resources.items()}


def assignments(state: OrganizationState, _: EnvironmentState) -> Facts:
    return {key: (fact.until,) for key, fact in state.assignments.items()}


def set_aside(state: OrganizationState, environment: EnvironmentState) -> Facts:
    there = (key for key in state.set_aside if is_set_aside(state, environment, *key))
    return dict.fromkeys(there, ())


OF_ENVIRONMENT: Final[dict[str, Callable[[Any, EnvironmentState], Facts]]] = {
    "permission": permissions,
    "role": roles,
    "order of roles": role_order,
    "resource type": resource_types,
}
OF_ORGANIZATION: Final[dict[str, Callable[[Any, EnvironmentState], Facts]]] = {
    "organization": settings,
    "membership": memberships,
    "group": groups,
    "place in a group": places,
    "nesting": nestings,
    **OF_ENVIRONMENT,
    "resource": resources,
    "assignment": assignments,
    "role set aside": set_aside,
}
"""Each kind of facts, and what there is of it in a state."""


def organization_differences(
    in_log: tuple[OrganizationState, EnvironmentState],
    in_tables: tuple[OrganizationState, EnvironmentState],
) -> Iterator[FactDifference]:
    """The facts of an organization in which the two differ, kind by kind, by name."""
    for kind, facts_of in OF_ORGANIZATION.items():
        yield from _differences(kind, facts_of(*in_log), facts_of(*in_tables))


def environment_differences(
    in_log: EnvironmentState, in_tables: EnvironmentState
) -> Iterator[FactDifference]:
    """The definitions for all organizations in which the two differ."""
    for kind, facts_of in OF_ENVIRONMENT.items():
        yield from _differences(kind, facts_of(in_log, in_log), facts_of(in_tables, in_tables))


def _differences(kind: str, in_log: Facts, in_tables: Facts) -> Iterator[FactDifference]:
    if in_log == in_tables:
        return
    names = [
        name
        for name in {**in_log, **in_tables}
        if name not in in_log or name not in in_tables or in_log[name] != in_tables[name]
    ]
    for name in sorted(names, key=_told):
        logged, kept = (_value(facts, name) for facts in (in_log, in_tables))
        yield FactDifference(kind, _told(name), logged, kept)


def _told(name: Hashable) -> str:
    """A name, or the names of a fact of several: `user:ada in staff` is told as its parts."""
    return " ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _value(facts: Facts, name: Hashable) -> str | None:
    if name not in facts:
        return None
    value = facts[name]
    parts = value if isinstance(value, tuple) else (value,)
    shown = [str(part) for part in parts if part not in (None, "")]
    return ", ".join(shown) or "there"
