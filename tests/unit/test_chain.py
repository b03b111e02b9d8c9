"""The canonical form of a change in the log, and its digest, worked out by hand."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from rescind.model.log import Content
from rescind.semantics.chain import canonical, chained, digest_of_next, first_digest

VECTOR = Content(
    organization=7,
    revision=1,
    recorded_at=1_700_000_000_000_000,
    granted=2,
    revoked=0,
    estimated=0,
    caused_by=None,
    environment=3,
    actor="Zoë",
    reason="",
    idempotency_key=None,
    direction="grants",
    route="inline",
    body='[{"change":"create_organization"}]',
)
WRITTEN = (
    "7,1,1700000000000000,2,0,0,,3,"
    "4:Zoë,0:,:,6:grants,6:inline,"
    '34:[{"change":"create_organization"}],'
)


def test_the_vector() -> None:
    """By hand: the numbers, then each text after its length in bytes."""
    assert canonical(VECTOR) == WRITTEN.encode()
    first = hashlib.sha256(b"rescind change log 7").digest()
    assert first_digest(7) == first
    digest = hashlib.sha256(first + WRITTEN.encode()).digest()
    assert digest_of_next(None, VECTOR) == digest
    following = VECTOR._replace(revision=2, caused_by=4)
    written = WRITTEN.replace("7,1,", "7,2,", 1).replace(",,3,", ",4,3,")
    assert digest_of_next(digest, following) == hashlib.sha256(digest + written.encode()).digest()


def test_nothing_follows_from_a_change_without_digest() -> None:
    assert chained(None, b"") is None
    assert digest_of_next(None, VECTOR._replace(revision=2)) is None


NUMBERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
HOSTILE = st.text(alphabet=st.one_of(st.sampled_from("0123456789:,'\"\n\ud800é"), st.characters()))
CONTENTS = st.builds(
    Content,
    *[NUMBERS] * 6,
    *[st.none() | NUMBERS] * 2,
    *[HOSTILE] * 2,
    st.none() | HOSTILE,
    *[HOSTILE] * 3,
)


@given(CONTENTS, CONTENTS, st.sampled_from(Content._fields))
def test_two_contents_have_two_forms(one: Content, other: Content, field: str) -> None:
    """Whichever field differs, and however the texts imitate the form."""
    for second in (other, one._replace(**{field: getattr(other, field)})):
        assert (canonical(one) == canonical(second)) == (one == second)


@given(st.lists(HOSTILE, min_size=4, max_size=4), st.integers(0, 3))
def test_text_cannot_move_from_one_field_to_the_next(texts: list[str], at: int) -> None:
    """The same characters, divided between two fields in another way."""
    first = VECTOR._replace(actor=texts[0] + texts[1], reason=texts[2])
    second = VECTOR._replace(actor=texts[0], reason=texts[1] + texts[2])
    assert (canonical(first) == canonical(second)) == (first == second)
