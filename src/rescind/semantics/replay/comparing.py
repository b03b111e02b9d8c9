"""The facts of two states, compared by kind and name: of the log replayed, and of the tables. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from rescind.semantics.state import (
    EnvironmentState,
    OrganizationState,
    Role,
    is_set_aside,
    permissions_of,
)

State: TypeAlias = OrganizationState | EnvironmentState
Value: TypeAlias = tuple[Any, ...]
"""Of a fact: equal where the facts are. None stands for a fact that is not there."""


class FactDifference(NamedTuple):
    """A fact that the log and the tables do not agree on. None stands for one that is not there."""

    kind: str
    key: Any
    """Its name, or the names that it is of, such as (subject, group)."""
    in_log: Value | None
    in_tables: Value | None

    @property
    def name(self) -> str:
        return " ".join(self.key) if isinstance(self.key, tuple) else str(self.key)


class Kind(NamedTuple):
    """A kind of facts: which there are in a state, what each is, and the revision that altered it last."""

    keys: Callable[[Any], Iterable[Any]]
    value: Callable[[Any, EnvironmentState, Any], Value | None]
    changed: Callable[[Any, Any], int | None]


def _of_table(table: str, shown: Callable[[Any, EnvironmentState], Value]) -> Kind:
    def value(state: Any, environment: EnvironmentState, key: Any) -> Value | None:
        fact = getattr(state, table).get(key)
        return None if fact is None else shown(fact, environment)

    def changed(state: Any, key: Any) -> int | None:
        fact = getattr(state, table).get(key)
        return None if fact is None else int(fact.changed)

    return Kind(lambda state: getattr(state, table), value, changed)


def _role(role: Role, environment: EnvironmentState) -> Value:
    return (
        f"priority {role.priority}",
        "critical" if role.critical else "",
        "required" if role.required else "",
        role.name,
        "" if role.resource_type is None else f"on {role.resource_type}",
        *sorted(permissions_of(role, environment)),
    )


_SETTINGS: Final = ("name", "id_rule", "role_mode", "on_loss", "default_role")


def _setting(state: OrganizationState, _: EnvironmentState, key: str) -> Value | None:
    return None if state.settings is None else (getattr(state.settings, key),)


def _set_aside(
    state: OrganizationState, environment: EnvironmentState, key: tuple[str, str]
) -> Value | None:
    return () if is_set_aside(state, environment, *key) else None


def _order(state: State, _: EnvironmentState, __: str) -> Value | None:
    """Between equal priorities the role that was defined first wins."""
    return tuple(sorted(state.roles, key=lambda name: state.roles[name].rank))


OF_ENVIRONMENT: Final = {
    "permission": _of_table(
        "permissions", lambda fact, _: ("critical" if fact.critical else "", fact.description)
    ),
    "role": _of_table("roles", _role),
    "order of roles": Kind(lambda _: ("all",), _order, lambda *_: None),
    "resource type": _of_table("resource_types", lambda fact, _: fact.parents),
}
OF_ORGANIZATION: Final = {
    "setting": Kind(
        lambda _: _SETTINGS,
        _setting,
        lambda state, _: None if state.settings is None else state.settings.changed,
    ),
    "membership": _of_table(
        "memberships", lambda fact, _: ("active" if fact.is_active else "deactivated", fact.name)
    ),
    "group": _of_table("groups", lambda fact, _: (fact.name,)),
    "place in a group": _of_table("places", lambda fact, _: (fact.until,)),
    "nesting": _of_table("nestings", lambda *_: ()),
    **OF_ENVIRONMENT,
    "resource": _of_table("resources", lambda fact, _: (fact.parent,)),
    "assignment": _of_table("assignments", lambda fact, _: (fact.until,)),
    "role set aside": Kind(
        lambda state: state.set_aside,
        _set_aside,
        lambda state, key: state.set_aside[key].since if key in state.set_aside else None,
    ),
}
UNLOCATED: Final = frozenset({"order of roles"})
"""Kinds of which it is not looked for the revision from which log and tables part."""


def kinds_of(state: State) -> dict[str, Kind]:
    """The kinds of facts that a state has."""
    return OF_ORGANIZATION if isinstance(state, OrganizationState) else OF_ENVIRONMENT


def differences(
    in_log: tuple[State, EnvironmentState], in_tables: tuple[State, EnvironmentState]
) -> Iterator[FactDifference]:
    """The facts in which two states of an organization, or of the environment, differ.

    Each is given with the environment that it stands in; an environment with itself.
    """
    log_state, table_state = in_log[0], in_tables[0]
    for name, kind in kinds_of(log_state).items():
        for key in kind.keys(log_state):
            logged, kept = kind.value(*in_log, key), kind.value(*in_tables, key)
            if logged != kept:
                yield FactDifference(name, key, logged, kept)
        there = set(kind.keys(log_state))
        for key in kind.keys(table_state):
            if key not in there and (kept := kind.value(*in_tables, key)) is not None:
                yield FactDifference(name, key, None, kept)


def count_facts(state: State) -> int:
    """How many facts a state has."""
    return sum(sum(1 for _ in kind.keys(state)) for kind in kinds_of(state).values())
