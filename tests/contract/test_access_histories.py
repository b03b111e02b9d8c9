"""The history of access: whom it tells of, its bounds, and its work."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.directory.catching_up import write_events
from rescind.errors import InvalidArgument, OrganizationNotFound, PastUnavailable
from rescind.history.access_history import AccessReplay
from rescind.history.holdings import Asked
from rescind.history.replaying import recorded_changes
from rescind.history.reviews import number_of
from rescind.model import Cause, CauseKind, IdChange, IdRule, OrganizationId
from rescind.semantics.state import EnvironmentState, OrganizationState
from tests.contract.world import WORLD

_names = itertools.count()
START = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Days:
    """A clock that is set by days."""

    def __init__(self) -> None:
        self.day = 0

    def __call__(self) -> datetime:
        return START + self.day * DAY


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def acme(settled: Authority, days: Days) -> Iterator[Authority]:
    """An organization of its own, in the shared database, made on the first day."""
    own = Authority(settled.store, organization=f"acme {next(_names)}", clock=days)
    own.apply(WORLD, actor="ops", reason="set up")
    yield own
    own.enforcer.close()


def do(
    acme: Authority, days: Days, day: int, *batch: Change, organization: str | None = None
) -> None:
    days.day = day
    acme.apply(batch, actor=f"actor {day}", reason=f"day {day}", organization=organization)


def test_history_goes_by_id(acme: Authority, days: Days) -> None:
    """It names the ids that a membership had before and has now, so that nothing of it is missed."""
    do(acme, days, 1, changes.ChangeMembershipId(subject="ada", new_id="ada.l"))
    do(acme, days, 2, changes.ChangeMembershipId(subject="user:ada.l", new_id="user:ada.k"))
    do(acme, days, 3, changes.ChangeMembershipId(subject="bob", new_id="rob"))
    first, last = (
        IdChange(former, new, revision, START + day * DAY)
        for former, new, revision, day in (
            ("user:ada", "user:ada.l", 2, 1),
            ("user:ada.l", "user:ada.k", 3, 2),
        )
    )
    told = {who: acme.access_history(who) for who in ("ada", "ada.l", "ada.k", "eve")}
    assert {who: each.id_changes for who, each in told.items()} == {
        "ada": (first,),
        "ada.l": (first, last),
        "ada.k": (last,),
        "eve": (),
    }
    periods = [told[who].periods for who in ("ada", "ada.l", "ada.k")]
    assert [{p.began.revision for p in each} for each in periods] == [{1}, {2}, {3}]
    everybody = acme.access_history(None, "write", "doc:1")
    assert first in everybody.id_changes
    assert "user:rob" not in {each.new for each in everybody.id_changes}


def test_history_from_before_ids_were_folded(acme: Authority, days: Days) -> None:
    """Asked by the former spelling it is that from before the rule; by any other, that of the id since."""
    do(acme, days, 1, changes.AddMembership(subject="Eve@Acme"))
    do(acme, days, 1, changes.Assign(role="reader", to="user:Eve@Acme"))
    do(acme, days, 2, changes.SetIdRule(rule=IdRule.CASEFOLD))
    before, since = (acme.access_history(who) for who in ("Eve@Acme", "EVE@ACME"))
    respelled = IdChange("user:Eve@Acme", "user:eve@acme", 4, START + 2 * DAY)
    assert before.id_changes == since.id_changes == (respelled,)
    assert [(p.began.revision, p.ended and p.ended.revision) for p in before.periods] == [(3, 4)]
    assert [(p.began.revision, p.ended) for p in since.periods] == [(4, None)]


def test_who_began_and_ended_it(acme: Authority, days: Days) -> None:
    """By whose change, for which reason; what ended because its time had come is nobody's change."""
    do(acme, days, 1, changes.AddMembers(group="eng", members=("bob",), expires_at=START + 3 * DAY))
    do(acme, days, 5, changes.AddMembers(group="eng", members=("bob",)))
    do(acme, days, 7, changes.UnnestGroup(group="eng", out_of="staff"))
    do(acme, days, 8, changes.RemoveMembers(group="eng", members=("bob",)))
    days.day = 9
    write = acme.access_history("bob", "write", "doc:1").periods
    told = [(p.chain, p.began, p.ended) for p in write]
    assert [chain for chain, _, _ in told] == [("eng",), ("eng",)]
    (_, first, expired), (_, second, last) = told
    assert expired is not None
    assert (first.at, first.actor, first.reason) == (START + DAY, "actor 1", "day 1")
    assert (expired.kind, expired.at, expired.actor) == (CauseKind.EXPIRY, START + 3 * DAY, None)
    assert (second.at, second.revision) == (START + 5 * DAY, first.revision + 1)  # type: ignore[operator]
    assert last is not None
    assert (last.kind, last.actor, last.reason) == (CauseKind.CHANGE, "actor 8", "day 8")
    read = acme.access_history("bob", "read").periods
    assert (("eng", "staff"), START + 7 * DAY) in [(p.chain, p.ended.at) for p in read if p.ended]
    assert [p.chain for p in read if p.ended is None] == [("staff",)]


