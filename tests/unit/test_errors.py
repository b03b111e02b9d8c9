"""What errors say, and names of them that are kept for one release."""

from __future__ import annotations

import pytest

from rescind.cli.options import Target
from rescind.errors import InvalidArgument, StoreUnavailable


def test_former_name_of_hint() -> None:
    """`mend` is what `hint` was called in 0.1; it warns."""
    error = StoreUnavailable(path="x")
    with pytest.warns(DeprecationWarning, match="hint"):
        assert error.mend == error.hint


@pytest.mark.parametrize("fact", ["what", "value", "why", "group"])
def test_a_sentence_is_bounded(fact: str) -> None:
    """Whatever a caller wrote into whichever fact: it is cut, so that the hint can still be seen."""
    facts = {"what": "x", fact: "y" * 10_000}
    told = str(InvalidArgument(**facts, hint="use another"))
    assert len(told) < 500
    assert told.endswith("y…. Use another.")


@pytest.mark.parametrize(
    ("database", "shown"),
    [
        ("postgresql://ada:secret@h1:5432,h2:5433/app", "app on h1,h2"),
        ("postgresql:///app?host=/run/db&password=secret", "app on /run/db"),
        ("./rescind.db", "./rescind.db"),
    ],
)
def test_a_database_is_named_alike_everywhere(database: str, shown: str) -> None:
    """By the command line as in errors: hosts without ports, and no password."""
    assert Target(database, None, as_json=False).shown == shown
