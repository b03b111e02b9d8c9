"""Whatever is altered by SQL of a review, or of what its lines follow from, is found and named."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes, model
from rescind.directory.catching_up import write_events
from rescind.errors import (
    BadInput,
    InvalidArgument,
    LogDamaged,
    OrganizationNotFound,
    ReviewNotFound,
)
from rescind.history import actions as history
from rescind.history import review_verify, reviews, snapshots, verify
from rescind.history.review_actions import APPLIED, STARTED, decisions_digest
from rescind.history.walk import Walk
from rescind.model import (
    KeptHeads,
    LineDecision,
    ReviewFault,
    ReviewFaultKind,
    ReviewLine,
    Verdict,
    VerifiedReview,
)
from rescind.propagation.chaining import chain_all
from rescind.semantics.chain import action_content, chained
from rescind.semantics.state import Membership
from rescind.semantics.state_bytes import organization_from_bytes
from tests.conftest import ENGINES
from tests.contract.test_log_verify import run
from tests.contract.world import WORLD
from tests.sql import ours

KEEP, REVOKE = Verdict.KEEP, Verdict.REVOKE
Kind = ReviewFaultKind
TABLES = ("review", "action", "action_head", "change", "snapshot", "log_start")
STRANGER = changes.AddMembers(group="staff", members=("user:cyd",))
_names = itertools.count()


@pytest.fixture(scope="module", params=ENGINES)
def url(request: pytest.FixtureRequest, new_shared_database: Callable[[str], str]) -> str:
    return new_shared_database(request.param)


@pytest.fixture(scope="module")
def kept(url: str) -> Iterator[Authority]:
    """Reviews Q1, of which decisions were applied, and Q2, behind a snapshot. Each test leaves it so."""
    with Authority.open(url, organization="acme") as opened:
        opened.apply([changes.DefinePermission(permission="ship")], organization="*")
        opened.apply(WORLD)
        take_snapshot(opened)
        opened.apply([changes.RenameMembership(subject="user:bob", name="Bob")])
        opened.start_review("Q1", actor="cyd", request="r1")
        opened.apply_review("Q1", decisions(opened), actor="dan", comment="yearly", request="r2")
        opened.start_review("Q2", actor="cyd", role="reader")
        opened.apply(WORLD, organization="other")
        opened.start_review("Q1", organization="other")
        yield opened


@pytest.fixture
def acme(kept: Authority) -> Iterator[Authority]:
    """An organization of its own, in the shared database."""
    organization = f"acme {next(_names)}"
    kept.apply(WORLD, organization=organization)
    own = Authority(kept.store, organization=organization)
    yield own
    own.enforcer.close()


def number_of(authority: Authority, name: str = "acme") -> int:
    found = run(authority, f"SELECT id FROM rescind.organization WHERE slug = '{name}'")
    return int(found[0][0])


def take_snapshot(authority: Authority) -> None:
    o = model.OrganizationNumber(number_of(authority))
    ((revision,),) = run(authority, f"SELECT revision FROM rescind.organization WHERE id = {o}")
    work = snapshots.SnapshotWork(authority.store, o, model.organization_id("acme"), revision)
    assert work.forward(revision)
    snapshots.keep(authority.store, o, work.state, source=work.source)


def line_of(authority: Authority, subject: str, role: str, review: str = "Q1") -> ReviewLine:
    lines = authority.review_lines(review)
    return next(line for line in lines if (line.subject, line.role) == (subject, role))


def decisions(authority: Authority) -> list[LineDecision]:
    revoked = line_of(authority, "user:ada", "writer").line
    return [
        LineDecision(revoked, REVOKE, "left eng"),
        LineDecision(line_of(authority, "user:bob", "reader").line, KEEP),
    ]


@contextmanager
def altered(authority: Authority, *statements: str) -> Iterator[None]:
    """The database as these leave it, for as long as the block runs."""
    sign = "?" if authority.store.engine == "sqlite" else "%s"
    before: dict[str, tuple[int, list[Any]]] = {}
    with authority.store.connection() as connection:
        driver: Any = connection
        for table in TABLES:
            cursor = driver.execute(ours(authority, f"SELECT * FROM rescind.{table}"))
            before[table] = len(cursor.description), [tuple(row) for row in cursor.fetchall()]
        for statement in statements:
            driver.execute(ours(authority, statement))
    try:
        yield
    finally:
        with authority.store.connection() as connection:
            driver = connection
            for table, (width, rows) in before.items():
                driver.execute(ours(authority, f"DELETE FROM rescind.{table}"))
                signs = ", ".join([sign] * width)
                put = ours(authority, f"INSERT INTO rescind.{table} VALUES ({signs})")
                driver.cursor().executemany(put, rows)


def faults(authority: Authority, heads: Any = None) -> dict[str, ReviewFault]:
    """What does not fit, by review."""
    found = authority.verify_reviews(heads=heads)
    for each in found:
        alone = authority.verify_reviews(each.review, heads=heads)
        assert alone == [each]
        assert each.fault is None or each.fault.meaning
    return {each.review: each.fault for each in found if each.fault is not None}


def kinds(authority: Authority, heads: Any = None) -> dict[str, Kind]:
    return {name: fault.kind for name, fault in faults(authority, heads).items()}


def test_untouched_reviews_fit(kept: Authority) -> None:
    """With what was applied of them, and the heads of all logs that they rest on."""
    heads = list(kept.log_heads())
    first, second = kept.verify_reviews(heads=heads)
    assert (first.review, first.organization, first.fits, first.lines) == ("Q1", "acme", True, 5)
    assert (second.review, second.lines, second.applied) == ("Q2", 2, ())
    assert first.heads == 3
    assert first.revision == kept.find_review("Q1").revision
    (applied,) = first.applied
    assert (applied.actor, applied.revoked, applied.kept, applied.stale) == ("dan", 1, 1, 0)
    assert applied.revision == first.revision + 1
    assert kept.verify_reviews("Q1") == [VerifiedReview(**{**fields(first), "heads": 0})]
    with pytest.raises(ReviewNotFound):
        kept.verify_reviews("Q3")
    with pytest.raises(OrganizationNotFound):
        kept.verify_reviews(organization="none")


def fields(found: VerifiedReview) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__slots__}


def test_what_is_logged(kept: Authority) -> None:
    """By whom and by which request; once each; with the digests of the logs."""
    logged = [each for each in kept.actions(organization="acme") if each.subject == "Q1"]
    assert [(a.kind, a.actor, a.request) for a in logged] == [
        (STARTED, "cyd", "r1"),
        (APPLIED, "dan", "r2"),
    ]
    revision = kept.find_review("Q1").revision
    digest = next(each.link.digest for each in kept.log() if each.revision == revision)  # type: ignore[union-attr]
    assert logged[0].detail["digest"] == digest
    assert {STARTED, APPLIED} <= history.KINDS


OF_Q1 = "WHERE organization = {o} AND name = 'Q1'"
EDITS = {
    **dict.fromkeys(("revision", "environment", "started_at"), "{c} - 1"),
    "actor": "'eve'",
    "filter": '\'{{"role": "reader"}}\'',
}


@pytest.mark.parametrize("column", EDITS)
def test_an_edit_of_a_row_is_found(
    kept: Authority, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any column. Control: without the comparison it is not."""
    where = OF_Q1.format(o=number_of(kept))
    sql = f"UPDATE rescind.review SET {column} = {EDITS[column].format(c=column)} {where}"
    with altered(kept, sql):
        found = faults(kept)
        assert {name: fault.kind for name, fault in found.items()} == {"Q1": Kind.ALTERED}
        assert found["Q1"].detail.startswith(f"{column}: ")
        monkeypatch.setattr(review_verify, "differing", lambda *_: None)
        if column in ("actor", "started_at"):  # others give other lines, or other digests
            assert not faults(kept)


