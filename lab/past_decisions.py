"""What the decision log costs a check from memory, at 10,000 decisions a second into a file.

`python -m lab.past_decisions` prints the figures alone; `python -m lab past` has them among its own.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from lab.report import Goal
from lab.worlds import apply_all, one_group
from rescind import Authority, DecisionLog, changes
from rescind.decision_log import last_used
from rescind.store.migrations import migrate

GOALS = {"past.decision_log_us": Goal(2.0), "past.decision_log.dropped": Goal(0)}
PER_SECOND: Final = 10_000
BLOCK: Final = 100
"""Checks of a block. The next block begins when it is due at that rate."""
QUESTION = ("user:7", "read", "doc:0")
Figures = dict[str, float]


def decision_log(*, quick: bool) -> Figures:
    """How much longer a check takes with the log than without, in turns; and what was dropped."""
    rounds = 200 if quick else 2_000
    with tempfile.TemporaryDirectory(prefix="rescind-lab-") as folder:
        database, file = str(Path(folder) / "rescind.db"), Path(folder) / "decisions.ndjson"
        migrate(database)
        log = DecisionLog("all", file=file, file_megabytes=1_000)
        with Authority.open(
            database, organization="acme", index=True, decision_log=log
        ) as authority:
            apply_all(authority, one_group(200, 1))
            authority.apply([changes.Assign(role="reader", to="group:all", on="doc:0")])
            authority.load()
            recorder = authority.decision_log
            assert recorder is not None
            times: dict[bool, list[float]] = {True: [], False: []}
            due = time.perf_counter()
            for turn in range(rounds * 2):
                is_on = bool(turn % 2)
                authority.decision_log = recorder if is_on else None
                times[is_on].append(_block(authority))
                due = max(due + is_on * BLOCK / PER_SECOND, time.perf_counter())
                time.sleep(max(0.0, due - time.perf_counter()))
            authority.decision_log = recorder
        dropped, written = recorder.writer.dropped, recorder.writer.written
        found = last_used([file])
        if found.lines - 1 != written or written + dropped != rounds * BLOCK:
            raise AssertionError(f"{written} written, {dropped} dropped, {found.lines - 1} lines")
    on, off = (median(times[is_on]) / BLOCK * 1e6 for is_on in (True, False))
    return {
        "past.decision_log_us": on - off,
        "past.decision_log.check_us": off,
        "past.decision_log.dropped": dropped,
        "past.decision_log.written": written,
    }


def _block(authority: Authority) -> float:
    check, question = authority.check, QUESTION
    begin = time.perf_counter()
    for _ in range(BLOCK):
        check(*question)
    return time.perf_counter() - begin


if __name__ == "__main__":
    print(json.dumps(decision_log(quick=True)))
