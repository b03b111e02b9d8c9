"""The window benchmark's computations and plots, from made-up systems; nothing here waits."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from lab.plots.window import place
from lab.replicas import after
from lab.report import Goal
from lab.window import GOALS, documented, figures, plot, shape
from lab.window.windows import Tracker, Windows, evenly, histogram


class Clock:
    """Time that goes on by a tick whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


def test_windows_end_where_access_ends() -> None:
    """A window is from the return to the start of the last allowed check. One denial alone ends nothing."""
    answers = {"late": [True, True, False, True, False, False, False], "never": [False] * 3}
    clock = Clock()
    starts: list[float] = []

    def check(subject: str) -> bool:
        if subject == "late":
            starts.append(clock.now)
        return answers[subject].pop(0)

    tracker = Tracker(check, clock)
    tracker.returned("late", 0.0)
    tracker.returned("never", 0.0)
    while tracker.look():
        pass
    assert sorted(tracker.seconds) == [0.0, starts[3]]
    assert (tracker.checks, tracker.allowed) == (10, 3)


def test_access_that_stays_is_an_error() -> None:
    """Who never loses access is no long window: the run fails."""
    tracker = Tracker(lambda _: True, Clock(), pause_seconds=0.0)
    with pytest.raises(TimeoutError):
        tracker.follow(lambda _: 0.0, ["user"], [0.0], limit_seconds=2.0)


def test_only_checks_that_start_after_the_return_count() -> None:
    """A check that started before it may be allowed; one that started after it is seen."""
    seen = [(1.0, True), (2.0, True), (3.0, False), (4.0, True)]
    assert after(seen, since=2.0) == (2, 1, 2.0)
    assert after(seen, since=4.0) == (0, 0, 0.0)
    assert after(seen[:3], since=2.0) == (1, 0, 0.0)


def test_zero_has_a_bin_of_its_own() -> None:
    """All samples are in exactly one bin, and within its bounds."""
    found = histogram([0.0, 0.0, 0.001, 0.0011, 5.0, 1e9])
    assert found["zero"] == 2
    assert sum(count for *_, count in found["bins"]) == 4
    (low, high, _), *_ = found["bins"]
    assert low <= 0.001 * (1 + 1e-9) < high
    assert place(0.0) < place(1e-6) == place(1e-3) < place(1.0) < place(86_400.0)


def test_token_is_uniform() -> None:
    """Half of the windows of a 5-minute token are longer than 2.5 minutes, none longer than 5."""
    windows = evenly(300.0)
    assert min(windows) > 0
    assert max(windows) < 300
    assert sum(one > 150 for one in windows) * 2 == len(windows)


def systems(allowed: int = 0) -> list[Windows]:
    """Rescind, others, and a computed one."""
    return [
        Windows("rescind.inline", "Rescind, inline", [0.0, 0.0], 500, allowed),
        Windows("rescind.fleet", "Rescind, fleet of 4", [0.0], 1_500, 0),
        Windows("spicedb.loaded", "SpiceDB", [0.0, 2.0, 4.0], 30, 20),
        Windows("token", "Token", evenly(300.0), computed=True),
    ]


def test_one_allowed_check_misses_the_goal() -> None:
    """All of Rescind's checks count together, those of others do not."""
    assert figures(systems())["window.rescind.allowed"] == 0
    assert figures(systems())["window.rescind.checks"] == 2_000
    found = figures(systems(allowed=1))
    assert found["window.rescind.allowed"] == 1
    assert shape(found, GOALS).lines[0][-1] == "≤ 0: **missed**"
    assert "window.token.allowed" not in found


def test_table_is_even() -> None:
    """A line for each system, as wide as the headings; without a result, the goals alone."""
    table = shape(figures(systems()), GOALS)
    assert {len(line) for line in table.lines} == {len(table.headings)}
    assert len(table.lines) == 1 + len(systems())
    (line,) = shape({}, {"window.rescind.allowed": Goal(0)}).lines
    assert line[-1] == "≤ 0"


def test_plots_keep_measured_and_documented_apart() -> None:
    """Each system is in the plot of the measured ones with what it did; what others say is in the other."""
    found = systems()
    result = {
        "figures": figures(found),
        "data": {
            "systems": [windows.data() for windows in found],
            "documented": [asdict(one) for one in documented.DOCUMENTED],
        },
    }
    measured, said = plot(json.loads(json.dumps(result)))
    for part in ("0 of 500 checks allowed", "0 of 1,500 checks allowed", "p50 2 s, max 4 s"):
        assert f">{part}<" in measured.svg
    for one in documented.DOCUMENTED:
        assert f">{one.name}<" in said.svg
        assert f">{one.name}<" not in measured.svg
    assert said.svg.count(">no bound given<") == sum(
        one.typical is None and one.most is None for one in documented.DOCUMENTED
    )


def test_every_documented_window_has_a_source() -> None:
    """And the page's table has each once."""
    assert all(one.source and one.says for one in documented.DOCUMENTED)
    assert documented.table().count("\n") == len(documented.DOCUMENTED) + 1
