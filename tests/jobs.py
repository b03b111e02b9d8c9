"""All background work of a store as jobs, whatever a worker would choose of it."""

from __future__ import annotations

from rescind.propagation.jobs import Job, jobs
from rescind.store import Store
from rescind.store.rows import Query
from rescind.store.rows.reconcile import PendingRow


def due_jobs(store: Store) -> list[Job]:
    """Every pending row that has not failed and is not parked: the most urgent first, then the oldest."""
    queries: dict[str, str] = store.queries  # type: ignore[attr-defined]
    columns = queries["find_pending"].partition("WHERE")[0]
    order = "ORDER BY p.urgency, p.recorded_at, p.revision, p.ref"
    queries["every_job"] = f"{columns} WHERE NOT p.parked AND p.not_before = 0 {order}"
    return jobs(store.fetch(Query("every_job", PendingRow), {}))
