"""A decision as it waits in the queue."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rescind.decision_log.context import DecisionContext
from rescind.model import Decision

MOST_CHARACTERS: Final = 300
"""Of a name in a question that failed. A name that was decided on has 255 at most."""


UNKNOWN_NAME: Final = "unknown_name"
"""Instead of an error's code: the question was denied, since something in it can be the name of nothing."""


class Asked(NamedTuple):
    """A question as its caller asked it: anything, since it may be refused."""

    organization: Any
    subject: Any
    permission: Any
    resource: Any
    at_least: Any = None
    assurance: Any = None
    explain: bool = False
    is_within: bool = False


class Entry(NamedTuple):
    """A question, its answer, and when it was given. Queued as a plain tuple, which is made faster."""

    nanoseconds: int
    asked: tuple[Any, ...]
    """The fields of `Asked`; the last ones may be missing."""
    decision: Decision | None
    error: str | None
    """The code of the error, without a decision; or UNKNOWN_NAME."""
    context: DecisionContext | None
    trace_id: str | None


def bounded(asked: Asked) -> Asked:
    """The question without what could fill the memory: names that are cut, and no objects."""
    return asked._replace(
        organization=_bounded(asked.organization),
        subject=_bounded(asked.subject),
        permission=_bounded(asked.permission),
        resource=_bounded(asked.resource),
        at_least=_bounded(asked.at_least),
        assurance=_bounded(asked.assurance),
    )


def _bounded(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return f"({type(value).__name__})"
    return str.__getitem__(value, slice(MOST_CHARACTERS))
