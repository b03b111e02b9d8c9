"""The decision log: one line for each decision that is selected, written without keeping anybody waiting.

A decision is noted by its caller's thread as a tuple in a bounded queue (`recorder`). A thread of its own
makes lines of them (`lines`), adds chains (`chains`) and writes them (`writer`, `destinations`, `files`). It
does not know how a decision is made.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.decision_log.context import request_context, unlogged
    from rescind.decision_log.entries import Asked
    from rescind.decision_log.options import DecisionLog
    from rescind.decision_log.reading import LastUsed, Use, last_used
    from rescind.decision_log.recorder import DecisionRecorder, recorder_of

__all__ = [
    "Asked",
    "DecisionLog",
    "DecisionRecorder",
    "LastUsed",
    "Use",
    "last_used",
    "recorder_of",
    "request_context",
    "unlogged",
]

_HOMES = {
    "rescind.decision_log.context": "request_context unlogged",
    "rescind.decision_log.entries": "Asked",
    "rescind.decision_log.options": "DecisionLog",
    "rescind.decision_log.reading": "LastUsed Use last_used",
    "rescind.decision_log.recorder": "DecisionRecorder recorder_of",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
