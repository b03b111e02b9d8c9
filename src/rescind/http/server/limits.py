"""What one request, or one key, may ask of the service; and the answers to more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from rescind.errors import InvalidArgument, TooManyRequests

MOST_BUCKETS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits. Zero requests a second means no limit on those."""

    head_bytes: int = 65_536
    """Of a request's head: its address and headers."""
    head_seconds: float = 10.0
    """How long a head may take to arrive; on a new connection, from its opening."""
    body_bytes: int = 1_048_576
    """Of a request's body, but for imports."""
    import_bytes: int = 1_073_741_824
    """Of an import's body."""
    body_seconds: float = 30.0
    """How long a body may take to arrive; for an import, each part of it."""
    request_seconds: float = 60.0
    """How long a request may take, but for imports."""
    import_seconds: float = 3_600.0
    """How long an import may take."""
    depth: int = 32
    """How deep JSON may be nested."""
    batch_checks: int = 1_000
    """Questions of one request."""
    batch_changes: int = 1_000
    """Changes of one request, where a list of members counts for each of them."""
    page_items: int = 1_000
    """Items of one page."""
    page_characters: int = 1_048_576
    """Of the changes on a page of the log, which ends with the change that has them full."""
    answer_seconds: float = 30.0
    """How long a client may take to read what was answered."""
    unread_bytes: int = 268_435_456
    """Of answers of one process that clients have not read; beyond it, the largest are given up."""
    requests_per_second: float = 100_000.0
    """Of one key in one process, over a second; the same number at once."""

    def page(self, asked: int | None, *, default: int = 100) -> int:
        """How many items a page has. Raises InvalidArgument."""
        limit = default if asked is None else asked
        if not 1 <= limit <= self.page_items:
            hint = f"use 1 to {self.page_items}"
            raise InvalidArgument(what="limit", value=limit, hint=hint)
        return limit


@dataclass(slots=True)
class _Bucket:
    left: float
    filled_at: float


@dataclass(slots=True)
class Rates:
    """Token buckets, one for each key. For one thread: the event loop's."""

    per_second: float
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def spend(self, key: str) -> None:
        """Count a request. Raises TooManyRequests, with the seconds to wait as `retry_after`."""
        rate = self.per_second
        if not rate:
            return
        now = time.monotonic()
        bucket = self._buckets.get(key)
        most = max(rate, 1.0)
        if bucket is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets[key] = _Bucket(most, now)
        bucket.left = min(most, bucket.left + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.left < 1:
            wait = (1 - bucket.left) / rate
            raise TooManyRequests(limit=f"{rate:g} a second", retry_after=max(1, round(wait)))
        bucket.left -= 1
