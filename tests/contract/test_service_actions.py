"""What is done to keys, pending work, logs and the schema is logged once, by whom, in a hash chain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes, model
from rescind.directory.catching_up import write_events
from rescind.errors import ApiKeyNotFound, LogDamaged, OrganizationNotFound
from rescind.history import actions as history
from rescind.history.heads import ACTIONS_NUMBER
from rescind.http.keys import Keys
from rescind.http.keys.key_text import parted
from rescind.model import FaultKind, KeptHeads, VerifiedLog
from rescind.propagation import pending
from rescind.propagation.audit import audit
from rescind.semantics.chain import action_content
from rescind.store.migrations import migrate
from rescind.store.schema import VERSIONS
from tests.conftest import ENGINES
from tests.contract.test_log_verify import GIVE, TAKE, run
from tests.contract.world import WORLD

HOSTILE = "=cmd()\\n'\";--\u202e<script>1:a,"
COLUMNS = ("kind", "subject", "detail", "actor", "request")


@pytest.fixture(scope="module", params=ENGINES)
def url(request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]) -> str:
    return new_shared_database(request.param)


@pytest.fixture(scope="module")
def kept(url: str) -> Iterator[Authority]:
    """A database whose log of service actions has five at least."""
    with Authority.open(url, organization="acme") as opened:
        opened.apply(WORLD)
        keys = Keys(opened.store)
        for number in range(5):
            keys.create(f"k{number}", ["read"], actor=HOSTILE, request=f"r{number}")
        yield opened


def found(authority: Authority) -> list[history.Action]:
    return list(authority.actions())


def verified(authority: Authority, heads: KeptHeads | None = None) -> VerifiedLog:
    return next(each for each in authority.verify_log(heads=heads) if each.number == ACTIONS_NUMBER)


def test_each_action_on_a_key_is_logged_once(kept: Authority) -> None:
    keys, before = Keys(kept.store), len(found(kept))
    made, text = keys.create(
        HOSTILE.replace("\u202e", ""), ["read"], organization="acme", actor="ada", request="1"
    )
    _, rotated = keys.rotate(made.id, actor="bob", request="2")
    keys.revoke(made.id, actor="cyd", request="3")
    for again in (keys.revoke, keys.rotate):
        with pytest.raises(ApiKeyNotFound):
            again(made.id)
    logged = found(kept)[before:]
    told = [(each.kind, each.subject, each.organization, each.actor) for each in logged]
    assert told == [
        ("key_made", made.id, "acme", "ada"),
        ("key_rotated", made.id, "acme", "bob"),
        ("key_revoked", made.id, "acme", "cyd"),
    ]
    assert [each.request for each in logged] == ["1", "2", "3"]
    assert logged[0].detail["name"] == made.name
    assert list(kept.actions(organization="acme"))[-3:] == logged
    rows = repr(run(kept, "SELECT * FROM rescind.action"))
    secrets = [parted(each)[1] for each in (text, rotated)]
    digests = run(kept, "SELECT digest FROM rescind.api_key")
    assert not any(each in rows for each in [*secrets, *(digest for (digest,) in digests)])
    assert verified(kept).fits


def test_what_fails_is_not_logged(kept: Authority) -> None:
    before = found(kept)
    with pytest.raises(OrganizationNotFound):
        Keys(kept.store).create("k", ["read"], organization="none")
    with pytest.raises(ApiKeyNotFound):
        Keys(kept.store).revoke("0" * 16)
    assert Keys(kept.store).create_first() is None
    assert found(kept) == before
    assert verified(kept).fits


def test_parked_and_retried_work_is_logged_where_it_is_new(kept: Authority) -> None:
    run(
        kept,
        'INSERT INTO rescind.pending (organization, "group", kind, ref, direction, urgency, since, revision,'
        " recorded_at) VALUES (1, -3, 'member', 2, 'grants', 2, 3, 3, 1)",
    )
    before = len(found(kept))
    (work,) = pending.listed(kept.store, model.organization_id("acme"), 10)
    assert [kept.park(work, actor="ada", request="r") for _ in range(2)] == [True, False]
    assert next(kept.retry(work, actor="bob") for _ in range(2))
    logged = found(kept)[before:]
    told = [(each.kind, each.organization, each.actor, each.request) for each in logged]
    assert told[0] == ("work_parked", "acme", "ada", "r")
    assert told[1] == ("work_retried", "acme", "bob", "")
    assert not kept.park(replace(work, group_number=99))
    assert found(kept)[before:] == logged
    run(kept, "DELETE FROM rescind.pending")


def test_pruning_is_logged(kept: Authority) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=90)
    sql = f"UPDATE rescind.change SET recorded_at = {model.microseconds(long_ago)}, settled_at = 1"
    for change in (GIVE, TAKE):
        kept.apply([change])
    write_events(kept, model.organization_id("acme"))
    run(kept, sql)
    before = found(kept)
    dry = kept.prune_log(2, actor="ada", dry_run=True)
    assert found(kept) == before
    done = kept.prune_log(2, actor="ada")
    logged = found(kept)[len(before) :]
    assert dry.changes > 0
    assert done.is_done
    told = [(each.kind, each.organization, each.actor) for each in logged]
    assert told == [("log_pruned", "acme", "ada")]
    again = kept.prune_log(2, actor="ada")
    assert again.changes == 0
    assert found(kept)[len(before) :] == logged


def _damaged(authority: Authority, *statements: str) -> VerifiedLog:
    """What is found after statements; the log is as before when this returns."""
    rows = run(authority, "SELECT * FROM rescind.action ORDER BY number")
    try:
        run(authority, *statements)
        return verified(authority)
    finally:
        mark = "?" if authority.store.engine == "sqlite" else "%s"
        marks = ", ".join([mark] * 9)
        with authority.store.connection() as connection:
            driver: Any = connection
            table = "rescind_action" if mark == "?" else "rescind.action"
            driver.execute(f"DELETE FROM {table}")
            for row in rows:
                driver.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(row))
        assert verified(authority).fits


@pytest.mark.parametrize("column", COLUMNS)
def test_an_edit_is_found(kept: Authority, column: str) -> None:
    for number in (1, 3, 5):
        sql = f"UPDATE rescind.action SET {column} = {column} || ' ' WHERE number = {number}"
        fault = _damaged(kept, sql).fault
        assert fault is not None
        assert (fault.kind, fault.revision) == (FaultKind.ALTERED, number)


def test_another_time_organization_or_digest_is_found(kept: Authority) -> None:
    for edit in (
        "recorded_at = recorded_at + 1",
        "organization = 1",
        "digest = (SELECT x.digest FROM rescind.action AS x WHERE x.number = 1)",
    ):
        fault = _damaged(kept, f"UPDATE rescind.action SET {edit} WHERE number = 2").fault
        assert fault is not None
        assert (fault.kind, fault.revision) == (FaultKind.ALTERED, 2)


def test_a_deletion_an_insertion_and_a_swap_are_found(kept: Authority) -> None:
    last = found(kept)[-1].number
    damages = {
        "DELETE FROM rescind.action WHERE number = 1": (FaultKind.MISSING, 1),
        "DELETE FROM rescind.action WHERE number = 3": (FaultKind.MISSING, 3),
        f"DELETE FROM rescind.action WHERE number = {last}": (FaultKind.TRUNCATED, last),
        "DELETE FROM rescind.action": (FaultKind.TRUNCATED, 1),
        "INSERT INTO rescind.action SELECT 0, recorded_at, kind, organization, subject, detail, actor,"
        " request, digest FROM rescind.action WHERE number = 1": (FaultKind.SURPLUS, 0),
        f"INSERT INTO rescind.action SELECT {last + 1}, recorded_at, kind, organization, subject, detail,"
        " actor, request, digest FROM rescind.action WHERE number = 1": (
            FaultKind.ALTERED,
            last + 1,
        ),
    }
    for sql, expected in damages.items():
        fault = _damaged(kept, sql).fault
        assert fault is not None, sql
        assert (fault.kind, fault.revision) == expected, sql
    swap = [
        f"UPDATE rescind.action SET number = {new} WHERE number = {old}"
        for old, new in ((2, -9), (3, 2), (-9, 3))
    ]
    fault = _damaged(kept, *swap).fault
    assert fault is not None
    assert (fault.kind, fault.revision) == (FaultKind.ALTERED, 2)


def test_an_action_during_verification_is_no_fault(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the rows were read, another is added. It is not taken for one that is missing."""
    fetch, keys = kept.store.fetch, Keys(kept.store)

    def adding(query: Any, *args: Any, **names: Any) -> Any:
        rows = fetch(query, *args, **names)
        if str(query) == "read_action_chain" and not rows:
            keys.create("meanwhile", ["read"])
        return rows

    before = len(found(kept))
    monkeypatch.setattr(kept.store, "fetch", adding)
    assert verified(kept).fault is None
    assert len(found(kept)) == before + 1


