"""The network benchmark: lines over the round trip, heat maps, databases side by side, and bad lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lab.network.figures import HANDFUL, QUOTED_MS
from lab.plots import style
from lab.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, PINK, PURPLE, Plot, canvas, duration

COLORS = {
    "bare": MUTED,
    "textbook": ORANGE,
    "best": PINK,
    "statements": PURPLE,
    "inline": BLUE,
    "background": GREEN,
}
DASHES = {"bare": ":", "background": "--"}
MARKS = {"textbook": "o", "best": "s", "statements": "^", "inline": "D", "background": "v"}
TOPOLOGIES = {
    "sqlite": "SQLite (in the process)",
    "postgres": "PostgreSQL",
    "pgbouncer": "PostgreSQL behind PgBouncer",
    "standby": "PostgreSQL, synchronous standby",
    "mariadb": "MariaDB",
}
RAMP = ("#e3f0ff", "#b3d4ff", "#7fb4f5", "#4a90e0", "#2a6bbd", "#1a4a8a", "#0f2f5c")
"""From a bare insert to ten thousand of them: the colours stay on a dark page."""
FAR_MS = 20
Cell = dict[str, Any]


def plots(result: dict[str, Any]) -> list[Plot]:
    """All pictures of a result; one for which nothing was measured is left out."""
    cells: list[Cell] = result["data"]["cells"]
    titles: dict[str, str] = result["data"]["styles"]
    steady = [cell for cell in cells if cell["line"] == "steady"]
    drawn = [_lines(steady, titles), _heat(steady, titles), _databases(steady, titles)]
    if any(cell["line"] != "steady" for cell in cells):
        drawn.append(_tails(cells, titles))
    return drawn


def _of(cells: Sequence[Cell], **wanted: Any) -> list[Cell]:
    return [cell for cell in cells if all(cell[key] == value for key, value in wanted.items())]


# --- lines ----------------------------------------------------------------------------------------


def _lines(cells: list[Cell], titles: dict[str, str]) -> Plot:
    alt = (
        f"PostgreSQL, {HANDFUL} assignments: time of one change against the round trip. What is sent row by"
        " row or statement by statement grows with each round trip. Rescind, inline or in the background,"
        " stays at one round trip, as a bare insert does. The band is the 50 to 150 ms that is often quoted."
    )
    title = "One change, by distance"
    with canvas("lines", title=title, alt=alt, height=4.6) as plot:
        axes = plot.figure.subplots()
        axes.set_yscale("log")
        axes.axhspan(*QUOTED_MS, color=style.BAND, zorder=0)
        axes.annotate(
            "often quoted: 50–150 ms",
            (0.01, QUOTED_MS[1]),
            xycoords=("axes fraction", "data"),
            va="top",
            xytext=(2, -3),
            textcoords="offset points",
            fontsize=style.SMALL,
            color=MUTED,
        )
        mine = _of(cells, topology="postgres", size=HANDFUL)
        round_trips = sorted({cell["rtt"] for cell in mine})
        places = {rtt: place for place, rtt in enumerate(round_trips)}
        for name, color in COLORS.items():
            line = sorted(_of(mine, style=name), key=lambda cell: cell["rtt"])
            if line:
                axes.plot(
                    [places[cell["rtt"]] for cell in line],
                    [cell["p50"] for cell in line],
                    color=color,
                    linestyle=DASHES.get(name, "-"),
                    marker=MARKS.get(name),
                    label=titles[name],
                )
        axes.set_xticks(list(places.values()), [str(rtt) for rtt in places])
        _milliseconds(axes.yaxis, [cell["p50"] for cell in mine])
        style.above(axes, "time of one change, p50")
        style.below(axes, "round trip to the database, ms")
        plot.figure.legend(loc="outside lower left", ncols=1, handlelength=2.4)
    return plot


def _milliseconds(axis: Any, values: Sequence[float]) -> None:
    """Ticks at powers of ten, and three times each where there are few of them."""
    low, high = min(values, default=1.0), max(values, default=1.0)
    steps = (1, 3) if high / low < 300 else (1,)
    ticks = [step * 10.0**power for power in range(-3, 7) for step in steps]
    ticks = [tick for tick in ticks if low / 2 < tick < high * 2]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: duration(value / 1e3)))


# --- heat maps ------------------------------------------------------------------------------------


def _heat(cells: list[Cell], titles: dict[str, str]) -> Plot:
    alt = (
        "PostgreSQL: time of one change for each round trip and number of assignments, one map for each way."
        " Darker is slower, on a logarithmic scale. A time with a ~ is computed from the number of round"
        " trips, because measuring would take too long."
    )
    mine = _of(cells, topology="postgres")
    names = [name for name in COLORS if _of(mine, style=name)]
    round_trips = sorted({cell["rtt"] for cell in mine})
    sizes = sorted({cell["size"] for cell in mine})
    height = len(names) * (0.62 + 0.26 * len(sizes)) + 0.3
    with canvas("heat", title="Assignments by distance", alt=alt, height=height) as plot:
        for place, name in enumerate(names):
            axes = plot.figure.add_subplot(len(names), 1, place + 1)
            _map(axes, _of(mine, style=name), round_trips, sizes)
            axes.set_title(titles[name])
        style.below(axes, "across: round trip in ms; up: assignments")
    return plot


def _map(axes: Any, cells: list[Cell], round_trips: list[int], sizes: list[int]) -> None:
    """One map: a field for each cell with its time."""
    for cell in cells:
        x, y = round_trips.index(cell["rtt"]), sizes.index(cell["size"])
        shade = _shade(cell["p50"])
        fill = RAMP[shade]
        axes.add_patch(_square(x, y, fill))
        text = ("~" if cell["computed"] else "") + duration(cell["p50"] / 1e3)
        ink = style.ON_LIGHT if shade < 4 else style.ON_DARK
        axes.text(x, y, text, ha="center", va="center", fontsize=style.SMALL, color=ink)
    axes.set_xlim(-0.5, len(round_trips) - 0.5)
    axes.set_ylim(-0.5, len(sizes) - 0.5)
    axes.set_xticks(range(len(round_trips)), list(map(str, round_trips)))
    axes.set_yticks(range(len(sizes)), [f"{size:,}" for size in sizes])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)


def _square(x: int, y: int, fill: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=fill, edgecolor="none")


def _shade(milliseconds: float) -> int:
    """The step of the ramp: a new one at 1, 5, 25, 150, 1,000 and 10,000 ms."""
    return sum(milliseconds >= bound for bound in (1, 5, 25, 150, 1_000, 10_000))


# --- databases ------------------------------------------------------------------------------------


def _databases(cells: list[Cell], titles: dict[str, str]) -> Plot:
    alt = (
        f"Each database {FAR_MS} ms away, {HANDFUL} assignments: time of one change in each way. SQLite is in"
        " the process and so at no distance. Rescind does not run on MariaDB."
    )
    at = [c for c in cells if c["size"] == HANDFUL and c["rtt"] in (FAR_MS, 0)]
    at = [c for c in at if (c["rtt"] == 0) == (c["topology"] == "sqlite")]
    names = [name for name in TOPOLOGIES if _of(at, topology=name)]
    title = f"One change, {FAR_MS} ms away, by database"
    with canvas("databases", title=title, alt=alt, height=0.7 * len(names) + 1.7) as plot:
        axes = plot.figure.subplots()
        axes.set_xscale("log")
        for place, name in enumerate(names):
            axes.text(
                0, -place - 0.3, TOPOLOGIES[name], transform=axes.get_yaxis_transform(), color=INK
            )
            for kind, color in COLORS.items():
                found = _of(at, topology=name, style=kind)
                if found:
                    label = titles[kind] if place == names.index("postgres") else None
                    axes.plot(
                        found[0]["p50"],
                        -place - 0.6,
                        MARKS.get(kind, "|"),
                        color=color,
                        markersize=16 if kind == "bare" else 8,
                        markeredgewidth=2 if kind == "bare" else 0,
                        label=label,
                        linestyle="none",
                    )
        axes.set_ylim(-len(names), 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _milliseconds(axes.xaxis, [cell["p50"] for cell in at])
        style.below(axes, "time of one change, p50")
        plot.figure.legend(loc="outside lower left", ncols=1)
    return plot


# --- bad lines ------------------------------------------------------------------------------------


def _tails(cells: list[Cell], titles: dict[str, str]) -> Plot:
    alt = (
        f"PostgreSQL {FAR_MS} ms away, {HANDFUL} assignments: middle (filled) and slowest tenth (hollow) of"
        " the times of one change on a steady line, on one with half of the delay more or less, and on one"
        " where one of a hundred packets comes 200 ms late. More round trips meet a stall more often."
    )
    mine = _of(cells, topology="postgres", rtt=FAR_MS, size=HANDFUL)
    lines = [line for line in ("steady", "jitter", "stalls") if _of(mine, line=line)]
    names = [name for name in COLORS if _of(mine, style=name)]
    height = 0.32 * len(lines) * len(names) + 0.36 * len(lines) + 0.7
    with canvas("lines-bad", title="Jitter and stalls", alt=alt, height=height) as plot:
        axes = plot.figure.subplots()
        axes.set_xscale("log")
        row, ticks = 0.0, []
        for line in lines:
            axes.text(0, -row, line, transform=axes.get_yaxis_transform(), color=INK, va="center")
            for name in names:
                row += 1
                (cell,) = _of(mine, line=line, style=name)
                axes.plot([cell["p50"], cell["p90"]], [-row, -row], color=COLORS[name])
                axes.plot(cell["p50"], -row, "o", color=COLORS[name])
                axes.plot(cell["p90"], -row, "o", color=COLORS[name], markerfacecolor=style.PAPER)
                ticks.append((-row, titles[name]))
            row += 1.2
        axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-row, 0.6)
        axes.spines["left"].set_visible(False)
        _milliseconds(axes.xaxis, [v for cell in mine for v in (cell["p50"], cell["p90"])])
        style.below(axes, "time of one change, p50 to p90")
    return plot
