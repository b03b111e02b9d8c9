"""The organizations that a process holds, until when they may be answered from, and answers from them.

A keeper says what memory is good for: `replica` by a lease in a database that many share, `watch` by a look
at an embedded one's file.
"""

from rescind.decision.memory.keepers import memory_of
from rescind.decision.memory.memory import Memory
from rescind.decision.memory.recall import Recall

__all__ = ["Memory", "Recall", "memory_of"]
