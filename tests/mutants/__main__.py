"""Tries mutants, and lists those that no test notices.

    python -m tests.mutants [--only PATTERN] [--sample N] [--seed S] [--engine ENGINE] [--jobs N] [--again]
        [--tests FILE …]

Results are kept in `.mutants/`, so that a run that was stopped goes on. `docs/reference/mutants.md` says how
to read them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from rescind.store.migrations import migrate
from rescind.store.queries import parameters, queries
from rescind.store.sqlite import connect
from tests.mutants import sql
from tests.mutants.areas import NOT_TESTS, ROOT, TESTS, Candidate, python_candidates, sql_candidates
from tests.mutants.forks import NO_FORK
from tests.server import running_server

KEPT = ROOT / ".mutants"
PAGE = ROOT / "docs/reference/mutants.md"
VIEW = "effective_permission_view"
VIEW_TESTS = (
    *("tests/contract/test_view.py", "tests/contract/test_answers.py"),
    *("tests/independent/test_independent.py", "tests/consistency"),
)
QUICK_SECONDS = 4.0
"""Of tests that are tried first, one of each file before the next of any."""
COMPARING = "tests/independent/"
"""Tests that compare everything with an oracle: tried next, whatever the limit of time."""
START_SECONDS = 60
TEST_SECONDS = 20
"""A test of a fork may take this and ten times as long as it does."""
MAP_SECONDS = 1800
NAMED_SECONDS = 300

Tests = dict[str, dict[str, Any]]


def tests_of(engine: str, paths: Iterable[str]) -> Tests:
    """What each test runs; worked out once, by running all of them, and anew for those at `paths`."""
    file = KEPT / f"tests-{engine}.json"
    if paths or not file.exists():
        print(f"Finding out what each test runs on {engine} …", flush=True)
        left_out = [f"--ignore={test}" for test in NOT_TESTS]
        paths = paths or [path for path in TESTS if (ROOT / path).exists()]
        given = {"RESCIND_MUTANT_MAP": str(file), "RESCIND_MUTANT_ENGINE": engine}
        run_tests([*left_out, *paths], given, MAP_SECONDS)
    tests: Tests = json.loads(file.read_text())
    return tests


def pytest_command(arguments: Iterable[str]) -> list[str]:
    """Run pytest with the plugin, and without those that take seconds to load."""
    command = [*(sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.plugin")]
    for plugin in ("pytest_timeout", "_hypothesis_pytestplugin"):
        command += ["-p", plugin]
    return [*command, "-p", "no:cacheprovider", "--no-header", "--tb=no", *arguments]


def run_tests(arguments: Iterable[str], given: dict[str, str], seconds: float) -> tuple[int, str]:
    """Run pytest with the plugin; -1 when it does not end in time, and its whole group is killed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment |= {"HYPOTHESIS_STORAGE_DIRECTORY": folder} | given
        process = subprocess.Popen(
            pytest_command(arguments),
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return -1, "time limit"
    return process.returncode, said


def attempt_in_forks(
    candidates: list[Candidate], tests: Tests, engine: str, most: float
) -> Iterator[tuple[Candidate, dict[str, Any]]]:
    """The same for many mutants, in one process that forks for each; but those not that need their own."""
    named = {candidate.name: candidate for candidate in candidates}
    asked = []
    for candidate in candidates:
        chosen = [
            test for part in in_parts(concerned(candidate, tests), tests, most) for test in part
        ]
        if not chosen:
            yield candidate, {"outcome": "not run by any test", "by": "", "tests": 0, "seconds": 0}
            continue
        seconds = START_SECONDS + 5 * sum(tests[test]["seconds"] for test in chosen)
        limits = {test: TEST_SECONDS + 10 * tests[test]["seconds"] for test in chosen}
        asked.append({"name": candidate.name, "place": candidate.place, "tests": limits})
        asked[-1]["most_seconds"] = seconds
    if not asked:
        return
    paths = sorted({test.partition("::")[0] for one in asked for test in one["tests"]})
    reading, writing = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mutants.json"
        file.write_text(json.dumps(asked))
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment |= {"HYPOTHESIS_STORAGE_DIRECTORY": folder, "RESCIND_MUTANT_ENGINE": engine}
        environment |= {"RESCIND_MUTANTS": str(file), "RESCIND_MUTANTS_TO": str(writing)}
        process = subprocess.Popen(
            pytest_command(["-s", *paths]),
            cwd=ROOT,
            env=environment,
            stdout=(KEPT / "forks.log").open("w"),
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                result = json.loads(line)
                candidate = named[result.pop("name")]
                if result["outcome"] != NO_FORK:
                    yield candidate, result
        if process.wait():
            sys.exit(f"the tests did not run: see {KEPT / 'forks.log'}")


def concerned(candidate: Candidate, tests: Tests) -> list[str]:
    """The tests that run what a mutant changes, quick ones first, taking turns between files."""
    if candidate.place == VIEW:  # is asked by name
        found = [test for test in tests if test.startswith(VIEW_TESTS)]
    elif candidate.is_sql:
        found = [test for test, ran in tests.items() if candidate.place in ran["queries"]]
    else:
        found = _running(candidate.place, tests)
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in sorted(found, key=lambda test: tests[test]["seconds"]):
        by_file[test.partition("::")[0]].append(test)
    ranked = [(turn, test) for listed in by_file.values() for turn, test in enumerate(listed)]
    return [test for _, test in sorted(ranked, key=lambda r: (r[0], tests[r[1]]["seconds"]))]


def _running(place: str, tests: Tests) -> list[str]:
    """The tests that run a function; outside of functions, a method of the class, or the module."""
    if place.endswith("()"):
        return [test for test, ran in tests.items() if place[:-2] in ran["functions"]]
    module = place.partition(":")[0]
    for prefix in (f"{place}.", f"{module}:"):
        found = [
            test
            for test, ran in tests.items()
            if any(name.startswith(prefix) for name in ran["functions"])
        ]
        if found:
            return found
    return []


def attempt(candidate: Candidate, tests: Tests, engine: str, most: float) -> dict[str, Any]:
    """Run the tests that concern a mutant, the quick ones first, until one fails or they took too long."""
    start = time.monotonic()
    parts = in_parts(concerned(candidate, tests), tests, most)
    outcome, by = "survived" if any(parts) else "not run by any test", ""
    for part in filter(None, parts):
        code, said = _with(candidate, part, tests, engine)
        if code != 0:
            failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
            by = failed[1] if failed else said.strip()[-200:]
            outcome = "caught" if failed or code == -1 else "no verdict"
            break
    seconds = round(time.monotonic() - start, 1)
    return {"outcome": outcome, "by": by, "tests": sum(map(len, parts)), "seconds": seconds}


def in_parts(chosen: list[str], tests: Tests, most: float) -> list[list[str]]:
    """The quick ones, those that compare, and the rest in turn while the seconds last."""
    quick, spent = 0, 0.0
    while quick < len(chosen) and spent < QUICK_SECONDS:
        spent += tests[chosen[quick]]["seconds"]
        quick += 1
    later = chosen[quick:]
    comparing = [test for test in later if test.startswith(COMPARING) and "control" not in test]
    rest = []
    for test in (test for test in later if test not in set(comparing)):
        spent += tests[test]["seconds"]
        if spent > most:
            break
        rest.append(test)
    return [chosen[:quick], comparing, rest]


def _with(candidate: Candidate, part: list[str], tests: Tests, engine: str) -> tuple[int, str]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listed:
        json.dump(part, listed)
        listed.flush()
        paths = list(dict.fromkeys(test.partition("::")[0] for test in part))
        given = {"RESCIND_MUTANT": candidate.name, "RESCIND_MUTANT_TESTS": listed.name}
        given["RESCIND_MUTANT_ENGINE"] = engine
        seconds = START_SECONDS + 5 * sum(tests[test]["seconds"] for test in part)
        return run_tests(["-x", *paths], given, seconds)


def attempt_with(candidate: Candidate, paths: list[str], engine: str) -> dict[str, Any]:
    """Run the tests that were named, in their order, until one fails."""
    start = time.monotonic()
    given = {"RESCIND_MUTANT": candidate.name, "RESCIND_MUTANT_ENGINE": engine}
    code, said = run_tests(["-x", *paths], given, NAMED_SECONDS)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    outcome = "survived" if code == 0 else "caught" if failed or code == -1 else "no verdict"
    by = failed[1] if failed else "" if code == 0 else said.strip()[-200:]
    seconds = round(time.monotonic() - start, 1)
    return {"outcome": outcome, "by": by, "tests": len(paths), "seconds": seconds}


def is_valid(candidate: Candidate) -> bool:
    """Whether SQLite can prepare a mutated statement. What it cannot is no mutant."""
    if not candidate.name.startswith("sql:sqlite:"):
        return True
    number = int(candidate.name.rpartition(":")[2])
    mutant = sql.mutants(queries("sqlite")[candidate.place])[number].sql
    return _prepares(mutant) or not _prepares(queries("sqlite")[candidate.place])


def _prepares(statement: str) -> bool:
    path = KEPT / "schema.db"
    if not path.exists():
        migrate(str(path))
    with closing(connect(str(path))) as connection:
        connection.create_function("rescind_tallied", 1, len)
        try:
            connection.execute(f"EXPLAIN {statement}", dict.fromkeys(parameters(statement)))
        except Exception:
            return False
    return True


def known() -> set[tuple[str, str]]:
    """Survivors whose reason is in the page's table: where, and what was changed."""
    table = PAGE.read_text("utf-8").partition("## Survivors with a reason")[2].partition("## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", table, re.MULTILINE))


def chosen_candidates(options: argparse.Namespace) -> list[Candidate]:
    """The mutants to try: those that match, or of each kind a sample spread over its areas."""
    reasons = known()
    kinds = [
        [c for c in kind if options.known or (c.place, c.what) not in reasons]
        for kind in (sql_candidates(options.engine), python_candidates())
    ]
    if options.only:
        kinds = [
            [c for c in kind if re.search(options.only, f"{c.name} {c.area} {c.place} {c.what}")]
            for kind in kinds
        ]
    if options.sample is None:
        return [candidate for kind in kinds for candidate in kind if is_valid(candidate)]
    chance = random.Random(options.seed)
    chosen = []
    for kind in kinds:
        by_area: dict[str, list[Candidate]] = defaultdict(list)
        for candidate in chance.sample(kind, len(kind)):
            by_area[candidate.area].append(candidate)
        turns = [(t, c) for of_area in by_area.values() for t, c in enumerate(of_area)]
        in_turn = (c for _, c in sorted(turns, key=lambda turn: turn[0]))
        chosen += _first_valid(in_turn, options.sample)
    chance.shuffle(chosen)  # so that a run that is stopped has some of each
    return chosen


def _first_valid(candidates: Iterable[Candidate], most: int) -> list[Candidate]:
    found: list[Candidate] = []
    for candidate in candidates:
        if len(found) == most:
            break
        if is_valid(candidate):
            found.append(candidate)
    return found


class Results:
    """What became of each mutant, kept in a file."""

    def __init__(self, engine: str) -> None:
        self.file = KEPT / f"results-{engine}.json"
        self.kept: dict[str, dict[str, Any]] = {}
        if self.file.exists():
            self.kept = json.loads(self.file.read_text())

    def of(self, candidate: Candidate) -> dict[str, Any] | None:
        """What is known of it, while what it changes is as it was."""
        kept = self.kept.get(candidate.name)
        return kept if kept and kept["digest"] == candidate.digest else None

    def keep(self, candidate: Candidate, result: dict[str, Any]) -> None:
        """Keep it at once: a run may be stopped anywhere."""
        result |= {"digest": candidate.digest, "what": candidate.what, "place": candidate.place}
        self.kept[candidate.name] = result
        swap = self.file.with_suffix(".new")
        swap.write_text(json.dumps(self.kept, indent=1))
        swap.replace(self.file)


def is_to_try(candidate: Candidate, results: Results, again: bool) -> bool:
    """Whether nothing is known of it, or survivors are tried again and it is one."""
    kept = results.of(candidate)
    return not kept or (again and kept["outcome"] != "caught")


def report(candidates: list[Candidate], results: Results) -> None:
    """The share caught of each area, and the survivors."""
    caught: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    survivors, reasons = [], known()
    for candidate in candidates:
        result = results.of(candidate)
        if result:
            tried[candidate.area] += 1
            caught[candidate.area] += result["outcome"] == "caught"
            if result["outcome"] != "caught":
                survivors.append((candidate, result["outcome"]))
    print()
    for area in tried:
        print(f"{area:16} {caught[area]:5} of {tried[area]:5} caught")
    all_tried = max(tried.total(), 1)
    print(
        f"{'all':16} {caught.total():5} of {tried.total():5} caught: {caught.total() / all_tried:.1%}"
    )
    for candidate, outcome in survivors:
        is_known = (candidate.place, candidate.what) in reasons
        note = " (known)" if is_known else ""
        print(f"{outcome}{note}: {candidate.name} {candidate.place} line {candidate.line}")
        print(f"    {candidate.what}")


def main() -> None:
    """Try the chosen mutants, and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--only", help="a regular expression: name, area, place or what is changed")
    parser.add_argument("--sample", type=int, help="so many of the statements, and of the modules")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf, help="of tests, for each mutant")
    parser.add_argument("--again", action="store_true", help="try survivors again")
    parser.add_argument("--note", nargs="+", default=(), help="tests that are new or changed")
    parser.add_argument("--known", action="store_true", help="also those with a reason to survive")
    parser.add_argument(
        "--tests", nargs="+", help="only these files, whatever they run: a lower bound"
    )
    options = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    with running_server(tempfile.gettempdir()) as url:
        os.environ.setdefault("RESCIND_TEST_POSTGRES", url)
        attempt_all(options)


def attempt_all(options: argparse.Namespace) -> None:
    """Try what is chosen and not known yet. All processes of tests use one server of PostgreSQL."""
    tests: Tests = {} if options.tests else tests_of(options.engine, options.note)
    results = Results(options.engine)
    candidates = chosen_candidates(options)

    def keep(candidate: Candidate, result: dict[str, Any]) -> None:
        results.keep(candidate, result)
        seconds = result["seconds"]
        print(f"{result['outcome']} {seconds} s {candidate.name}: {candidate.what}", flush=True)

    def work(candidate: Candidate) -> None:
        if options.tests:
            keep(candidate, attempt_with(candidate, options.tests, options.engine))
        else:
            keep(candidate, attempt(candidate, tests, options.engine, options.seconds))

    left = [candidate for candidate in candidates if is_to_try(candidate, results, options.again)]
    if not options.tests:
        for candidate, result in attempt_in_forks([*left], tests, options.engine, options.seconds):
            keep(candidate, result)
            left.remove(candidate)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(work, left))
    report(candidates, results)


if __name__ == "__main__":
    main()
