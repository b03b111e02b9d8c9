"""Whatever is altered in the log by SQL is found, and the first change that does not fit is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument, OrganizationNotFound
from rescind.history import verify
from rescind.history.walk import Walk
from rescind.model import Fault, FaultKind, KeptHeads, LogHead, VerifiedLog
from rescind.model.log import Content
from tests.conftest import ENGINES
from tests.contract.world import WORLD
from tests.sql import ours

GIVE = changes.Assign(role="reader", to="user:ada")
TAKE = changes.Unassign(role="reader", to="user:ada")
LAST = 8
ROW = "organization = 1 AND revision = {}"
EDITS = {
    **dict.fromkeys(("recorded_at", "granted", "revoked", "estimated"), "{c} + 1"),
    "caused_by": "COALESCE({c} + 1, 5)",
    "environment": "COALESCE({c}, 0) + 1",
    **dict.fromkeys(("actor", "reason", "body"), "{c} || ' '"),
    "idempotency_key": "COALESCE({c} || ',', '')",
    "direction": "CASE WHEN {c} = 'grants' THEN 'revokes' ELSE 'grants' END",
    "route": "'other'",
    "digest": "(SELECT x.digest FROM rescind.change AS x WHERE x.organization = 1 AND x.revision = 1 + {c2})",
}
COLUMNS = [*Content._fields, "digest", "settled_at"]
NAMED = ", ".join(COLUMNS)


@pytest.fixture(scope="module", params=ENGINES)
def kept(
    request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]
) -> Iterator[Authority]:
    """A log of eight changes, which each test leaves as it was; another organization has one."""
    with Authority.open(new_shared_database(request.param), organization="acme") as opened:
        opened.apply(WORLD)
        for number in range(LAST - 1):
            texts = {"actor": "Zoë 'x' \n", "reason": "1:a," * number}
            opened.apply([(GIVE, TAKE)[number % 2]], idempotency_key=f"k{number}", **texts)
        opened.apply(WORLD, organization="other")
        yield opened


def run(authority: Authority, *statements: str) -> list[Any]:
    """Run statements of the test's own; the rows of the last one."""
    with authority.store.connection() as connection:
        driver: Any = connection
        for sql in statements:
            cursor = driver.execute(ours(authority, sql))
        return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def altered(authority: Authority, *statements: str) -> Iterator[None]:
    """The log as these leave it, for as long as the block runs."""
    sql = ours(authority, f"SELECT {NAMED} FROM rescind.change")
    sign = "?" if authority.store.engine == "sqlite" else "%s"
    signs = ", ".join(sign for _ in COLUMNS)
    put = ours(authority, f"INSERT INTO rescind.change ({NAMED}) VALUES ({signs})")
    with authority.store.connection() as connection:
        driver: Any = connection
        before = driver.execute(sql).fetchall()
        for statement in statements:
            driver.execute(ours(authority, statement))
    try:
        yield
    finally:
        with authority.store.connection() as connection:
            driver = connection
            driver.execute(ours(authority, "DELETE FROM rescind.change"))
            driver.cursor().executemany(put, before)


def verified(authority: Authority, heads: Any = None) -> VerifiedLog:
    """What is found of acme's log. Nothing is found of the others'."""
    found = {each.organization: each for each in authority.verify_log(heads=heads)}
    assert found.keys() == {"*", "acme", "other"}
    assert all(each.fits for name, each in found.items() if name != "acme")
    return found["acme"]


def fault(authority: Authority, heads: Any = None) -> Fault | None:
    found = verified(authority, heads).fault
    assert found is None or found.meaning
    return found


def test_an_untouched_log_fits(kept: Authority) -> None:
    found = verified(kept)
    (head,) = kept.log_heads(organization="acme")
    assert found == VerifiedLog("acme", 1, LAST, 0, LAST, head.digest or "", 0, None)
    assert (head.organization, head.number, head.revision) == ("acme", 1, LAST)
    assert verified(kept, [head]).heads == 1
    with pytest.raises(OrganizationNotFound):
        list(kept.verify_log(organization="none"))


def test_every_column_of_content_is_edited_here() -> None:
    assert EDITS.keys() == {*Content._fields, "digest"} - {"organization", "revision"}