def test_every_column_is_edited_here(kept: Authority) -> None:
    with kept.store.connection() as connection:
        driver: Any = connection
        cursor = driver.execute(ours(kept, "SELECT * FROM rescind.review"))
        columns = {each[0] for each in cursor.description}
        cursor.fetchall()
    assert EDITS.keys() == columns - {"organization", "name"}


def test_a_deletion_an_insertion_and_a_swap_are_found(kept: Authority) -> None:
    o = number_of(kept)
    q1 = OF_Q1.format(o=o)
    copy = (
        f"INSERT INTO rescind.review SELECT {{o}}, {{name}}, revision, environment, started_at, actor, filter"
        f" FROM rescind.review {q1}"
    )
    swap = [
        f"UPDATE rescind.review SET name = '{new}' WHERE organization = {o} AND name = '{old}'"
        for old, new in (("Q1", "x"), ("Q2", "Q1"), ("x", "Q2"))
    ]
    for statements, expected in (
        ([f"DELETE FROM rescind.review {q1}"], {"Q1": Kind.MISSING}),
        ([copy.format(o=o, name="'Q0'")], {"Q0": Kind.UNRECORDED}),
        (
            [f"UPDATE rescind.review SET name = 'Q3' {q1}"],
            {"Q1": Kind.MISSING, "Q3": Kind.UNRECORDED},
        ),
        (swap, {"Q1": Kind.ALTERED, "Q2": Kind.ALTERED}),
        (
            [f"DELETE FROM rescind.review WHERE organization = {o}"],
            {"Q1": Kind.MISSING, "Q2": Kind.MISSING},
        ),
    ):
        with altered(kept, *statements):
            assert kinds(kept) == expected, statements


