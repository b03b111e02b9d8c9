"""Which spellings of an id mean the same: whoever is named, wherever, the organization's rule decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from rescind import Authority, Direction, changes
from rescind.applying import apply as recorder
from rescind.applying import respelling
from rescind.changes import Change
from rescind.decision import check as check_module
from rescind.decision import spelling
from rescind.errors import (
    IdsLookAlike,
    InvalidChange,
    MalformedId,
    OrganizationExists,
    PreconditionFailed,
    RescindError,
)
from rescind.index.facts import Facts
from rescind.model import Difference, IdRule, Reason
from rescind.settings import Settings
from tests.contract.world import WORLD
from tests.state import dump

CASEFOLD, EXACT = IdRule.CASEFOLD, IdRule.EXACT
ADA, SHOUTED = "user:ada@münchen.example", "user:ADA@MU\u0308NCHEN.EXAMPLE"
FACTS: list[Change] = [
    changes.CreateOrganization(id_rule=CASEFOLD),
    changes.DefinePermission(permission="read"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineResourceType(type="doc"),
    changes.CreateResource(resource="doc:1"),
    changes.AddMembership(subject=SHOUTED),
    changes.CreateGroup(group="Eng"),
    changes.CreateGroup(group="STAFF"),
    changes.NestGroup(group="ENG", into="staff"),
    changes.AddMembers(group="eNG", members=("ADA@MÜNCHEN.example",)),
    changes.Assign(role="reader", to="group:Staff"),
]
"""Everybody is named in other spellings than the one that is kept."""


@pytest.fixture
def folding(authority: Authority) -> Authority:
    authority.apply(FACTS)
    return authority


@pytest.fixture
def held(folding: Authority, database: str) -> Iterator[Authority]:
    """The same out of memory."""
    with Authority.open(database, organization="acme", index=True) as opened:
        assert opened.load()
        yield opened


def answers(authority: Authority, subject: str, organization: str = "acme") -> set[bool]:
    """What all decision points say of a subject."""
    of: dict[str, Any] = {"organization": organization}
    asked = [(subject, "read", "doc:1"), ("user:nobody", "read", None), (subject, "read", None)]
    many = authority.check_many(asked, **of), authority.check_many(asked, assurance="live", **of)
    assert not any(decisions[1] for decisions in many)
    explained = authority.explain(subject, "read", "doc:1", **of)
    assert bool(explained.explanation.chains) is bool(explained)  # type: ignore[union-attr]
    return {
        bool(authority.check(subject, "read", "doc:1", **of)),
        bool(authority.check(subject, "read", "doc:1", assurance="live", **of)),
        bool(authority.check(subject, "read", explain=True, **of)),
        bool(explained),
        *(bool(decision) for decisions in many for decision in decisions[::2]),
        bool(authority.permissions_of(subject, **of).items),
        bool(authority.permissions_of(subject, assurance="live", **of).items),
        bool(authority.resources_of(subject, "read", **of).items),
    }


@pytest.mark.parametrize("subject", [ADA, SHOUTED, SHOUTED.removeprefix("user:")])
def test_every_decision_point_takes_every_spelling(
    folding: Authority, held: Authority, subject: str
) -> None:
    """Out of the store and out of memory; what is listed is the one that is kept."""
    for authority in (folding, held):
        assert answers(authority, subject) == {True}
        assert authority.who_can("read").items == (ADA,)
        assert authority.explain(subject, "read").explanation.chains[0].subject == ADA  # type: ignore[union-attr]


def test_listings_take_every_spelling(folding: Authority) -> None:
    """Of groups, members, assignments, and what a group gives; and nobody is called misspelt."""
    assert [each.group for each in folding.list_groups(SHOUTED).items] == ["eng"]
    assert [each.member for each in folding.list_members("ENG").items] == [ADA]
    assert folding.list_assignments(holder="group:STAFF").items
    assert folding.permissions_of("group:STAFF").items == ("read",)
    assert folding.unknown_names(subject=SHOUTED) == ()


def test_another_spelling_under_the_exact_rule_is_somebody_else(
    authority: Authority, database: str
) -> None:
    """Control: nothing but the rule makes them the same."""
    authority.apply([changes.CreateOrganization(), *FACTS[1:5]])
    authority.apply([changes.AddMembership(subject=ADA)])
    authority.apply([changes.Assign(role="reader", to=ADA)])
    with Authority.open(database, organization="acme", index=True) as held:
        held.load()
        for asked in (authority, held):
            assert answers(asked, ADA) == {True}
            assert answers(asked, SHOUTED) == {False}


def test_without_respelling_a_check_knows_nobody(
    folding: Authority, held: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the store's checks, and memory's, take another spelling by these."""
    for module in (check_module, spelling):
        monkeypatch.setattr(module, "folds_ids", lambda *_, **__: False)
    assert folding.check(SHOUTED, "read").reason is Reason.UNKNOWN_SUBJECT
    assert held.check(SHOUTED, "read")
    monkeypatch.setattr(Facts, "spelled", lambda _, subject: subject)
    assert held.check(SHOUTED, "read").reason is Reason.UNKNOWN_SUBJECT


