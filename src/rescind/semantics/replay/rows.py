"""Rows of a log, applied to a state in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from rescind import changes
from rescind.changes import Change
from rescind.semantics.replay import definitions, losses, people, places
from rescind.semantics.replay.definitions import Definer
from rescind.semantics.replay.step import LogDoesNotFit, Recorded, Step
from rescind.semantics.state import EnvironmentState, OrganizationState
from rescind.semantics.state_links import links_of

OF_ORGANIZATION: Final[dict[type[Change], Callable[[Step, Any], None]]] = {
    changes.CreateOrganization: places.create,
    changes.RenameOrganization: places.rename,
    changes.DeleteOrganization: places.delete,
    changes.SetRoleMode: places.set_role_mode,
    changes.SetDefaultRole: places.set_default_role,
    changes.SetIdRule: places.set_id_rule,
    changes.AddMembership: people.add,
    changes.RenameMembership: people.rename,
    changes.ChangeMembershipId: people.change_id,
    changes.DeactivateMembership: people.deactivate,
    changes.ReactivateMembership: people.reactivate,
    changes.RemoveMembership: people.remove,
    changes.CreateGroup: people.create,
    changes.RenameGroup: people.rename_group,
    changes.ChangeGroupId: people.change_group_id,
    changes.DeleteGroup: people.delete,
    changes.AddMembers: people.add_members,
    changes.RemoveMembers: people.remove_members,
    changes.ReplaceMembers: people.replace_members,
    changes.NestGroup: people.nest,
    changes.UnnestGroup: people.unnest,
    changes.DeleteRole: definitions.delete_own_role,
    changes.CreateResource: places.create_resource,
    changes.MoveResource: places.move_resource,
    changes.DeleteResource: places.delete_resource,
    changes.Assign: places.assign,
    changes.Unassign: places.unassign,
    changes.ReplaceAssignments: places.replace_assignments,
}
OF_BOTH: Final[dict[type[Change], Callable[[Definer, Any], None]]] = {
    changes.DefinePermission: definitions.define_permission,
    changes.EditPermission: definitions.edit_permission,
    changes.DeletePermission: definitions.delete_permission,
    changes.DefineRole: definitions.define_role,
    changes.EditRole: definitions.edit_role,
    changes.DefineResourceType: definitions.define_type,
    changes.DeleteResourceType: definitions.delete_type,
}
OF_ENVIRONMENT: Final[dict[type[Change], Callable[[Definer, Any], None]]] = {
    **OF_BOTH,
    changes.DeleteRole: definitions.delete_role,
}


def apply(state: OrganizationState, environment: EnvironmentState, recorded: Recorded) -> None:
    """Make `state` what it was after the row. Alters `state`; its revision becomes the row's.

    `environment` is as it was when the row was recorded: at `recorded.environment`; for a row with
    `caused_by` at the revision before that one. It is not altered. Raises LogDoesNotFit where the row cannot
    follow from the state; the state is of no use then.
    """
    _require_next(state.revision, recorded)
    step = Step(state, environment, links_of(state), recorded.revision, recorded.recorded_at)
    if recorded.caused_by is None:
        _apply_batch(step, recorded.changes)
    else:
        _end_roles_of_environment(step, recorded.changes)
    state.revision, state.recorded_at = recorded.revision, recorded.recorded_at
    state.environment = environment.revision if recorded.caused_by is None else recorded.caused_by


def apply_to_environment(environment: EnvironmentState, recorded: Recorded) -> None:
    """Make `environment` what it was after the row, one of the environment's own log.

    Raises LogDoesNotFit.
    """
    _require_next(environment.revision, recorded)
    by = Definer(environment, environment, recorded.revision)
    for by.place, change in enumerate(recorded.changes):
        do = OF_ENVIRONMENT.get(type(change))
        if do is None:
            raise LogDoesNotFit(recorded.revision, f"{type(change).__name__} in the environment")
        do(by, change)
    environment.revision, environment.recorded_at = recorded.revision, recorded.recorded_at


def _require_next(revision: int, recorded: Recorded) -> None:
    if recorded.revision != revision + 1:
        raise LogDoesNotFit(recorded.revision, f"it follows on revision {revision}")


def _apply_batch(step: Step, batch: list[Change]) -> None:
    is_created = bool(batch) and isinstance(batch[0], changes.CreateOrganization)
    if step.state.settings is None and not is_created:
        raise step.misfit("there is no organization")
    is_judged = losses.is_single(step)
    if is_judged:
        losses.remember(step, batch)
    for step.place, change in enumerate(batch):
        do = OF_ORGANIZATION.get(type(change))
        if do is not None:
            do(step, change)
        else:
            OF_BOTH[type(change)](definitions.of_organization(step), change)
    if is_judged and step.state.settings is not None:
        losses.settle(step)
        losses.give_back(step, batch)


def _end_roles_of_environment(step: Step, batch: list[Change]) -> None:
    """A deletion of roles of all organizations, as one that used them has it in its log."""
    deletions = [change for change in batch if isinstance(change, changes.DeleteRole)]
    taken = [deletion.role for deletion in deletions if deletion.cascade]
    losses.remember_holders(step, taken)
    for deletion in deletions:
        definitions.end_role(step, deletion.role, cascade=deletion.cascade)
    losses.settle(step)


class EnvironmentLog:
    """The environment's state, led along its log as the rows of an organization need it."""

    def __init__(self, environment: EnvironmentState, rows: Iterable[Recorded]) -> None:
        self.environment = environment
        self._rows = iter(rows)
        self._next: Recorded | None = None

    def advance(self, revision: int) -> None:
        """To that revision, or to the end of the log."""
        while self.environment.revision < revision:
            row = self._peek()
            if row is None:
                return
            self._take(row)

    def advance_to_time(self, at: int) -> None:
        """To the last revision that was recorded at that time or before."""
        while (row := self._peek()) is not None and row.recorded_at <= at:
            self._take(row)

    def lead_to(self, row: Recorded) -> None:
        """To where it was when a row of an organization was recorded."""
        if row.caused_by is not None:
            self.advance(row.caused_by - 1)
        elif row.environment is not None:
            self.advance(row.environment)
        else:
            self.advance_to_time(row.recorded_at)

    def _peek(self) -> Recorded | None:
        if self._next is None:
            self._next = next(self._rows, None)
        return self._next

    def _take(self, row: Recorded) -> None:
        apply_to_environment(self.environment, row)
        self._next = None


def follow(
    state: OrganizationState,
    environment: EnvironmentState,
    rows: Iterable[Recorded],
    environment_rows: Iterable[Recorded],
) -> Iterator[Recorded]:
    """Apply rows of an organization's log, with those of the environment's in between as far as each needs.

    Yields each row of the organization after it was applied: both states are as they were then. After a row
    with `caused_by` the environment is still at the revision before. Raises LogDoesNotFit.
    """
    log = EnvironmentLog(environment, environment_rows)
    for row in rows:
        log.lead_to(row)
        apply(state, environment, row)
        yield row
