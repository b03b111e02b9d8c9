"""What a service does besides answering: background work, the audit, and the probe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rescind.authority import Authority
from rescind.history.facts_look import facts_look
from rescind.history.snapshots import SnapshotWriter
from rescind.http.server.configuration import Configuration
from rescind.propagation.background_audit import BackgroundAudit
from rescind.store import open_store
from rescind.threads import running


@contextmanager
def background_tasks(authority: Authority, configuration: Configuration) -> Iterator[None]:
    """While the block lasts, threads do what is configured; at its end, what is under way is finished.

    Without workers there is no audit either. Raises ThreadsExhausted.
    """
    with ExitStack() as stack:
        if configuration.workers:
            stack.enter_context(authority.workers(concurrency=configuration.workers))
            looks = facts_look(authority.store)
            audit = BackgroundAudit(authority.store, configuration.settings, facts=looks)
            stack.enter_context(running(audit.run, "rescind-audit"))
            snapshots = SnapshotWriter(authority.store, configuration.settings)
            stack.enter_context(running(snapshots.run, "rescind-snapshots"))
        if configuration.probe.every_seconds:
            stack.enter_context(_probe(authority, configuration))
        yield


@contextmanager
def _probe(replica: Authority, configuration: Configuration) -> Iterator[None]:
    """The probe's changes are made by an authority of their own, as another process would make them."""
    from rescind.insight.probe import HttpPoint
    from rescind.insight.probe.service import ProbeService

    part, instruments = configuration.probe, replica.instruments
    with ExitStack() as stack:
        store = open_store(configuration.database, configuration.settings)
        writer = stack.enter_context(
            Authority(store, settings=configuration.settings, instruments=instruments)
        )
        remote = [HttpPoint(url, key=part.key) for url in part.urls]
        for point in remote:
            stack.callback(point.close)
        probe = ProbeService(
            writer,
            replica,
            remote=remote,
            instruments=instruments,
            every_seconds=part.every_seconds,
            evidence_folder=Path(part.evidence_folder),
        )
        stack.enter_context(running(probe.run, "rescind-probe"))
        yield
