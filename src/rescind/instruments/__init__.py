"""What a process measures while it works: durations and counts, kept as numbers. Says nothing of their names.

Owns no clock and no connection. What is read is read by `insight.metrics`.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.instruments.instruments import Instruments
    from rescind.instruments.memory import Memory, SharedMemory

__all__ = [
    "Instruments",
    "Memory",
    "SharedMemory",
]

_HOMES = {
    "rescind.instruments.instruments": "Instruments",
    "rescind.instruments.memory": "Memory SharedMemory",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
