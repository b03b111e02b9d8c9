"""The organizations that a process holds, until when they may be answered from, and answers from them.

A keeper says what memory is good for: `replica` by a lease in a database that many share, `watch` by a look
at an embedded one's file.
"""

from rescind.replicas.cache import IndexCache
from rescind.replicas.cached_answers import CachedAnswers, in_one_step
from rescind.replicas.open_cache import open_cache

__all__ = ["CachedAnswers", "IndexCache", "in_one_step", "open_cache"]
