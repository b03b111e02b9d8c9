"""The events of one batch of logged changes, and what the writers of events share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from rescind import model
from rescind.directory import objects
from rescind.directory.ids import Kind
from rescind.directory.log_objects import LogObject, LogObjects
from rescind.directory.objects import Object
from rescind.directory.reported_state import ReportedState
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import GroupNumber, HolderNumber, MembershipNumber
from rescind.store.rows.events import OwnerRow

Data: TypeAlias = Callable[[], Object]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Its data is made when the whole batch is known."""

    name: str
    data: Data
    recorded_at: int
    actor: str
    is_noted: bool = True
    """Whether the management API notes it when it makes such a change itself."""
    is_end: bool = False
    """Whether something is lost. That is reported before the end of the object that it belonged to."""


@dataclass(slots=True)
class EventBatch:
    """Events so far, and the log entry whose changes are being reported."""

    unit: UnitOfWork
    owner: OwnerRow
    log_objects: LogObjects
    state: ReportedState
    revision: int = 0
    recorded_at: int = 0
    actor: str = ""
    events: list[Event] = field(default_factory=list)

    def add(self, name: str, data: Data) -> None:
        """Add an event that the management API notes of its own changes."""
        self.events.append(Event(name, data, self.recorded_at, self.actor))

    def add_unnoted(self, name: str, data: Object, *, is_end: bool) -> None:
        """Add an event that only the log tells of."""
        self.events.append(
            Event(name, lambda: data, self.recorded_at, self.actor, is_noted=False, is_end=is_end)
        )

    def organization(self) -> Object:
        """The organization as it is now."""
        return objects.organization(self.unit.public_ids, self.owner.as_organization())

    def created(self, kind: Kind, name: str) -> LogObject | None:
        """The object that the log entry created under a name."""
        return self.log_objects.created(kind, name, self.revision)

    def named(self, kind: Kind, name: str) -> LogObject | None:
        """The object that a name means in the log entry."""
        return self.log_objects.named(kind, name, self.revision)

    def deleted(self, kind: Kind, name: str) -> LogObject | None:
        """The object that the log entry deleted under a name."""
        return self.log_objects.deleted(kind, name, self.revision)

    def group_number(self, name: str) -> GroupNumber | None:
        """The number of the group that a name means; None where it does not exist."""
        found = self.named(Kind.GROUP, name)
        return None if found is None else GroupNumber(found.number)

    def membership_number(self, name: str) -> MembershipNumber | None:
        """The number of the membership that a name means; None where it does not exist."""
        found = self.named(Kind.MEMBERSHIP, name)
        return None if found is None else MembershipNumber(found.number)

    def holder_number(self, holder: str) -> HolderNumber | None:
        """The number of a membership or, for `group:…`, of a group; None where it does not exist."""
        holder = model.holder_id(holder)
        if holder.startswith("group:"):
            return self.group_number(holder.removeprefix("group:"))
        return self.membership_number(holder)
