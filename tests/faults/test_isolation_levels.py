"""A change within a caller's transaction at REPEATABLE READ or SERIALIZABLE rests on no stale snapshot.

The caller's transaction has taken its snapshot; then somebody else commits; then the change is made. Where
what was committed could matter, the change is a StoreConflict, and the repeated transaction is right.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import pytest
import sqlalchemy
from psycopg import IsolationLevel

from rescind import ENVIRONMENT, Authority, changes
from rescind.changes import Change
from rescind.errors import NotCommitted, RoleNotFound, StoreConflict
from rescind.model import Receipt
from rescind.propagation.audit import audit
from rescind.propagation.jobs import Job
from rescind.propagation.schedule import due_in
from rescind.propagation.tombstones import purge
from rescind.propagation.work import Work
from rescind.store import Rows, Store, open_store
from rescind.store.postgres import configure
from rescind.store.postgres.connection import Connection
from tests.faults.small import Steady
from tests.probe import Probe, probe_of

LEVELS: Final = (IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE)
ADA: Final = "user:ada"
FACTS: Final[list[Change]] = [
    changes.CreateOrganization(),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.AddMembership(subject=ADA),
    changes.AddMembership(subject="user:bob"),
    changes.CreateGroup(group="team"),
    changes.CreateGroup(group="all"),
    changes.AddMembers(group="team", members=("user:bob",)),
]
JOIN, NEST, GIVE = (
    changes.AddMembers(group="team", members=(ADA,)),
    changes.NestGroup(group="team", into="all"),
    changes.Assign(role="reader", to="group:all"),
)
GRANTS: Final[dict[str, list[Change]]] = {
    "member": [NEST, GIVE, JOIN],
    "whole": [GIVE, JOIN, NEST],
    "assignment": [JOIN, NEST, GIVE],
}
"""Ada is in the team, which is in all, who read. The last of each kind is the pending work."""
REVOCATIONS: Final[list[Change]] = [
    changes.RemoveMembers(group="team", members=(ADA,)),
    changes.ReplaceMembers(group="team", members=("user:bob",)),
    changes.UnnestGroup(group="team", out_of="all"),
    changes.DeleteGroup(group="team", cascade=True),
    changes.DeleteGroup(group="all", cascade=True),
    changes.Unassign(role="reader", to="group:all"),
    changes.ReplaceAssignments(to="group:all", assignments=()),
    changes.DeleteRole(role="reader", cascade=True),
    changes.RemoveMembership(subject=ADA),
    changes.DeleteOrganization(cascade=True),
]
VIEW: Final = (
    "SELECT count(*) FROM rescind.effective_permission WHERE organization = %s AND subject = %s"
)
FRESH: Final = (
    "SELECT revision FROM rescind.organization WHERE slug IN (%s, '*') ORDER BY id FOR SHARE"
)

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Acme:
    """An organization of its own on a shared database, and a caller's connection to that."""

    authority: Authority
    name: str
    caller: psycopg.Connection[Any]

    def apply(self, *batch: Change, **options: Any) -> Receipt:
        return self.authority.apply(batch, organization=self.name, **options)

    def chunk(self, pairs: int = 100) -> None:
        """A chunk of the work that is due here first."""
        Work(self.authority.store, self.due()[0]).step(Steady(pairs))  # type: ignore[arg-type]

    def due(self) -> list[Job]:
        ((o, *_),) = self.authority.store.fetch("plan", {"organization": self.name})
        return due_in(self.authority.store, o)

    def answers(self) -> set[bool]:
        """What the decision points say of whether Ada may read."""
        question = (ADA, "read")
        standard = self.authority.check(*question, organization=self.name)
        live = self.authority.check(*question, organization=self.name, assurance="live")
        return {bool(standard), bool(live), self.view(self.caller)}

    def view(self, connection: psycopg.Connection[Any]) -> bool:
        """What the view says of it in that connection's transaction."""
        return connection.execute(VIEW, (self.name, ADA)).fetchone() == (1,)

    @contextmanager
    def snapshot(self, level: IsolationLevel) -> Iterator[psycopg.Connection[Any]]:
        """A caller's transaction at that level that has read something. It commits at the end."""
        self.caller.commit()
        self.caller.isolation_level = level
        try:
            self.caller.execute("SELECT 1 FROM rescind.organization LIMIT 1")
            yield self.caller
            self.caller.commit()
        finally:
            self.caller.rollback()
            self.caller.isolation_level = IsolationLevel.READ_COMMITTED

    def repeated(self, batch: list[Change], **options: Any) -> tuple[Receipt, bool]:
        """The batch in the transaction under way, or in a new one where that is a conflict, which is told."""
        try:
            return self.apply(*batch, within=self.caller, **options), False
        except StoreConflict as conflict:
            assert "transaction" in str(conflict)
            self.caller.rollback()
            return self.apply(*batch, within=self.caller, **options), True


