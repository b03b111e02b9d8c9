"""Rescind on an event loop: `AsyncAuthority` has the methods of `Authority`, as coroutines."""

from rescind.aio.authority import AsyncAuthority, AsyncWorkers

__all__ = ["AsyncAuthority", "AsyncWorkers"]
