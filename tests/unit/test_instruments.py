"""Instruments count what happened once: by many threads, by processes that share, and after a fork."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from rescind.instruments import Instruments, Memory, SharedMemory
from rescind.instruments.kinds import Counter, Family, Gauge
from rescind.settings import Settings

THREADS, TIMES = 8, 2_000


def total(instruments: Instruments, family: Family[Any]) -> list[float]:
    """The numbers of a family, over all processes."""
    rows = instruments.read()
    return [
        sum(numbers)
        for _, at in family.places()
        for numbers in zip(*(row[at] for row in rows), strict=True)
    ]


def test_threads_lose_no_tick_and_no_count() -> None:
    """Whatever the threads do between two steps of each other."""
    instruments = Instruments(Settings())
    ticks = instruments.ticks(["allowed", "denied"])
    assert ticks is not None

    def count() -> None:
        for at in range(TIMES):
            ticks[at % 2]()
            instruments.note_enforcement("alone", 0.002)
            if at % 100 == 0:
                instruments.refresh()

    threads = [threading.Thread(target=count) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total(instruments, instruments.checks)[:2] == [THREADS * TIMES / 2] * 2
    found = total(instruments, instruments.enforcement_seconds)
    assert sum(found[: instruments.enforcement_seconds.width - 1]) == THREADS * TIMES


def test_reading_does_not_count() -> None:
    """However often it is done."""
    instruments = Instruments(Settings())
    for _ in range(3):
        assert sum(total(instruments, instruments.checks)) == 0


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(-1.0, 0), (0.0, 0), (0.001, 0), (0.0011, 1), (31.0, 13), (1e9, 13)]
)
def test_a_duration_is_in_the_first_bucket_that_reaches_to_it(seconds: float, bucket: int) -> None:
    """A bucket's bound belongs to it, and no duration is less than nothing."""
    instruments = Instruments(Settings())
    instruments.note_lock_wait("change", seconds)
    family = instruments.lock_wait_seconds
    found = total(instruments, family)[: family.width]
    assert [at for at, count in enumerate(found[:-1]) if count] == [bucket]
    assert found[-1] == max(seconds, 0.0)


def test_without_metrics_nothing_is_counted() -> None:
    """So that it costs nothing."""
    instruments = Instruments(Settings(metrics=False))
    assert instruments.ticks(["allowed"]) is None
    instruments.note_lock_wait("change", 1.0)
    instruments.note_check("live", "denied")
    instruments.note_distrusted()
    instruments.note_settlement("grants", 1.0)
    instruments.note_chunk(1.0, 2, 3)
    instruments.note_load(1.0)
    instruments.note_enforcement("alone", 1.0)
    assert not any(instruments.read()[0])


def test_a_process_goes_on_with_the_row_of_one_that_died() -> None:
    """Its counters do not go back, and what it measured of itself is gone."""
    size = Instruments(Settings()).size
    shared = SharedMemory(2, size)
    first, second = (Instruments(Settings(), Memory(row), shared=shared) for row in shared.rows)
    first.note_check("live", "denied")
    second.note_check("live", "denied")
    first.index_organizations.of().set(7)
    second.index_organizations.of().set(3)
    assert sum(total(second, second.checks)) == 2
    assert total(second, second.index_organizations) == [10]

    shared.clear(0, first.gauges)
    assert total(second, second.index_organizations) == [3]
    successor = Instruments(Settings(), Memory(shared.rows[0]), shared=shared)
    successor.note_check("live", "denied")
    assert sum(total(second, second.checks)) == 3


def test_a_fork_begins_at_zero_and_leaves_the_parents_row_alone() -> None:
    """Also what is counted without a lock, by what was handed out before."""
    shared = SharedMemory(1, Instruments(Settings()).size)
    instruments = Instruments(Settings(), Memory(shared.rows[0]), shared=shared)
    ticks = instruments.ticks(["allowed"])
    assert ticks is not None
    ticks[0]()
    instruments.note_check("live", "allowed")
    child = os.fork()
    if not child:
        code = 1
        try:
            ticks[0]()
            instruments.note_check("effective", "allowed")
            code = 0 if sum(total(instruments, instruments.checks)) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sum(total(instruments, instruments.checks)) == 2


def test_a_row_that_is_too_small_is_an_error() -> None:
    """Rather than the numbers of another process."""
    row = SharedMemory(2, 1).rows[0]
    memory = Memory(row)
    Family(memory, Gauge)
    with pytest.raises(ValueError, match="room for 1 numbers, not 2"):
        Family(memory, Counter)