@contextmanager
def opened(database: str) -> Iterator[Callable[[], Acme]]:
    """Makes organizations with the facts, and no grant yet."""
    store = open_store(database, probe=Probe())
    with Authority(store) as authority, psycopg.connect(database) as caller:

        def make() -> Acme:
            acme = Acme(authority, f"acme-{next(_numbers)}", caller)
            acme.apply(*FACTS)
            return acme

        yield make


@pytest.fixture(scope="module")
def make(new_shared_database: Callable[[str], str]) -> Iterator[Callable[[], Acme]]:
    """One database for all tests; each case has an organization of its own."""
    with opened(new_shared_database("postgres")) as maker:
        yield maker


# --- background work ------------------------------------------------------------------------------


def settled_meanwhile(acme: Acme, kind: str, revocation: Change, level: IsolationLevel) -> bool:
    """A grant is pending, the caller reads, a worker settles, the caller revokes: whether as a repetition."""
    *before, grant = GRANTS[kind]
    acme.apply(*before, route="inline")
    acme.apply(grant, route="background")
    with acme.snapshot(level):
        acme.chunk()
        assert not acme.due()
        receipt, is_repetition = acme.repeated([revocation])
    receipt.enforce()
    return is_repetition


@pytest.mark.parametrize("kind", GRANTS)
def test_work_that_was_settled_after_the_snapshot(make: Callable[[], Acme], kind: str) -> None:
    """Whatever revokes is a conflict; repeated, it takes everything: no decision point allows it any more."""
    for revocation, level in zip(REVOCATIONS, itertools.cycle(LEVELS), strict=False):
        acme = make()
        assert settled_meanwhile(acme, kind, revocation, level), revocation
        assert acme.answers() == {False}, revocation


@pytest.mark.parametrize("kind", GRANTS)
def test_control_a_chunk_that_leaves_the_groups_as_they_were(
    new_database: Callable[[str], str], kind: str
) -> None:
    """With the groups locked but not written, some of these are no conflict, and allowed for good."""
    with opened(new_database("postgres")) as make:
        alter_function(make().caller, "rescind.claim_groups", r'UPDATE rescind."group"[^;]*;', "")
        stale = set()
        for revocation in REVOCATIONS[:3]:
            acme = make()
            if not settled_meanwhile(acme, kind, revocation, LEVELS[0]) and True in acme.answers():
                stale.add(type(revocation))
    assert stale >= {changes.RemoveMembers, changes.UnnestGroup}


def alter_function(
    connection: psycopg.Connection[Any], name: str, pattern: str, replacement: str
) -> None:
    """Make a function of the schema anew, altered."""
    row = connection.execute(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE oid = CAST(%s AS regproc)", (name,)
    ).fetchone()
    assert row is not None
    altered, count = re.subn(pattern, replacement, row[0])
    assert count == 1
    connection.execute(altered)
    connection.commit()


