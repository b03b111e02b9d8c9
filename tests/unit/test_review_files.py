"""Files of access reviews: what is written is harmless, and what comes back is read as it was meant."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rescind.errors import BadInput
from rescind.model import LineSource, Review, ReviewLine, Verdict
from rescind.transfer.readers import read
from rescind.transfer.review_decisions import Decisions, read_decisions
from rescind.transfer.review_files import COLUMNS, ReviewFormat, written_lines
from rescind.transfer.safe_cells import MOST_CHARACTERS, safe_cell
from rescind.transfer.sheets import Delimiter

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
REVIEW = Review("acme", "Q1", 7, 2, NOON, "cyd")  # type: ignore[arg-type]
LINE = ReviewLine(
    line="raaaaaaaaaaaaaaaaaaaaaaaa",
    subject="user:ada",
    name="Ada",
    is_active=True,
    role="reader",
    resource="organization",
    permissions=("doc:read", "doc:list"),
    is_critical=False,
    source=LineSource.GROUP,
    chain=("eng", "staff"),
    since=NOON,
    given_by="ops",
    reason="joined",
    changed_at=NOON,
    expires_at=None,
    counts=True,
)
OTHER = LINE._replace(line="rbbbbbbbbbbbbbbbbbbbbbbbb", subject="user:bob", name=None)
LINES = {line.line: line for line in (LINE, OTHER)}
FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "−", "﹣")


def written(*lines: ReviewLine, form: ReviewFormat = ReviewFormat.CSV, **how: Any) -> bytes:
    return b"".join(written_lines(REVIEW, lines, form, **how))


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    """The file, as a spreadsheet takes it."""
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(text, delimiter=delimiter))


@given(st.text(max_size=40))
@example("=1+1")
@example(" =1+1")
@example("a;=1+1")
@example("\t=1")
@example("\r\n+1")
@example('"=1')
def test_no_cell_is_a_formula(text: str) -> None:
    """However the file is opened: with commas, with semicolons, cut at bars or at line ends."""
    cell = safe_cell(text)
    assert cell.splitlines() in ([cell], [])
    for delimiter in ",;|\t":
        written_row = io.StringIO()
        csv.writer(written_row).writerow(["x", cell, "y"])
        for part in written_row.getvalue().strip("\r\n").split(delimiter):
            assert not part.lstrip(' "').startswith(FORMULAS) or part.lstrip().startswith('"""')


def test_the_guard_is_needed() -> None:
    """The control: what is written as it stands is a formula."""
    for begin in FORMULAS:
        assert f"{begin}1".startswith(FORMULAS)
        assert safe_cell(f"{begin}1") == f"'{begin}1"
        assert safe_cell(f"a; {begin}1") == f"a; '{begin}1"


def test_hostile_names_come_out_harmless() -> None:
    """One row a line, no control characters, and no cell so long that a spreadsheet cuts it."""
    evil = '=cmd|"/C calc"!A0\r\n\x1b[31m\x00\u202e<script>' + "x" * 10_000
    line = LINE._replace(name=evil, reason=evil * 4, given_by="\ufeff@x", chain=("=1", "+2"))
    content = written(line)
    assert content.count(b"\n") == 2
    assert content.decode().replace("\r\n", "").isprintable()
    (row,) = rows(content)
    assert row["name"].startswith("'=cmd")
    assert row["through"] == "'=1 > +2"
    assert len(row["reason"]) == MOST_CHARACTERS
    assert json.loads(written(line, form=ReviewFormat.NDJSON))["name"] == evil


def test_columns() -> None:
    """The reviewer's come first, the line's id last; the others say who, what, how and since when."""
    (row,) = rows(written(LINE))
    assert list(row) == list(COLUMNS)
    assert (row["decision"], row["comment"], row["line"]) == ("", "", LINE.line)
    assert row["through"] == "eng > staff"
    assert row["revoking"] == "removes user:ada from the group eng"
    assert (row["since"], row["given_by"], row["reason"]) == (
        "2027-01-31T12:00:00Z",
        "ops",
        "joined",
    )
    assert (row["last_used"], row["permissions"]) == ("no data", "doc:read, doc:list")
    marked = written(LINE, has_bom=True, delimiter=Delimiter.SEMICOLON)
    assert marked.startswith("\ufeffdecision;comment;".encode())
    assert not written(LINE, has_header=False).startswith(b"decision")


def decided(tmp_path: Path, content: str | bytes, **how: Any) -> Decisions:
    path = tmp_path / "decisions"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_decisions(read(str(path)), REVIEW, **how)


def filled(content: bytes, *words: str, delimiter: str = ",") -> list[dict[str, str]]:
    found = rows(content, delimiter)
    for row, word in zip(found, words, strict=True):
        row["decision"] = word
    return found


