"""Whatever fails beneath it, a public method raises a RescindError, and what it says of the change is true.

A fault is injected at every statement and every call of a connection, one after another, before it is
carried out and after.
"""

from __future__ import annotations

import gc
import inspect
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any

import psycopg
import pytest

from rescind import Authority, changes
from rescind.errors import OutcomeUnknown, RescindError, ReviewExists
from rescind.model import LineDecision, Verdict
from rescind.propagation.worker import Workers
from rescind.store.postgres.connection import Connection
from rescind.store.sqlite import files, incarnation

pytestmark = pytest.mark.filterwarnings(  # a connection that was made, and did not come back
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

Ask = Callable[[Authority], Any]
GIVEN = [changes.Assign(role="owner", to="user:cyd"), changes.AddMembership(subject="user:new")]
TAKEN = [
    changes.Unassign(role="owner", to="user:cyd"),
    changes.RemoveMembership(subject="user:new"),
]
PENDING = [changes.RemoveMembers(group="eng", members=("user:ada",))]
SOMEBODY = ("user:ada", "read")


class Faults:
    """Fails at the nth call that is counted; `is_late` says that it was carried out."""

    def __init__(self) -> None:
        self.left, self.error = 0, Exception()
        self.is_late = self.is_hit = False

    def at(self, place: int, error: Exception, *, is_late: bool) -> None:
        self.left, self.error, self.is_late, self.is_hit = place, error, is_late, False

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.left -= 1
            is_here = self.left == 0
            if is_here and not self.is_late:
                self.is_hit = True
                raise copy(
                    self.error
                )  # a new one each time: it would keep the cursors of its frames
            done = call(*args, **options)
            if is_here:
                self.is_hit = True
                if isinstance(done, psycopg.Connection):
                    done.close()
                raise copy(
                    self.error
                )  # a new one each time: it would keep the cursors of its frames
            return done

        return counted


@pytest.fixture(scope="module", autouse=True)
def dropped_here() -> Iterator[None]:
    """What the driver says of connections that were lost on the way is said here, not in another module."""
    yield
    gc.collect()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Around all that both drivers are asked for."""
    faults = Faults()

    class Cursor(sqlite3.Cursor):
        execute = faults.around(sqlite3.Cursor.execute)
        fetchall = faults.around(sqlite3.Cursor.fetchall)
        fetchone = faults.around(sqlite3.Cursor.fetchone)

    class Faulty(files.Connection):
        def execute(self, *args: Any) -> Any:
            return self.cursor().execute(*args)

        def cursor(self, *_: Any) -> Any:  # type: ignore[override]
            return super().cursor(Cursor)

    connect = faults.around(sqlite3.connect)
    monkeypatch.setattr(
        files.sqlite3,
        "connect",
        lambda *args, **more: connect(*args, **{**more, "factory": Faulty}),
    )
    for kind, name in (
        (psycopg.Cursor, "execute"),
        (psycopg.Cursor, "fetchall"),
        (psycopg.Cursor, "fetchone"),
        (Connection, "wait"),
    ):
        monkeypatch.setattr(kind, name, faults.around(getattr(kind, name)))
    made = faults.around(psycopg.Connection.connect.__func__)  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Connection, "connect", classmethod(lambda *args, **more: made(*args, **more))
    )
    return faults


def errors(engine: str) -> Iterator[Exception]:
    if engine == "sqlite":
        yield sqlite3.OperationalError("disk I/O error")
    else:
        yield psycopg.OperationalError("the connection is lost")
    yield MemoryError()


def read_log(authority: Authority) -> None:
    for _ in authority.log():
        pass


def work(authority: Authority) -> None:
    with authority.workers(concurrency=0):
        authority.has_due_work()


def steer(authority: Authority) -> None:
    for item in authority.pending():
        authority.park(item)
        authority.retry(item)


def settle(authority: Authority) -> None:
    for item in authority.pending():
        authority.reconcile(item)
    authority.reconcile("eng")


def later(authority: Authority) -> None:
    authority.apply(GIVEN, wait="recorded").enforce()


def within(authority: Authority) -> None:
    store: Any = authority.store
    with store.connection() as connection:
        authority.apply(GIVEN, within=connection)


def ask_together(authority: Authority) -> None:
    with authority.together():
        authority.check(*SOMEBODY)


def review(authority: Authority) -> None:
    """A review is started, found, counted, read, and a decision of it tried."""
    with suppress(ReviewExists):
        authority.start_review("Q1")
    assert authority.find_review("Q1").name == "Q1"
    authority.count_review("Q1")
    lines = list(authority.review_lines("Q1"))
    authority.review_lines_of("Q1", [line.line for line in lines[:1]])
    decided = [LineDecision(line.line, Verdict.REVOKE) for line in lines[:1]]
    authority.apply_review("Q1", decided, dry_run=True)
    assert all(found.fits for found in authority.verify_reviews("Q1"))


REVIEWING = (
    *("start_review", "find_review", "count_review"),
    *("review_lines", "review_lines_of", "apply_review", "verify_reviews"),
)
CALLS: dict[str, Ask] = {
    "apply": lambda a: a.apply(GIVEN),
    "apply, detail": lambda a: a.apply(GIVEN, detail=True),
    "apply, background": lambda a: a.apply(PENDING, route="background"),
    "apply, within": within,
    "enforce": later,
    "preview": lambda a: a.preview(GIVEN),
    "check": lambda a: a.check(*SOMEBODY),
    "check, live": lambda a: a.check(*SOMEBODY, assurance="live"),
    "check_many": lambda a: a.check_many([(*SOMEBODY, None)]),
    "together": ask_together,
    "recall": lambda a: a.recall([(*SOMEBODY, None)]),
    "load": lambda a: a.load(),
    "explain": lambda a: a.explain(*SOMEBODY),
    "permissions_of": lambda a: a.permissions_of("user:ada"),
    "resources_of": lambda a: a.resources_of(*SOMEBODY),
    "who_can": lambda a: a.who_can("read"),
    "pending": lambda a: a.pending(),
    "park": steer,
    "retry": steer,
    "reconcile": settle,
    "workers": work,
    "has_due_work": lambda a: a.has_due_work(),
    "log": read_log,
    "log_page": lambda a: a.log_page(),
    "list_groups": lambda a: a.list_groups(),
    "list_members": lambda a: a.list_members("eng"),
    "list_memberships": lambda a: a.list_memberships(),
    "list_roles": lambda a: a.list_roles(),
    "list_permissions": lambda a: a.list_permissions(),
    "list_resources": lambda a: a.list_resources(),
    "list_assignments": lambda a: a.list_assignments(),
    "list_expiring": lambda a: a.list_expiring(),
    "look_alikes": lambda a: a.look_alikes(),
    "unknown_names": lambda a: a.unknown_names(subject="user:nobody"),
    "similar_organizations": lambda a: a.similar_organizations("acne"),
    "check, at": lambda a: a.check(*SOMEBODY, at=1),
    "access_history": lambda a: a.access_history("user:ada"),
    "audit_replay": lambda a: a.audit_replay(),
    "prune_log": lambda a: a.prune_log(before=1),
    "actions": lambda a: list(a.actions()),
    "log_heads": lambda a: list(a.log_heads()),
    "verify_log": lambda a: list(a.verify_log()),
    "list_reviews": lambda a: a.list_reviews(),
    **dict.fromkeys(REVIEWING, review),
}


STRIDES = {"park": 3, "retry": 3, "reconcile": 101, "apply, detail": 3, "enforce": 3, "preview": 3}
STRIDES |= dict.fromkeys(REVIEWING, 7)
"""Of what sends many statements, not each is tried each time."""


def test_every_public_method_is_tried() -> None:
    """Also one that is new; opening and closing have tests of their own below."""
    named = {name for name, _ in inspect.getmembers(Authority, callable) if name[0] != "_"}
    assert named - {"open", "close"} == {name.split(",")[0] for name in CALLS}


@contextmanager
def only_ours() -> Iterator[None]:
    """Whatever leaves the block is a RescindError, whose facts can be shown."""
    try:
        yield
    except RescindError as error:
        assert error.code
        assert str(error)


@pytest.fixture
def acme(database: str, facts_of_world: None, faults: Faults) -> Iterator[Authority]:
    """An authority with something pending."""
    with Authority.open(database, organization="acme") as authority:
        authority.apply(PENDING, route="background")
        yield authority


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", dict.fromkeys(CALLS))
def test_a_fault_at_every_call(acme: Authority, faults: Faults, name: str, is_late: bool) -> None:
    """The method raises one of ours, or does what it was asked for; then everything goes on."""
    hits, kinds = 0, itertools.cycle(errors(acme.store.engine))
    for place in itertools.count(1, STRIDES.get(name, 1)):
        _begin_again(acme)
        faults.at(place, next(kinds), is_late=is_late)
        with only_ours():
            CALLS[name](acme)
        if not faults.is_hit:
            break
        hits += 1
        faults.left = 0
    faults.left = 0
    assert acme.check("user:bob", "read").reason
    assert acme.apply([changes.CreateGroup(group="after")]).changed
    assert hits or name in ("recall", "load", "together", "workers")


def _begin_again(authority: Authority) -> None:
    with suppress(RescindError):
        authority.apply(TAKEN)


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
def test_what_is_said_of_a_change_is_true(
    acme: Authority,
    database: str,
    faults: Faults,
    is_late: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not recorded, unless its outcome is unknown or it was told so; with its key it has one effect. Also
    where each read looks at which incarnation an SQLite file has.
    """
    monkeypatch.setattr(incarnation, "LOOK_SECONDS", 0.0)
    said = set()
    with Authority.open(database, organization="acme") as other:
        for error in errors(acme.store.engine):
            for place in itertools.count(1):
                before, key = len(list(other.log())), f"{type(error).__name__} {place}"
                change = [changes.CreateGroup(group=f"g-{before}")]
                faults.at(place, error, is_late=is_late)
                try:
                    acme.apply(change, idempotency_key=key, wait="recorded")
                    outcome = "recorded"
                except OutcomeUnknown:
                    outcome = "unknown"
                except RescindError:
                    outcome = "refused"
                is_over = not faults.is_hit
                faults.left = 0
                if outcome != "unknown":
                    recorded = len(list(other.log())) - before
                    assert recorded == (outcome == "recorded"), place
                said.add(outcome)
                acme.apply(change, idempotency_key=key)
                assert len(list(other.log())) == before + 1
                if is_over:
                    break
    assert {"recorded", "refused"} <= said
    assert ("unknown" in said) or not is_late


@pytest.mark.parametrize("is_late", [False, True], ids=["before", "after"])
def test_opening_and_closing(database: str, faults: Faults, is_late: bool) -> None:
    """An authority that cannot be opened or closed says so by an error of ours."""
    for error in errors("sqlite" if database.startswith("sqlite") else "postgres"):
        for place in itertools.count(1):
            faults.at(place, error, is_late=is_late)
            with only_ours(), Authority.open(database, organization="acme") as authority:
                authority.check(*SOMEBODY)
            if not faults.is_hit:
                break


def test_workers_in_any_order(acme: Authority) -> None:
    """Stopping what was not started does nothing, and neither does starting or stopping twice."""
    workers = acme.workers()
    workers.stop()
    with workers, workers:
        workers.stop()
    workers.start()
    workers.stop()
    workers.stop()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_fault_that_is_not_translated(
    acme: Authority, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: an error that the store does not know leaves the method as it is."""
    faults.at(1, ZeroDivisionError(), is_late=False)
    with pytest.raises(ZeroDivisionError), only_ours():
        acme.check(*SOMEBODY)
    assert isinstance(acme.workers(), Workers)
