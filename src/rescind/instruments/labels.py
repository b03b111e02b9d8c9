"""The values of labels. Each set is closed: no figure is kept by organization, subject or address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rescind.model import DecisionPoint, Direction, EnforcementOutcome, Route

BATCH: Final = "batch"
"""The kind of a change that is a list of several."""
_KINDS: Final = (
    "add_members add_membership assign change_group_id change_membership_id create_group "
    "create_organization create_resource deactivate_membership define_permission "
    "define_resource_type define_role delete_group delete_organization delete_permission "
    "delete_resource delete_resource_type delete_role edit_permission edit_role move_resource "
    "nest_group reactivate_membership remove_members remove_membership rename_group "
    "rename_membership rename_organization replace_assignments replace_members "
    "set_default_role set_id_rule set_role_mode unassign unnest_group"
)
KINDS: Final = (*_KINDS.split(), BATCH)
"""Of every change there is; written here so that a check does not load the types of changes."""
DIRECTIONS: Final = tuple(each.value for each in Direction)
ROUTES: Final = tuple(each.value for each in Route)
POINTS: Final = tuple(each.value for each in DecisionPoint if each is not DecisionPoint.PAST)
"""Answers about the past are not counted: they decide nothing."""
RESULTS: Final = ("allowed", "denied", "failed")
"""`failed` is a check that raised, because the database could not be asked. Its point is the one that was to
decide."""
OUTCOMES: Final = tuple(each.value for each in EnforcementOutcome)
LOCKERS: Final = ("change", "chunk")
ACTIONS: Final = ("made", "unmade")
PROBE_POINTS: Final = (*POINTS, "service", "other")
"""`service` is any service asked over HTTP; `other` a point of the caller's own."""


def kind_of(changes: Sequence[Any]) -> str:
    """The name of a change that stands alone, else `batch`."""
    return str(changes[0].__struct_config__.tag) if len(changes) == 1 else BATCH
