"""Every hole says what a reader needs to judge it."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/explanation/holes.md").read_text("utf-8")
ITEMS = ("Guarantee", "What happened", "Found", "Closed", "Earlier")
VERSIONS = r"Since \d+\.\d+\.\d+|[Nn]ot released|Before \d+\.\d+\.\d+"


def holes() -> dict[str, str]:
    """Each hole's text by its heading."""
    return {
        part.partition("\n")[0]: re.split(r"^## ", part, flags=re.MULTILINE)[0]
        for part in TEXT.split("\n### ")[1:]
    }


def missing(text: str) -> list[str]:
    """What a hole does not say."""
    first = text.partition("**What happened")[0]
    found = re.findall(r"^- \*\*([A-Z][a-z ]+?)\.?\*\*", text, re.MULTILINE)
    lacks = [item for item in ITEMS if found.count(item) != 1]
    return lacks + ([] if re.search(VERSIONS, " ".join(first.split())) else ["version"])


def test_every_hole_is_whole() -> None:
    """Its guarantee and version, what happened, how it was found and closed, what would have found it."""
    assert len(holes()) >= 24
    assert {title: lacks for title, text in holes().items() if (lacks := missing(text))} == {}


def test_what_is_missing_is_found() -> None:
    """A control: each item that is taken away is named."""
    for text in holes().values():
        for item in ITEMS:
            assert item in missing(text.replace(f"- **{item}", "- **"))
        assert "version" in missing(re.sub(VERSIONS, "", " ".join(text.split("\n"))))
