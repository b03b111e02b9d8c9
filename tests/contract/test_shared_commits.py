"""Changes that wait for a file at the same time share a commit; each is as good as one that had its own."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, Receipt, changes
from rescind.changes import Change
from rescind.errors import OutcomeUnknown, RescindError, StoreUnavailable
from rescind.store.sqlite import SqliteStore, shared_commits
from tests.conftest import Make
from tests.probe import Probe

SECONDS = 20.0
EXPEL = changes.RemoveMembers(group="eng", members=("user:ada",))
UNKNOWN = changes.AddMembers(group="nowhere", members=("user:ada",))


class Connection:
    """The writer's connection, whose commit can be watched, and made to fail."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.commits = 0
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None
        self.statements: list[str] = []

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        self.statements.append(sql)
        if sql != "COMMIT":
            return self._connection.execute(sql, *rest)
        self.before()
        self.commits += 1
        done = self._connection.execute(sql, *rest)
        self.after()
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Together:
    """An authority whose first change waits, in its transaction, until the others wait for it."""

    def __init__(self, path: str) -> None:
        self.path, self.probe = path, Probe(before=self._hold)
        self.store = SqliteStore(path, probe=self.probe)
        self.authority = Authority(self.store, organization="acme", index=True)
        (pooled,) = self.store.writers.connections()
        assert pooled.connection is not None
        self.connection = pooled.connection.connection = Connection(pooled.connection.connection)  # type: ignore[assignment]
        self._expected = 0
        self.at: Callable[[str], object] = lambda _: None
        self.outcomes: list[Receipt | BaseException] = []
        self.reported: Callable[[int], object] = lambda _: None

    @property
    def waiting(self) -> list[shared_commits.WaitingChange]:
        return list(self.store.shared_commits.waiting)

    def _hold(self, query: str) -> None:
        if query == "advance_revision" and self._expected:
            expected, self._expected = self._expected, 0
            until = time.monotonic() + SECONDS
            while len(self.waiting) < expected:
                assert time.monotonic() < until, "the others did not come"
                time.sleep(0.000_1)
        self.at(query)

    def apply(
        self, *batches: Sequence[Change], keys: Sequence[str] | None = None
    ) -> list[Receipt | BaseException]:
        """Apply each batch in a thread of its own; the first leads. What each returned or raised."""
        self.outcomes = [RuntimeError("not done")] * len(batches)
        self._expected = len(batches) - 1
        leads = threading.Event()

        def act(number: int) -> None:
            key = None if keys is None else keys[number]
            try:
                self.outcomes[number] = self.authority.apply(
                    list(batches[number]), idempotency_key=key
                )
            except BaseException as error:
                self.outcomes[number] = error
            self.reported(number)

        inner, self.at = self.at, lambda query: (leads.set(), inner(query))
        threads = [threading.Thread(target=act, args=(n,)) for n in range(len(batches))]
        threads[0].start()
        assert leads.wait(SECONDS)
        for number, thread in enumerate(threads[1:], start=1):
            thread.start()
            until = time.monotonic() + SECONDS
            while self._expected and len(self.waiting) < number and time.monotonic() < until:
                time.sleep(0.000_1)  # so that they wait in this order
        for thread in threads:
            thread.join(SECONDS)
        self.at = inner
        return self.outcomes

    def receipts(self, *batches: Sequence[Change], **options: Any) -> list[Receipt]:
        """The same, where none may fail."""
        found = self.apply(*batches, **options)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return found  # type: ignore[return-value]


@pytest.fixture(scope="module")
def filled(new_shared_database: Make) -> str:
    """A file with the facts of WORLD, to copy."""
    return new_shared_database("sqlite", is_filled=True).removeprefix("sqlite:///")


@pytest.fixture
def together(filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Together]:
    monkeypatch.setattr(shared_commits, "TAKING_SECONDS", SECONDS)
    path = tmp_path / "acme.db"
    copied(filled, path)
    opened = Together(str(path))
    yield opened
    opened.probe.before = None
    opened.authority.close()


def copied(path: str, to: Path) -> None:
    """The file as a crash would leave it now."""
    for suffix in ("", "-wal"):
        if Path(path + suffix).exists():
            shutil.copy(path + suffix, str(to) + suffix)


@contextmanager
def reopened(path: str | Path) -> Iterator[Authority]:
    with Authority.open(path, organization="acme") as opened:
        yield opened