def test_a_review_of_another_organization_is_none_of_this_one(kept: Authority) -> None:
    """Its actions prove nothing here, though it has the same name."""
    o = number_of(kept, "other")
    other = f"SET organization = {number_of(kept)}, name = 'Q9' WHERE organization = {o}"
    moved = f"UPDATE rescind.review {other}"
    with altered(kept, moved):
        assert kinds(kept) == {"Q9": Kind.UNRECORDED}
        (found,) = kept.verify_reviews(organization="other")
        assert found.fault == ReviewFault(Kind.MISSING)


def test_a_review_of_an_older_version_cannot_be_verified(kept: Authority) -> None:
    """It has a row alone. It is said, and is no proof."""
    row = (f"INSERT INTO rescind.review VALUES ({number_of(kept)}, 'old', 1, 0, 1, 'cyd', '{{}}')",)
    with altered(kept, *row):
        (found,) = kept.verify_reviews("old")
        assert not found.fits
        assert found.fault is not None
        assert "cannot be verified" in found.fault.meaning
        assert "An earlier version started it" in found.fault.meaning


# --- the logs that a review rests on --------------------------------------------------------------


class Trusting(Walk):
    """Compares no digest."""

    def follow(self, rows: Any) -> None:  # type: ignore[override]
        for self.revision, self.digest, _ in rows:
            self.rows += 1


def start_action(authority: Authority) -> str:
    return f"organization = {number_of(authority)} AND subject = 'Q1' AND kind = '{STARTED}'"


