"""The change log, replayed: what one row of it makes of the facts. Pure, no I/O."""

from __future__ import annotations

from typing import NamedTuple

from rescind.changes import Change
from rescind.model import Microseconds
from rescind.semantics.state import EnvironmentState, OrganizationState


class Recorded(NamedTuple):
    """A row of the change log: what replay needs of it."""

    revision: int
    recorded_at: Microseconds
    changes: list[Change]
    environment: int | None = None
    """The environment's revision at the commit; None if it is not on record."""
    caused_by: int | None = None
    """The revision of the environment whose deletion of roles this row is."""


def apply(state: OrganizationState, environment: EnvironmentState, recorded: Recorded) -> None:
    """Make `state` what it was after the row. Alters `state`; its revision becomes the row's.

    `environment` is as it was when the row was recorded: at `recorded.environment`; of a row with `caused_by`
    at the revision before that one. It is not altered.
    """
    raise NotImplementedError


def apply_to_environment(environment: EnvironmentState, recorded: Recorded) -> None:
    """Make `environment` what it was after the row, one of the environment's own log."""
    raise NotImplementedError