def named(number: int) -> list[Change]:
    return [changes.AddMembership(subject=f"user:n{number}")]


def test_waiting_changes_have_one_commit_and_a_revision_each(together: Together) -> None:
    """All that waited share a commit, in the order in which they came; the chain of the log is whole."""
    before = together.connection.commits
    receipts = together.receipts(*(named(n) for n in range(8)))
    assert together.connection.commits == before + 1
    first = receipts[0].revision.organization
    assert [each.revision.organization for each in receipts] == list(range(first, first + 8))
    assert all(each.changed and each.enforced_at for each in receipts)
    (verified,) = together.authority.verify_log(organization="acme")
    assert verified.fits


def test_a_lone_change_has_no_savepoint(together: Together) -> None:
    """What finds the writer free runs the statements that it would run without any of this."""
    together.connection.statements.clear()
    together.authority.apply(named(1))
    assert together.connection.statements == ["BEGIN IMMEDIATE", "COMMIT"]


def test_the_main_thread_takes_nobody_along(together: Together) -> None:
    """A signal handler may raise in it at any line: no other change is to be struck by that."""
    other: list[threading.Thread] = []

    def begin(query: str) -> None:
        if query == "advance_revision" and not other:
            other.append(threading.Thread(target=together.authority.apply, args=(named(2),)))
            other[0].start()
            while not together.waiting:
                time.sleep(0.000_1)

    together.at = begin
    before = together.connection.commits
    together.authority.apply(named(1))
    other[0].join(SECONDS)
    assert together.connection.commits == before + 2


# --- each fails by itself -----------------------------------------------------------------------------


def half_written(together: Together) -> tuple[list[Any], bool]:
    """Three changes, of which the second raises after it has written; whether that is written still."""
    seen: list[str] = []

    def fail(query: str) -> None:
        seen.append(query)
        if query == "advance_revision" and seen.count(query) == 2:
            raise RuntimeError("in the middle")

    together.at = fail
    outcomes = together.apply(named(1), named(2), named(3))
    together.at = lambda _: None
    with reopened(together.path) as opened:
        return outcomes, "user:n2" in [each.subject for each in opened.list_memberships().items]


def test_a_change_that_fails_undoes_itself_alone(together: Together) -> None:
    """The others are committed; of it nothing is, and its caller gets its error."""
    (first, failed, third), is_written = half_written(together)
    assert isinstance(failed, RuntimeError)
    assert not is_written
    assert third.revision.organization == first.revision.organization + 1


def test_control_without_its_savepoint_half_a_change_would_be_committed(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_commits, "UNDO", "SELECT 1")
    _, is_written = half_written(together)
    assert is_written


def test_a_refused_change_leaves_the_others(together: Together) -> None:
    """A refusal is its caller's alone, and has its usual error."""
    first, refused, third = together.apply(named(1), [UNKNOWN], named(3))
    assert isinstance(refused, RescindError)
    assert refused.code == "group_not_found"
    assert isinstance(first, Receipt)
    assert isinstance(third, Receipt)


def test_one_key_twice_in_a_commit_has_one_effect(together: Together) -> None:
    """The second has the receipt of the first."""
    _, first, second = together.receipts(named(1), named(2), named(2), keys=["a", "b", "b"])
    assert first.revision == second.revision
    assert second.is_repeated
    assert not first.is_repeated


# --- the commit --------------------------------------------------------------------------------------


def refusing(code: int) -> Callable[[], None]:
    def refuse() -> None:
        error = sqlite3.OperationalError("the disk")
        error.sqlite_errorcode = code
        raise error

    return refuse


def test_all_get_the_error_of_their_commit(together: Together) -> None:
    """Also one that was refused: what it was refused for may not stand. Nothing is written."""
    together.connection.before = refusing(sqlite3.SQLITE_FULL)
    outcomes = together.apply(named(1), named(2), [UNKNOWN])
    assert [type(each) for each in outcomes] == [StoreUnavailable] * 3
    assert len({id(each) for each in outcomes}) == 3
    together.connection.before = lambda: None
    assert together.authority.apply(named(1)).changed


