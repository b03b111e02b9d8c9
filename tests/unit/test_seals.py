"""Tokens and cursors: opaque, authenticated, strict, short."""

from __future__ import annotations

import base64
import hmac
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescind.errors import InvalidArgument, InvalidToken
from rescind.model import Revision, Seals

SEALS, OTHERS = Seals("a" * 32), Seals("b" * 32)
ALPHABET = string.ascii_letters + string.digits + "-_"
LARGEST = 2**48 - 1
numbers = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, LARGEST), st.integers(0, LARGEST))
TOKEN = SEALS.revision(7, 40, 3).token()


@given(numbers)
def test_a_token_is_read_again(of: tuple[int, int, int]) -> None:
    """By its own database, and always in the same words, of the same length; by no other database."""
    token = SEALS.revision(*of).token()
    assert (SEALS.parse(token), len(token)) == (Revision(*of), 32)
    assert SEALS.parse(token).token() == Seals("a" * 32).revision(*of).token() == token
    with pytest.raises(InvalidToken):
        OTHERS.parse(token)


@given(st.binary(max_size=1100), st.text(max_size=40))
def test_a_cursor_is_read_again(content: bytes, about: str) -> None:
    """Of the same question only, and as a cursor only."""
    text = SEALS.seal("cursor", content, about)
    assert SEALS.unseal("cursor", text, about) == content
    assert set(text) <= set(ALPHABET)
    for purpose, other in (("cursor", about + "x"), ("page", about)):
        assert SEALS.unseal(purpose, text, other) is None
    with pytest.raises(InvalidToken):
        SEALS.parse(text)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_sign_can_be_another(place: int) -> None:
    """A token has one spelling: with any sign exchanged, it is none."""
    for sign in ALPHABET + "=+/ \n.":
        if sign != TOKEN[place]:
            with pytest.raises(InvalidToken):
                SEALS.parse(TOKEN[:place] + sign + TOKEN[place + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        *(TOKEN + end for end in ("=", "==", " ", "\n", "A", "AAAA", "\0")),
        *("=" + TOKEN, " " + TOKEN, TOKEN[:-1], TOKEN[:-4], TOKEN[:16] + "\n" + TOKEN[16:]),
        *("", "x", "☃", "MS45OS4xLjE", TOKEN.swapcase(), "A" * 32, "A" * 50_000),
        base64.urlsafe_b64encode(b"1.7.40.3").decode().rstrip("="),
    ],
)
def test_what_is_no_token(text: str) -> None:
    """Padded, cut, forged, or of the form of version 0.1; the error says what to do."""
    with pytest.raises(InvalidToken, match=r"or none.*0\.1"):
        SEALS.parse(text)


@pytest.mark.parametrize("value", [None, 1, b"x", ["x"], TOKEN.encode()])
def test_what_is_no_text(value: object) -> None:
    """Is no token either."""
    with pytest.raises(InvalidToken):
        SEALS.parse(value)


def test_a_cursor_has_one_spelling_at_any_length() -> None:
    """Also where the last sign has bits to spare."""
    for size in range(8):
        text = SEALS.seal("cursor", b"x" * size)
        spellings = [text[:-1] + sign for sign in ALPHABET]
        assert [s for s in spellings if SEALS.unseal("cursor", s) is not None] == [text]


def test_tokens_of_neighbours_have_nothing_in_common() -> None:
    """Of organizations and revisions that follow each other: no sign tells which, or how many there are."""
    tokens = [SEALS.revision(o, n, 1).token() for o in range(1, 40) for n in range(1, 40)]
    for place in range(32):
        assert len({token[place] for token in tokens}) == 64
    raw = b"".join(base64.urlsafe_b64decode(token) for token in tokens)
    ones = sum(byte.bit_count() for byte in raw) / (8 * len(raw))
    assert 0.49 < ones < 0.51


def test_a_revision_made_by_hand_has_no_token() -> None:
    """Only its database can make it; one that was sent to another process keeps it."""
    with pytest.raises(InvalidArgument):
        Revision(7, 40, 3).token()
    assert pickle.loads(pickle.dumps(SEALS.revision(7, 40, 3))).token() == TOKEN


def test_control_without_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where tags are not compared, a forged token is a revision."""
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: True)
    assert Seals("a" * 32).parse("A" * 32) != Revision(7, 40, 3)


def test_a_token_asked_for_again_costs_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways: a check in memory with `at_least` looks it up."""
    seals = Seals("c" * 32)
    token = seals.revision(1, 2, 3).token()
    seals.parse(token)
    monkeypatch.setattr(Seals, "tag", None)
    assert seals.parse(token) == seals.revision(1, 2, 3)
