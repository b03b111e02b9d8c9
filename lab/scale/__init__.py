"""How costs grow with size: 1,000 to a million memberships in one organization, and 100,000 organizations.

The organization is the wide world in proportion: each membership is in 8 groups, groups are nested three
deep, resources five deep. A replica of its own loads it; `memory` and `disk` are bytes a membership, with
its eight places in groups and its share of the rest. Effective roles are left out of `disk`, and audits are
of smaller organizations that have them. Changes go through the front door and are settled.

`exponent` says how a cost grows: 1 is in proportion, 0 is not at all. It is fitted to the three largest sizes
that were measured, and what lies beyond them is that line, dashed in the plots. Ten million memberships are
beyond this machine's memory and the lab's time.

The audit compares effective roles with the facts; the replay makes the facts anew from the log. `growth` is
what 100,000 times adding and removing one member (a fifth as often on PostgreSQL) leaves behind: a line of
the log for each change. It takes about ten minutes in full.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from lab.databases import servers
from lab.report import Goal, Measured
from lab.scale.fit import fit
from lab.scale.grown import growth
from lab.scale.many import organizations
from lab.scale.one import audited, sized
from lab.scale.table import shape as shape
from rescind.store.queries import Engine

TITLE: Final = "Scale"
GOALS: Final = {
    "scale.bytes_per_membership": Goal(800),
    "scale.load_per_s": Goal(
        150_000,
        is_least=True,
        why=(
            "half of the time PostgreSQL reads an index and packs the eight places of each membership, 0.5 µs"
            " each; the other half are 4.4 µs of Python for a membership: its name and number in two"
            " dictionaries, and a look-up for each of its places"
        ),
    ),
}
"""Of a million memberships in the wide world, on the worse engine."""
ENGINES: Final[tuple[Engine, ...]] = ("sqlite", "postgres")
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
AUDITED: Final = (1_000, 5_000, 20_000)
BEYOND: Final = 10_000_000
ORGANIZATIONS: Final = 100_000
CYCLES: Final = {"sqlite": 100_000, "postgres": 20_000}
FITTED: Final = (
    "load_s",
    "memory_bytes",
    "disk_bytes",
    "check_us",
    "add_ms",
    "remove_ms",
    "audit_s",
    "replay_s",
)
Figures = dict[str, float]


def run(*, quick: bool, seed: int) -> Measured:
    """Figures as `scale.engine.size.what`; `exponent` and what is fitted for ten million as figures too."""
    measured = Measured()
    sizes, audits = (SIZES[:2], AUDITED[:1]) if quick else (SIZES, AUDITED)
    with servers() as make:
        for engine in ENGINES:
            for size in sizes:
                _say(f"{engine}, {size:,} memberships")
                found = sized(engine, make(engine), size, 2_000 if quick else 50_000, seed)
                measured.figures |= _named(engine, f"{size}", found)
            for size in audits:
                _say(f"{engine}, audit and replay of {size:,} memberships")
                measured.figures |= _named(engine, f"{size}", audited(make(engine), size))
            count = 200 if quick else ORGANIZATIONS
            _say(f"{engine}, {count:,} organizations")
            found = organizations(engine, make(engine), count, 50 if quick else 300)
            measured.figures |= _named(engine, "organizations", found)
            cycles = 200 if quick else CYCLES[engine]
            _say(f"{engine}, {cycles:,} times adding and removing")
            measured.figures |= _named(engine, "growth", growth(engine, make(engine), cycles))
    measured.figures |= fitted(measured.figures)
    measured.figures = {**_worst(measured.figures, sizes[-1]), **measured.figures}
    measured.left_out[f"{BEYOND:,} memberships in one organization"] = (
        "beyond this machine's memory and the lab's time: figures that end in `fitted` are the fitted line"
    )
    return measured


def _say(what: str) -> None:
    print(f"lab: {what} …", file=sys.stderr)


def _named(engine: str, part: str, found: Figures) -> Figures:
    return {f"scale.{engine}.{part}.{what}": value for what, value in found.items()}


def series(figures: Figures, engine: str, what: str) -> dict[int, float]:
    """What was measured of one cost, by size."""
    found = {}
    for name, value in figures.items():
        parts = name.split(".")
        if len(parts) == 4 and parts[1] == engine and parts[3] == what and parts[2].isdigit():
            found[int(parts[2])] = value
    return dict(sorted(found.items()))


def fitted(figures: Figures) -> Figures:
    """How each cost grows, and what it would be for ten million memberships."""
    found: Figures = {}
    for engine in ENGINES:
        for what in FITTED:
            line = fit(series(figures, engine, what))
            if line is not None:
                found[f"scale.{engine}.exponent.{what}"] = line.exponent
                found[f"scale.{engine}.fitted.{BEYOND}.{what}"] = line.at(BEYOND)
    return found


def _worst(figures: Figures, size: int) -> Figures:
    def of(what: str, choose: Callable[[Any], float]) -> float:
        return choose(figures[f"scale.{engine}.{size}.{what}"] for engine in ENGINES)

    return {
        "scale.bytes_per_membership": of("memory_bytes", max),
        "scale.load_per_s": of("load_per_s", min),
    }


def plot(result: dict[str, Any]) -> list[Any]:
    """Plots of a result; Matplotlib is needed for them alone."""
    from lab.plots import scale

    return scale.plot(result)
