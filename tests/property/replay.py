"""Replays random histories: `python -m tests.property.replay --minutes 60 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.conftest import FOLDER
from tests.faults.server import running
from tests.independent.__main__ import makers
from tests.property.replaying import compare, histories


def main() -> int:
    """Histories of later and later seeds, on the engines, until the time is up or one parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.property.replay", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first history")
    parser.add_argument("--changes", type=int, default=1_000, help="in each history, at least")
    parser.add_argument("--engine", choices=("sqlite", "postgres"), action="append")
    asked = parser.parse_args()
    ends_at, done = time.monotonic() + asked.minutes * 60, Counter[str]()
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder, running() as server:
        databases = makers(Path(folder), server)
        for kind, steps in histories(asked.seed, 1_000_000_000, changes=asked.changes):
            for engine in asked.engine or ("sqlite", "postgres"):
                try:
                    done += compare(kind, steps, databases[engine], most_tries=1_000)
                except AssertionError as error:
                    print(f"{engine}: {error}", flush=True)
                    return 1
                done[f"histories on {engine}"] += 1
            if time.monotonic() > ends_at:
                print("\n".join(f"{many:8} {what}" for what, many in sorted(done.items())))
                return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
