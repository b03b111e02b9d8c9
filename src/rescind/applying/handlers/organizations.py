"""Handlers: organizations, their role mode and default role."""

from __future__ import annotations

import json

from rescind import changes, model
from rescind.applying.step import BURIED, Step
from rescind.store.contract import Counter


def create(step: Step, change: changes.CreateOrganization) -> None:
    """The row itself was made before the lock; here only its root resource is."""
    if change.name is not None:
        step.tx.refuse("refuse_organization_differs", o=step.number, name=change.name)
    if isinstance(change.id_rule, model.IdRule):
        step.tx.refuse("refuse_id_rule_differs", o=step.number, id_rule=change.id_rule.value)
    step.tx.refuse("refuse_organization_known", o=step.number)
    step.tx.count("insert_root", Counter.ALTERED, o=step.number)


def rename(step: Step, change: changes.RenameOrganization) -> None:
    names = {"name": change.name, "search_name": model.folded(change.name)}
    step.tx.count("rename_organization", Counter.ALTERED, o=step.number, **names)


def delete(step: Step, change: changes.DeleteOrganization) -> None:
    """With its name the organization is out of everybody's reach. What is much is left for later."""
    tx, o = step.tx, step.number
    if not change.cascade:
        tx.refuse("refuse_organization_in_use", o=o)
    tx.count("note_default_role_in_force", Counter.REVOKES, o=o)
    tx.count("note_assignments_in_force", Counter.TAKES, o=o)
    step.router.weigh(tx, "weigh_organization", takes=True, o=o)
    tx.count("bury_organization", Counter.ALTERED, o=o)
    tx.run("delete_all_pending", o=o)
    if step.router.is_background:
        tx.count("pend_deletion", Counter.PENDED, o=o)
        for query in (
            "delete_all_role_permissions",
            "delete_all_permissions",
            "delete_all_resource_types",
        ):
            tx.run(query, o=o)
        tx.run("bury_roles", o=o, buried=BURIED)
        return
    tx.run("settle_changes_of_deleted", o=o, now=step.now)
    for query in (
        "delete_all_role_resets",
        "delete_all_assignments",
        "delete_all_group_members",
        "delete_all_nestings",
        "delete_all_groups",
    ):
        tx.run(query, o=o)
    # only now: a job that has a group may have made some until its group was to be had
    tx.count("delete_all_effective_roles", Counter.REVOKED, o=o)
    for query in ("delete_all_memberships", "delete_all_resources", "delete_all_resource_types"):
        tx.run(query, o=o)
    for query in ("delete_all_role_permissions", "delete_all_roles", "delete_all_permissions"):
        tx.run(query, o=o)


def set_role_mode(step: Step, change: changes.SetRoleMode) -> None:
    """Any real change of the mode can take roles away: priority or the default role may now decide."""
    names = {"o": step.number, "mode": change.mode.value, "on_loss": change.on_loss.value}
    step.tx.run("forget_role_resets", **names)
    step.tx.run("forget_roles_before_mode", **names)
    step.tx.count("set_role_mode", Counter.ALTERED, Counter.REVOKES, **names)
    step.is_single_role = change.mode is model.RoleMode.SINGLE


RESPELL = {"memberships": "respell_memberships", "groups": "respell_groups"}
"""The statement that writes the canonical spellings of each kind of id."""


def set_id_rule(step: Step, change: changes.SetIdRule) -> None:
    """Where spellings stop meaning the same, those that are not kept lose what they had.

    The ids that are not in the canonical spelling were read before the lock: `respellings`.
    """
    names = {"o": step.number, "id_rule": change.rule.value}
    if change.rule is model.IdRule.CASEFOLD:
        for kind, listed in step.respellings.items():
            if listed:
                step.tx.run(RESPELL[kind], o=step.number, respellings=json.dumps(listed))
        step.tx.count("set_id_rule", Counter.ALTERED, **names)
    else:
        step.tx.count("set_id_rule", Counter.ALTERED, Counter.REVOKES, **names)


def set_default_role(step: Step, change: changes.SetDefaultRole) -> None:
    tx, o = step.tx, step.number
    role = None if change.role is None else model.role_id(change.role)
    if role is not None:
        tx.refuse("refuse_default_role", o=o, role=role)
    tx.count("note_default_role_lost", Counter.REVOKES, o=o, role=role)
    tx.count("set_default_role", Counter.ALTERED, o=o, role=role)
