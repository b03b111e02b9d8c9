"""Opens the cache with the freshness that the database needs: leases on a server, a file watch on SQLite."""

from __future__ import annotations

from rescind.replicas.cache import IndexCache
from rescind.replicas.file_watch import FileWatch
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.sqlite import SqliteStore


def open_cache(store: Store, settings: Settings) -> IndexCache:
    """A new, empty cache of the organizations in `store`."""
    if isinstance(store, SqliteStore):
        return IndexCache(store, settings, lambda cache: FileWatch(cache, store))
    return IndexCache(store, settings, lambda cache: Replica(cache, store))