def test_none_is_told_success_where_the_commit_was_not_confirmed(together: Together) -> None:
    """The outcome is unknown to all of them, and a retry with the key resolves it."""
    together.connection.after = refusing(sqlite3.SQLITE_IOERR)
    keys = ["a", "b", "c"]
    outcomes = together.apply(named(1), named(2), named(3), keys=keys)
    assert [type(each) for each in outcomes] == [OutcomeUnknown] * 3
    together.connection.after = lambda: None
    for number, key in enumerate(keys, start=1):
        assert together.authority.apply(named(number), idempotency_key=key).is_repeated


def test_control_a_leader_that_keeps_its_error_would_tell_success(
    together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_commits.SharedCommits, "error_for_another", lambda *_: None)
    together.connection.before = refusing(sqlite3.SQLITE_FULL)
    outcomes = together.apply(named(1), named(2))
    assert isinstance(outcomes[1], Receipt)


def left_by_crash(together: Together, tmp_path: Path, *, is_committed: bool) -> list[bool]:
    """Which of three changes a crash right before, or right after, their commit leaves."""
    left = tmp_path / "left.db"
    moment = "after" if is_committed else "before"
    setattr(together.connection, moment, lambda: copied(together.path, left))
    together.receipts(named(1), named(2), named(3), keys=["a", "b", "c"])
    with reopened(left) as opened:
        again = [
            opened.apply(named(n), idempotency_key=key) for n, key in enumerate("abc", start=1)
        ]
    return [each.is_repeated for each in again]


def test_a_crash_between_commit_and_answer_keeps_all(together: Together, tmp_path: Path) -> None:
    """What was committed is there, each with its key."""
    assert left_by_crash(together, tmp_path, is_committed=True) == [True] * 3


def test_a_crash_before_the_commit_keeps_none(together: Together, tmp_path: Path) -> None:
    assert left_by_crash(together, tmp_path, is_committed=False) == [False] * 3


# --- answers -----------------------------------------------------------------------------------------


def answered_early(together: Together) -> list[bool]:
    """Of the changes that wait for a commit, which are done before it."""
    found: list[bool] = []
    together.connection.before = lambda: found.extend(e.is_done() for e in together.waiting)
    together.receipts(named(1), [EXPEL], named(3))
    return found


def test_none_is_answered_before_the_commit(together: Together) -> None:
    assert answered_early(together) == [False, False]


def test_a_revocation_is_enforced_before_any_of_its_commit_is_answered(together: Together) -> None:
    """Whichever returns first: from then on an index in another process denies what was revoked."""
    with Authority.open(together.path, organization="acme", index=True) as other:
        assert other.check("user:ada", "write", "doc:1").allowed
        decisions: list[bool] = []
        together.reported = lambda _: decisions.append(
            other.check("user:ada", "write", "doc:1").allowed
        )
        together.receipts(named(1), [EXPEL], named(3))
        assert decisions == [False] * 3


def test_control_an_answer_before_the_commit_would_see_it_allowed(together: Together) -> None:
    """Right before the commit the other index still allows: so the order is what protects."""
    with Authority.open(together.path, organization="acme", index=True) as other:
        decisions: list[bool] = []
        together.connection.before = lambda: decisions.append(
            other.check("user:ada", "write", "doc:1").allowed
        )
        together.receipts(named(1), [EXPEL])
        assert decisions == [True]


# --- waiting -----------------------------------------------------------------------------------------


def test_a_change_that_was_given_up_is_not_carried_out(together: Together) -> None:
    """A wait that was interrupted before a leader took the change: nothing of it happens."""
    waiting = shared_commits.WaitingChange(lambda _: pytest.fail("it was given up"))
    assert waiting.taken.acquire(blocking=False)
    together.store.shared_commits.waiting.append(waiting)
    together.receipts(named(1), named(2))
    together.store.shared_commits.waiting.remove(waiting)
    assert not waiting.is_done()


def test_large_changes_have_their_own_commit(together: Together) -> None:
    """Others would wait for them."""
    many = [changes.AddMembership(subject=f"user:m{n}") for n in range(40)]
    large = threading.Thread(target=together.authority.apply, args=(many,))

    def begin(query: str) -> None:
        if query == "advance_revision" and not large.ident:
            large.start()
            while not together.store.waiting():
                time.sleep(0.000_1)

    together.at = begin
    before = together.connection.commits
    small = threading.Thread(target=together.authority.apply, args=(named(1),))
    small.start()
    small.join(SECONDS)
    large.join(SECONDS)
    assert together.connection.commits == before + 2