def test_everybody(acme: Authority, days: Days) -> None:
    """Who had a permission on a resource, and when."""
    do(acme, days, 1, changes.AddMembers(group="eng", members=("cyd",)))
    do(acme, days, 2, changes.MoveResource(resource="doc:1", parent="folder:b"))
    do(acme, days, 3, changes.DeactivateMembership(subject="agent:bot"))
    days.day = 4
    found = acme.access_history(None, "write", "doc:1").periods
    told = [(p.subject, p.began.at, p.ended and p.ended.at) for p in found]
    assert told == [
        ("user:ada", START, START + 2 * DAY),
        ("user:cyd", START + DAY, START + 2 * DAY),
        ("agent:bot", START + 2 * DAY, START + 3 * DAY),
    ]


def test_a_part_of_the_time(acme: Authority, days: Days) -> None:
    """What lasted at `since` has its true beginning; nothing after `until` is told."""
    do(acme, days, 2, changes.AddMembers(group="eng", members=("bob",)))
    do(acme, days, 4, changes.RemoveMembers(group="eng", members=("bob",)))
    do(acme, days, 6, changes.AddMembers(group="eng", members=("bob",)))
    days.day = 9
    whole = acme.access_history("bob", "write").periods
    assert len(whole) == 2
    later = acme.access_history("bob", "write", since=START + 3 * DAY).periods
    assert later == whole
    assert acme.access_history("bob", "write", since=START + 5 * DAY).periods == whole[1:]
    until = acme.access_history("bob", "write", until=START + 3 * DAY).periods
    assert [(p.began, p.ended) for p in until] == [(whole[0].began, None)]
    assert acme.access_history("bob", "write", since=START - 9 * DAY).periods == whole


def test_pages(acme: Authority, days: Days) -> None:
    """An answer looks at so many changes; the next goes on, and all of them together are the whole."""
    for day in range(1, 9):
        kind = changes.AddMembers if day % 2 else changes.RemoveMembers
        do(acme, days, day, kind(group="eng", members=("bob",)))
    days.day = 20
    found, after, asked = [], 0, 0
    while after is not None:
        page = acme.access_history("bob", "write", after=after, most_changes=3)
        found += page.periods
        after, asked = page.next_after, asked + 1
    assert tuple(found) == acme.access_history("bob", "write").periods
    assert (len(found), asked) == (4, 3)


def test_roles_of_all_organizations(new_database: Callable[[str], str], days: Days) -> None:
    """An edit of one ends and begins access; the change is that of `*`."""
    with Authority.open(new_database("sqlite"), organization="acme", clock=days) as own:
        define = (changes.DefinePermission(permission="ship"), changes.DefineRole(role="shared"))
        do(own, days, 0, *define, organization="*")
        do(own, days, 1, *WORLD, changes.Assign(role="shared", to="user:cyd"))
        do(own, days, 2, changes.EditRole(role="shared", add=("ship",)), organization="*")
        do(own, days, 3, changes.DeleteRole(role="shared", cascade=True), organization="*")
        days.day = 4
        (period,) = own.access_history("cyd", "ship").periods
        assert period.ended is not None
        assert (period.began.kind, period.ended.kind) == (CauseKind.ENVIRONMENT,) * 2
        assert (period.began.at, period.ended.at) == (START + 2 * DAY, START + 3 * DAY)
        assert (period.began.actor, period.ended.actor) == ("actor 2", "actor 3")


def test_two_lives_of_a_name(acme: Authority, days: Days) -> None:
    """What a deleted organization gave ended with it; another one of its name is another life."""
    do(acme, days, 3, changes.DeleteOrganization(cascade=True))
    days.day = 9
    found = acme.access_history("bob", "read")
    assert [(p.ended.at, p.ended.actor) for p in found.periods if p.ended] == [
        (START + 3 * DAY, "actor 3")
    ]
    assert found.life == (1, START, START + 3 * DAY)
    do(acme, days, 10, *WORLD)
    days.day = 12
    now, then = acme.access_history("bob", "read"), acme.access_history("bob", "read", life=1)
    assert [p.began.at for p in now.periods] == [START + 10 * DAY]
    assert then.periods == found.periods
    assert now.lives == then.lives == (found.life, (2, START + 10 * DAY, None))
    assert acme.access_history("bob", since=START + 5 * DAY, life=1).periods == ()
    with pytest.raises(InvalidArgument, match="life"):
        acme.access_history("bob", life=3)
    with pytest.raises(InvalidArgument, match="defined for all"):
        acme.access_history("bob", organization="*")


