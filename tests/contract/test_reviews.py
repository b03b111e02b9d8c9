"""Access reviews: the same lines each time, and decisions that do what they say, once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.decision_log import LastUsed, Use
from rescind.errors import (
    BadInput,
    GroupNotFound,
    InvalidArgument,
    MalformedId,
    MembershipNotFound,
    OrganizationNotFound,
    PermissionNotFound,
    RescindError,
    ResourceNotFound,
    ReviewExists,
    ReviewNotFound,
    RoleNotFound,
)
from rescind.history import review_run, reviews, revocations
from rescind.model import LineDecision, LineSource, ReviewLine, Verdict
from rescind.store.rows.organizations import READ_REVISION
from rescind.transfer.review_files import ReviewFormat, written_lines
from tests.contract.world import FUTURE, WORLD

_names = itertools.count()
KEEP, REVOKE = Verdict.KEEP, Verdict.REVOKE


@pytest.fixture
def name(settled: Authority) -> str:
    """A review of the shared organization, of its own name."""
    return settled.start_review(f"review {next(_names)}", actor="cyd").name


@pytest.fixture
def acme(settled: Authority) -> Iterator[Authority]:
    """An organization of its own, in the shared database."""
    organization = f"acme {next(_names)}"
    settled.apply(WORLD, organization=organization, actor="ops", reason="set up")
    own = Authority(settled.store, organization=organization)
    yield own
    own.enforcer.close()


def lines_of(authority: Authority, review: str) -> dict[tuple[str, str, str], ReviewLine]:
    """The lines of a review by subject, role and the group that gives them."""
    found = authority.review_lines(review)
    return {(line.subject, line.role, "/".join(line.chain)): line for line in found}


def decide(line: ReviewLine, verdict: Verdict, comment: str = "") -> LineDecision:
    return LineDecision(line.line, verdict, comment, f"at {line.role}")


def test_lines(settled: Authority, name: str) -> None:
    """One for each way to a role: who, what, on what, through what, since when and by whom."""
    lines = lines_of(settled, name)
    assert list(lines) == [
        ("agent:bot", "owner", ""),
        ("user:ada", "writer", "eng"),
        ("user:ada", "reader", "eng/staff"),
        ("user:bob", "reader", "staff"),
        ("user:cyd", "reader", ""),
    ]
    owner, writer = lines["agent:bot", "owner", ""], lines["user:ada", "writer", "eng"]
    assert (owner.source, owner.is_critical, owner.resource) == (
        LineSource.ASSIGNMENT,
        True,
        "folder:b",
    )
    assert (writer.source, writer.is_critical, writer.permissions) == (
        LineSource.GROUP,
        False,
        ("read", "write"),
    )
    assert writer.name == "Ada"
    assert lines["user:cyd", "reader", ""].expires_at == FUTURE
    assert all(
        line.given_by == "unknown" and line.since == line.changed_at for line in lines.values()
    )


def exported(authority: Authority, review: str, after: str | None = None) -> bytes:
    lines = authority.review_lines(review, after=after)
    found = authority.find_review(review)
    pieces = written_lines(found, lines, ReviewFormat.CSV, has_header=after is None)
    return b"".join(pieces)


def test_a_review_stays_what_it_was(acme: Authority) -> None:
    """Whatever changes later, to the byte; with the environment's roles as they were; and can be resumed."""
    acme.start_review("Q1")
    before = exported(acme, "Q1")
    line = next(iter(acme.review_lines("Q1"))).line
    assert before.endswith(exported(acme, "Q1", after=line))
    acme.apply(
        [
            changes.RemoveMembership(subject="user:ada"),
            changes.DeleteGroup(group="staff", cascade=True),
        ]
    )
    acme.apply([changes.RenameMembership(subject="user:cyd", name="Cyd")])
    acme.apply([changes.EditRole(role="owner", add=("spare",))])
    assert exported(acme, "Q1") == before
    acme.start_review("Q2")
    assert exported(acme, "Q2") != before


def test_a_shorter_chain_that_came_later_gave_nothing(acme: Authority) -> None:
    """Who nested a group where it was already is not who gave the access, nor is it since then."""
    acme.apply([changes.CreateGroup(group="all"), changes.NestGroup(group="staff", into="all")])
    given = acme.apply([changes.Assign(role="owner", to="group:all")], actor="dan").revision
    acme.apply([changes.NestGroup(group="eng", into="all")], actor="eve")
    acme.start_review("Q1", subject="ada", role="owner")
    (line,) = acme.review_lines("Q1")
    (entry,) = acme.log(after=given.organization - 1, limit=1)
    assert (line.chain, line.given_by) == (("eng", "all"), "dan")
    assert line.since == entry.recorded_at


