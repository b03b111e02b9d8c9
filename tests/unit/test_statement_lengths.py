"""psycopg remembers how it read the statements that end a change: they are short enough."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from rescind.store.queries import queries, unindented

SENT = unindented(queries("postgres"))
MOST = 4_096
"""Characters of a statement that psycopg remembers: MAX_CACHED_STATEMENT_LENGTH."""
ENDS = ("close_change", "close_keyed_change")


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_change_is_remembered(name: str) -> None:
    """Control: with its indentation, the one of a keyed change is too long."""
    assert len(SENT[name].encode()) <= MOST
    assert len(queries("postgres")["close_keyed_change"].encode()) > MOST


def test_no_text_loses_spaces() -> None:
    """Nothing in quotes has more than one line, and nothing but spaces is gone."""
    for name, sql in queries("postgres").items():
        assert all(a.count("'") % 2 == 0 for a in sql.splitlines()), name
        assert SENT[name].split() == sql.split()
        assert not any(re.match(" ", line) for _, line in pairwise(SENT[name].splitlines()))
