"""Several processes of one service: each takes the place of one that died, and goes on with its counters.

They share the sockets, and the memory of the metrics, both made before they fork. Whatever holds a connection
or a thread is opened after.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias

from rescind.instruments import Instruments, Memory, SharedMemory
from rescind.settings import Settings
from rescind.threads import running

RESTART_SECONDS: Final = 1.0
"""How long a process that died is left alone before another takes its place."""
REFRESH_SECONDS: Final = 0.5
"""How often a process puts what it counted where the others see it."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Run: TypeAlias = Callable[[Instruments], None]
"""Serves in a process of its own, until told to stop."""

log = logging.getLogger("rescind.http")


def supervise(processes: int, settings: Settings, run: Run) -> None:
    """Keep so many processes running; told to stop, tell them, and wait for their end."""
    children: dict[int, int] = {}  # the place of each
    model = Instruments(settings)
    shared = SharedMemory(processes, model.size)
    stopping = False

    def stop(number: int, *_: object) -> None:
        nonlocal stopping
        stopping = True
        for child in tuple(children):
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def begin(place: int) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until it is known whom to tell
        try:
            if not stopping:
                children[fork(lambda: _run(run, settings, shared, place))] = place
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    with on_signals(stop):
        for place in range(processes):
            begin(place)
        while children:
            child, status = os.wait()
            if child not in children:  # the first process of a container adopts orphans
                continue
            place = children.pop(child)
            shared.clear(place, model.gauges)
            if not stopping:
                log.error("process %d ended with %d; another takes its place", child, status)
                time.sleep(RESTART_SECONDS)
                begin(place)


def _run(run: Run, settings: Settings, shared: SharedMemory, place: int) -> None:
    instruments = Instruments(settings, Memory(shared.rows[place]), shared=shared)
    with refreshed(instruments):
        run(instruments)


@contextmanager
def refreshed(instruments: Instruments) -> Iterator[None]:
    """While the block lasts, other processes see what this one counts, REFRESH_SECONDS later at most."""

    def refresh(stop: threading.Event) -> None:
        while not stop.wait(REFRESH_SECONDS):
            try:
                instruments.refresh()
            except Exception:  # the next refresh has what this one left out
                log.exception("metrics of this process were not refreshed")

    with running(refresh, "rescind-figures"):
        yield
    instruments.refresh()


def fork(run: Callable[[], None]) -> int:
    """Another process; told to stop before it serves, it ends at once."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        forget_handlers()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        run()
        code = 0
    except BaseException as error:
        log.error("%s", error, exc_info=error)
    finally:
        sys.stdout.flush()
        os._exit(code)


def forget_handlers() -> None:
    """The parent's would stop the parent's children, and not this process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def on_signals(stop: Callable[..., None]) -> Iterator[None]:
    """uvicorn has handlers of its own while it runs, and raises what it caught again when it has ended."""
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