def test_what_is_malformed_stays_so(folding: Authority, held: Authority) -> None:
    """A kind is no part of the name that folds; nor is a name valid for folding to a valid one."""
    for authority in (folding, held):
        for malformed in ("USER:ada@münchen.example", f"{ADA} ", "user:" + "\u1e9e" * 251):
            with pytest.raises(MalformedId):
                authority.check(malformed, "read")
            with pytest.raises(MalformedId):
                authority.apply([changes.AddMembership(subject=malformed)])


REMOVALS: list[Change] = [
    changes.RemoveMembership(subject=SHOUTED),
    changes.DeactivateMembership(subject=SHOUTED),
    changes.RemoveMembers(group="ENG", members=(SHOUTED,)),
    changes.ReplaceMembers(group="ENG", members=()),
    changes.UnnestGroup(group="ENG", out_of="Staff"),
    changes.Unassign(role="reader", to="group:STAFF"),
    changes.ReplaceAssignments(to="group:STAFF", assignments=()),
    changes.DeleteGroup(group="ENG", cascade=True),
]


def test_a_leaver_leaves_by_any_spelling(folding: Authority, held: Authority) -> None:
    """What takes away finds whom it names: nobody stays in by another spelling."""
    for number, change in enumerate(REMOVALS):
        name = f"org-{number}"
        folding.apply(FACTS, organization=name)
        assert held.load(name)
        assert held.check(ADA, "read", organization=name)
        receipt = folding.apply([change], organization=name)
        assert receipt.changed
        assert not receipt.not_found
        assert receipt.direction is Direction.REVOKES
        for authority in (folding, held):
            for subject in (ADA, SHOUTED):
                assert answers(authority, subject, name) == {False}