def test_an_edit_of_the_head_row_is_found(kept: Authority) -> None:
    """The next action would follow from what is there."""
    ((number, digest),) = run(kept, "SELECT number, digest FROM rescind.action_head")
    other = "(SELECT x.digest FROM rescind.action AS x WHERE x.number = 1)"
    last = f"(SELECT x.digest FROM rescind.action AS x WHERE x.number = {number})"
    for edit, back, kind, at in (
        (f"digest = {other}", f"digest = {last}", FaultKind.ALTERED, number),
        ("number = number - 1", "number = number + 1", FaultKind.SURPLUS, number),
        ("number = number + 1", "number = number - 1", FaultKind.TRUNCATED, number + 1),
    ):
        run(kept, f"UPDATE rescind.action_head SET {edit}")
        fault = verified(kept).fault
        run(kept, f"UPDATE rescind.action_head SET {back}")
        assert fault is not None
        assert (fault.kind, fault.revision) == (kind, at)
    assert run(kept, "SELECT digest FROM rescind.action_head") == [(digest,)]
    assert verified(kept).fits


def test_a_deleted_head_row_is_named_and_mended(kept: Authority) -> None:
    """Nothing is done unlogged meanwhile. The newest digest is that of before, so a kept head still fits."""
    heads = KeptHeads.of(kept.log_heads())
    before = found(kept)
    assert not history.mend_end(kept.store, actor="ada")
    run(kept, "DELETE FROM rescind.action_head")
    with pytest.raises(LogDamaged, match="log chain"):
        Keys(kept.store).create("unlogged", ["read"])
    with pytest.raises(ApiKeyNotFound):
        Keys(kept.store).revoke("0" * 16)
    assert "unlogged" not in {key.name for key in Keys(kept.store).list()}
    fault = verified(kept).fault
    assert fault is not None
    assert (fault.kind, fault.revision) == (FaultKind.END_MISSING, before[-1].number)
    assert history.mend_end(kept.store, actor="ada")
    (last,) = found(kept)[len(before) :]
    assert (last.kind, last.actor, last.number) == ("log_mended", "ada", before[-1].number + 1)
    assert (verified(kept, heads).fits, verified(kept, heads).heads) == (True, 1)


