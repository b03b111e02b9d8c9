"""Public ids: each of one object, and telling nothing about others."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.directory.ids import PREFIXES, Kind, PublicIds, new_id

numbers = st.integers(-(2**31), 2**31 - 1)
kinds = st.sampled_from(Kind)
IDS = PublicIds("6f1c0b8e5d9a4c2f8b7e1d3a5c9f0e2b")


@given(kinds, st.integers(0, 2**32 - 1), numbers, numbers)
def test_an_id_leads_back(kind: Kind, organization: int, number: int, second: int) -> None:
    """To the numbers it was made of, and for no other kind."""
    found = IDS.of(kind, organization, number, second)
    assert found.startswith(f"{PREFIXES[kind]}_")
    assert IDS.place(kind, found) == (organization, number, second)
    for other in Kind:
        moved = f"{PREFIXES[other]}_{found[-26:]}"
        assert other == kind or IDS.place(other, moved) is None


@given(kinds, st.text())
def test_no_other_text_leads_anywhere(kind: Kind, text: str) -> None:
    """Whatever it is."""
    assert IDS.place(kind, text) is None
    assert IDS.place(kind, f"{PREFIXES[kind]}_{text}") is None


@pytest.mark.parametrize("kind", Kind)
def test_ids_of_another_database_lead_nowhere(kind: Kind) -> None:
    """Nor does one that was made for something without a number."""
    other = PublicIds("another secret")
    assert IDS.place(kind, other.of(kind, 1, 2)) is None
    assert IDS.place(kind, new_id(kind)) is None


def test_neighbours_do_not_look_alike() -> None:
    """The ids of one organization's first groups have no more signs in common than chance has."""
    found = [IDS.of(Kind.GROUP, 1, -number)[-26:] for number in range(1, 200)]
    assert len(set(found)) == len(found)
    alike = [sum(a == b for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(found)]
    assert max(alike) < 10
    assert sum(alike) / len(alike) < 3
