"""Histories in which nothing is broken, however much happens. All alerts are silent from beginning to end."""

from __future__ import annotations

from tests.insight.monitoring.histories import (
    ALL,
    APPS,
    EVERY,
    ONE,
    TWO,
    History,
    both,
    due,
    grants,
    healthy,
    revocations,
)

LENGTH = 75


def sound() -> list[History]:
    """A day of a service that is well, and what may look like trouble."""
    return [
        History("all is well for a day", healthy(48, 30), length=48, step=30, rules=EVERY),
        _empty_night(),
        _rolling_restart(),
        _new_instances(),
        _storm(),
        _one_killed(),
        _on_sqlite(),
        _large_job(),
    ]


def _empty_night() -> History:
    """Nobody changes anything; the probe and the audit go on."""
    quiet = healthy(150, 5)
    for at in ALL:
        quiet |= revocations(at, "0+10x12 120x138", "0+10x12 120x138")
        quiet |= grants(at, "0+10x12 120x138", "0+10x12 120x138")
    quiet |= both(rescind_chunk_duration_seconds_count="0+1x12 12x138")
    return History("an empty night", quiet, length=150, step=5, rules=EVERY)


def _rolling_restart() -> History:
    """One process after the other is away for a minute, and begins with new counters and a new lease."""
    series = healthy(LENGTH)
    for at, app, minute in ((ONE, APPS[0], 30), (TWO, APPS[1], 40)):
        left = LENGTH - minute - 1
        for key, values in healthy(LENGTH, 1, (app,)).items():
            first, _, _ = values.partition("x")
            start, plus, by = first.partition("+")
            if "lease_expires" in key:
                restarted = f"1.75+60x{minute - 1} _ {60 * (minute + 1) + 1.75}+60x{left}"
            elif "last_completed" in key:
                restarted = f"0+60x{minute - 1} _ {60 * (minute + 1)}+60x{left}"
            elif plus:
                restarted = f"0+{by}x{minute - 1} _ 0+{by}x{left}"
            else:
                restarted = f"{start}x{minute - 1} _ {start}x{left}"
            series[key] = restarted
        series[f"up{{{at}}}"] = f"1x{minute - 1} 0 1x{left}"
        series |= revocations(
            at, f"0+100x{minute - 1} _ 0+100x{left}", f"0+100x{minute - 1} _ 0+100x{left}"
        )
    return History("a rolling restart", series, length=LENGTH, rules=EVERY)


def _new_instances() -> History:
    """A deployment that replaces processes by others, with other names."""
    before = {key: f"{values.split('x')[0]}x60 stale" for key, values in healthy(LENGTH).items()}
    after = {}
    for key, values in healthy(60, 1, ("app-3:9464", "app-4:9464")).items():
        first = values.split("x")[0]
        if "timestamp" in key and "+" in first:
            start, _, by = first.partition("+")
            first = f"{float(start) + 59 * 60:g}+{by}"
        after[key] = f"_x59 {first}x61"
    return History("new processes with other names", before | after, length=LENGTH)


def _storm() -> History:
    """A thousand times the changes: queues grow, and nine tenths of what may be late is."""
    series = healthy(LENGTH)
    many = "0+10x30 300+100000x30 3000300+10x60"
    within = "0+10x30 300+99991x30 2999730+10x60"
    settled = "0+10x30 300+99100x30 2973000+10x60"
    for at in ALL:
        series |= revocations(at, many, within) | grants(at, many, settled)
        oldest = " ".join(f"{60 * minute - 25}" for minute in range(31, 61))
        series |= due(at, "0x30 50000x30 0x60", f"0x30 {oldest} 0x60")
    series |= both(rescind_chunk_duration_seconds_count="0+10x30 300+5000x30 150300+10x60")
    return History("a storm within the targets", series, length=LENGTH, rules=EVERY)


def _one_killed() -> History:
    """One process is killed and replaced: a few revocations wait for its lease, once."""
    series = healthy(LENGTH) | revocations(ONE, "0+1000x120", "0+1000x120", "0x30 2x90")
    return History(
        "a process is killed, and its lease is waited out once", series, length=LENGTH, rules=EVERY
    )


def _on_sqlite() -> History:
    """No leases: there is one process, and its metric says 0."""
    series = healthy(LENGTH, 1, APPS[:1])
    series[f"rescind_lease_expires_timestamp_seconds{{{ONE}}}"] = "0x120"
    return History("one process on SQLite", series, length=LENGTH)


def _large_job() -> History:
    """A job of ten minutes, at which workers work all the time."""
    series = healthy(LENGTH)
    for at in ALL:
        series |= due(at, "0x30 900x10 0x80", "0x30 1860x10 0x80")
    return History("a large job of ten minutes", series, length=LENGTH)
