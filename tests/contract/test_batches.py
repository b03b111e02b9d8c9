"""A batch: all or nothing, one revision, one effect for each key, one entry in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rescind import Authority, Direction, Missing, Route, changes
from rescind.changes import Change
from rescind.errors import (
    GroupNotFound,
    InvalidArgument,
    InvalidChange,
    KeyReused,
    RevisionUnavailable,
)
from rescind.model import ENVIRONMENT
from rescind.store import open_store
from tests.contract.world import WORLD
from tests.state import dump, may

START = datetime(2030, 1, 1, tzinfo=UTC)
GRANT = changes.Assign(role="owner", to="user:cyd")
REVOKE = changes.Unassign(role="owner", to="user:cyd")
NAME = changes.RenameGroup(group="eng", name="one")
OTHER_NAME = changes.RenameGroup(group="eng", name="two")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(database: str, clock: Clock) -> Iterator[Authority]:
    """An organization with the facts of WORLD, changed by a clock of the test's."""
    with Authority(open_store(database), organization="acme", clock=clock) as authority:
        authority.apply(WORLD)
        yield authority


def test_a_batch_is_one_revision(acme: Authority) -> None:
    """Each change sees those before it, and what cancels out leaves an entry all the same."""
    receipt = acme.apply([GRANT, NAME, REVOKE])
    assert receipt.revision.organization == 2
    assert not may(acme, "user:cyd", "purge")
    assert acme.apply([GRANT]).revision.organization == 3
    assert [entry.revision for entry in acme.log()] == [1, 2, 3]


def test_a_batch_is_all_or_nothing(acme: Authority) -> None:
    """Whichever of its changes is refused, and whatever the reason, nothing of it is there."""
    before = dump(acme)
    good: list[Change] = [GRANT, NAME, changes.CreateGroup(group="new")]
    for place in range(len(good) + 1):
        for bad, error in (
            (changes.RenameGroup(group="nowhere", name="x"), GroupNotFound),
            (changes.DeleteResource(resource="organization"), InvalidChange),
            (changes.EditRole(role="reader", add=("read",), remove=("read",)), InvalidChange),
        ):
            with pytest.raises(error):
                acme.apply([*good[:place], bad, *good[place:]], idempotency_key="k")
    assert dump(acme) == before
    assert acme.apply(good, idempotency_key="k").revision.organization == 2


def test_a_malformed_change_is_named_by_its_place(acme: Authority) -> None:
    """In a batch of many, the error says which one."""
    with pytest.raises(InvalidChange) as caught:
        acme.apply([GRANT, changes.DeleteResource(resource="organization")])
    assert caught.value.facts["number"] == 2


def test_a_key_has_one_effect_and_one_receipt(acme: Authority) -> None:
    """The same call again gives the same receipt, however the facts have changed since."""
    first = acme.apply([NAME], idempotency_key="k", actor="user:root")
    acme.apply([OTHER_NAME])
    again = acme.apply([NAME], idempotency_key="k", actor="user:root")
    assert again == first
    assert (again.changed, again.token, again.enforced_at is None) == (True, first.token, False)
    assert [entry.idempotency_key for entry in acme.log()] == [None, "k", None]
    o = first.revision.incarnation
    assert ("eng", "two") in acme.store.fetch("read_groups", {"o": o})


def test_a_repeated_change_says_when_it_was_enforced(acme: Authority) -> None:
    """As the first receipt and the log do; the reason of its route is left empty, for that is not kept."""
    acme.apply([GRANT])
    first, again = (acme.apply([REVOKE], idempotency_key="k") for _ in range(2))
    later = acme.apply([REVOKE], idempotency_key="k", wait="recorded").enforce()
    assert first.direction is Direction.REVOKES
    assert first.enforced_at == again.enforced_at == later.enforced_at == _logged(acme)
    assert (bool(first.route_reason), again.route_reason) == (True, "")


def test_what_revokes_nothing_is_enforced_when_it_is_recorded(acme: Authority) -> None:
    """So say the first receipt, a repeated one and the log."""
    first, again = (acme.apply([GRANT], idempotency_key="k") for _ in range(2))
    assert first.direction is Direction.GRANTS
    assert first.recorded_at == first.enforced_at == again.enforced_at == _logged(acme)


