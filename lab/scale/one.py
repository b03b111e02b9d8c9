"""One organization of some size: what its memory, its disk, its checks, changes and audits cost."""

from __future__ import annotations

import time
from pathlib import Path

from lab.checks import in_own_process
from lab.databases import bare
from lab.report import percentile
from lab.world_facts import wide, write
from lab.worlds import settle
from rescind import Authority, changes
from rescind.history.replay_audit import audit_replay
from rescind.propagation.audit import audit
from rescind.store.queries import Engine

ROUNDS = 100
Figures = dict[str, float]


def sized(engine: Engine, url: str, size: int, questions: int, seed: int) -> Figures:
    """Loading, memory, checks, changes and the database's size, of so many memberships."""
    world = wide(size)
    empty = stored_bytes(engine, url)
    start = time.perf_counter()
    write(engine, url, world)
    seconds = time.perf_counter() - start
    disk = stored_bytes(engine, url) - empty
    found = in_own_process(url, world, questions, seed)
    return {
        "load_s": found["load_s"],
        "load_per_s": size / found["load_s"],
        "memory_bytes": max(found["held_mb"], 0.0) * 2**20 / size,
        "check_us": found["p50_us"],
        "check_p99_us": found["p99_us"],
        "check_cold_us": found["cold.p50_us"],
        "disk_bytes": disk / size,
        "written_s": seconds,
        **_changes(url),
    }


def _changes(url: str) -> Figures:
    """A member of one of its groups is removed and added again; the first time is not counted."""
    taken: dict[str, list[float]] = {"remove": [], "add": []}
    with Authority.open(url, organization="lab") as authority:
        for number in range(ROUNDS + 1):
            for name, kind in (("remove", changes.RemoveMembers), ("add", changes.AddMembers)):
                change = kind(group="g7", members=("user:1",))
                start = time.perf_counter()
                authority.apply([change])
                if number:
                    taken[name].append(time.perf_counter() - start)
    return {
        f"{name}_{part}ms": percentile(times, share) * 1e3
        for name, times in taken.items()
        for part, share in (("", 0.5), ("p99_", 0.99))
    }


def audited(url: str, size: int) -> Figures:
    """An organization that was made by changes, with all effective roles, is audited and replayed."""
    with Authority.open(url, organization="lab") as authority:
        wide(size).record(authority)
        settle(authority)
        start = time.perf_counter()
        report = audit(authority.store, "lab")
        middle = time.perf_counter()
        replay = audit_replay(authority.store, most_facts=10**9)
        end = time.perf_counter()
        if not report.is_clean or not replay.is_clean:
            raise RuntimeError("the audit found a difference")
    return {
        "audit_s": middle - start,
        "audit_rows": float(report.effective_roles),
        "replay_s": end - middle,
    }


def stored_bytes(engine: Engine, url: str) -> int:
    """The size of the database: of its file and log, or as the server counts it."""
    if engine == "sqlite":
        with bare(engine, url) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Path(url).stat().st_size
    with bare(engine, url) as connection:
        ((size,),) = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    return int(size)