@pytest.mark.parametrize("column", EDITS)
def test_an_edit_is_found(kept: Authority, column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any column, in any row. Control: with the digest check off it is not."""
    for revision in range(1, LAST + 1):
        value = EDITS[column].format(c=column, c2=revision % LAST)
        sql = f"UPDATE rescind.change SET {column} = {value} WHERE {ROW.format(revision)}"
        with altered(kept, sql):
            assert fault(kept) == Fault(FaultKind.ALTERED, revision)
            with monkeypatch.context() as patched:
                patched.setattr(verify, "Walk", Trusting)
                assert fault(kept) is None


class Trusting(Walk):
    """Control: takes every digest for the right one."""

    def follow(self, rows: Any) -> Fault | None:
        for revision, digest, _ in rows:
            if revision != self.revision + 1:
                self.fault = Fault(FaultKind.MISSING, self.revision + 1)
                break
            self.revision, self.digest = revision, digest
        return self.fault


def test_settling_and_enforcing_are_no_edits(kept: Authority) -> None:
    with altered(kept, "UPDATE rescind.change SET settled_at = 7"):
        assert fault(kept) is None


def test_a_deletion_is_found(kept: Authority) -> None:
    """The change that is not there is named; also the last ones, and all of them."""
    for revision in range(1, LAST + 1):
        kind = FaultKind.TRUNCATED if revision == LAST else FaultKind.MISSING
        sql = f"DELETE FROM rescind.change WHERE {ROW.format(revision)}"
        with altered(kept, sql):
            assert fault(kept) == Fault(kind, revision)
    with altered(kept, "DELETE FROM rescind.change WHERE organization = 1 AND revision > 5"):
        assert fault(kept) == Fault(FaultKind.TRUNCATED, 6)
    with altered(kept, "DELETE FROM rescind.change WHERE organization = 1"):
        assert fault(kept) == Fault(FaultKind.TRUNCATED, 1)


def inserted(revision: int, source: int) -> str:
    """A copy of a change as one of another revision."""
    columns = NAMED.replace("revision", f"{revision}")
    return (
        f"INSERT INTO rescind.change ({NAMED}) SELECT {columns} FROM rescind.change"
        f" WHERE {ROW.format(source)}"
    )


def moved(since: int, by: int) -> list[str]:
    """Changes from a revision on are moved; in two steps, as no two may have one revision."""
    return [
        "UPDATE rescind.change SET revision = revision + 1000"
        f" WHERE organization = 1 AND revision >= {since}",
        f"UPDATE rescind.change SET revision = revision - 1000 + {by}"
        " WHERE organization = 1 AND revision >= 1000",
    ]


def test_an_insertion_is_found(kept: Authority) -> None:
    """In the middle, where the later changes move up; at the end; and before the first."""
    for revision in range(1, LAST + 1):
        with altered(kept, *moved(revision, 1), inserted(revision, revision - 1 or 3)):
            assert fault(kept) == Fault(FaultKind.ALTERED, revision)
    with altered(kept, inserted(LAST + 1, LAST)):
        assert fault(kept) == Fault(FaultKind.ALTERED, LAST + 1)
    with altered(kept, inserted(0, 1)):
        assert fault(kept) == Fault(FaultKind.SURPLUS, 0)


def test_a_change_is_taken_out_and_the_rest_moved_down(kept: Authority) -> None:
    for revision in range(1, LAST):
        gone = f"DELETE FROM rescind.change WHERE {ROW.format(revision)}"
        with altered(kept, gone, *moved(revision + 1, -1)):
            assert fault(kept) == Fault(FaultKind.ALTERED, revision)


def test_an_exchange_is_found(kept: Authority) -> None:
    """Of any two changes: the earlier one is named."""
    for one in range(1, LAST + 1):
        for other in range(one + 1, LAST + 1):
            exchange = [
                f"UPDATE rescind.change SET revision = {to} WHERE {ROW.format(at)}"
                for at, to in ((one, 999), (other, one), (999, other))
            ]
            with altered(kept, *exchange):
                assert fault(kept) == Fault(FaultKind.ALTERED, one)


def test_a_change_without_digest_is_named(kept: Authority) -> None:
    with altered(kept, f"UPDATE rescind.change SET digest = NULL WHERE {ROW.format(5)}"):
        assert fault(kept) == Fault(FaultKind.UNCHAINED, 5)


# --- heads that were kept elsewhere ---------------------------------------------------------------


def heads_of(authority: Authority, *revisions: int) -> KeptHeads:
    """The heads that were printed when the log was at these revisions."""
    rows = run(
        authority,
        "SELECT revision, digest FROM rescind.change WHERE organization = 1 AND revision"
        f" IN ({', '.join(map(str, revisions))}) ORDER BY revision",
    )
    lines = [
        {"number": 1, "organization": "acme", "revision": at, "digest": d.hex()} for at, d in rows
    ]
    return KeptHeads.read(json.dumps(line) for line in lines)


def test_an_end_that_was_taken_away_is_found_by_a_head(kept: Authority) -> None:
    """Also where the organization's revision was taken back with it. Control: without a head it is not."""
    heads = heads_of(kept, 3, 6)
    gone = "DELETE FROM rescind.change WHERE organization = 1 AND revision > 5"
    back = "UPDATE rescind.organization SET revision = {} WHERE id = 1"
    with altered(kept, gone, back.format(5)):
        assert fault(kept) is None
        assert fault(kept, heads) == Fault(FaultKind.HEAD_MISSING, 6)
        assert verified(kept, heads_of(kept, 3)).heads == 1
        run(kept, back.format(LAST))
    assert verified(kept, heads).heads == 2


def test_a_log_that_was_made_anew_is_found_by_a_head(kept: Authority) -> None:
    """Somebody edits a change, and has the rest chained again. Control: without a head all fits."""
    heads = heads_of(kept, 2, 6)
    forged = [
        f"UPDATE rescind.change SET reason = 'forged' WHERE {ROW.format(4)}",
        "UPDATE rescind.change SET digest = NULL WHERE organization = 1 AND revision >= 4",
    ]
    from rescind.propagation.chaining import chain_all

    with altered(kept, *forged):
        assert chain_all(kept.store) == LAST - 3
        assert fault(kept) is None
        assert fault(kept, heads) == Fault(FaultKind.HEAD_DIFFERS, 6)


def test_the_head_of_an_organization_that_has_vanished(kept: Authority) -> None:
    line = {"number": 77, "organization": "gone", "revision": 3, "digest": "00" * 32}
    heads = KeptHeads.read([json.dumps(line)])
    (*_, last) = kept.verify_log(heads=heads)
    assert (last.organization, last.fault) == ("gone", Fault(FaultKind.NO_ORGANIZATION, 3))
    (only,) = kept.verify_log(organization="gone", heads=heads)
    assert only == last


def test_a_log_that_starts_later(kept: Authority) -> None:
    """It fits from its start on. A head before the start cannot be compared, one after it can."""
    heads, early, both = heads_of(kept, 6), heads_of(kept, 2), heads_of(kept, 2, 4, 6)
    start = (
        "INSERT INTO rescind.log_start SELECT organization, revision, digest, environment, 1, 'x'"
        f" FROM rescind.change WHERE {ROW.format(4)}"
    )
    with altered(
        kept, start, "DELETE FROM rescind.change WHERE organization = 1 AND revision <= 4"
    ):
        found = verified(kept, heads)
        assert (found.fault, found.after, found.rows, found.heads) == (None, 4, LAST - 4, 1)
        assert verified(kept, both).heads == 2
        assert fault(kept, early) == Fault(FaultKind.HEAD_BEFORE_START, 2)
        run(
            kept,
            "UPDATE rescind.log_start SET digest = (SELECT digest FROM rescind.change WHERE revision = 6)",
        )
        assert fault(kept) == Fault(FaultKind.ALTERED, 5)
        run(kept, "DELETE FROM rescind.log_start")
        assert fault(kept) == Fault(FaultKind.MISSING, 1)


START = (
    "INSERT INTO rescind.log_start SELECT organization, revision, digest, environment, 1, 'x'"
    f" FROM rescind.change WHERE {ROW.format(5)}"
)


def gone(revision: int) -> str:
    return f"DELETE FROM rescind.change WHERE {ROW.format(revision)}"


@contextmanager
def started(authority: Authority, *statements: str) -> Iterator[None]:
    """The log as these leave it, with a start after revision 5 that was put in by hand before them."""
    with altered(authority, START, *statements):
        try:
            yield
        finally:
            run(authority, "DELETE FROM rescind.log_start")


def test_what_is_left_before_the_start_is_verified_too(kept: Authority) -> None:
    """A start that is put in hides no edit. What cannot be proven is counted."""
    edit = f"UPDATE rescind.change SET reason = 'forged' WHERE {ROW.format(3)}"
    bare = f"UPDATE rescind.change SET digest = NULL WHERE {ROW.format(3)}"
    cases: list[tuple[list[str], Fault | None, int]] = [
        ([], None, 0),
        ([edit], Fault(FaultKind.ALTERED, 3), 2),
        ([gone(1), edit], Fault(FaultKind.ALTERED, 3), 1),
        ([gone(1)], None, 1),
        ([gone(1), gone(2), edit], None, 1),
        ([gone(3)], None, 3),
        ([gone(5)], None, 4),
        ([gone(1), gone(3), gone(5)], None, 2),
        ([bare], None, 4),
        ([inserted(0, 1)], Fault(FaultKind.SURPLUS, 0), 0),
        ([EDIT_OF_DIGEST], Fault(FaultKind.ALTERED, 5), 4),
    ]
    for statements, expected, unproven in cases:
        with started(kept, *statements):
            found = verified(kept)
            assert found.fault == expected, statements
            assert (found.after, expected is None and found.unproven) == (
                5,
                expected is None and unproven,
            ), statements


EDIT_OF_DIGEST = (
    "UPDATE rescind.change SET digest = (SELECT x.digest FROM rescind.change AS x WHERE x.organization = 1"
    f" AND x.revision = 1) WHERE {ROW.format(5)}"
)


def test_without_the_remainder_a_start_would_hide_an_edit(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Skipping(verify.Remainder):
        def _kind_of_fault(self, at: int, told: bytes | None, content: bytes) -> None:
            pass

    monkeypatch.setattr(verify, "Remainder", Skipping)
    with started(kept, f"UPDATE rescind.change SET reason = 'forged' WHERE {ROW.format(3)}"):
        assert fault(kept) is None


def test_a_head_of_what_is_left_before_the_start(kept: Authority) -> None:
    right, wrong = heads_of(kept, 3, 7), heads_of(kept, 7)
    wrong.digests[1][3] = b"x" * 32
    with started(kept, gone(1)):
        assert fault(kept, right) is None
        assert fault(kept, wrong) == Fault(FaultKind.HEAD_DIFFERS, 3)


def test_another_name_of_the_organization_is_found_by_a_head(kept: Authority) -> None:
    """Names are not digested. Control: without a head it is not found."""
    heads = KeptHeads.of(kept.log_heads())
    rename = "UPDATE rescind.organization SET slug = '{}' WHERE id = {}"
    run(kept, *(rename.format(name, at) for name, at in (("x", 2), ("other", 1), ("acme", 2))))
    try:
        assert all(each.fits for each in kept.verify_log())
        found = {each.number: each.fault for each in kept.verify_log(heads=heads)}
    finally:
        run(kept, *(rename.format(name, at) for name, at in (("x", 1), ("other", 2), ("acme", 1))))
    at = heads.digests[2]
    assert found[1] == Fault(FaultKind.NAME_DIFFERS, LAST)
    assert found[2] == Fault(FaultKind.NAME_DIFFERS, max(at))
    assert found[0] is None
    assert fault(kept, heads) is None


def test_a_head_without_a_name_takes_any(kept: Authority) -> None:
    (head,) = kept.log_heads(organization="acme")
    line = {"number": head.number, "revision": head.revision, "digest": head.digest}
    assert verified(kept, KeptHeads.read([json.dumps(line)])).heads == 1


@pytest.mark.parametrize(
    "line",
    [
        '{"x": ' + "[" * 200_000,
        "x",
        "{}",
        '{"number": 1, "revision": 1, "digest": "xyz"}',
        '["\\ud800"]',
    ],
)
def test_a_line_that_is_no_head(line: str) -> None:
    with pytest.raises(InvalidArgument, match=r"(?i)line 2"):
        KeptHeads.read(["", line])


def test_two_heads_that_contradict_each_other(kept: Authority) -> None:
    (head,) = kept.log_heads(organization="acme")
    other = LogHead(head.organization, head.number, head.revision, "11" * 32, head.at)
    with pytest.raises(InvalidArgument, match="two digests"):
        list(kept.verify_log(heads=[head, other]))
