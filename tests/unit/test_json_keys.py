"""Keys that are in one object twice are found wherever they are, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.model.json_keys import key_twice

Pairs = list[tuple[str, Any]]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.tuples(texts, inner), max_size=4).map(lambda pairs: ("object", pairs))
    ),
    max_leaves=12,
)


def written(value: Any, is_ascii: bool) -> tuple[str, bool]:
    """The JSON of a value whose objects are lists of pairs, and whether one has a key twice."""
    if isinstance(value, tuple):
        pairs: Pairs = value[1]
        parts = [(json.dumps(key, ensure_ascii=is_ascii), written(v, is_ascii)) for key, v in pairs]
        text = "{" + ", ".join(f"{key} : {inner[0]}" for key, inner in parts) + "}"
        is_twice = len({key for key, _ in pairs}) < len(pairs)
        return text, is_twice or any(inner[1] for _, inner in parts)
    if isinstance(value, list):
        found = [written(each, is_ascii) for each in value]
        return "[" + ",".join(text for text, _ in found) + "]", any(twice for _, twice in found)
    return json.dumps(value, ensure_ascii=is_ascii), False


@given(values, st.booleans())
def test_a_key_is_found_if_it_is_twice(value: Any, is_ascii: bool) -> None:
    """In every JSON that the reader of bodies takes."""
    text, is_twice = written(value, is_ascii)
    assert (key_twice(text) is not None) is is_twice
    assert (key_twice(text.encode()) is not None) is is_twice


@given(st.binary(max_size=12) | st.text('{}[]",:\\u0189aeE.+- \n', max_size=12).map(str.encode))
def test_what_is_read_is_looked_through(text: bytes) -> None:
    """Whatever msgspec takes for JSON is JSON here too: nothing is let through unseen."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    key_twice(text)


@pytest.mark.parametrize("text", ["", "{", '{"a": 1, "b"}', "[1,]", b"\xff", "[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(text: str | bytes) -> None:
    """Never taken for an object without such a key."""
    with pytest.raises(ValueError):  # noqa: PT011
        key_twice(text)


def test_numbers_may_be_long() -> None:
    """They are not made."""
    assert key_twice('{"a": ' + "9" * 10_000 + ', "a": 1}') == "a"
