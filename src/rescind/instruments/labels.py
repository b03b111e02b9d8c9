"""The values of labels. Each set is closed: no figure is kept by organization, subject or address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from rescind.changes import Change
from rescind.model import DecisionPoint, Direction, EnforcementOutcome, Route

BATCH: Final = "batch"
"""The kind of a change that is a list of several."""
_TAGS: Final[dict[type, str]] = {kind: str(kind.__struct_config__.tag) for kind in get_args(Change)}
KINDS: Final = (*sorted(_TAGS.values()), BATCH)
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
    return _TAGS.get(type(changes[0]), BATCH) if len(changes) == 1 else BATCH