def test_a_beginning_that_facts_do_not_tell(acme: Authority, days: Days) -> None:
    """Is looked for in the log before; where that is too long, it is said that it was so before."""
    do(acme, days, 1, changes.DeactivateMembership(subject="user:bob"))
    do(acme, days, 2, changes.ReactivateMembership(subject="user:bob"))
    do(acme, days, 3, changes.EditRole(role="reader", add=("spare",)))
    days.day = 5
    for permission, day in (("read", 2), ("spare", 3)):
        (period,) = acme.access_history("bob", permission, since=START + 4 * DAY).periods
        assert (period.began.at, period.began.actor) == (START + day * DAY, f"actor {day}")
    page = acme.access_history("bob", "read", since=START + 4 * DAY, most_changes=1)
    assert [p.began for p in page.periods] == [Cause(CauseKind.BEFORE, START + 4 * DAY)]
    (period,) = acme.access_history("ada", "write", since=START + 4 * DAY, most_changes=1).periods
    assert (period.began.at, period.began.actor) == (START, "ops")


def test_a_clock_that_is_behind(acme: Authority, days: Days) -> None:
    """The newest change is told, though its writer's clock is ahead of the asker's."""
    do(acme, days, 5, changes.RemoveMembers(group="staff", members=("bob",)))
    days.day = 4
    (period,) = acme.access_history("bob", "read").periods
    assert period.ended is not None
    assert period.ended.actor == "actor 5"


def test_questions_that_cannot_be(acme: Authority) -> None:
    """Are refused."""
    with pytest.raises(InvalidArgument, match="Name a subject"):
        acme.access_history()
    with pytest.raises(InvalidArgument):
        acme.access_history("ada", after=10_000)
    with pytest.raises(OrganizationNotFound):
        acme.access_history("ada", organization="nobody")


def test_times_of_which_nothing_is_known_are_refused(acme: Authority, days: Days) -> None:
    """An empty answer would be taken for "nobody"."""
    do(acme, days, 9, changes.AddMembership(subject="user:new"))
    asked = "user:ada", "write"
    for wrong in (
        {"since": START + 10 * DAY},
        {"since": START + 5 * DAY, "until": START + 4 * DAY},
    ):
        with pytest.raises(InvalidArgument, match=list(wrong)[-1]):
            acme.access_history(*asked, **wrong)
    with pytest.raises(PastUnavailable, match="it was created at"):
        acme.access_history(*asked, until=START - DAY)
    assert not acme.access_history("user:new", until=START + DAY).periods


@pytest.mark.parametrize("since", [None, START + 60 * DAY])
def test_what_began_before_the_log_that_is_kept(
    acme: Authority, days: Days, since: datetime | None
) -> None:
    """Its change was pruned, so neither its time nor its author is known; nor what was before."""
    do(acme, days, 1, changes.AddMembers(group="eng", members=("bob",)))
    do(acme, days, 90, changes.AddMembership(subject="user:new"))
    write_events(acme, next(iter(acme.log())).organization)
    assert acme.prune_log(START + 50 * DAY).recorded_at == START + DAY
    for asked in (("bob", "write", "doc:1"), ("ada", "write"), (None, "write", "doc:1"), ("bob",)):
        periods = acme.access_history(*asked, since=since).periods
        assert periods
        assert {each.began.kind for each in periods} == {CauseKind.BEFORE}
        allowed = {START + DAY, since or START + DAY}
        assert {each.began.at for each in periods} <= allowed
        assert {each.began.actor for each in periods} == {None}
    with pytest.raises(PastUnavailable, match="was pruned"):
        acme.access_history("bob", "write", "doc:1", until=START + DAY / 2)


def looks(acme: Authority, subject: str | None, asked: Asked) -> int:
    """How often it is worked out what somebody holds."""
    name = acme.find_review("Q1").organization
    o = number_of(acme.store, OrganizationId(name))
    replay = AccessReplay(OrganizationState(name), EnvironmentState(), subject, asked, 0)
    for row in recorded_changes(acme.store, o, after=0, up_to=2**63 - 1):
        replay.take(row)
    return replay.looks


def test_work_is_what_concerns_the_question(acme: Authority) -> None:
    """Changes of others, of other groups, roles and resources cost no look at what somebody holds."""
    acme.start_review("Q1")
    asked = [("user:ada", Asked("write", "doc:1")), (None, Asked("purge", "folder:b"))]
    before = [looks(acme, *each) for each in asked]
    for number in range(20):
        acme.apply(
            [
                changes.AddMembership(subject=f"user:{number}"),
                changes.CreateResource(resource=f"note:{number}"),
                changes.AddMembers(group="idle", members=(f"user:{number}",)),
                changes.DefineRole(role=f"other {number}", permissions=("spare",)),
            ]
        )
    after = [looks(acme, *each) for each in asked]
    assert after[0] == before[0]
    assert after[1] - before[1] == 20  # each new member once
    acme.apply([changes.RemoveMembers(group="eng", members=("ada",))])
    assert looks(acme, *asked[0]) == before[0] + 1
