"""Which characters an id may have, and which spellings are the same or look the same."""

from __future__ import annotations

import hashlib
import random
import unicodedata

import pytest

from rescind import model
from rescind.errors import MalformedId
from rescind.model import spelling
from rescind.model.spelling import canonical, folded, may_be_id

ACCEPTED = "0a1ab1239250c596e182a88fc49b77018d7ae6bfcac9c3c1a5664e76c242260d"
"""SHA-256 of which code points may stand in an id; whoever alters it alters whose ids are valid."""
CODES = [
    *range(0x20000),
    *range(0x20000, 0xE0000, 0x3F),
    *range(0xE0000, 0xE1000),
    *range(0xE1000, 0x110000, 0x3F),
]
"""Of the planes that are one block, or empty, some."""


def test_the_characters_of_ids_are_the_same_on_every_python() -> None:
    """Nothing asks the tables of the Python that runs: code points are pinned by a digest.

    Those refused are General_Category C, as far as Unicode 14.0 assigns them.
    """
    accepted = [may_be_id(f"a{chr(code)}b") for code in CODES]
    assert hashlib.sha256(bytes(accepted)).hexdigest() == ACCEPTED
    unassigned = set("".join(spelling.unassigned().findall("".join(map(chr, CODES)))))
    for code, is_accepted in zip(CODES, accepted, strict=True):
        if (character := chr(code)) not in unassigned:
            assert is_accepted is not (unicodedata.category(character)[0] == "C"), hex(code)


@pytest.mark.parametrize(
    "name",
    [
        "می\u200cخواهم",  # Persian: a non-joiner between letters
        "ශ්\u200dරී",  # Sinhala: a joiner after a virama
        "അവന്\u200d",  # Malayalam: a joiner at the end of a word
        "👩\u200d🔬",
        "🏳\ufe0f\u200d🌈",
        "\U0001fae8",  # assigned by Unicode 15.0
        "\u1c89",  # assigned by Unicode 16.0
    ],
)
def test_people_may_write_their_names(name: str) -> None:
    """Joiners where a script or an emoji needs them, and characters that this Python does not know yet."""
    assert model.subject_id(name) == f"user:{name}"
    assert model.group_id(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "a\u200db",
        "\u200dada",
        "ada\u200c",
        "ad\u00ada",
        "a\u202eb",
        "\ufeffada",
        "ada\u3000",
        "\x85ada",
        "a\ufdd0",
        "a\udc80",
        "a\ue000",
        "می\u200c\u200cخواهم",
        "",
        "x" * 256,
    ],
)
def test_what_cannot_be_seen_is_refused(name: str) -> None:
    """Where a joiner joins nothing it would only make a look-alike."""
    with pytest.raises(MalformedId, match="none invisible"):
        model.group_id(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Acme.Example", "ada@acme.example"),
        ("Mu\u0308nchen", "MÜNCHEN"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("İstanbul", "i\u0307stanbul"),
    ],
)
def test_case_and_composition_do_not_tell_spellings_apart(one: str, other: str) -> None:
    """Canonical caseless matches have one canonical spelling, and look alike."""
    assert canonical(one) == canonical(other)
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＤＡ", "ada"),
        ("ada\u00a0lovelace", "Ada  Lovelace"),
        ("ada\u2028lovelace", "ada lovelace"),
        ("می\u200cخواهم", "میخواهم"),
        ("🏳\ufe0f\u200d🌈", "🏳🌈"),
        ("№", "No"),
        ("x²", "x2"),
    ],
)
def test_look_alikes_that_are_different_ids_under_any_rule(one: str, other: str) -> None:
    """Compatibility characters, blanks and what cannot be seen: warned of, never taken as the same."""
    assert canonical(one) != canonical(other)
    assert folded(one) == folded(other)


def test_a_canonical_spelling_is_its_own_and_a_folding_too() -> None:
    """Folding twice is folding once, and folding forgets whatever the canonical spelling forgets."""
    dice = random.Random(13)
    known = [c for c in map(chr, CODES) if unicodedata.category(c)[0] in "LMNPSZC"]
    marked = [c for c in known if c.casefold() != c or unicodedata.normalize("NFKD", c) != c]
    combining = [c for c in known if unicodedata.combining(c)]
    for _ in range(5_000):
        pool = dice.choices((known, marked, combining), k=dice.randint(1, 6))
        text = "".join(map(dice.choice, pool))
        spelled, alike = canonical(text), folded.__wrapped__(text)
        assert canonical(spelled) == spelled, ascii(text)
        assert folded.__wrapped__(alike) == alike, ascii(text)
        assert folded.__wrapped__(spelled) == alike, ascii(text)


def test_what_newer_tables_know_folds_as_on_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Garay capital A (Unicode 16.0) is no small letter's capital here, whoever runs this.

    Control: a Python that has it folds it, where nothing keeps that from happening.
    """

    class Newer(str):
        def casefold(self) -> str:
            return super().casefold().replace("\U00010d50", "\U00010d70")

    def normalize(form: str, text: str) -> str:
        return Newer(real(form, text))  # type: ignore[arg-type]

    real = unicodedata.normalize
    monkeypatch.setattr(spelling.unicodedata, "normalize", normalize)
    assert canonical("Ä\U00010d50") == "ä\U00010d50"
    monkeypatch.setattr(spelling, "unassigned", lambda: spelling.re.compile("(\0)"))
    assert "\U00010d70" in canonical("Ä\U00010d50")


def test_a_subject_is_judged_by_the_same_rule_however_plain_it_is() -> None:
    """Subjects in ASCII are looked at all at once; that gives what the rule says part by part."""
    choose = random.Random(7)
    kinds = ("", "user:", "agent:", "service_account:", "robot:", "group:", "user")
    for _ in range(4_000):
        rest = "".join(choose.choices(" !~a:\x7f\x1f\n\xe9\u200b", k=choose.randrange(5)))
        text = choose.choice(kinds) + "x" * choose.choice((0, 0, 250, 300)) + rest
        kind, colon, name = text.partition(":")
        is_known = not colon or (kind in model.SUBJECT_KINDS and name)
        if 0 < len(text) <= model.MAX_ID_LENGTH and may_be_id(text) and is_known:
            assert model.subject_id(text) == (text if colon else f"user:{text}")
        else:
            with pytest.raises(MalformedId):
                model.subject_id(text)
