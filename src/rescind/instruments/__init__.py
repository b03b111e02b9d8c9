"""What a process measures while it works: durations and counts, kept as numbers. Says nothing of their names.

Owns no clock and no connection. What is read is read by `insight.metrics`.
"""

from rescind.instruments.instruments import Instruments
from rescind.instruments.memory import Memory, SharedMemory

__all__ = ["Instruments", "Memory", "SharedMemory"]