def _logged(authority: Authority) -> datetime | None:
    return list(authority.log())[-1].enforced_at


def test_without_a_key_the_effect_is_repeated(acme: Authority) -> None:
    """Control: the same call again renames again."""
    first = acme.apply([NAME])
    acme.apply([OTHER_NAME])
    again = acme.apply([NAME])
    assert again.revision.organization == first.revision.organization + 2
    assert ("eng", "one") in acme.store.fetch("read_groups", {"o": first.revision.incarnation})


def test_a_key_of_what_altered_nothing_is_kept_too(acme: Authority) -> None:
    """Its receipt stays unchanged, although the same change would alter something by now."""
    first = acme.apply([REVOKE], idempotency_key="k")
    assert not first.changed
    acme.apply([GRANT])
    again = acme.apply([REVOKE], idempotency_key="k")
    assert again == first
    assert again.revision == first.revision
    assert may(acme, "user:cyd", "purge")


def test_a_key_is_for_one_body(acme: Authority) -> None:
    """Another change under the same key is refused, and does nothing."""
    acme.apply([GRANT], idempotency_key="k")
    before = dump(acme)
    with pytest.raises(KeyReused, match="key k"):
        acme.apply([REVOKE], idempotency_key="k")
    with pytest.raises(KeyReused):
        acme.apply([GRANT, GRANT], idempotency_key="k")
    assert dump(acme) == before


def test_a_refused_change_does_not_use_up_its_key(acme: Authority) -> None:
    """When what it needs is there, the same call is accepted."""
    rename = changes.RenameGroup(group="later", name="Later")
    with pytest.raises(GroupNotFound):
        acme.apply([rename], idempotency_key="k")
    acme.apply([changes.CreateGroup(group="later")])
    assert acme.apply([rename], idempotency_key="k").changed


def test_a_key_belongs_to_one_organization(acme: Authority) -> None:
    """The same key elsewhere is another key; so is the environment's."""
    acme.apply(WORLD, organization="other", idempotency_key="k")
    assert acme.apply([NAME], idempotency_key="k").changed
    define = [changes.DefinePermission(permission="shared")]
    first = acme.apply(define, organization=ENVIRONMENT, idempotency_key="k")
    assert acme.apply(define, organization=ENVIRONMENT, idempotency_key="k") == first


def test_the_environments_changes_do_not_change_a_receipt(acme: Authority) -> None:
    """What all organizations share may have gone on when a change is repeated."""
    first = acme.apply([NAME], idempotency_key="k")
    define = [changes.DefinePermission(permission="shared")]
    acme.apply(define, organization=ENVIRONMENT)
    again = acme.apply([NAME], idempotency_key="k")
    assert again.revision.covers(first.revision)
    assert (again.revision.organization, again.changed) == (first.revision.organization, True)


def test_a_key_is_kept_for_48_hours(timed: Authority, clock: Clock) -> None:
    """Until then it has one effect; afterwards it is forgotten, and free."""
    first = timed.apply([NAME], idempotency_key="k")
    timed.apply([OTHER_NAME])
    clock.now = START + timedelta(hours=48)
    assert timed.apply([NAME], idempotency_key="k") == first
    clock.now += timedelta(microseconds=1)
    again = timed.apply([NAME], idempotency_key="k")
    assert again.revision.organization == first.revision.organization + 2
    assert timed.apply([GRANT], idempotency_key="new").changed


def test_creating_an_organization_again_with_its_key(authority: Authority) -> None:
    """The first change of an organization can be repeated like any other."""
    first = authority.apply(WORLD, idempotency_key="k")
    assert authority.apply(WORLD, idempotency_key="k") == first
    with pytest.raises(KeyReused):
        authority.apply(WORLD[:1], idempotency_key="k")


def test_deleting_an_organization_again_with_its_key(acme: Authority) -> None:
    """The last one too; without its key the organization is not found."""
    delete = [changes.DeleteOrganization(cascade=True)]
    first = acme.apply(delete, idempotency_key="k")
    assert acme.apply(delete, idempotency_key="k") == first
    with pytest.raises(KeyReused):
        acme.apply([changes.DeleteOrganization()], idempotency_key="k")
    assert acme.apply(delete).not_found == (Missing("organization", "acme"),)


