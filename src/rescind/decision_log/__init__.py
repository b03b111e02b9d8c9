"""The decision log: one line for each decision that is selected, written without keeping anybody waiting.

A decision is noted by its caller's thread as a tuple in a bounded queue (`recorder`). A thread of its own
makes lines of them (`lines`), adds chains (`chains`) and writes them (`writer`, `destinations`, `files`). It
does not know how a decision is made.
"""

from rescind.decision_log.context import request_context, unlogged
from rescind.decision_log.options import DecisionLog
from rescind.decision_log.reading import LastUsed, Use, last_used
from rescind.decision_log.recorder import DecisionRecorder, recorder_of

__all__ = [
    "DecisionLog",
    "DecisionRecorder",
    "LastUsed",
    "Use",
    "last_used",
    "recorder_of",
    "request_context",
    "unlogged",
]
