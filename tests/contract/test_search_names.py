"""A search finds the same on every engine: what Python finds in the folded names."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rescind import Authority, changes, model
from rescind.directory import query_values
from rescind.directory.query_values import domain_pattern, search_pattern

SPAN: dict[str, Any] = {"low": -1, "high": 2**31 - 1, "limit": 10_000}
NAMES = (
    "École",
    "ECO",
    "Mu\u0308nchen",
    "Straße 100%",
    "under_score",
    "a!b",
    "Ⅳ",
    "İzmir",
    "ﬁn",
    "",
)
PARTS = (
    *["é", "E", "c", "O", "ß", "SS", "%", "_", "!", "ü", "ü", "İ", "i", "ﬁ", "4", "'"],
    '"',
    "\\",
    " ",
)


def found(authority: Authority, search: str) -> tuple[set[str], set[str]]:
    """The names of organizations, and of the groups of one, that a search finds."""
    ((o,),) = authority.store.fetch("find_organization", {"organization": "acme"})
    text = search_pattern(search)
    organizations = authority.store.fetch(
        "page_organizations_asc", {**SPAN, "search": text, "domains": "[]"}
    )
    groups = authority.store.fetch("page_groups_asc", {**SPAN, "o": o, "g": 0, "search": text})
    return {row[2] for row in organizations}, {row[3] or row[2] for row in groups}


def test_a_search_finds_what_python_finds(authority: Authority) -> None:
    """Exact names, beginnings and parts, of any case and composition; signs of patterns mean themselves."""
    dice = random.Random(9)
    made = [*NAMES, *("".join(dice.choices(PARTS, k=dice.randint(1, 5))) for _ in range(60))]
    names = {name for name in made if name.strip()} | {"acme"}
    authority.apply([changes.CreateOrganization()])
    for number, name in enumerate(sorted(names - {"acme"})):
        authority.apply([changes.CreateOrganization(name=name)], organization=f"o{number}")
    authority.apply(
        [changes.CreateGroup(group=f"g{n}", name=name) for n, name in enumerate(sorted(names))]
    )
    asked = [*names, "éco", "ÉCO", "münchen", "100%", "%", "_", "strasse"]
    asked += ["".join(dice.choices(PARTS, k=dice.randint(1, 3))) for _ in range(40)]
    for search in asked:
        wanted = {name for name in names if model.folded(search) in model.folded(name)}
        assert found(authority, search) == (wanted, wanted), search
    for name in names:
        assert name in found(authority, name)[0]


def test_a_name_is_searched_as_it_is_now(authority: Authority) -> None:
    """After a renaming by the new name; a group without one by its id, also by a changed one."""
    authority.apply(
        [
            changes.CreateOrganization(name="École"),
            changes.CreateGroup(group="Éng"),
            changes.CreateGroup(group="ops", name="Ops"),
        ]
    )
    assert found(authority, "éng")[1] == {"Éng"}
    authority.apply(
        [
            changes.RenameOrganization(name="Lycée"),
            changes.ChangeGroupId(group="Éng", new_id="Équipe"),
            changes.RenameGroup(group="ops", name="Betrieb"),
            changes.ChangeGroupId(group="ops", new_id="run"),
        ]
    )
    assert found(authority, "école") == (set(), set())
    assert found(authority, "LYC")[0] == {"Lycée"}
    assert found(authority, "équipe")[1] == {"Équipe"}
    assert found(authority, "betrieb")[1] == {"Betrieb"}
    assert found(authority, "run")[1] == set()


def test_without_the_folding_an_exact_name_is_missed(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: it is the folding of both that finds it."""
    authority.apply([changes.CreateOrganization(name="École")])
    monkeypatch.setattr(query_values.model, "folded", lambda text: text)
    assert found(authority, "École")[0] == set()


def test_a_domain_is_found_in_any_spelling() -> None:
    """As it is kept: folded, and written as JSON writes it."""
    kept = '{"domains": [{"domain": "\\u00e9cole.example", "state": "pending"}]}'
    for asked in ("École.Example", "ÉCOLE.EXAMPLE", "e\u0301cole.example"):
        assert domain_pattern(asked).strip("%") in kept
    assert domain_pattern('a"b%') == '%"domain": "a\\"b!%"%'
