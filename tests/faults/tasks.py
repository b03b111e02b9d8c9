"""What children do until they are killed. `watch` has a store tell each statement, and end there."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from rescind import Authority
from rescind.changes import Change
from rescind.errors import GroupBusy
from rescind.model import Receipt
from rescind.propagation import organization_removal as deletion
from rescind.propagation import reconcile as reconciling
from rescind.propagation.work import Work
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from rescind.store import Store, open_store
from rescind.store.sqlite import write_queue
from tests.faults.small import Steady, opened
from tests.faults.small import settle as settle_all
from tests.jobs import due_jobs
from tests.probe import Probe, probe_of
from tests.sql import ours

Watch = Callable[[Store], None]
Task = Callable[..., Any]
Told = tuple[Any, ...]
MOST_CALLS = 100
"""Of a group that others have."""


def told(receipt: Receipt) -> Told:
    """What a receipt says of a change, whoever asks."""
    return (
        receipt.token,
        receipt.revision,
        receipt.changed,
        receipt.direction,
        receipt.route,
        receipt.fan_out,
        receipt.recorded_at,
    )


def apply(
    watch: Watch, database: str, organization: str, batch: Sequence[Change], key: str, route: str
) -> Told:
    """Apply a batch under a key."""
    with opened(database, organization) as authority:
        watch(authority.store)
        return told(authority.apply(batch, idempotency_key=key, route=route))


def apply_without_transaction(watch: Watch, database: str, *args: Any) -> Told:
    """The same where each statement is kept at once: the control."""
    write_queue.begin_write = lambda *_: None
    execute = psycopg.Connection.execute

    def kept_at_once(connection: Any, query: Any, *rest: Any, **options: Any) -> Any:
        is_begin = str(query).startswith("BEGIN")
        return execute(connection, "SELECT 1" if is_begin else query, *rest, **options)

    psycopg.Connection.execute = kept_at_once  # type: ignore[method-assign]
    return apply(watch, database, *args)


def settle(watch: Watch, database: str, organization: str, group: str, pairs: int) -> None:
    """Settle what is pending for a group, in chunks of one size. Called again while another has the group."""
    with opened(database, organization) as authority:
        watch(authority.store)
        for _ in range(MOST_CALLS - 1):
            with suppress(GroupBusy):
                reconciling.reconcile(authority.store, organization, group, pace=Steady(pairs))
                return
            time.sleep(0.05)
        reconciling.reconcile(authority.store, organization, group, pace=Steady(pairs))


def clear(watch: Watch, database: str, rows: int) -> None:
    """Clear away what is left of deleted organizations, in chunks of so many rows."""
    with Authority(open_store(database, probe=Probe())) as authority:
        watch(authority.store)
        while deletion.clear(authority.store, rows=rows):
            pass


def settle_taken_off(watch: Watch, database: str, organization: str, *args: Any) -> None:
    """The same by a worker that takes the work off the list first: a control."""
    with opened(database, organization) as authority:
        store = authority.store
        o = store.fetch("find_log", {"organization": organization})[0][0]
        jobs = [job for job in due_jobs(store) if job.organization == o]
        store.queries["take_off"] = ours(
            store, f"DELETE FROM rescind.pending WHERE organization = {o}"
        )
        store.transact(lambda tx: tx.run("take_off"))
        probe_of(store).omitted.add("refuse_pending_moved")
        watch(store)
        for job in jobs:
            work = Work(store, job)
            work.fits_many = lambda *_: False  # type: ignore[method-assign]
            work.step(Steady(args[-1]))


def settle_without_cursor(watch: Watch, database: str, organization: str, *args: Any) -> None:
    """The same by a worker that keeps no cursor: a control."""
    with opened(database, organization) as authority:
        probe_of(authority).omitted |= {"advance_pending", "refuse_pending_moved"}
        watch(authority.store)
        reconciling.reconcile(authority.store, organization, args[0], pace=Steady(args[-1]))


# --- on machines whose clocks are off -------------------------------------------------------------


def with_clock(watch: Watch, seconds: int, task: Task, *args: Any) -> Any:
    """A task on a machine whose clock is off by so much."""
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + seconds * 10**9
    return task(watch, *args)


def change(_: Watch, database: str, organization: str, made: Change) -> None:
    """Apply a change in the background, at the time of this machine."""
    with Authority.open(database, organization=organization) as authority:
        authority.apply([made], route="background")


def work(_: Watch, database: str, organization: str) -> bool:
    """Do what is due; says whether anything was."""
    with Authority.open(database, organization=organization) as authority:
        is_due = authority.has_due_work()
        settle_all(authority)
        return is_due


def work_by_own_clock(_: Watch, database: str, organization: str) -> bool:
    """The same by a worker that compares with its own clock: a control."""
    with Authority.open(database, organization=organization) as authority:
        queries, now = authority.store.queries, time.time_ns() // 1_000
        for name in ("list_due_organizations", "list_due"):
            queries[name], replaced = re.subn(
                r"p.not_before <=\s.*?\s(ORDER|LIMIT)",
                rf"p.recorded_at <= {now} \1",
                queries[name],
                flags=re.DOTALL,
            )
            assert replaced
        is_due = authority.has_due_work()
        settle_all(authority)
        return is_due


def fail(_: Watch, database: str, organization: str, backoff_seconds: float) -> None:
    """Fail once at what is due."""
    settings = Settings(backoff_seconds=backoff_seconds)
    store = open_store(database, probe=Probe())
    with Authority(store, organization=organization, settings=settings) as authority:

        def broken(name: str) -> None:
            if name.startswith("unmake"):
                raise RuntimeError(name)

        probe_of(authority).before = broken
        logging.disable()
        Worker(authority.store, settings).work_once()
