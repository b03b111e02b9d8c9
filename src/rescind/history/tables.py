"""The facts in the tables as states: for snapshots where there is no log, and for the audit by replay.

The tables do not say since when a fact is there, so all of these are of revision 0: before the log.
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from rescind.model import (
    ENVIRONMENT,
    ENVIRONMENT_NUMBER,
    IdRule,
    OnLoss,
    OrganizationId,
    OrganizationNumber,
    RoleMode,
)
from rescind.semantics.state import (
    Assigned,
    Contained,
    EnvironmentState,
    Group,
    Membership,
    Nesting,
    OrganizationState,
    Permission,
    Place,
    Rank,
    Resource,
    ResourceType,
    Role,
    SetAside,
    Settings,
)
from rescind.store.contract import Snapshot
from rescind.store.rows import Answers, Query
from rescind.store.rows.facts import (
    READ_ASSIGNMENTS,
    READ_GROUP_MEMBERS,
    READ_GROUPS,
    READ_MEMBERSHIPS,
    READ_NESTINGS,
    READ_PERMISSIONS,
    READ_RESETS,
    READ_RESOURCE_TYPES,
    READ_RESOURCES,
    READ_ROLE_PERMISSIONS,
    READ_ROLES,
    READ_SETTINGS,
    SettingsRow,
)

UNKNOWN: Final = 0
"""The revision of what was there before the log that is kept."""
BEFORE_LOG: Final = -1
_DEFINED: Final[tuple[Query[Any], ...]] = (
    READ_PERMISSIONS,
    READ_ROLES,
    READ_ROLE_PERMISSIONS,
    READ_RESOURCE_TYPES,
)
_OWN: Final[tuple[Query[Any], ...]] = (
    READ_MEMBERSHIPS,
    READ_GROUPS,
    READ_GROUP_MEMBERS,
    READ_NESTINGS,
    READ_RESOURCES,
    READ_ASSIGNMENTS,
    READ_RESETS,
)


class States(NamedTuple):
    """The facts of an organization and of the environment, at one state of the tables."""

    organization: OrganizationState
    environment: EnvironmentState


def read_environment(snapshot: Snapshot) -> EnvironmentState:
    """What is defined for all organizations."""
    asked: list[Any] = [(READ_SETTINGS, {"organization": ENVIRONMENT})]
    asked += [(query, {"o": ENVIRONMENT_NUMBER}) for query in _DEFINED]
    facts = Answers((READ_SETTINGS, *_DEFINED), snapshot.fetch_many(asked))
    (settings,) = facts[READ_SETTINGS]
    return _environment(settings.revision, facts)


def read_states(snapshot: Snapshot, name: OrganizationId, o: OrganizationNumber) -> States:
    """All facts of an organization, and the environment's. One that has the name no more has no facts."""
    queries = (READ_SETTINGS, *_DEFINED, *_OWN)
    asked: list[Any] = [(READ_SETTINGS, {"organization": name})]
    asked += [(query, {"o": o}) for query in queries[1:]]
    facts = Answers(queries, snapshot.fetch_many(asked))
    settings = next((row for row in facts[READ_SETTINGS] if row.organization == o), None)
    if settings is None:
        return States(OrganizationState(name), read_environment(snapshot))
    environment = _environment(settings.environment, facts)
    return States(_organization(name, settings, facts), environment)


def _environment(revision: int, facts: Answers) -> EnvironmentState:
    return EnvironmentState(revision, **_definitions(facts, revision, is_shared=True))


def _organization(name: OrganizationId, settings: SettingsRow, facts: Answers) -> OrganizationState:
    environment = settings.environment
    own = _definitions(facts, environment, is_shared=False)
    return OrganizationState(
        name,
        settings.revision,
        environment,
        settings=_settings(settings),
        memberships={
            row.subject: Membership(bool(row.active), row.name, UNKNOWN, UNKNOWN)
            for row in facts[READ_MEMBERSHIPS]
        },
        groups={row.group: Group(row.name, UNKNOWN, UNKNOWN) for row in facts[READ_GROUPS]},
        places={
            (row.subject, row.group): Place(row.expires_at, UNKNOWN, UNKNOWN)
            for row in facts[READ_GROUP_MEMBERS]
        },
        nestings={
            (row.child, row.parent): Nesting(UNKNOWN, UNKNOWN) for row in facts[READ_NESTINGS]
        },
        resources={
            row.resource: Resource(row.parent, UNKNOWN, UNKNOWN) for row in facts[READ_RESOURCES]
        },
        assignments={
            (row.holder, row.role, row.resource): Assigned(row.expires_at, UNKNOWN, UNKNOWN)
            for row in facts[READ_ASSIGNMENTS]
        },
        set_aside={
            (row.subject, row.role): SetAside(
                None if row.role in own["roles"] else environment, UNKNOWN
            )
            for row in facts[READ_RESETS]
        },
        **own,
    )


def _settings(row: SettingsRow) -> Settings:
    return Settings(
        row.name or "",
        IdRule(row.id_rule),
        RoleMode(row.role_mode),
        OnLoss(row.on_loss),
        row.default_role,
    )


def _definitions(facts: Answers, environment: int, *, is_shared: bool) -> dict[str, Any]:
    """The permissions, roles and resource types of the environment, or of the organization itself."""
    permissions = {
        row.permission: Permission(bool(row.critical), row.description, UNKNOWN, UNKNOWN)
        for row in facts[READ_PERMISSIONS]
        if bool(row.is_shared) is is_shared
    }
    contents: dict[int, dict[str, Contained]] = {}
    for contained in facts[READ_ROLE_PERMISSIONS]:
        at = None if contained.permission in permissions else environment
        there = contents.setdefault(contained.role, {})
        there[contained.permission] = Contained(at, UNKNOWN)
    return {
        "permissions": permissions,
        "roles": {
            row.role: Role(
                contents.get(row.number, {}),
                row.priority,
                bool(row.critical),
                bool(row.required),
                row.name,
                row.resource_type,
                Rank(BEFORE_LOG, row.number),
                UNKNOWN,
                UNKNOWN,
            )
            for row in facts[READ_ROLES]
            if bool(row.is_shared) is is_shared
        },
        "resource_types": {
            row.type: ResourceType(tuple(json.loads(row.parents)), UNKNOWN, UNKNOWN)
            for row in facts[READ_RESOURCE_TYPES]
            if bool(row.is_shared) is is_shared
        },
    }