def test_preview_writes_nothing(acme: Authority) -> None:
    """It tells what would be granted and revoked, exactly, and that is what then happens."""
    batch = [
        changes.RemoveMembers(group="eng", members=("user:ada",)),
        changes.Assign(role="reader", to="agent:bot", on="doc:2"),
    ]
    before = dump(acme)
    told = acme.preview(batch)
    assert told.granted == (("agent:bot", "read", "doc:2"),)
    assert told.revoked == (
        ("user:ada", "read", "folder:a"),
        ("user:ada", "read", "organization"),
        ("user:ada", "write", "folder:a"),
    )
    assert dump(acme) == before
    assert acme.apply(batch, detail=True).difference == told


def test_the_log_is_complete(timed: Authority, clock: Clock) -> None:
    """Who, why, when, what, which way, how much, and under which key, in order."""
    clock.now += timedelta(seconds=1, microseconds=7)
    timed.apply([GRANT], actor="user:root", reason="on call", idempotency_key="k")
    clock.now += timedelta(days=400)
    timed.apply([REVOKE, NAME], actor="service_account:ci", reason="")
    first, *_ = timed.log()
    assert (first.actor, first.reason, first.recorded_at) == ("unknown", "", START)
    granted, revoked = timed.log(after=1)
    assert (granted.organization, granted.revision) == ("acme", 2)
    assert granted.recorded_at == START + timedelta(seconds=1, microseconds=7)
    assert granted.settled_at == granted.recorded_at
    assert (granted.actor, granted.reason, granted.idempotency_key) == (
        "user:root",
        "on call",
        "k",
    )
    assert (granted.direction, granted.route, granted.fan_out) == (
        Direction.GRANTS,
        Route.INLINE,
        1,
    )
    assert changes.list_from_json(granted.changes) == [GRANT]
    assert (revoked.revision, revoked.direction, revoked.fan_out) == (3, Direction.REVOKES, 1)
    assert revoked.recorded_at == START + timedelta(days=400, seconds=1, microseconds=7)
    assert revoked.actor == "service_account:ci"


def test_the_log_is_read_in_parts(acme: Authority) -> None:
    """After a revision, and so many; more than one page of it is still all of it, in order."""
    with_key: Callable[[int], str] = "k{}".format
    for n in range(5):
        acme.apply([NAME, OTHER_NAME], idempotency_key=with_key(n))
    assert [entry.revision for entry in acme.log(after=2, limit=3)] == [3, 4, 5]
    assert list(acme.log(after=6)) == []
    assert list(acme.log(limit=0)) == []
    assert [entry.revision for entry in acme.log()] == [1, 2, 3, 4, 5, 6]


def test_a_store_that_is_behind_says_so(acme: Authority) -> None:
    """A token of a revision that the store has not, as after a restore, is an error, not an answer."""
    seen, made = acme.check("user:ada", "read").revision, acme.store.seals.revision
    for newer in (
        made(seen.incarnation, seen.organization + 1, seen.environment),
        made(seen.incarnation, seen.organization, seen.environment + 1),
    ):
        for ask in (
            lambda token: acme.check("user:ada", "read", at_least=token),
            lambda token: acme.explain("user:ada", "read", at_least=token),
            lambda token: acme.check_many([("user:ada", "read", None)], at_least=token),
            lambda token: acme.who_can("read", at_least=token),
            lambda token: acme.permissions_of("user:ada", at_least=token),
            lambda token: acme.resources_of("user:ada", "read", at_least=token),
        ):
            with pytest.raises(RevisionUnavailable):
                ask(newer.token())
            assert ask(seen.token())


@pytest.mark.parametrize("text", ["a\0b", "x" * 10_001])
def test_what_cannot_be_kept_is_refused(acme: Authority, text: str) -> None:
    """Actor, reason and key are text that both engines hold as it is."""
    for name in ("actor", "reason", "idempotency_key"):
        with pytest.raises(InvalidArgument):
            acme.apply([GRANT], **{name: text})
    acme.apply([GRANT], actor="ünï", reason='\'; -- "%s" :o ☃\n', idempotency_key="'")
    *_, entry = acme.log()
    assert (entry.actor, entry.reason) == ("ünï", '\'; -- "%s" :o ☃\n')