def test_an_action_that_was_altered_with_the_row_is_found(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes both the row and the action. Control: with the digest check off it is not found."""
    where = OF_Q1.format(o=number_of(kept))
    row = f"UPDATE rescind.review SET actor = 'eve' {where}"
    both = row, f"UPDATE rescind.action SET actor = 'eve' WHERE {start_action(kept)}"
    number = run(kept, f"SELECT number FROM rescind.action WHERE {start_action(kept)}")[0][0]
    with altered(kept, *both):
        found = faults(kept)
        assert set(found) == {"Q1", "Q2"}
        assert all(each.kind is Kind.ACTIONS_DIFFER for each in found.values())
        assert f"action {number}: " in found["Q1"].detail
        monkeypatch.setattr(history, "Walk", Trusting)
        assert not faults(kept)


def test_an_application_that_was_altered_or_deleted_is_found(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other decisions, another reviewer, or none at all. Control: as above."""
    of = f"kind = '{APPLIED}' AND organization = {number_of(kept)}"
    other = "replace(detail, '\"kept\":1', '\"kept\":9')"
    for sql in (
        f"UPDATE rescind.action SET detail = {other} WHERE {of}",
        f"UPDATE rescind.action SET actor = 'eve' WHERE {of}",
        f"DELETE FROM rescind.action WHERE {of}",
    ):
        with altered(kept, sql):
            assert set(kinds(kept).values()) == {Kind.ACTIONS_DIFFER}
            with monkeypatch.context() as patched:
                patched.setattr(history, "Walk", Trusting)
                assert not faults(kept)


def test_actions_that_were_chained_anew_are_found_by_a_head(kept: Authority) -> None:
    """Whoever computes all digests again. Control: without a head all fits."""
    heads = KeptHeads.of(kept.log_heads())
    where = OF_Q1.format(o=number_of(kept))
    row = f"UPDATE rescind.review SET actor = 'eve' {where}"
    with altered(kept, row, f"UPDATE rescind.action SET actor = 'eve' WHERE {start_action(kept)}"):
        chain_actions_anew(kept)
        assert not faults(kept)
        assert set(kinds(kept, heads).values()) == {Kind.ACTIONS_DIFFER}


def chain_actions_anew(authority: Authority) -> None:
    sign = "?" if authority.store.engine == "sqlite" else "%s"
    rows = run(
        authority,
        "SELECT number, recorded_at, organization, kind, subject, detail, actor, request"
        " FROM rescind.action ORDER BY number",
    )
    digest: bytes | None = history.FIRST_OF_ACTIONS
    with authority.store.connection() as connection:
        driver: Any = connection
        for row in rows:
            digest = chained(digest, action_content(*row[:3], tuple(row[3:])))
            sql = f"UPDATE rescind.action SET digest = {sign} WHERE number = {sign}"
            driver.execute(ours(authority, sql), (digest, row[0]))
        sql = f"UPDATE rescind.action_head SET digest = {sign}"
        driver.execute(ours(authority, sql), (digest,))


@pytest.mark.parametrize("log", ["acme", "*"])
def test_an_edit_of_the_log_is_found(
    kept: Authority, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the organization's, and of that for all. Control: with the digest checks off it is not."""
    of = f"organization = {number_of(kept, log)} AND revision = 1"
    with altered(kept, f"UPDATE rescind.change SET reason = 'x' WHERE {of}"):
        found = faults(kept)
        assert {name: each.kind for name, each in found.items()} == dict.fromkeys(
            ("Q1", "Q2"), Kind.LOG_DIFFERS
        )
        assert f"revision 1 of {log}: " in found["Q1"].detail
        monkeypatch.setattr(verify, "Walk", Trusting)
        assert not faults(kept)


@pytest.mark.parametrize("log", ["acme", "*"])
def test_a_log_that_was_made_anew_is_found_without_a_head(
    kept: Authority, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits a change before the review, and has the rest chained again: the log fits then, but it is
    not the one that the review was started on. Control: without that comparison it is not found.
    """
    o = number_of(kept, log)
    forged = [
        f"UPDATE rescind.change SET reason = 'x' WHERE organization = {o} AND revision = 1",
        f"UPDATE rescind.change SET digest = NULL WHERE organization = {o}",
    ]
    with altered(kept, *forged):
        assert chain_all(kept.store)
        assert all(each.fits for each in kept.verify_log(organization=log))
        assert set(kinds(kept).values()) == {Kind.LOG_DIFFERS}
        monkeypatch.setattr(review_verify.ReviewsProof, "require_digest", lambda *_: None)
        assert not faults(kept)


def test_a_log_without_digests_when_the_review_was_started(kept: Authority) -> None:
    """Of an older version: the review is not bound to it, and that is said."""
    null = "UPDATE rescind.change SET digest = NULL"
    with altered(kept, f"{null} WHERE organization = {number_of(kept)}"):
        kept.start_review("Q4")
        chain_all(kept.store)
        assert kinds(kept) == {"Q4": Kind.UNCHAINED}


def test_the_change_that_applied_decisions_is_that_of_the_action(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody rewrites it, and has the log chained again. Control: without the comparison it fits."""
    (found,) = kept.verify_reviews("Q1")
    at = f"organization = {number_of(kept)} AND revision"
    revision = found.applied[0].revision
    forged = [
        f"UPDATE rescind.change SET reason = 'x' WHERE {at} = {revision}",
        f"UPDATE rescind.change SET digest = NULL WHERE {at} >= {revision}",
    ]
    with altered(kept, *forged):
        chain_all(kept.store)
        assert kinds(kept)["Q1"] is Kind.APPLICATION_DIFFERS
        monkeypatch.setattr(review_verify.ReviewsProof, "require_change", lambda *_: None)
        assert "Q1" not in kinds(kept)


def swapped(authority: Authority) -> list[str]:
    """Two organizations, each with the name of the other."""
    acme, other = number_of(authority), number_of(authority, "other")
    named = "UPDATE rescind.organization SET slug = '{}' WHERE id = {}"
    names = ("between", acme), ("acme", other), ("other", acme)
    return [named.format(*each) for each in names]


def test_an_organization_under_another_name_is_found_by_a_head(kept: Authority) -> None:
    """Whoever gives two organizations each other's names shows the one's reviews as the other's. A head has
    the number and the name, so it finds that; also if the one that has the name now has no head, where its
    own head would be compared with nothing. Control: without heads all fits.
    """
    heads = [head for head in kept.log_heads() if head.organization in ("acme", "other")]
    run(kept, *swapped(kept))
    try:
        (found,) = kept.verify_reviews()
        assert (found.review, found.fits) == ("Q1", True)
        for some in (heads, [head for head in heads if head.organization == "acme"]):
            (found,) = kept.verify_reviews(heads=some)
            assert found.fault is not None
            assert found.fault.kind is Kind.LOG_DIFFERS
    finally:
        run(kept, *swapped(kept))


def test_heads_of_other_logs_alone_are_refused(kept: Authority) -> None:
    """Nothing would be compared with them, nor with none."""
    with pytest.raises(InvalidArgument, match="rest on"):
        kept.verify_reviews(heads=[h for h in kept.log_heads() if h.organization == "other"])
    for none in ([], KeptHeads()):
        with pytest.raises(InvalidArgument, match="none with a digest"):
            kept.verify_reviews(heads=none)
        with pytest.raises(InvalidArgument, match="none with a digest"):
            list(kept.verify_log(heads=none))


# --- snapshots --------------------------------------------------------------------------------------


def forge_snapshot(authority: Authority, o: int) -> None:
    """Let Ada be deactivated in it, with the digest of that."""
    ((body, revision),) = run(
        authority, f"SELECT body, revision FROM rescind.snapshot WHERE organization = {o}"
    )
    state = organization_from_bytes(bytes(body))
    was = state.memberships["user:ada"]
    state.memberships["user:ada"] = Membership(False, "Ada", was.since, was.changed)
    run(authority, f"DELETE FROM rescind.snapshot WHERE organization = {o}")
    snapshots.keep(authority.store, model.OrganizationNumber(o), state, source="replay")
    assert state.revision == revision


def test_a_snapshot_that_was_altered_is_found(
    kept: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export begins with it, so it would show other lines. Control: without the replay it is not found."""
    with altered(kept):
        forge_snapshot(kept, number_of(kept))
        assert not line_of(kept, "user:ada", "writer").is_active
        assert all(each.fits for each in kept.verify_log())
        found = faults(kept)  # Q2 has no line of Ada's
        assert {name: each.kind for name, each in found.items()} == {"Q1": Kind.LINES_DIFFER}
        assert "by the snapshot user:ada, deactivated has writer" in found["Q1"].detail
        monkeypatch.setattr(review_verify.ReviewsProof, "compare_lines", lambda *_: None)
        assert not faults(kept)


def pruned(own: Authority) -> None:
    """Two reviews, and the log pruned between them: it begins after revision 2."""
    own.apply(WORLD)
    own.start_review("early")
    own.apply([STRANGER])
    long_ago = model.microseconds(datetime.now(UTC) - timedelta(days=90))
    own.apply([changes.RemoveMembers(group="staff", members=("user:cyd",))])
    write_events(own, model.organization_id("acme"))
    run(
        own,
        f"UPDATE rescind.change SET recorded_at = {long_ago}, settled_at = 1, digest = NULL",
    )
    chain_all(own.store)
    own.start_review("late")
    assert own.prune_log(3, actor="ops").is_done


def test_a_pruned_log(new_database: Callable[[str], str]) -> None:
    """Its snapshot is proven by the log of service actions. What is of before it cannot be worked out."""
    with Authority.open(new_database("sqlite"), organization="acme") as own:
        pruned(own)
        found = {each.review: each for each in own.verify_reviews()}
        assert found["early"].fault is not None
        assert found["early"].fault.kind in (Kind.PRUNED, Kind.LOG_DIFFERS)
        assert found["late"].fits
        forge_snapshot(own, number_of(own))
        (late,) = own.verify_reviews("late")
        assert late.fault is not None
        assert late.fault.kind is Kind.LINES_DIFFER
        assert "acme at revision 2, behind which the log was pruned" in late.fault.detail
        run(own, "UPDATE rescind.action SET detail = '{\"up_to\": 2}' WHERE kind = 'log_pruned'")
        chain_actions_anew(own)  # as an earlier version logged it
        (late,) = own.verify_reviews("late")
        assert late.fault is not None
        assert late.fault.kind is Kind.UNPROVEN


def put_back(authority: Authority, revision: int, reason: str) -> None:
    """A change that was pruned, in the log again: nothing proves what is before its start."""
    o = number_of(authority)
    names = [row[1] for row in run(authority, "PRAGMA table_info(rescind_change)")]
    start = f"SELECT digest FROM rescind.log_start WHERE revision = {revision}"
    other = {"revision": str(revision), "reason": f"'{reason}'", "digest": f"({start})"}
    values = ", ".join(other.get(name, name) for name in names)
    of = f"organization = {o} AND revision = 3"
    copy = f"INSERT INTO rescind.change SELECT {values} FROM rescind.change WHERE {of}"
    run(authority, copy)


def test_an_older_snapshot_does_not_take_the_place_of_the_proven_one(
    new_database: Callable[[str], str],
) -> None:
    """The one that was logged is made unreadable, and keeps its digest. An older one is put in, and the
    change between them. An export begins with it, and so would the proof: the export has other lines here.
    """
    with Authority.open(new_database("sqlite"), organization="acme") as own:
        pruned(own)
        heads = list(own.log_heads())
        assert own.verify_reviews("late", heads=heads)[0].fits
        ((body,),) = run(own, "SELECT body FROM rescind.snapshot")
        state = organization_from_bytes(bytes(body))
        was, state.revision = state.memberships["user:ada"], state.revision - 1
        state.memberships["user:ada"] = Membership(False, "Ada", was.since, was.changed)
        o = model.OrganizationNumber(number_of(own))
        snapshots.keep(own.store, o, state, source="replay")
        run(own, f"UPDATE rescind.snapshot SET body = X'00' WHERE revision = {state.revision + 1}")
        put_back(own, state.revision + 1, "forged")
        assert not line_of(own, "user:ada", "writer", "late").is_active
        assert all(each.fits for each in own.verify_log(heads=heads))
        (late,) = own.verify_reviews("late", heads=heads)
        assert late.fault is not None
        assert late.fault.kind is Kind.LINES_DIFFER


def test_a_line_tells_nothing_that_stands_before_the_log_begins(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever puts a pruned change back could say who gave a role, and why; no digest proves that. Control:
    where it is not known when the log begins, a line says so.
    """
    with Authority.open(new_database("sqlite"), organization="acme") as own:
        pruned(own)
        put_back(own, 1, "forged")
        assert own.verify_reviews("late")[0].fits
        assert "forged" not in [line.reason for line in own.review_lines("late")]
        given = [line.given_by for line in own.review_lines("late")]
        assert given
        assert given == [None] * len(given)
        monkeypatch.setattr(reviews, "log_start", lambda *_: None)
        assert "forged" in [line.reason for line in own.review_lines("late")]


# --- decisions --------------------------------------------------------------------------------------


def applied(authority: Authority, review: str = "Q1") -> list[tuple[int, int, int, bool]]:
    (found,) = authority.verify_reviews(review)
    assert found.fits
    return [(a.revoked, a.kept, a.stale, a.revision is not None) for a in found.applied]


def test_decisions_that_revoke_nothing_are_logged_once(acme: Authority) -> None:
    """To keep is a decision too; and another one about the same lines is another."""
    acme.start_review("Q1")
    line = line_of(acme, "user:bob", "reader").line
    kept = [LineDecision(line, KEEP)]
    acme.apply_review("Q1", kept, dry_run=True)
    assert applied(acme) == []
    for _ in range(2):
        assert acme.apply_review("Q1", kept).receipt is None
    assert applied(acme) == [(0, 1, 0, False)]
    acme.apply_review("Q1", [LineDecision(line, KEEP, "asked her")])
    assert applied(acme) == [(0, 1, 0, False)] * 2


def test_decisions_that_are_applied_again(acme: Authority) -> None:
    """Are logged once; with other lines to keep they are others, and name the change that revoked."""
    acme.start_review("Q1")
    first = LineDecision(line_of(acme, "user:ada", "writer").line, REVOKE)
    other = LineDecision(line_of(acme, "user:bob", "reader").line, KEEP)
    for decided in ([first], [first], [first, other], [other, first]):
        acme.apply_review("Q1", decided)
    assert applied(acme) == [(1, 0, 0, True), (1, 1, 0, True)]
    revisions = {each.revision for each in acme.verify_reviews("Q1")[0].applied}
    assert len(revisions) == 1


def test_lines_that_do_not_apply_are_counted(acme: Authority) -> None:
    acme.start_review("Q1")
    line = line_of(acme, "user:ada", "writer").line
    acme.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
    acme.apply_review("Q1", [LineDecision(line, REVOKE)])
    assert applied(acme) == [(0, 0, 1, False)]


def test_what_is_refused_is_not_logged(acme: Authority) -> None:
    acme.apply([changes.Assign(role="owner", to="user:cyd")])
    acme.apply([changes.EditRole(role="owner", required=True)])
    acme.start_review("Q1")
    with pytest.raises(BadInput):
        acme.apply_review("Q1", [LineDecision(line_of(acme, "user:cyd", "owner").line, REVOKE)])
    with pytest.raises(BadInput):
        acme.apply_review("Q1", [LineDecision("r0", KEEP)])
    assert applied(acme) == []


def test_nothing_is_started_or_applied_unlogged(acme: Authority) -> None:
    """A change and its action are one transaction: without the one there is not the other."""
    acme.start_review("Q1")
    revoked = [LineDecision(line_of(acme, "user:ada", "writer").line, REVOKE)]
    kept = [LineDecision(line_of(acme, "user:bob", "reader").line, KEEP)]
    revision = list(acme.log())[-1].revision
    with altered(acme, "DELETE FROM rescind.action_head"):
        for decided in (revoked, kept):
            with pytest.raises(LogDamaged):
                acme.apply_review("Q1", decided)
        with pytest.raises(LogDamaged):
            acme.start_review("Q2")
        assert list(acme.log())[-1].revision == revision
        assert acme.check("user:ada", "write", "doc:1")
        with pytest.raises(ReviewNotFound):
            acme.find_review("Q2")
    assert applied(acme) == []


def test_given_decisions_were_applied(kept: Authority) -> None:
    """Those, in any order; not others, nor with other comments."""
    given = decisions(kept)
    assert kept.verify_reviews("Q1", decisions=given[::-1])[0].fits
    other = [given[0]._replace(comment=""), given[1]]
    for wrong in (given[:1], other, []):
        (found,) = kept.verify_reviews("Q1", decisions=wrong)
        assert found.fault == ReviewFault(Kind.NEVER_APPLIED)
    with pytest.raises(InvalidArgument, match="Name the review"):
        kept.verify_reviews(decisions=given)
    with pytest.raises(InvalidArgument, match="LineDecision"):
        kept.verify_reviews("Q1", decisions=["keep"])  # type: ignore[list-item]


def test_the_digest_of_decisions() -> None:
    """Does not depend on order, repetition or place; but on lines, verdicts and comments."""
    one, two = LineDecision("r1", KEEP, "a", "x:1"), LineDecision("r2", REVOKE)
    same = decisions_digest([one, two])
    assert decisions_digest([two, one._replace(at="y:7"), two]) == same
    others = [[one], [one, two._replace(verdict=KEEP)], [one, two._replace(comment="b")], []]
    assert len({same, *map(decisions_digest, others)}) == 5


def test_reviews_of_a_deleted_organization(acme: Authority) -> None:
    """Are verified as its own, also after another took its name."""
    acme.start_review("Q1")
    acme.apply([changes.DeleteOrganization(cascade=True)])
    assert [each.fits for each in acme.verify_reviews()] == [True]
    acme.apply([changes.CreateOrganization()])
    assert acme.verify_reviews() == []
    with pytest.raises(ReviewNotFound):
        acme.verify_reviews("Q1")
    assert [each.fits for each in acme.verify_reviews("Q1", life=1)] == [True]


def test_a_review_that_is_started_meanwhile(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the rows were read, before the actions are: it is not taken for one that was deleted."""
    acme.start_review("Q1")
    logged = review_verify.logged

    def starting(*args: Any) -> Any:
        monkeypatch.setattr(review_verify, "logged", logged)
        acme.start_review("Q2")
        return logged(*args)

    monkeypatch.setattr(review_verify, "logged", starting)
    assert [(each.review, each.fits) for each in acme.verify_reviews()] == [
        ("Q1", True),
        ("Q2", True),
    ]


def test_two_that_start_one_review(acme: Authority) -> None:
    """One does, and one action says so."""
    acme.start_review("Q1")
    with pytest.raises(Exception, match="started already"):
        acme.start_review("Q1")
    name = acme.find_review("Q1").organization
    assert [each.subject for each in acme.actions(organization=name)] == ["Q1"]
    assert acme.verify_reviews()[0].fits


def test_a_review_whose_row_was_deleted_and_made_again(acme: Authority) -> None:
    acme.start_review("Q1")
    o = number_of(acme, acme.find_review("Q1").organization)
    run(acme, f"DELETE FROM rescind.review WHERE organization = {o}")
    acme.start_review("Q1")
    assert kinds(acme) == {"Q1": Kind.STARTED_AGAIN}


def test_an_action_that_cannot_be_read(kept: Authority) -> None:
    """With all digests made again: it is named, and nothing is taken for proven."""
    with altered(kept, f"UPDATE rescind.action SET detail = '[]' WHERE {start_action(kept)}"):
        chain_actions_anew(kept)
        assert kinds(kept) == {"Q1": Kind.ACTIONS_DIFFER}
