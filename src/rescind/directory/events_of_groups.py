"""Events of groups: created, renamed, deleted; who joined and left; how they are nested."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rescind import changes, model
from rescind.directory import objects
from rescind.directory.event_batch import EventBatch
from rescind.directory.events_of_members import MembershipEvents
from rescind.directory.events_of_roles import RoleEvents
from rescind.directory.ids import Kind
from rescind.directory.log_objects import LogObject, subjects_of
from rescind.directory.reported_state import GroupMember
from rescind.model import GroupNumber, MembershipNumber
from rescind.store.rows.directory import GroupRow


class GroupEvents:
    """Adds the events of groups to a batch."""

    def __init__(self, batch: EventBatch, members: MembershipEvents, roles: RoleEvents) -> None:
        self._batch, self._members, self._roles = batch, members, roles
        self._state = batch.state

    def group_created(self, change: changes.CreateGroup) -> None:
        if (found := self._batch.created(Kind.GROUP, change.group)) is not None:
            self._add("created", found)

    def group_renamed(self, change: changes.RenameGroup) -> None:
        if (found := self._batch.named(Kind.GROUP, change.group)) is not None:
            self._add("updated", found, name=change.name)

    def group_deleted(self, change: changes.DeleteGroup) -> None:
        if (found := self._batch.deleted(Kind.GROUP, change.group)) is not None:
            ended = self._state.end_group(GroupNumber(found.number))
            self._members.left_groups(ended.members, reason="group_deleted")
            self._roles.ended(ended.held, reason="group_deleted")
            for child, parent in ended.nestings:
                self._add_nesting("unnested", child, parent, reason="group_deleted")
            self._add("deleted", found)

    # --- members ----------------------------------------------------------------------------------

    def members_added(self, change: changes.AddMembers) -> None:
        group, members = self._numbers(change)
        if group is None:
            return
        until = None if change.expires_at is None else model.microseconds(change.expires_at)
        now = self._batch.recorded_at
        joined, left = self._state.add_members(group, members, until=until, now=now)
        self._add_members("removed", group, left)
        self._add_members("added", group, joined)

    def members_removed(self, change: changes.RemoveMembers) -> None:
        group, members = self._numbers(change)
        if group is not None:
            self._add_members("removed", group, self._state.remove_members(group, members))

    def members_replaced(self, change: changes.ReplaceMembers) -> None:
        if change.create:  # in the order of their numbers
            for name in sorted(set(subjects_of(change))):
                self._members.created(name)
        group, members = self._numbers(change)
        if group is not None:
            self._add_members("removed", group, self._state.remove_others(group, members))
            self._add_members("added", group, self._state.complete_members(group, members))

    def _numbers(
        self, change: changes.AddMembers | changes.RemoveMembers | changes.ReplaceMembers
    ) -> tuple[GroupNumber | None, list[MembershipNumber]]:
        """The numbers of the group and of the members that a change names, of those that exist."""
        named = (self._batch.membership_number(name) for name in subjects_of(change))
        members = [number for number in named if number is not None]
        return self._batch.group_number(change.group), members

    def _add_members(
        self, what: str, group: GroupNumber, members: Sequence[MembershipNumber]
    ) -> None:
        self._state.read_public_ids(Kind.MEMBERSHIP, members)
        for number in members:
            data = self._members.member(GroupMember(group, number))
            self._batch.add(f"group.member_{what}", partial(dict, data))

    # --- nestings ---------------------------------------------------------------------------------

    def group_nested(self, change: changes.NestGroup) -> None:
        child = self._batch.group_number(model.group_id(change.group))
        parent = self._batch.group_number(model.group_id(change.into))
        if child and parent and self._state.nest(child, parent):
            self._add_nesting("nested", child, parent)

    def group_unnested(self, change: changes.UnnestGroup) -> None:
        child = self._batch.group_number(model.group_id(change.group))
        parent = self._batch.group_number(model.group_id(change.out_of))
        if child and parent and self._state.unnest(child, parent):
            self._add_nesting("unnested", child, parent)

    def _add_nesting(
        self, what: str, child: GroupNumber, parent: GroupNumber, **others: str
    ) -> None:
        data = {
            "organization_id": self._batch.organization()["id"],
            "group_id": self._state.public_id(Kind.GROUP, child),
            "parent_group_id": self._state.public_id(Kind.GROUP, parent),
            **others,
        }
        self._batch.add_unnoted(f"group.{what}", data, is_end=what == "unnested")

    def _add(self, what: str, found: LogObject, **others: str) -> None:
        row, ids = found.row, self._batch.unit.public_ids
        assert isinstance(row, GroupRow)
        self._batch.add(f"group.{what}", lambda: {**objects.group(ids, row), **others})
