"""Many organizations in one database: does one of them cost more because of the others?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from lab.report import percentile
from lab.scale.one import stored_bytes
from lab.world_facts import write_organizations
from rescind import Authority, changes
from rescind.store.queries import Engine

Figures = dict[str, float]


def organizations(engine: Engine, url: str, count: int, rounds: int) -> Figures:
    """A check by SQL, a change and the first question of a replica, each in another organization; and the
    same with ten of them.
    """
    empty = stored_bytes(engine, url)
    start = time.perf_counter()
    write_organizations(engine, url, count)
    figures = {"count": float(count), "written_s": time.perf_counter() - start}
    figures["disk_bytes"] = (stored_bytes(engine, url) - empty) / count
    choose = random.Random(count)
    names = [f"org-{choose.randrange(count)}" for _ in range(rounds)]
    with Authority.open(url) as authority:

        def check(name: str) -> None:
            assert authority.check("user:1", "read", "doc:0", organization=name)

        def remove(name: str) -> None:
            change = changes.RemoveMembers(group="all", members=("user:1",))
            authority.apply([change], organization=name)
            assert not authority.check("user:1", "read", "doc:0", organization=name)

        def add(name: str) -> None:
            change = changes.AddMembers(group="all", members=("user:1",))
            authority.apply([change], organization=name)

        check(names[0])
        figures["check_us"] = _middle(check, names) * 1e6
        figures["remove_and_check_ms"] = _middle(remove, dict.fromkeys(names)) * 1e3
        figures["add_ms"] = _middle(add, dict.fromkeys(names)) * 1e3
    with Authority.open(url, index=True) as replica:
        figures["load_ms"] = _middle(lambda name: replica.load(name), dict.fromkeys(names)) * 1e3
    return figures


def _middle(action: Callable[[str], object], names: list[str] | dict[str, None]) -> float:
    """Median seconds of the action for each organization."""
    times = []
    for name in names:
        start = time.perf_counter()
        action(name)
        times.append(time.perf_counter() - start)
    return percentile(times, 0.5)
