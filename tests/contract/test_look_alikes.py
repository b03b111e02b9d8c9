"""An id that looks like another one: told by whoever adds, deactivates, removes or misses one."""

from __future__ import annotations

import pytest

from rescind import Authority, LookAlike, changes
from rescind.applying import look_alikes
from rescind.changes import Change
from rescind.errors import StoreUnavailable
from tests.probe import Probe

LEAVER, ALIKE = "user:Ada@Acme.Example", "user:ada@acme.example"
NFC, NFD = "München", "Mu\u0308nchen"


@pytest.fixture
def acme(authority: Authority) -> Authority:
    """An organization with one person, who is in one group."""
    authority.apply(
        [
            changes.CreateOrganization(),
            changes.AddMembership(subject=ALIKE),
            changes.CreateGroup(group=NFC),
            changes.AddMembers(group=NFC, members=(ALIKE,)),
        ]
    )
    return authority


def person(name: str, *others: str, missing: bool = False) -> LookAlike:
    return LookAlike("subject", name, others, missing)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changes.AddMembership(subject=LEAVER), person(LEAVER, ALIKE)),
        (changes.RemoveMembership(subject=LEAVER), person(LEAVER, ALIKE, missing=True)),
        (changes.DeactivateMembership(subject=LEAVER), person(LEAVER, ALIKE, missing=True)),
        (
            changes.RemoveMembers(group=NFC, members=(LEAVER,)),
            person(LEAVER, ALIKE, missing=True),
        ),
        (changes.Unassign(role="none", to=LEAVER), person(LEAVER, ALIKE, missing=True)),
        (changes.CreateGroup(group=NFD), LookAlike("group", NFD, (NFC,))),
        (changes.DeleteGroup(group=NFD), LookAlike("group", NFD, (NFC,), is_missing=True)),
        (
            changes.RemoveMembers(group=NFD, members=()),
            LookAlike("group", NFD, (NFC,), is_missing=True),
        ),
        (changes.AddMembership(subject="user:ada@acme.exampl\u00e8"), None),
        (changes.RemoveMembership(subject="user:eve"), None),
        (changes.RemoveMembership(subject=ALIKE), None),
        (changes.RemoveMembers(group=NFC, members=(ALIKE,)), None),
    ],
)
def test_a_look_alike_is_told(acme: Authority, change: Change, told: LookAlike | None) -> None:
    """The receipt names it, and whether the id itself is there; a preview names it before that."""
    assert acme.preview([change]).look_alikes == ((told,) if told else ())
    assert acme.apply([change]).look_alikes == ((told,) if told else ())


@pytest.mark.parametrize(
    "change",
    [changes.DeactivateMembership(subject=LEAVER), changes.RemoveMembership(subject=LEAVER)],
)
def test_of_two_that_are_there_the_other_is_told(acme: Authority, change: Change) -> None:
    """Whoever leaves may be the other one, too."""
    acme.apply([changes.AddMembership(subject=LEAVER)])
    assert acme.apply([change]).look_alikes == (person(LEAVER, ALIKE),)
    assert acme.apply([changes.DeactivateMembership(subject=ALIKE)]).look_alikes == (
        (person(ALIKE, LEAVER),) if isinstance(change, changes.DeactivateMembership) else ()
    )


def test_several_look_alikes_are_told_in_order(acme: Authority) -> None:
    """Also those that are added in the same batch; each once."""
    wide = "user:\uff21da@acme.example"
    told = acme.apply([changes.AddMembership(subject=name) for name in (LEAVER, wide)]).look_alikes
    assert told == (person(LEAVER, ALIKE, wide), person(wide, LEAVER, ALIKE))


def test_a_repeated_key_tells_what_was_not_found_again(acme: Authority) -> None:
    """A leaver's removal that is tried again is no quieter."""
    change = changes.RemoveMembership(subject=LEAVER)
    told = [acme.apply([change], idempotency_key="once").look_alikes for _ in range(2)]
    assert told == [(person(LEAVER, ALIKE, missing=True),)] * 2


def test_a_change_within_the_callers_transaction_tells_too(acme: Authority) -> None:
    """What is not committed yet is looked at as well."""
    with acme.store.connection() as connection:
        acme.apply([changes.AddMembership(subject=LEAVER)], within=connection)
        gone = [changes.RemoveMembership(subject=LEAVER.upper().replace("USER", "user"))]
        told = acme.apply(gone, within=connection).look_alikes
    assert told[0].others == (LEAVER, ALIKE)


def test_a_change_stands_where_look_alikes_cannot_be_read(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are a warning: a committed change does not fail for them."""

    def fails(*_: object) -> None:
        raise StoreUnavailable()

    monkeypatch.setattr("rescind.applying.apply.look_alikes", fails)
    assert acme.apply([changes.RemoveMembership(subject=LEAVER)]).look_alikes == ()


def test_without_the_folding_nothing_is_told(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: what tells them is what ids fold to."""
    monkeypatch.setattr(look_alikes.model, "folded", lambda name: name)
    assert acme.apply([changes.AddMembership(subject=LEAVER)]).look_alikes == ()


def test_changes_that_name_nobody_new_cost_nothing(acme: Authority, probe: Probe) -> None:
    """Members and roles come and go in as many statements as before; a membership in one more."""
    seen: list[str] = []
    probe.before = seen.append
    acme.apply([changes.RemoveMembers(group=NFC, members=(ALIKE,))])
    acme.apply([changes.AddMembers(group=NFC, members=(ALIKE,))])
    assert not [name for name in seen if "look_alikes" in name]
    acme.apply([changes.AddMembership(subject=f"user:{n}") for n in range(50)])
    assert [name for name in seen if "look_alikes" in name] == ["list_membership_look_alikes"]