@pytest.mark.parametrize("level", LEVELS)
def test_a_chunk_that_does_not_settle_its_work(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """The rows of any chunk count, not only those of the last."""
    acme = make()
    acme.apply(*GRANTS["assignment"][:2], route="inline")
    acme.apply(GRANTS["assignment"][2], route="background")
    with acme.snapshot(level):
        acme.chunk(pairs=1)
        assert acme.due()
        receipt, is_repetition = acme.repeated([REVOCATIONS[0]])
    assert is_repetition
    receipt.enforce()
    while acme.due():
        acme.chunk()
    assert acme.answers() == {False}


@pytest.mark.parametrize("level", LEVELS)
def test_work_of_other_groups_is_no_conflict(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """An organization with background work goes on being changed: only the groups that both touch count."""
    acme = make()
    acme.apply(*GRANTS["member"], changes.CreateGroup(group="other"), route="inline")
    acme.apply(changes.AddMembers(group="other", members=("user:bob",)), route="inline")
    acme.apply(changes.Assign(role="reader", to="group:other"), route="background")
    with acme.snapshot(level):
        acme.chunk()
        receipt, is_repetition = acme.repeated([REVOCATIONS[0]])
    assert not is_repetition
    receipt.enforce()
    assert acme.answers() == {False}


@pytest.mark.parametrize("level", LEVELS)
def test_a_change_waits_for_no_chunk(make: Callable[[], Acme], level: IsolationLevel) -> None:
    """While a chunk has the groups, the change leaves its part to pending work, as at READ COMMITTED."""
    acme = make()
    acme.apply(*GRANTS["assignment"][:2], route="inline")
    acme.apply(GRANTS["assignment"][2], route="background")
    receipts = []

    def revoke_before(name: str) -> None:
        if name == "refuse_pending_moved":
            probe_of(acme.authority).before = None
            receipts.append(acme.repeated([REVOCATIONS[0]]))

    with acme.snapshot(level), without_pipeline():
        probe_of(acme.authority).before = revoke_before
        acme.chunk()
    ((receipt, is_repetition),) = receipts
    assert (receipt.route, is_repetition) == ("background", False)
    receipt.enforce()
    assert acme.answers() == {False}
    while acme.due():
        acme.chunk()
    assert acme.answers() == {False}


@pytest.mark.parametrize("level", LEVELS)
def test_a_change_forced_inline_waits_for_the_chunk(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """It has the groups once the chunk is committed, and does not see what that wrote: a conflict."""
    acme = make()
    acme.apply(*GRANTS["assignment"][:2], route="inline")
    acme.apply(GRANTS["assignment"][2], route="background")
    store, revoking = acme.authority.store, []
    with ThreadPoolExecutor() as pool:

        def revoke_beside(name: str) -> None:
            if name == "refuse_pending_moved":
                probe_of(store).before = None
                options = {"within": acme.caller, "organization": acme.name, "route": "inline"}
                revoking.append(pool.submit(acme.authority.apply, [REVOCATIONS[0]], **options))
                while not store.waiting():
                    assert not revoking[0].done()

        with acme.snapshot(level), without_pipeline():
            probe_of(store).before = revoke_beside
            acme.chunk()
            with pytest.raises(StoreConflict):
                revoking[0].result(30)
            acme.caller.rollback()


@contextmanager
def without_pipeline() -> Iterator[None]:
    """Statements are sent, and answered, one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "pipeline", lambda _: nullcontext())
        yield


# --- what else is committed meanwhile -------------------------------------------------------------


def a_change(acme: Acme) -> None:
    """Of the same organization."""
    acme.apply(GIVE)


def a_repair(acme: Acme) -> None:
    """A row that was lost has come back. It has no revision."""
    audit(acme.authority.store, acme.name, repair=True)


def a_repair_of_a_group(acme: Acme) -> None:
    """The same, as pending work, which was settled as well."""
    audit(acme.authority.store, acme.name, repair=True)
    while acme.due():
        acme.chunk()


def lose(acme: Acme, rows: str) -> None:
    """Effective roles vanish, as by an error of ours."""
    acme.caller.execute(
        "DELETE FROM rescind.effective_role WHERE organization ="
        f" (SELECT id FROM rescind.organization WHERE slug = %s) AND {rows}",
        (acme.name,),
    )
    acme.caller.commit()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("meanwhile", "given", "revocation"),
    [
        (a_change, [JOIN, NEST], REVOCATIONS[0]),
        (
            a_repair,
            [changes.Assign(role="reader", to=ADA)],
            changes.Unassign(role="reader", to=ADA),
        ),
        (a_repair_of_a_group, GRANTS["member"], REVOCATIONS[0]),
    ],
)
def test_what_was_committed_after_the_snapshot(
    make: Callable[[], Acme],
    level: IsolationLevel,
    meanwhile: Callable[[Acme], None],
    given: list[Change],
    revocation: Change,
) -> None:
    """A change or a repair of the organization is a conflict; the repeated transaction takes everything."""
    acme = make()
    acme.apply(*given)
    if meanwhile is not a_change:
        lose(acme, "TRUE")
    with acme.snapshot(level):
        meanwhile(acme)
        receipt, is_repetition = acme.repeated([revocation])
    receipt.enforce()
    assert is_repetition
    assert acme.answers() == {False}


@pytest.mark.parametrize(
    ("meanwhile", "given"), [(a_repair, [changes.Assign(role="reader", to=ADA)])]
)
def test_control_a_repair_that_leaves_the_organization_as_it_was(
    make: Callable[[], Acme], meanwhile: Callable[[Acme], None], given: list[Change]
) -> None:
    """It is no conflict then, and what was repaired stays allowed."""
    acme = make()
    acme.apply(*given)
    lose(acme, "TRUE")
    queries = acme.authority.store.queries  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch, acme.snapshot(LEVELS[0]):
        patch.setitem(queries, "mark_repaired", "SELECT 1")
        meanwhile(acme)
        receipt, is_repetition = acme.repeated([changes.Unassign(role="reader", to=ADA)])
    receipt.enforce()
    assert not is_repetition
    ((rows,),) = acme.caller.execute(
        "SELECT count(*) FROM rescind.effective_role AS e"
        " JOIN rescind.organization AS o ON o.id = e.organization"
        " WHERE o.slug = %s",
        (acme.name,),
    ).fetchall()
    assert rows == 1


@pytest.mark.parametrize("level", LEVELS)
def test_clearing_away_is_no_conflict_or_an_honest_one(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """What nothing pending refers to is cleared away after the snapshot: the change holds either way."""
    acme = make()
    acme.apply(*GRANTS["assignment"], route="inline")
    acme.apply(changes.Unassign(role="reader", to="group:all"), route="background")
    acme.apply(changes.UnnestGroup(group="team", out_of="all"), route="background")
    while acme.due():
        acme.chunk()
    with acme.snapshot(level):
        purge(acme.authority.store)
        receipt, _ = acme.repeated([NEST, GIVE, changes.Unassign(role="reader", to="group:all")])
    receipt.enforce()
    assert acme.answers() == {False}
    assert audit(acme.authority.store, acme.name).is_clean


@pytest.mark.parametrize("level", LEVELS)
def test_a_role_of_all_organizations_deleted_elsewhere(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """Either side may be the one within the caller's transaction: what uses the role goes, or the deletion is
    a conflict.
    """
    acme, apply = make(), make().authority.apply
    role = f"auditor-{next(_numbers)}"
    apply([changes.DefineRole(role=role)], organization=ENVIRONMENT)
    give, delete = changes.Assign(role=role, to=ADA), changes.DeleteRole(role=role, cascade=True)
    with acme.snapshot(level) as caller:
        acme.apply(give)
        with pytest.raises(StoreConflict):
            apply([delete], organization=ENVIRONMENT, within=caller)
        caller.rollback()
        caller.execute("SELECT 1 FROM rescind.organization LIMIT 1")
        apply([delete], organization=ENVIRONMENT)
        with pytest.raises(StoreConflict):
            acme.apply(changes.Unassign(role=role, to=ADA), within=caller)
        caller.rollback()
        with pytest.raises(RoleNotFound):
            acme.apply(give, within=caller)


@pytest.mark.parametrize("level", LEVELS)
def test_a_role_of_all_organizations_deleted_that_nobody_had(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """To give it by a snapshot in which it is still there is a conflict."""
    acme = make()
    role = f"auditor-{next(_numbers)}"
    apply = acme.authority.apply
    apply([changes.DefineRole(role=role)], organization=ENVIRONMENT)
    with acme.snapshot(level) as caller:
        apply([changes.DeleteRole(role=role)], organization=ENVIRONMENT)
        with pytest.raises(StoreConflict):
            acme.apply(changes.Assign(role=role, to=ADA), within=caller)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("is_effective", [True, False])
def test_an_idempotency_key_used_after_the_snapshot(
    make: Callable[[], Acme], level: IsolationLevel, is_effective: bool
) -> None:
    """It is a conflict, and the repeated transaction has the same receipt."""
    acme = make()
    batch = [JOIN if is_effective else changes.CreateGroup(group="team")]
    with acme.snapshot(level):
        first = acme.apply(*batch, idempotency_key="once")
        receipt, is_repetition = acme.repeated(batch, idempotency_key="once")
    assert is_repetition
    assert first.changed == is_effective
    assert receipt == first
    with acme.snapshot(level):
        assert acme.repeated(batch, idempotency_key="once") == (first, False)


@pytest.mark.parametrize("level", LEVELS)
def test_an_organization_made_after_the_snapshot(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """To make the same one is a conflict, and repeated it is there already; so is to make another one."""
    acme = make()
    same, other = f"new-{next(_numbers)}", f"other-{next(_numbers)}"
    for name in (same, other):
        with acme.snapshot(level) as caller:
            acme.authority.apply([changes.CreateOrganization()], organization=same)
            with pytest.raises(StoreConflict):
                acme.authority.apply(
                    [changes.CreateOrganization()], organization=name, within=caller
                )
            caller.rollback()
            made = acme.authority.apply(
                [changes.CreateOrganization()], organization=name, within=caller
            )
            assert made.changed == (name == other)
            same = f"new-{next(_numbers)}"


# --- the transaction as its driver has it ---------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_transaction_that_fails_at_its_commit(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """Nothing of it is there, and its receipt says so."""
    acme = make()
    with acme.snapshot(level) as caller:
        caller.execute(
            "CREATE TEMPORARY TABLE late (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"
        )
        receipt = acme.apply(JOIN, within=caller)
        caller.execute("INSERT INTO late VALUES (1), (1)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            caller.commit()
        with pytest.raises(NotCommitted):
            receipt.enforce()


def test_a_conflict_leaves_the_cause_for_who_retries_by_it(make: Callable[[], Acme]) -> None:
    """What the driver raised is the error's cause, also through SQLAlchemy; one snapshot fails again."""
    acme = make()
    url = acme.authority.store.url.replace("postgresql://", "postgresql+psycopg://")  # type: ignore[attr-defined]
    engine = sqlalchemy.create_engine(url, isolation_level="SERIALIZABLE")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT 1 FROM rescind.organization LIMIT 1"))
        acme.apply(JOIN)
        for _ in range(2):
            with pytest.raises(StoreConflict) as caught:
                acme.apply(NEST, within=connection)
            assert isinstance(caught.value.__cause__, psycopg.errors.SerializationFailure)
            assert caught.value.retry
        connection.rollback()
        receipt = acme.apply(NEST, within=connection)
        connection.commit()
    engine.dispose()
    assert receipt.enforce().changed


# --- questions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_questions_beside_a_snapshot(make: Callable[[], Acme], level: IsolationLevel) -> None:
    """A check sees what is committed, whatever transaction its caller has; the view sees the snapshot, with
    what its own transaction changed.
    """
    acme = make()
    acme.apply(*GRANTS["member"])
    question = {"organization": acme.name}
    with acme.snapshot(level) as caller:
        acme.apply(changes.Unassign(role="reader", to="group:all"))
        assert not acme.authority.check(ADA, "read", **question)
        assert acme.view(caller)
    with acme.snapshot(level) as caller:
        assert not acme.view(caller)
        acme.apply(GIVE, within=caller)
        assert acme.view(caller)
        assert not acme.authority.check(ADA, "read", **question)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", GRANTS)
def test_the_view_while_work_is_settled(
    make: Callable[[], Acme], level: IsolationLevel, kind: str
) -> None:
    """Facts, effective roles and pending work are of one snapshot: what was granted by then is there."""
    acme = make()
    acme.apply(*GRANTS[kind][:2], route="inline")
    acme.apply(GRANTS[kind][2], route="background")
    with acme.snapshot(level) as caller:
        assert acme.view(caller)
        acme.chunk()
        assert acme.view(caller)


@pytest.mark.parametrize("level", LEVELS)
def test_a_question_that_no_revocation_may_have_overtaken(
    make: Callable[[], Acme], level: IsolationLevel
) -> None:
    """Who locks the organization's row first has a snapshot that nothing was revoked after, or an error."""
    acme = make()
    acme.apply(*GRANTS["member"])
    with acme.snapshot(level) as caller:
        caller.execute(FRESH, (acme.name,))
        assert acme.view(caller)
    for organization, change in (
        (acme.name, changes.Unassign(role="reader", to="group:all")),
        (ENVIRONMENT, changes.DefineRole(role=f"role-{next(_numbers)}")),
    ):
        with acme.snapshot(level) as caller:
            acme.authority.apply([change], organization=organization)
            with pytest.raises(psycopg.errors.SerializationFailure):
                caller.execute(FRESH, (acme.name,))
            caller.rollback()


# --- our own transactions -------------------------------------------------------------------------


def level_of(store: Store) -> set[str]:
    """The isolation levels of the store's own transactions that write."""
    ask = "SELECT current_setting('transaction_isolation')"
    found: list[Callable[[], Rows]] = []
    store.queries["level"] = ask  # type: ignore[attr-defined]
    store.transact(lambda tx: found.append(tx.read_later("level")))
    with store.connection() as connection:
        within = connection.execute(ask).fetchone()  # type: ignore[attr-defined]
    return {found[0]()[0][0], within[0]}


@pytest.mark.parametrize("default", ["repeatable read", "serializable"])
@pytest.mark.parametrize("owner", ["DATABASE", "ROLE"])
def test_a_default_level_is_not_ours(
    new_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    default: str,
    owner: str,
) -> None:
    """Our transactions are READ COMMITTED whatever the database or the role has as its default; also on a
    connection that has lost its settings. (Control: that they begin with the level is what does it.)
    """
    database = new_database("postgres")
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    target = f"DATABASE {name}" if owner == "DATABASE" else "ROLE CURRENT_USER"

    def configure_and_forget(connection: Connection, **options: Any) -> None:
        configure(connection, **options)
        connection.execute("RESET default_transaction_isolation")

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"ALTER {target} SET default_transaction_isolation = '{default}'")
        try:
            with Authority.open(database, organization="acme") as authority:
                assert level_of(authority.store) == {"read committed"}
            monkeypatch.setattr("rescind.store.postgres.connector.configure", configure_and_forget)
            with Authority.open(database, organization="acme") as authority:
                assert level_of(authority.store) == {"read committed"}
                assert authority.apply([changes.CreateOrganization()]).changed
                monkeypatch.setattr("rescind.store.postgres.connection.BEGIN", "BEGIN")
                assert level_of(authority.store) == {default}
        finally:
            connection.execute(f"ALTER {target} RESET default_transaction_isolation")
