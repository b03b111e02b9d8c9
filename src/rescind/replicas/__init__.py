"""The organizations that a process caches, until when they may be answered from, and answers from them.

`cache` keeps the indexes, `cached_answers` answers from them, `enforcement` waits for others'.
`freshness` is the contract of what keeps them fresh: `lease` on a database server, `file_watch` on SQLite.
Knows nothing of decision points, which are built on this room.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.replicas.cache import IndexCache
    from rescind.replicas.cached_answers import CachedAnswers, in_one_step
    from rescind.replicas.enforcement import Enforcer
    from rescind.replicas.measured import measure_cache
    from rescind.replicas.opening import open_cache

__all__ = [
    "CachedAnswers",
    "Enforcer",
    "IndexCache",
    "in_one_step",
    "measure_cache",
    "open_cache",
]

_HOMES = {
    "rescind.replicas.cache": "IndexCache",
    "rescind.replicas.cached_answers": "CachedAnswers in_one_step",
    "rescind.replicas.enforcement": "Enforcer",
    "rescind.replicas.measured": "measure_cache",
    "rescind.replicas.opening": "open_cache",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
