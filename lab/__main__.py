"""`python -m lab NAME [--json] [--quick] [--save]`: run one benchmark and print its figures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lab import bulk, http, inline
from lab.report import Goal, machine, table

BENCHMARKS = {"bulk": bulk, "http": http, "inline": inline}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Rescind's benchmarks.")
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under a minute")
    parser.add_argument("--save", action="store_true", help="keep it under lab/results")
    parser.add_argument("--seed", type=int, default=20261123)
    asked = parser.parse_args()
    benchmark = BENCHMARKS[asked.name]
    goals: dict[str, Goal] = benchmark.GOALS
    figures = benchmark.run(quick=asked.quick, seed=asked.seed)
    command = f"python -m lab {asked.name} --json" + (" --quick" if asked.quick else "")
    result = {"figures": figures, **machine(), "seed": asked.seed, "command": command}
    if asked.save:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(result, indent=2) + "\n"
        (RESULTS / f"{asked.name}.json").write_text(text, "utf-8")
    print(json.dumps(result) if asked.json else table(figures, goals))
    return 0


sys.exit(main())
