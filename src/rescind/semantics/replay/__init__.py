"""The change log, replayed: what one row of it makes of the facts. Pure, no I/O.

The outcome of each type of change is that of its handler in `applying.handlers`; a property test compares the
two after every revision. Work is in proportion to what a change alters.
"""

from rescind.semantics.replay.rows import EnvironmentLog, apply, apply_to_environment, follow
from rescind.semantics.replay.step import LogDoesNotFit, Recorded

__all__ = [
    "EnvironmentLog",
    "LogDoesNotFit",
    "Recorded",
    "apply",
    "apply_to_environment",
    "follow",
]
