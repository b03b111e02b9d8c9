"""`python -m lab NAME [--json] [--quick] [--save]`: run one benchmark and print its figures.

`python -m lab summary` writes the saved figures of all into the page of the documentation; `python -m lab
report` writes a page with plots for each that has them, under docs/lab. `python -m lab all --save` runs all,
and writes both.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from lab import (
    adopt,
    bulk,
    capacity,
    checks,
    contention,
    everything,
    fleet,
    goals,
    http,
    inline,
    insight,
    lists,
    network,
    pages,
    partitions,
    past,
    peers,
    probe,
    real,
    scale,
    storm,
    summary,
    sync,
    window,
    workers,
)
from lab.report import Goal, Measured, machine
from lab.tables import by_engine

BENCHMARKS = {
    "adopt": adopt,
    "bulk": bulk,
    "capacity": capacity,
    "checks": checks,
    "contention": contention,
    "fleet": fleet,
    "http": http,
    "inline": inline,
    "insight": insight,
    "lists": lists,
    "network": network,
    "partitions": partitions,
    "past": past,
    "peers": peers,
    "probe": probe,
    "real": real,
    "scale": scale,
    "storm": storm,
    "sync": sync,
    "window": window,
    "workers": workers,
}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Rescind's benchmarks.")
    parser.add_argument("name", choices=[*sorted(BENCHMARKS), "all", "report", "summary"])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under a minute")
    parser.add_argument("--save", action="store_true", help="keep it under lab/results")
    parser.add_argument("--seed", type=int, default=20261123)
    asked = parser.parse_args()
    if asked.name == "all":
        options = ["--seed", str(asked.seed), *(["--quick"] if asked.quick else [])]
        return min(1, everything.run(BENCHMARKS, options, save=asked.save))
    if asked.name == "summary":
        measured = summary.write(BENCHMARKS, RESULTS)
        print(f"{summary.PAGE.name}: figures of {', '.join(measured) or 'nothing yet'}")
        return 0
    if asked.name == "report":
        goals.write(BENCHMARKS, RESULTS)
        written = pages.write(BENCHMARKS, RESULTS)
        print(f"{pages.FOLDER.name}: pages of {', '.join(written) or 'nothing yet'}")
        return 0
    _run(asked)
    return 0


def _run(asked: argparse.Namespace) -> None:
    benchmark = BENCHMARKS[asked.name]
    bounds: dict[str, Goal] = benchmark.GOALS
    began = time.monotonic()
    found = benchmark.run(quick=asked.quick, seed=asked.seed)
    seconds = round(time.monotonic() - began)
    measured = found if isinstance(found, Measured) else Measured(found)
    for what, why in measured.left_out.items():
        print(f"lab: left out: {what}: {why}", file=sys.stderr)
    command = f"python -m lab {asked.name} --json" + (" --quick" if asked.quick else "")
    result = {**measured.result(), **machine(), "seed": asked.seed, "command": command}
    result["seconds"] = seconds
    if asked.save:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(result, indent=2) + "\n"
        (RESULTS / f"{asked.name}.json").write_text(text, "utf-8")
    shape = getattr(benchmark, "shape", by_engine)
    print(json.dumps(result) if asked.json else shape(measured.figures, bounds).text())


if __name__ == "__main__":
    sys.exit(main())
