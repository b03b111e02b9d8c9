"""What a service does besides answering: background work, and the audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rescind.authority import Authority
from rescind.http.server.configuration import Configuration
from rescind.propagation.background_audit import BackgroundAudit
from rescind.threads import running


@contextmanager
def background_tasks(authority: Authority, configuration: Configuration) -> Iterator[None]:
    """While the block lasts, threads do what is configured; at its end, what is under way is finished.

    Without workers there is no audit either. Raises ThreadsExhausted.
    """
    with ExitStack() as stack:
        if configuration.workers:
            stack.enter_context(authority.workers(concurrency=configuration.workers))
            audit = BackgroundAudit(authority.store, configuration.settings)
            stack.enter_context(running(audit.run, "rescind-audit"))
        yield
