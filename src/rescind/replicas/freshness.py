"""Which keeper a database's memory has: a lease where many processes share it, else a look at the file."""

from __future__ import annotations

from rescind.replicas.cache import IndexCache
from rescind.replicas.file_watch import FileWatch
from rescind.replicas.lease import Replica
from rescind.settings import Settings
from rescind.store import Store
from rescind.store.sqlite import SqliteStore


def memory_of(store: Store, settings: Settings) -> IndexCache:
    """This process's memory of what the store has, with nothing in it yet."""
    if isinstance(store, SqliteStore):
        version = store.version
        return IndexCache(store, settings, lambda memory: FileWatch(memory, version))
    return IndexCache(store, settings, lambda memory: Replica(memory, store))
