"""The page of metrics has every metric of the catalogue, every value of a label, and nothing else."""

from __future__ import annotations

import re

from rescind.insight.metrics.catalogue import CATALOGUE, Metric, Origin
from rescind.instruments.labels import KINDS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text("utf-8")
PLACES = {
    Origin.PROCESSES: "Measured by processes",
    Origin.DATABASE: "Read from the database",
}


def joined(text: str) -> str:
    """A paragraph as one line."""
    return " ".join(text.split())


def described(metric: Metric) -> tuple[str, str, str]:
    """Its type and labels, meaning and question, as the page has them."""
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    kind = metric.type.value.capitalize() + (f" by {labels}." if labels else ".")
    return kind, f"{metric.meaning}.", f"*{metric.question}*"


def test_each_metric_is_described() -> None:
    """In the order of the catalogue, by where it is from; with type, labels, meaning and question."""
    for origin, title in PLACES.items():
        part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        found = {}
        for section in part.split("\n### `")[1:]:
            name, _, rest = section.partition("`\n")
            found[name] = tuple(joined(paragraph) for paragraph in rest.strip().split("\n\n"))
        expected = {each.name: described(each) for each in CATALOGUE if each.origin is origin}
        assert found == expected
        assert [*found] == [*expected]


def test_each_label_has_its_values() -> None:
    """Kinds of changes are those of their own page, by the names that they have there."""
    changes = (ROOT / "docs" / "reference" / "changes.md").read_text("utf-8")
    assert {*KINDS} == {*re.findall(r"^### `(\w+)`$", changes, re.MULTILINE), "batch"}
    rows = re.findall(r"^\| `(\w+)`[^|]* \| (.+) \|$", PAGE, re.MULTILINE)
    listed = {(label, tuple(re.findall(r"`(\w+)`", values))) for label, values in rows}
    expected = {
        (label, ("batch",) if values == KINDS else values)
        for metric in CATALOGUE
        for label, values in metric.labels.items()
    }
    assert listed == expected
