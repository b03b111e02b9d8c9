"""Replay: the organization itself, its resources, and assignments of roles."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from rescind import changes, model
from rescind.model import ROOT, IdRule
from rescind.semantics.replay.people import respell_group, respell_subject
from rescind.semantics.replay.step import Step, resource_of, subject_of, until_of
from rescind.semantics.state import ORGANIZATION_TABLES, Assigned, Resource, Settings
from rescind.semantics.state_links import HOLDER, RESOURCE

# --- the organization ------------------------------------------------------------------------------


def create(step: Step, change: changes.CreateOrganization) -> None:
    state, revision = step.state, step.revision
    if state.settings is not None:
        return
    rule = change.id_rule if isinstance(change.id_rule, IdRule) else IdRule.EXACT
    name = change.name or state.organization
    state.settings = Settings(name, rule, since=revision, changed=revision)
    step.links.place_resource(ROOT, Resource(None, revision, revision))


def rename(step: Step, change: changes.RenameOrganization) -> None:
    if step.settings.name != change.name:
        step.state.settings = replace(step.settings, name=change.name, changed=step.revision)


def delete(step: Step, _: changes.DeleteOrganization) -> None:
    for table in ORGANIZATION_TABLES:
        step.links.clear(table)
    step.state.settings = None


def set_role_mode(step: Step, change: changes.SetRoleMode) -> None:
    """A real change sets nothing aside, and cancels what was set aside before."""
    there = step.settings
    if (there.role_mode, there.on_loss) == (change.mode, change.on_loss):
        return
    step.has_switched = True
    step.links.clear("set_aside")
    step.state.settings = replace(
        there,
        role_mode=change.mode,
        on_loss=change.on_loss,
        role_mode_since=step.revision,
        changed=step.revision,
    )


def set_default_role(step: Step, change: changes.SetDefaultRole) -> None:
    if change.role is not None and step.role(change.role) is None:
        raise step.misfit(f"there is no role {change.role}")
    if step.settings.default_role != change.role:
        step.state.settings = replace(
            step.settings,
            default_role=change.role,
            default_role_since=step.revision,
            changed=step.revision,
        )


def set_id_rule(step: Step, change: changes.SetIdRule) -> None:
    """Under `casefold` ids are kept in their canonical spelling."""
    if step.settings.id_rule is change.rule:
        return
    step.state.settings = replace(step.settings, id_rule=change.rule, changed=step.revision)
    if change.rule is not IdRule.CASEFOLD:
        return
    for subject in list(step.state.memberships):
        if (canonical := model.canonical_subject(subject)) != subject:
            respell_subject(step, subject, canonical)
    for group in list(step.state.groups):
        if (canonical := model.canonical(group)) != group:
            respell_group(step, group, canonical)


# --- resources -------------------------------------------------------------------------------------


def create_resource(step: Step, change: changes.CreateResource) -> None:
    if change.resource not in step.state.resources:
        fact = Resource(_parent(step, change.parent), step.revision, step.revision)
        step.links.place_resource(change.resource, fact)


def move_resource(step: Step, change: changes.MoveResource) -> None:
    there, parent = step.state.resources.get(change.resource), _parent(step, change.parent)
    if there is None:
        raise step.misfit(f"there is no resource {change.resource}")
    if there.parent != parent:
        fact = Resource(parent, there.since, step.revision)
        step.links.place_resource(change.resource, fact)


def delete_resource(step: Step, change: changes.DeleteResource) -> None:
    if change.resource not in step.state.resources:
        return
    for resource in reversed(step.links.below(change.resource)):
        step.links.drop_all("assignments", RESOURCE, resource)
        step.links.drop_resource(resource)


def _parent(step: Step, name: str | None) -> str:
    parent = resource_of(name)
    if parent not in step.state.resources:
        raise step.misfit(f"there is no resource {parent}")
    return parent


# --- assignments -----------------------------------------------------------------------------------


def assign(step: Step, change: changes.Assign) -> None:
    _give(step, _holder(step, change.to), [(change.role, change.on, change.expires_at)])


def unassign(step: Step, change: changes.Unassign) -> None:
    key = (holder_of(change.to), change.role, resource_of(change.on))
    step.links.drop("assignments", key)


def replace_assignments(step: Step, change: changes.ReplaceAssignments) -> None:
    holder = _holder(step, change.to) if change.assignments else holder_of(change.to)
    given = [(item.role, item.on, item.expires_at) for item in change.assignments]
    kept = {(holder, role, resource_of(on)) for role, on, _ in given}
    for key in step.links.of("assignments", HOLDER, holder):
        if key not in kept:
            step.links.drop("assignments", key)
    _give(step, holder, given)


def holder_of(name: str) -> str:
    """Who holds an assignment, as the store names it."""
    return name if name.startswith("group:") else subject_of(name)


def _holder(step: Step, name: str) -> str:
    if name.startswith("group:"):
        return f"group:{step.require_group(name.removeprefix('group:'))}"
    return step.require_subject(name)


def _give(
    step: Step, holder: str, given: Iterable[tuple[str, str | None, datetime | None]]
) -> None:
    revision = step.revision
    for role, on, expires_at in given:
        key = (holder, role, resource_of(on))
        if step.role(role) is None:
            raise step.misfit(f"there is no role {role}")
        if key[RESOURCE] not in step.state.resources:
            raise step.misfit(f"there is no resource {key[RESOURCE]}")
        until, there = until_of(expires_at), step.state.assignments.get(key)
        if there is None:
            step.links.put("assignments", key, Assigned(until, revision, revision))
        elif there.until != until:
            is_again = step.is_past(there.until) and not step.is_past(until)
            since = revision if is_again else there.since
            step.links.put("assignments", key, Assigned(until, since, revision))
