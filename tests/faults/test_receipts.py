"""What the log says of a change that another process made: enforced when it is, and not before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from rescind import Authority, LogEntry, Receipt, changes
from rescind.changes import Change
from rescind.replicas.enforcement import NEWEST, Enforcer
from tests.conftest import ENGINES
from tests.faults.holder import holding
from tests.sql import ours

FACTS: list[Change] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.AddMembership(subject="user:ada"),
    changes.Assign(role="reader", to="user:ada"),
]
REVOKE = changes.Unassign(role="reader", to="user:ada")
GRANT = changes.CreateGroup(group="later")
LONG = 600.0
"""A lease that does not run out while the test runs."""


@pytest.fixture
def database(new_database: Callable[[str], str]) -> str:
    """A database with the facts, on PostgreSQL."""
    made = new_database("postgres")
    with Authority.open(made, organization="acme") as authority:
        authority.apply(FACTS)
    return made


@pytest.fixture
def writer(database: str) -> Iterator[Authority]:
    """Who changes, and does not wait until that is real."""
    with Authority.open(database, organization="acme") as opened:
        yield opened


@pytest.fixture
def reader(database: str) -> Iterator[Authority]:
    """Who did not make the changes, and has no part in enforcing them."""
    with Authority.open(database, organization="acme") as opened:
        yield opened


def entry_of(reader: Authority, receipt: Receipt) -> LogEntry:
    """The change as it stands now."""
    (entry,) = reader.log(after=receipt.revision.organization - 1, limit=1)
    return entry


def enforced(reader: Authority, receipt: Receipt) -> datetime | None:
    return entry_of(reader, receipt).enforced_at


def until_enforced(reader: Authority, receipt: Receipt) -> datetime:
    """By when it was, once the log says so."""
    while (at := enforced(reader, receipt)) is None:
        pass
    return at


def test_not_while_a_process_may_answer_from_before(
    database: str, writer: Authority, reader: Authority
) -> None:
    """Held by a process that stands still, a revocation is not enforced; when that goes on, it soon is."""
    with holding(database, LONG) as holder:
        assert holder.allows()
        holder.send(SIGSTOP)
        receipt = writer.apply([REVOKE], wait="recorded")
        later = writer.apply([GRANT])
        assert enforced(reader, receipt) is None
        assert enforced(reader, later) == entry_of(reader, later).recorded_at
        holder.send(SIGCONT)
        at = until_enforced(reader, receipt)
        assert not holder.allows()
    assert at >= receipt.recorded_at
    assert enforced(reader, receipt) == at


def test_without_asking_who_holds_it_that_is_said_too_early(
    database: str, writer: Authority, reader: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same process, which has not heard of it, and would still allow."""
    monkeypatch.setattr(Enforcer, "enforced_up_to", lambda *_: NEWEST)
    with holding(database, LONG) as holder:
        holder.send(SIGSTOP)
        receipt = writer.apply([REVOKE], wait="recorded")
        assert enforced(reader, receipt) is not None


def test_a_process_that_died_does_not_keep_it_open(
    database: str, writer: Authority, reader: Authority
) -> None:
    """Its lease runs out on the clock of who reads the log; and so it does for who revokes next."""
    with holding(database, 0.5) as holder:
        holder.send(SIGKILL)
        receipt = writer.apply([REVOKE], wait="recorded")
        assert until_enforced(reader, receipt) >= receipt.recorded_at
        names = {"o": receipt.revision.incarnation}
        assert reader.store.fetch("list_leases", names) == []


def test_a_process_that_lives_renews_and_is_waited_for(
    database: str, writer: Authority, reader: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is looked at: only a lease that was not renewed runs out."""
    with holding(database, LONG) as holder:
        holder.send(SIGSTOP)
        receipt = writer.apply([REVOKE], wait="recorded")
        now = [0.0]
        monkeypatch.setattr("rescind.replicas.enforcement.clock", lambda _: now[0])
        reader.store.queries["beat"] = ours(
            reader, "UPDATE rescind.replica SET beat = beat + 1 RETURNING beat"
        )  # type: ignore[attr-defined]
        for _ in range(3):
            assert enforced(reader, receipt) is None
            now[0] += LONG * 2
            reader.store.fetch("beat", {})
        assert enforced(reader, receipt) is None
        now[0] += LONG * 2
        assert enforced(reader, receipt) is not None


@pytest.mark.parametrize("engine", ENGINES)
def test_who_made_the_change_says_when(engine: str, new_database: Callable[[str], str]) -> None:
    """What the receipt said is in the log, also when that process has ended."""
    database = new_database(engine)
    with Authority.open(database, organization="acme") as maker:
        maker.apply(FACTS)
        receipt = maker.apply([REVOKE], idempotency_key="k")
        assert enforced(maker, receipt) == receipt.enforced_at
    with Authority.open(database, organization="acme") as reader:
        assert enforced(reader, receipt) == receipt.enforced_at
        again = reader.apply([REVOKE], idempotency_key="k")
        assert (again, again.enforced_at) == (receipt, receipt.enforced_at)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_nobody_wrote_down_is_found_out(
    engine: str, new_database: Callable[[str], str]
) -> None:
    """The control, and what holds when the process was killed: a later time, which stays."""
    database = new_database(engine)
    with Authority.open(database, organization="acme") as maker:
        maker.apply(FACTS)
        maker.store.queries["record_enforced"] = "SELECT :notes"  # type: ignore[attr-defined]
        if engine == "postgres":
            maker.store.queries["record_enforced"] = "SELECT %(notes)s"  # type: ignore[attr-defined]
        receipt = maker.apply([REVOKE], idempotency_key="k")
        assert receipt.enforced_at is not None
    with Authority.open(database, organization="acme") as reader:
        found = reader.apply([REVOKE], idempotency_key="k").enforced_at
        assert found == enforced(reader, receipt)
        assert found is not None
        assert found > receipt.enforced_at
    with Authority.open(database, organization="acme") as other:
        assert enforced(other, receipt) == found