def as_sheet(rows: list[dict[str, str]], columns: list[str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, extrasaction="ignore", restval="x")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff", "sep=,\n"])
def test_as_a_spreadsheet_gives_it_back(tmp_path: Path, delimiter: str, mark: str) -> None:
    """With another delimiter, a byte order mark, columns moved and added, in any case, with blanks."""
    sheet = filled(written(LINE, OTHER), "  Revoke ", "\u00a0")
    columns = ["mine", "line", "COMMENT", "Decision", "role", "subject"]
    named = [
        {
            ("COMMENT" if k == "comment" else "Decision" if k == "decision" else k): v
            for k, v in row.items()
        }
        for row in sheet
    ]
    found = decided(tmp_path, mark.replace(",", delimiter) + as_sheet(named, columns, delimiter))
    assert [(each.line, each.verdict) for each in found.decided] == [(LINE.line, Verdict.REVOKE)]
    assert found.undecided == 1
    found.require_as_shown(LINES)


def test_json_lines(tmp_path: Path) -> None:
    """The other format, filled in."""
    lines = [
        json.loads(text) for text in written(LINE, OTHER, form=ReviewFormat.NDJSON).splitlines()
    ]
    lines[0] |= {"decision": "KEEP", "comment": "needs it"}
    found = decided(tmp_path, "\n".join(map(json.dumps, lines)))
    assert [(each.verdict, each.comment) for each in found.decided] == [(Verdict.KEEP, "needs it")]
    assert found.undecided == 1


@pytest.mark.parametrize(
    ("content", "place", "why"),
    [
        ("line,decision\nr1,remove\n", ":2:decision", "'remove' is no decision"),
        ("line,decision\nr1,keep\nr1,revoke\n", ":3:decision", "decides otherwise"),
        ("line,decision\n,revoke\n", ":2:line", "it is empty"),
        ("line,subject\nr1,user:ada\n", ":1", "there is no column 'decision'"),
        ("decision,subject\nkeep,user:ada\n", ":1", "there is no column 'line'"),
        ("line,decision,decision\nr1,keep,keep\n", ":1:decision", "twice"),
        ("line,decision,review\nr1,keep,Q2\n", ":2:review", "'Q2', not of 'Q1'"),
        ("line,decision,organization\nr1,keep,evil\n", ":2:organization", "'evil', not of 'acme'"),
        ("", ":1", "there is nothing in it"),
        ('{"line": "r1", "decision": 1}', ":1", "it is not text"),
        ('{"line": "r1", "decision": "keep", "decision": "revoke"}', ":1", "twice"),
        ('{"decision": "keep"}', ":1", "there is no field 'line'"),
        ("PK\x03\x04", ":1", "an Excel workbook"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, place: str, why: str) -> None:
    """Are refused with line, column, value and remedy."""
    with pytest.raises(BadInput) as caught:
        decided(tmp_path, content)
    told = str(caught.value)
    assert f"{tmp_path}/decisions{place}," in told
    assert why in told


def test_a_column_that_was_sorted_alone_is_noticed(tmp_path: Path) -> None:
    """Every row shows what the review has of its line, or nothing is taken of the file."""
    sheet = filled(written(LINE, OTHER), "revoke", "keep")
    sheet[0]["subject"], sheet[1]["subject"] = sheet[1]["subject"], sheet[0]["subject"]
    found = decided(tmp_path, as_sheet(sheet, ["line", "decision", "subject"]))
    with pytest.raises(BadInput, match="the first of 2 problems"):
        found.require_as_shown(LINES)
    unshown = decided(tmp_path, as_sheet(sheet, ["line", "decision"]))
    unshown.require_as_shown(LINES)  # the control: without the column it is not seen
    with pytest.raises(BadInput) as caught:
        unshown.require_as_shown({})
    assert "the review has no line" in str(caught.value.problems[0])


def test_what_a_spreadsheet_takes_for_a_number_is_no_mistake(tmp_path: Path) -> None:
    """A role called 007 comes back as 7."""
    line = LINE._replace(role="007")
    sheet = filled(written(line), "keep")
    sheet[0]["role"] = "7"
    found = decided(tmp_path, as_sheet(sheet, ["line", "decision", "role", "subject"]))
    found.require_as_shown({line.line: line})


@pytest.mark.parametrize(
    ("own", "shown"),
    [("1001", "1002"), ("3f2a-11", "9c11-22"), ("2026-q4", "2026-q3"), ("7x", "7"), ("1e3", "1e2")],
)
def test_a_name_that_begins_with_a_digit_is_compared(tmp_path: Path, own: str, shown: str) -> None:
    """A role of a line, and the review itself: another one is refused."""
    line = LINE._replace(role=own)
    sheet = filled(written(line), "revoke")
    sheet[0]["role"] = shown
    found = decided(tmp_path, as_sheet(sheet, ["line", "decision", "role", "subject"]))
    with pytest.raises(BadInput, match="the line's role is"):
        found.require_as_shown({line.line: line})
    review = replace(REVIEW, name=own)
    path = tmp_path / "decisions.csv"
    path.write_bytes(b"".join(written_lines(replace(REVIEW, name=shown), [LINE], ReviewFormat.CSV)))
    with pytest.raises(BadInput, match="it is of the review"):
        read_decisions(read(str(path)), review)


@pytest.mark.parametrize("format", list(ReviewFormat))
@pytest.mark.parametrize("name", ["user:a;-b", "user:a|=b", "user:a\u200bb", "user:-1"])
def test_a_hostile_subject_comes_back(tmp_path: Path, format: ReviewFormat, name: str) -> None:
    """What is exported and filled in is recognized, in each format."""
    line = LINE._replace(subject=name)
    text = b"".join(written_lines(REVIEW, [line], format)).decode("utf-8-sig")
    if format is ReviewFormat.NDJSON:
        text = json.dumps({**json.loads(text), "decision": "keep"})
    else:
        sheet = [{**row, "decision": "keep"} for row in csv.DictReader(io.StringIO(text))]
        text = as_sheet(sheet, list(sheet[0]))
    found = decided(tmp_path, text)
    assert len(found.decided) == 1
    found.require_as_shown({line.line: line})


def test_another_review_of_a_hostile_name(tmp_path: Path) -> None:
    """A name that had to be made harmless is still recognized."""
    review = replace(REVIEW, name="=Q1")
    path = tmp_path / "decisions.csv"
    path.write_bytes(b"".join(written_lines(review, [LINE], ReviewFormat.CSV)))
    assert read_decisions(read(str(path)), review).undecided == 1
