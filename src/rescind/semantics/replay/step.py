"""One row of the log under way: what all parts of replay share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rescind.changes import Change
from rescind.model import ROOT, Microseconds, microseconds
from rescind.semantics.state import EnvironmentState, OrganizationState, Rank, Role, Settings
from rescind.semantics.state_links import Links


class Recorded(NamedTuple):
    """A row of the change log: what replay needs of it."""

    revision: int
    recorded_at: Microseconds
    changes: list[Change]
    environment: int | None = None
    """The environment's revision at the commit; None if it is not on record."""
    caused_by: int | None = None
    """The revision of the environment whose deletion of roles this row is."""


class LogDoesNotFit(ValueError):
    """A row of the log cannot follow from what comes before it: a row is missing, or was altered.

    `revision` is the row's. Nothing is to be said of the state from there on.
    """

    def __init__(self, revision: int, why: str) -> None:
        super().__init__(f"revision {revision}: {why}")
        self.revision, self.why = revision, why


@dataclass(slots=True)
class Step:
    """A row of an organization's log, being applied."""

    state: OrganizationState
    environment: EnvironmentState
    links: Links
    revision: int
    now: Microseconds
    has_switched: bool = False
    """Whether it changed the role mode, or what a loss leaves."""
    place: int = 0
    """Of the change under way in its batch."""
    winners: dict[str, tuple[str, Rank]] = field(default_factory=dict)
    """The winning roles before the batch that it may take, by membership, in a single-role organization."""

    @property
    def settings(self) -> Settings:
        if self.state.settings is None:
            raise self.misfit("there is no organization")
        return self.state.settings

    def misfit(self, why: str) -> LogDoesNotFit:
        return LogDoesNotFit(self.revision, why)

    def require_subject(self, name: str) -> str:
        """The subject, which has a membership."""
        subject = subject_of(name)
        if subject not in self.state.memberships:
            raise self.misfit(f"{subject} has no membership")
        return subject

    def require_group(self, group: str) -> str:
        if group not in self.state.groups:
            raise self.misfit(f"there is no group {group}")
        return group

    def role(self, role: str) -> Role | None:
        """The organization's own role of that name, or the environment's."""
        return self.state.roles.get(role) or self.environment.roles.get(role)

    def is_past(self, until: Microseconds | int | None) -> bool:
        return until is not None and until <= self.now


def subject_of(name: str) -> str:
    """A subject as the store keeps it; a bare id is a user's."""
    return name if ":" in name else f"user:{name}"


def resource_of(name: str | None) -> str:
    """A resource as the store keeps it; none is the organization."""
    return name or ROOT


def until_of(time: datetime | None) -> Microseconds | None:
    return None if time is None else microseconds(time)