def test_a_repair_of_effective_roles_is_logged(kept: Authority) -> None:
    kept.apply([changes.AddMembership(subject="user:drift")])
    kept.apply([changes.Assign(role="reader", to="user:drift")])
    before = found(kept)
    assert audit(kept.store, "acme", repair=True, actor="ada").repaired == 0
    assert found(kept) == before
    run(kept, "DELETE FROM rescind.effective_role WHERE organization = 1")
    repaired = audit(kept.store, "acme", repair=True, actor="ada").repaired
    assert repaired > 0
    (last,) = found(kept)[len(before) :]
    assert (last.kind, last.subject, last.organization) == ("roles_repaired", "acme", "acme")
    assert (last.actor, last.detail) == ("ada", {"differences": repaired})
    assert verified(kept).fits


def test_actions_of_an_organization_that_there_never_was(kept: Authority) -> None:
    with pytest.raises(OrganizationNotFound):
        list(kept.actions(organization="none"))


def test_without_its_digest_an_edit_would_not_be_found(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trusting(history.Walk):
        def follow(self, rows: Any) -> None:
            for self.revision, self.digest, _ in rows:
                self.rows += 1

    monkeypatch.setattr(history, "Walk", Trusting)
    assert _damaged(kept, "UPDATE rescind.action SET actor = 'eve' WHERE number = 2").fits


def test_a_head_kept_elsewhere_finds_a_log_whose_end_was_taken(kept: Authority) -> None:
    heads = KeptHeads.of(kept.log_heads())
    assert verified(kept, heads).heads == 1
    last = found(kept)[-1]
    saved = run(kept, "SELECT number, digest FROM rescind.action_head")
    Keys(kept.store).create("later", ["read"])
    assert verified(kept, heads).heads == 1
    assert saved[0][0] == last.number
    wrong = KeptHeads.of(
        replace(head, digest="00" * 32) for head in kept.log_heads() if head.number < 0
    )
    fault = verified(kept, wrong).fault
    assert fault is not None
    assert fault.kind is FaultKind.HEAD_DIFFERS


def test_numbers_have_no_gap_with_several_writers(kept: Authority, url: str) -> None:
    first = len(found(kept))
    others = [Authority.open(url) for _ in range(2)]

    def make(authority: Authority) -> None:
        for _ in range(10):
            Keys(authority.store).create("k", ["read"])

    threads = [threading.Thread(target=make, args=(each,)) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for each in others:
        each.close()
    assert [each.number for each in found(kept)] == list(range(1, first + 21))
    assert verified(kept).fits


def test_sql_and_python_have_the_same_content(kept: Authority) -> None:
    contents = kept.store.fetch("read_action_chain", {"after": 0, "limit": 1_000})
    rows = run(
        kept,
        "SELECT number, recorded_at, organization, kind, subject, detail, actor, request"
        " FROM rescind.action ORDER BY number",
    )
    assert rows
    assert [bytes(each[2]) for each in contents] == [
        action_content(*row[:3], tuple(row[3:])) for row in rows
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_upgrade_is_logged(engine: str, new_shared_database: Callable[[str], str]) -> None:
    database = new_shared_database(engine)
    with Authority.open(database) as authority:
        Keys(authority.store).create("k", ["read"])
        run(
            authority,
            "DROP TABLE rescind.action",
            "DROP TABLE rescind.action_head",
            "DROP TABLE rescind.installation",
            "ALTER TABLE rescind.enforcement DROP COLUMN recorded_at",
            "DROP INDEX rescind.organization_by_former_name",
            *(("DROP FUNCTION rescind.identity()",) if engine == "postgres" else ()),
            "UPDATE rescind.schema_version SET version_num = '0028'",
        )
    for _ in range(2):
        migrate(database, actor="ops")
    with Authority.open(database) as authority:
        (only,) = authority.actions()
        assert (only.number, only.kind, only.subject) == (1, "schema_migrated", VERSIONS[-1])
        assert (only.actor, only.detail) == ("ops", {"from": "0028"})
        assert verified(authority).fits
