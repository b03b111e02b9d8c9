"""What a cache says of itself to instruments: how much it holds, and until when it may answer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from rescind.index import Index
from rescind.instruments import Instruments
from rescind.model import Revision
from rescind.replicas.cache import IndexCache
from rescind.replicas.cached_index import CachedIndex
from rescind.replicas.clock import CLOCK, clock
from rescind.replicas.freshness import Freshness

TURNS: Final = 50
"""After so many refreshes each index was estimated again."""


class CacheGauges:
    """Sets the gauges of one cache."""

    def __init__(self, cache: IndexCache, instruments: Instruments) -> None:
        self._cache = cache
        self._organizations = instruments.index_organizations.of()
        self._bytes = instruments.index_bytes.of()
        self._expires = instruments.lease_expires.of()
        self._freshness: Freshness | None = None
        self._expires_at = 0.0
        self._sizes: dict[str, tuple[Index, Revision, int]] = {}
        self._turn = 0

    def refresh(self) -> None:
        """Set them to what holds now."""
        indexes = tuple(self._cache.indexes.values())
        self._organizations.set(len(indexes))
        with suppress(RuntimeError):  # a dict changed meanwhile; the next time will do
            self._bytes.set(self._size(indexes))
        self._expires.set(self._expiry())

    def _size(self, indexes: Iterable[CachedIndex]) -> int:
        """The estimate for all. It takes long, so it is made again for those at another revision, and for
        some others in turn, since what is worked out for checks grows too.
        """
        self._turn = (self._turn + 1) % TURNS
        sizes: dict[str, tuple[Index, Revision, int]] = {}
        for number, cached in enumerate(indexes):
            index, revision, size = cached.index, cached.revision, 0
            known = self._sizes.get(cached.name)
            if known is not None and known[0] is index and known[1] is revision:
                size = known[2]
            if not size or number % TURNS == self._turn:
                size = index.facts.size()
            sizes[cached.name] = index, revision, size
        self._sizes = sizes
        return sum(size for _, _, size in sizes.values())

    def _expiry(self) -> float:
        """When the lease ends, in seconds since 1970; 0 where there never was one. A lost lease is shown as
        it last was, so that one sees for how long.
        """
        freshness = self._cache.freshness
        if freshness is not self._freshness:  # another process's, before a fork
            self._freshness, self._expires_at = freshness, 0.0
        expiry = freshness.expiry()
        if 0.0 < expiry < math.inf:
            self._expires_at = time.time() + expiry - clock(CLOCK)
        return self._expires_at


def measure_cache(cache: IndexCache, instruments: Instruments) -> None:
    """Have instruments show what a cache holds, and how long loading took."""
    if instruments.is_on:
        cache.on_loaded = instruments.note_load
        instruments.on_refresh(CacheGauges(cache, instruments).refresh)
