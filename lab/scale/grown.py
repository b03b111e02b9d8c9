"""What many changes leave behind that come to nothing: one member is removed and added, again and again."""

from __future__ import annotations

import time
from typing import Any

from lab.databases import bare
from lab.report import held_mb, percentile
from lab.scale.one import stored_bytes
from lab.worlds import apply_all, one_group
from rescind import Authority, changes
from rescind.store.queries import Engine, named

MEMBERS, RESOURCES = 100, 10
FACTS = ("group_member", "effective_role", "assignment", "pending", "membership")
SAMPLES = 200
"""Cycles at the beginning and at the end that are compared."""
Figures = dict[str, float]


def growth(engine: Engine, url: str, cycles: int) -> Figures:
    """Bytes a cycle on disk and in memory, rows of facts that are left over, and how much slower the last
    changes are than the first.
    """
    with Authority.open(url, organization="lab", index=True) as authority:
        apply_all(authority, one_group(MEMBERS, RESOURCES))
        authority.apply(
            [changes.Assign(role="reader", to="group:all", on=f"doc:{n}") for n in range(RESOURCES)]
        )
        authority.load()
        member = ("user:7",)
        toggles = (
            changes.RemoveMembers(group="all", members=member),
            changes.AddMembers(group="all", members=member),
        )
        taken: list[float] = []
        for number in range(min(SAMPLES, cycles // 2) + cycles):
            if number == min(SAMPLES, cycles // 2):
                disk, resident, rows = stored_bytes(engine, url), held_mb(), _rows(engine, url)
            start = time.perf_counter()
            for change in toggles:
                authority.apply([change])
            taken.append(time.perf_counter() - start)
        assert authority.check("user:7", "read", "doc:0")
        compared = min(SAMPLES, cycles // 2)
        return {
            "cycles": float(cycles),
            "disk_bytes_per_cycle": (stored_bytes(engine, url) - disk) / cycles,
            "memory_bytes_per_cycle": (held_mb() - resident) * 2**20 / cycles,
            "rows_left": float(sum(_rows(engine, url).values()) - sum(rows.values())),
            "first_ms": percentile(taken[:compared], 0.5) * 1e3,
            "last_ms": percentile(taken[-compared:], 0.5) * 1e3,
            "slower": percentile(taken[-compared:], 0.5) / percentile(taken[:compared], 0.5),
        }


def _rows(engine: Engine, url: str) -> dict[str, int]:
    with bare(engine, url) as connection:

        def count(table: str) -> Any:
            return connection.execute(named(f"SELECT count(*) FROM rescind.{table}", engine))

        return {table: int(count(table).fetchone()[0]) for table in FACTS}