def test_reviews_are_found_by_name(acme: Authority) -> None:
    """Once each; what is not well formed is refused."""
    first = acme.start_review("Q1", actor="cyd", role="reader", critical=True)
    with pytest.raises(ReviewExists, match="by cyd"):
        acme.start_review("Q1", actor="dan")
    assert acme.list_reviews() == [first] == [acme.find_review("Q1")]
    assert first.filter.as_object() == {"role": "reader", "critical": True}
    with pytest.raises(ReviewNotFound):
        acme.find_review("Q2")
    for bad in ("", "a/b", "a\nb", " a", "x" * 101):
        with pytest.raises(InvalidArgument):
            acme.start_review(bad)
    with pytest.raises(MalformedId):
        acme.start_review("Q3", subject="robot:x")
    with pytest.raises(OrganizationNotFound):
        acme.start_review("Q3", organization="nobody")
    with pytest.raises(InvalidArgument, match="all organizations"):
        acme.start_review("Q3", organization="*")
    with pytest.raises(InvalidArgument, match="after"):
        acme.review_lines("Q1", after="rnone")
    with pytest.raises(InvalidArgument, match="after"):
        acme.review_lines("Q1", after="")


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ({"subject": "ada"}, {"writer", "reader"}),
        ({"role": "unused"}, set()),
        ({"group": "staff"}, {"reader"}),
        ({"role": "writer"}, {"writer"}),
        ({"permission": "write"}, {"writer", "owner"}),
        ({"critical": True}, {"owner"}),
        ({"resource": "doc:1"}, {"writer", "reader"}),
        ({"resource": "folder:b"}, {"owner", "reader"}),
        ({"resource": "organization"}, {"owner", "reader", "writer"}),
    ],
)
def test_filters(settled: Authority, only: dict[str, object], expected: set[str]) -> None:
    """A review may be about a part: of a resource, what is on it, above it and below it."""
    name = settled.start_review(f"review {next(_names)}", **only).name
    assert {line.role for line in settled.review_lines(name)} == expected
    assert settled.count_review(name).lines == len(list(settled.review_lines(name)))


@pytest.mark.parametrize(
    ("only", "error"),
    [
        ({"subject": "nobody"}, MembershipNotFound),
        ({"group": "staf"}, GroupNotFound),
        ({"role": "raeder"}, RoleNotFound),
        ({"permission": "raed"}, PermissionNotFound),
        ({"resource": "doc:9"}, ResourceNotFound),
    ],
)
def test_a_review_of_what_does_not_exist(
    settled: Authority, only: dict[str, str], error: type[RescindError]
) -> None:
    """Is not started: its emptiness, or what is above a mistyped resource, would look like a proof."""
    name = f"review {next(_names)}"
    with pytest.raises(error):
        settled.start_review(name, **only)
    with pytest.raises(ReviewNotFound):
        settled.find_review(name)