def test_without_the_rule_a_leaver_stays(
    folding: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the batch is spelled by the rule, or it misses whom it means."""
    monkeypatch.setattr(recorder, "spelled_entry", lambda _, batch, entry: (batch, entry))
    for change in REMOVALS:
        with suppress(RescindError):
            folding.apply([change])
        assert folding.check(ADA, "read")


def test_the_log_and_the_key_keep_what_they_promise(folding: Authority) -> None:
    """The log has the ids that are kept; a repeated request is known by what it said."""
    batch = [changes.AddMembership(subject="Bob"), changes.Assign(role="reader", to="BOB")]
    first = folding.apply(batch, idempotency_key="once")
    assert folding.apply(batch, idempotency_key="once") == first
    *_, entry = folding.log()
    assert json.loads(entry.changes) == [
        {"change": "add_membership", "subject": "bob", "name": None},
        {"change": "assign", "role": "reader", "to": "bob", "on": None, "expires_at": None},
    ]


def test_a_new_organization_has_the_rule_of_the_settings(database: str) -> None:
    """Unless its creation says another; the log says which, so that it is the same when replayed."""
    settings = Settings(id_rule=CASEFOLD)
    with Authority.open(database, settings=settings) as authority:
        authority.apply([changes.CreateOrganization()], organization="folds")
        authority.apply([changes.CreateOrganization(id_rule=EXACT)], organization="exact")
        for name, allowed in (("folds", {True}), ("exact", {False})):
            authority.apply([*FACTS[1:5], changes.AddMembership(subject=ADA)], organization=name)
            authority.apply([changes.Assign(role="reader", to=ADA)], organization=name)
            assert {bool(authority.check(SHOUTED, "read", organization=name))} == allowed
        (entry, *_) = authority.log(organization="folds")
        assert json.loads(entry.changes) == [
            {"change": "create_organization", "name": None, "id_rule": "casefold"}
        ]
        with pytest.raises(OrganizationExists):
            authority.apply([changes.CreateOrganization(id_rule=CASEFOLD)], organization="exact")
        assert not authority.apply(
            [changes.CreateOrganization(id_rule=CASEFOLD)], organization="folds"
        ).changed


SPELLED: list[Change] = [
    *WORLD,
    changes.AddMembership(subject="user:Eve"),
    changes.CreateGroup(group="Ops"),
    changes.NestGroup(group="Ops", into="staff"),
    changes.AddMembers(group="Ops", members=("user:Eve",)),
    changes.Assign(role="writer", to="user:Eve", on="doc:2"),
    changes.AddMembership(subject="user:ｆrank"),
]


def test_set_id_rule_spells_what_there_is_anew(authority: Authority, database: str) -> None:
    """All keep what they have, under the canonical id; other spellings mean the same from then on."""
    authority.apply(SPELLED)
    with Authority.open(database, organization="acme", index=True) as held:
        held.load()
        before = authority.check("user:Eve", "write", "doc:2")
        assert before
        assert not authority.check("user:eve", "read")
        preview = authority.preview([changes.SetIdRule(rule=CASEFOLD)])
        assert not preview.granted
        assert not preview.revoked
        receipt = authority.apply([changes.SetIdRule(rule=CASEFOLD)])
        assert receipt.changed
        assert receipt.direction is Direction.GRANTS
        for asked in (authority, held):
            for name in ("user:Eve", "user:eve", "user:EVE"):
                token = receipt.token
                assert asked.check(name, "write", "doc:2", at_least=token)
                assert asked.check(name, "read", at_least=token)
            assert "user:eve" in asked.who_can("read", at_least=receipt.token).items
        assert not authority.apply([changes.SetIdRule(rule=CASEFOLD)]).changed
        back = authority.apply([changes.SetIdRule(rule=EXACT)])
        assert back.changed
        assert back.direction is Direction.REVOKES
        for asked in (authority, held):
            assert asked.check("user:eve", "read")
            assert not asked.check("user:Eve", "read")


def test_look_alikes_are_listed_and_nothing_is_changed(authority: Authority) -> None:
    """Two people who would be one are refused, all of them named; so are groups."""
    authority.apply(
        [
            changes.CreateOrganization(),
            *(changes.AddMembership(subject=name) for name in ("Ada", "ada", "ADA", "Bob", "ｂob")),
            *(changes.CreateGroup(group=name) for name in ("Eng", "ENG", "ops")),
        ]
    )
    before = dump(authority)
    with pytest.raises(IdsLookAlike, match="Eng") as refused:
        authority.apply([changes.SetIdRule(rule=CASEFOLD)])
    assert str(refused.value.facts["ids"]) == "ENG and Eng; user:ADA and user:Ada and user:ada"
    assert dump(authority) == before


@pytest.mark.parametrize(("pairs", "more"), [(2, ""), (3, "; and 1 more")])
def test_of_many_look_alikes_the_first_are_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, pairs: int, more: str
) -> None:
    """And how many more there are, if any."""
    monkeypatch.setattr(respelling, "MOST_SHOWN", 2)
    names = [name for number in range(pairs) for name in (f"N{number}", f"n{number}")]
    added = [changes.AddMembership(subject=f"user:{name}") for name in names]
    authority.apply([changes.CreateOrganization(), *added])
    with pytest.raises(IdsLookAlike) as refused:
        authority.apply([changes.SetIdRule(rule=CASEFOLD)])
    shown = "user:N0 and user:n0; user:N1 and user:n1"
    assert str(refused.value.facts["ids"]) == shown + more


def test_who_comes_while_the_rule_is_set_is_spelled_too(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are read before the lock. Where another came since, they are read again.

    Control: without the look at the revision it would be left as it was, and out of reach.
    """
    for guarded in (True, False):
        name = f"org-{guarded}"
        authority.apply([changes.CreateOrganization()], organization=name)
        real = recorder.read_respelling
        came: list[str] = []

        def meanwhile(*given: object) -> object:
            found = real(*given)  # type: ignore[arg-type]  # noqa: B023
            if not came and found is not None:  # noqa: B023
                came.append("Eve")  # noqa: B023
                other = [changes.AddMembership(subject="Eve")]
                authority.apply(other, organization=name)  # noqa: B023
                if not guarded:  # noqa: B023
                    ((_, now, _),) = authority.store.fetch(
                        "read_revision",
                        {"o": given[1].organization},  # type: ignore[attr-defined]
                    )
                    object.__setattr__(found, "revision", now)
            return found

        monkeypatch.setattr(recorder, "read_respelling", meanwhile)
        authority.apply([changes.SetIdRule(rule=CASEFOLD)], organization=name)
        monkeypatch.setattr(recorder, "read_respelling", real)
        known = authority.check("eve", "read", organization=name).reason
        assert (known is not Reason.UNKNOWN_SUBJECT) is guarded


def test_a_preview_reads_again_what_came_meanwhile(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked for a revision, so that the organization moved on refuses nothing.

    Control: where one is asked for, it does.
    """
    authority.apply([changes.CreateOrganization()], organization="moving")
    receipt = authority.apply([changes.CreateGroup(group="eng")], organization="moving")
    real = recorder.read_respelling
    came: list[str] = []

    def meanwhile(*given: Any) -> Any:
        found = real(*given)
        if given[2] == sets and not came:
            came.append("Eve")
            authority.apply([changes.AddMembership(subject="Eve")], organization="moving")
        return found

    sets: list[Change] = [changes.SetIdRule(rule=CASEFOLD)]
    monkeypatch.setattr(recorder, "read_respelling", meanwhile)
    assert authority.preview(sets, organization="moving") == Difference((), ())
    assert came == ["Eve"]
    with pytest.raises(PreconditionFailed):
        authority.preview(sets, organization="moving", if_revision=receipt.token)


def test_a_process_that_planned_for_another_rule_plans_again(database: str) -> None:
    """What it remembers of the organization is checked under the lock: no look-alike is made by it."""
    with (
        Authority.open(database, organization="acme") as one,
        Authority.open(database, organization="acme") as other,
    ):
        one.apply([changes.CreateOrganization(), changes.AddMembership(subject="ada")])
        other.apply([changes.SetIdRule(rule=CASEFOLD)])
        assert not one.apply([changes.AddMembership(subject="ADA")]).changed
        other.apply([changes.SetIdRule(rule=EXACT)])
        assert one.apply([changes.AddMembership(subject="ADA")]).changed


def test_a_rule_is_set_by_a_batch_of_its_own(authority: Authority) -> None:
    """What is named before it and after it would mean different people."""
    batch: list[Change] = [changes.SetIdRule(rule=EXACT), changes.AddMembership(subject="ada")]
    with pytest.raises(InvalidChange, match="batch of its own"):
        authority.apply([changes.CreateOrganization(), *batch])


def test_the_exact_rule_asks_nothing_more_of_those_who_are_there(authority: Authority) -> None:
    """A check of somebody who is there, however spelled, is one query; nor does a change cost another."""
    authority.apply([changes.CreateOrganization(), changes.AddMembership(subject="Ada@X")])
    seen: list[str] = []
    real = authority.store.fetch

    def fetch(query: Any, *given: Any, **options: Any) -> object:
        seen.append(str(query))
        return real(query, *given, **options)

    authority.store.fetch = fetch  # type: ignore[method-assign, assignment]
    authority.check("Ada@X", "read")
    authority.check("nobody", "read")
    assert seen == ["check_effective_multiple"] * 2
    authority.check("NOBODY", "read")
    assert seen[2:] == ["check_effective_multiple", "read_id_rule"]
    seen.clear()
    authority.check_many([(f"NOBODY{n}", "read", None) for n in range(50)])
    assert seen == ["read_id_rule"]