def test_more_reviews_than_one_page(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are listed all."""
    monkeypatch.setattr(reviews, "REVIEWS_AT_ONCE", 2)
    for number in range(5):
        acme.start_review(f"Q{number}")
        assert len(acme.list_reviews()) == number + 1


def test_two_lives_of_a_name(acme: Authority) -> None:
    """A deleted organization's reviews are there, apart from those of another that has its name."""
    acme.start_review("Q1")
    before = exported(acme, "Q1")
    acme.apply([changes.DeleteOrganization(cascade=True)])
    (found,) = acme.list_reviews()
    assert (found.life, found.organization_deleted_at is not None) == (1, True)
    assert exported(acme, "Q1") == before
    assert acme.count_review("Q1").lines == 5
    line = LineDecision(next(iter(acme.review_lines("Q1"))).line, REVOKE)
    for _ in range(2):
        with pytest.raises((OrganizationNotFound, ReviewNotFound)):
            acme.apply_review("Q1", [line])
        acme.apply([changes.CreateOrganization()])
        assert acme.list_reviews() == []
        with pytest.raises(ReviewNotFound):
            acme.review_lines("Q1")
        assert list(acme.review_lines("Q1", life=1))
        acme.apply([changes.DeleteOrganization(cascade=True)])
    with pytest.raises(OrganizationNotFound):
        acme.start_review("Q2")
    with pytest.raises(InvalidArgument, match="life"):
        acme.list_reviews(life=4)


def test_decisions_are_one_batch(acme: Authority) -> None:
    """By the reviewer, for the review's reason; a dry run does nothing; applied again it has one effect."""
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    decisions = [
        decide(lines["user:ada", "writer", "eng"], REVOKE, "left eng"),
        decide(lines["agent:bot", "owner", ""], REVOKE),
        decide(lines["user:bob", "reader", "staff"], KEEP),
    ]
    dry = acme.apply_review("Q1", decisions, actor="cyd", dry_run=True)
    assert acme.check("user:ada", "write", "doc:1")
    assert dry.receipt is None
    done = acme.apply_review("Q1", decisions, actor="cyd", comment="yearly")
    assert (done.difference, done.kept, done.is_complete) == (dry.difference, 1, True)
    assert not acme.check("user:ada", "write", "doc:1")
    assert ("agent:bot", "purge", "folder:b") in done.difference.revoked
    last = list(acme.log())[-1]
    assert (last.actor, last.reason) == ("cyd", "access review Q1: yearly; left eng")
    assert {c["change"] for c in json.loads(last.changes)} == {"remove_members", "unassign"}
    again = acme.apply_review("Q1", list(reversed(decisions)), actor="cyd")
    assert again.is_repeated
    assert again.receipt is not None
    assert again.receipt.revision == done.receipt.revision  # type: ignore[union-attr]
    assert list(acme.log())[-1].revision == last.revision


def test_a_verdict_as_text_counts(acme: Authority) -> None:
    """What says `revoke` is revoked, and what says neither is refused: it is never left out silently."""
    acme.start_review("Q1")
    line = lines_of(acme, "Q1")["user:bob", "reader", "staff"].line
    wrong: Any = ["remove", None, 1]
    for verdict in wrong:
        with pytest.raises(InvalidArgument, match=r"Verdict\.KEEP"):
            acme.apply_review("Q1", [LineDecision(line, verdict)])
    done = acme.apply_review("Q1", [LineDecision(line, "revoke")])  # type: ignore[arg-type]
    assert [each.line for each in done.revoked] == [line]
    assert not acme.check("user:bob", "read")


def test_what_is_lost_beyond_the_intended(acme: Authority) -> None:
    """Taking somebody out of a group takes all that the group gives; what comes another way stays."""
    acme.apply([changes.Assign(role="reader", to="user:ada", on="folder:a")])
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    reader = acme.apply_review(
        "Q1", [decide(lines["user:ada", "reader", "eng/staff"], REVOKE)], dry_run=True
    )
    assert ("user:ada", "write", "folder:a") in reader.beyond
    assert ("user:ada", "read", "organization") in reader.difference.revoked
    own = acme.apply_review("Q1", [decide(lines["user:ada", "reader", ""], REVOKE)], dry_run=True)
    assert own.retained == (("user:ada", "read", "folder:a"),)
    assert not own.difference.revoked
    with pytest.raises(BadInput, match="takes user:ada out of the group eng"):
        acme.apply_review(
            "Q1",
            [
                decide(lines["user:ada", "reader", "eng/staff"], REVOKE),
                decide(lines["user:ada", "writer", "eng"], KEEP),
            ],
        )


def stale_file(acme: Authority) -> list[LineDecision]:
    """Decisions, two of which do not apply any more."""
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    acme.apply([changes.Unassign(role="owner", to="agent:bot", on="folder:b")])
    acme.apply([changes.RemoveMembers(group="eng", members=("user:ada",))])
    acme.apply([changes.AddMembers(group="eng", members=("user:ada",))], actor="dan")
    acme.apply([changes.AddMembers(group="staff", members=("user:bob",), expires_at=FUTURE)])
    return [
        decide(lines["agent:bot", "owner", ""], REVOKE),
        decide(lines["user:ada", "writer", "eng"], REVOKE),
        decide(lines["user:bob", "reader", "staff"], REVOKE),
    ]


def test_facts_that_have_moved(acme: Authority) -> None:
    """What is gone, and what was given anew, is said and left alone; the rest is done."""
    done = acme.apply_review("Q1", stale_file(acme))
    whys = [each.why for each in done.stale]
    assert "is not there any more" in whys[0]
    assert "was given again, at revision" in whys[1]
    assert not done.is_complete
    assert acme.check("user:ada", "write", "doc:1")
    assert not acme.check("user:bob", "read")


def test_what_was_given_anew_needs_the_guard(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the comparison, what a later change gave is taken by an earlier decision."""
    monkeypatch.setattr(revocations, "gone_since", lambda *_: ("", True))
    acme.apply_review("Q1", [each for each in stale_file(acme) if "writer" in each.at])
    assert not acme.check("user:ada", "write", "doc:1")


def test_a_group_that_gives_the_role_no_more(acme: Authority) -> None:
    """Nobody is taken out of a group for a role that the group does not give now."""
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    acme.apply([changes.Unassign(role="writer", to="group:eng", on="folder:a")])
    done = acme.apply_review("Q1", [decide(lines["user:ada", "writer", "eng"], REVOKE)])
    assert [each.why for each in done.stale] == [
        "the group eng does not give writer on folder:a any more"
    ]
    assert done.receipt is None


@pytest.mark.parametrize(
    "rename",
    [
        changes.ChangeMembershipId(subject="user:bob", new_id="user:rob"),
        changes.ChangeGroupId(group="staff", new_id="crew"),
        changes.ChangeMembershipId(subject="user:cyd", new_id="user:syd"),
    ],
)
def test_another_id_does_not_hide_what_was_to_be_revoked(
    acme: Authority, rename: changes.Change
) -> None:
    """It is said under which id it is there, also when the decisions are applied again."""
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    last = (
        lines["user:cyd", "reader", ""]
        if "cyd" in str(rename)
        else lines["user:bob", "reader", "staff"]
    )
    decisions = [decide(lines["agent:bot", "owner", ""], REVOKE), decide(last, REVOKE)]
    acme.apply([rename])
    for is_repeated in (False, True):
        done = acme.apply_review("Q1", decisions)
        assert done.is_repeated is is_repeated
        assert not done.is_complete
        (stale,) = done.stale
        assert "whose id was changed" in stale.why
        assert any(new in stale.why for new in ("user:rob", "crew", "user:syd"))


def test_a_new_member_is_nobody_elses_other_id(acme: Authority) -> None:
    """The control of that: what is gone is gone, whoever came since."""
    acme.start_review("Q1")
    line = lines_of(acme, "Q1")["user:bob", "reader", "staff"]
    acme.apply([changes.RemoveMembership(subject="user:bob")])
    new = changes.AddMembership(subject="user:rob")
    acme.apply([new, changes.AddMembers(group="staff", members=("user:rob",))])
    (stale,) = acme.apply_review("Q1", [decide(line, REVOKE)]).stale
    assert (stale.is_there, "whose id" in stale.why) == (False, False)


def test_given_again_after_it_was_applied(acme: Authority) -> None:
    """Applying the same decisions again takes nothing then, and says so."""
    acme.start_review("Q1")
    decisions = [decide(lines_of(acme, "Q1")["user:bob", "reader", "staff"], REVOKE)]
    acme.apply_review("Q1", decisions)
    acme.apply([changes.AddMembers(group="staff", members=("user:bob",))])
    again = acme.apply_review("Q1", decisions)
    assert (again.is_repeated, again.is_complete) == (True, False)
    assert acme.check("user:bob", "read")


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_key_that_is_forgotten_meanwhile(
    acme: Authority, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    """Between the look whether the decisions were applied and the answer of that: nothing is taken, since no
    line applies. (The key of an old application is deleted after two days.)
    """
    decisions = [each for each in stale_file(acme) if "writer" in each.at]
    monkeypatch.setattr(review_run, "READ_KEYED_OUTCOME", READ_REVISION)
    done = acme.apply_review("Q1", decisions, dry_run=dry_run)
    assert done.is_repeated
    assert done.receipt is None or not done.receipt.changed
    assert acme.check("user:ada", "write", "doc:1")


def test_a_repeated_application_tells_what_is_still_there(acme: Authority) -> None:
    """What did not apply the first time was not revoked."""
    decisions = stale_file(acme)
    acme.apply_review("Q1", decisions)
    again = acme.apply_review("Q1", decisions)
    there = {each.decision.line for each in again.stale}
    assert (again.is_repeated, len(there)) == (True, 1)
    assert there.isdisjoint(each.line for each in again.revoked)


def test_refusals_name_their_lines(acme: Authority) -> None:
    """The last holder of a required role, and lines that are not of the review: nothing is done then."""
    acme.apply([changes.Assign(role="owner", to="user:cyd")])
    acme.apply([changes.EditRole(role="owner", required=True)])
    acme.apply([changes.Assign(role="reader", to="user:bob", on="doc:2")])
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    revision = list(acme.log())[-1].revision
    decisions = [
        decide(lines["user:cyd", "owner", ""], REVOKE),
        decide(lines["user:bob", "reader", ""], REVOKE),
    ]
    with pytest.raises(BadInput, match=r"at owner, .*without an active holder"):
        acme.apply_review("Q1", decisions)
    acme.start_review("Q2")
    with pytest.raises(BadInput, match="the review has no line"):
        acme.apply_review("Q2", decisions[1:])
    assert list(acme.log())[-1].revision == revision


def test_single_role_organizations(acme: Authority) -> None:
    """Which role counts is said; the default role is a line, and nobody can revoke it."""
    acme.apply(
        [
            changes.Assign(role="writer", to="user:ada"),
            changes.SetRoleMode(mode="single"),  # type: ignore[arg-type]
            changes.SetDefaultRole(role="unused"),
        ]
    )
    acme.start_review("Q1")
    lines = lines_of(acme, "Q1")
    counts = {key: line.counts for key, line in lines.items() if key[0] == "user:ada"}
    assert counts == {
        ("user:ada", "writer", ""): True,
        ("user:ada", "writer", "eng"): True,
        ("user:ada", "reader", "eng/staff"): False,
    }
    default = lines["user:cyd", "unused", ""]
    assert default.source is LineSource.DEFAULT_ROLE
    with pytest.raises(BadInput, match="default role"):
        acme.apply_review("Q1", [decide(default, REVOKE)])
    done = acme.apply_review("Q1", [decide(lines["user:ada", "writer", ""], REVOKE)], dry_run=True)
    assert (
        done.difference.granted or ("user:ada", "write", "organization") in done.difference.revoked
    )


def test_the_deactivated_are_reviewed_too(acme: Authority) -> None:
    """What they have is kept for a reactivation: it is listed, and does not count."""
    acme.apply([changes.DeactivateMembership(subject="user:bob")])
    acme.start_review("Q1")
    line = lines_of(acme, "Q1")["user:bob", "reader", "staff"]
    assert (line.is_active, line.counts) == (False, False)
    assert acme.count_review("Q1").inactive == 1


def test_expiry_is_judged_when_the_review_was_started(new_database: Callable[[str], str]) -> None:
    """What had ended then is no line; what ends later stays one."""
    now = [datetime(2030, 1, 1, tzinfo=UTC)]
    with Authority.open(new_database("sqlite"), organization="acme", clock=lambda: now[0]) as own:
        own.apply(WORLD)
        end = now[0] + timedelta(days=1)
        own.apply([changes.Assign(role="owner", to="user:ada", expires_at=end)])
        own.start_review("before")
        now[0] = end
        own.start_review("after")
        now[0] += timedelta(days=99)
        assert ("user:ada", "owner", "") in lines_of(own, "before")
        assert ("user:ada", "owner", "") not in lines_of(own, "after")
        decided = [decide(lines_of(own, "before")["user:ada", "owner", ""], REVOKE)]
        assert "has expired" in own.apply_review("before", decided).stale[0].why


def test_last_use(settled: Authority, name: str) -> None:
    """By a decision log: on the line's resource or below it; otherwise unused, if the log is whole."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    used = LastUsed(
        {
            Use("acme", "user:ada", "write", "doc:1"): at,
            Use("other", "user:bob", "read", "doc:1"): at,
        },
        since=at - timedelta(days=30),
        lines=2,
    )
    told = {(li.subject, li.role): li.last_used for li in settled.review_lines(name, used=used)}
    assert told["user:ada", "writer"] == at.isoformat()
    assert told["user:bob", "reader"] == "not since 2026-04-01"
    used.is_all_logged = False
    told = {(li.subject, li.role): li.last_used for li in settled.review_lines(name, used=used)}
    assert told["user:bob", "reader"] is None


def test_roles_of_all_organizations(new_database: Callable[[str], str]) -> None:
    """Are as they were when the review was started; an edit of one is a change of its lines."""
    with Authority.open(new_database("sqlite"), organization="acme") as own:
        define = [changes.DefinePermission(permission="ship", critical=True)]
        own.apply(
            [*define, changes.DefineRole(role="shared", permissions=("ship",))], organization="*"
        )
        own.apply([*WORLD, changes.Assign(role="shared", to="user:cyd")])
        own.apply([changes.EditRole(role="shared", name="Shared")], organization="*", actor="root")
        own.start_review("Q1")
        own.apply([changes.EditRole(role="shared", set=())], organization="*")
        line = lines_of(own, "Q1")["user:cyd", "shared", ""]
        assert (line.permissions, line.is_critical) == (("ship",), True)
        assert line.since is not None
        assert line.changed_at is not None
        assert line.changed_at > line.since
