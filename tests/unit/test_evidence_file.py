"""A file of evidence verifies alone: whatever is altered in it is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidArgument
from rescind.model import Fault, FaultKind, KeptHeads
from rescind.store.migrations import migrate
from rescind.transfer.evidence import evidence
from rescind.transfer.evidence_file import VerifiedFile, verified_file

HOSTILE = "'\"\n\u2028é𝔘,5:" + "x" * 500
NOT_DIGESTED = {"enforced_at", "settled_at", "enforcement", "enforcement_status"}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The evidence of a log of six changes."""
    database = f"sqlite:///{tmp_path_factory.mktemp('evidence') / 'log.db'}"
    migrate(database)
    with Authority.open(database, organization="acme") as authority:
        authority.apply([changes.CreateOrganization()])
        for number in range(5):
            change = changes.AddMembership(subject=f"user:{number}", name=HOSTILE)
            authority.apply(
                [change], actor=HOSTILE, reason=f"{number}", idempotency_key=f"{number}"
            )
        return [*evidence(authority.log())]


def verified(
    lines: list[dict[str, Any]], heads: KeptHeads | None = None, *, with_gaps: bool = False
) -> VerifiedFile:
    (found,) = verified_file((json.dumps(line) for line in lines), heads, with_gaps=with_gaps)
    return found


def test_what_was_exported_fits(lines: list[dict[str, Any]]) -> None:
    found = verified(lines)
    assert (found.fault, found.lines, found.parts) == (None, 6, [(1, 6)])
    assert found.digest == lines[-1]["digest"]


@pytest.mark.parametrize("line", ["null", "3", "[1]", '"x"', "true", "{"])
def test_what_is_no_object_is_said_to_be_none(line: str) -> None:
    with pytest.raises(InvalidArgument, match="it is no JSON object"):
        verified_file([line])


def test_an_edit_of_any_field_is_found(lines: list[dict[str, Any]]) -> None:
    """But of what is settled after the change, which is not digested. The organization's name is not digested
    either, but all lines have the same.
    """
    for at, line in enumerate(lines):
        for name, value in line.items():
            other = value + " " if isinstance(value, str) else [] if name == "changes" else 77
            if name == "recorded_at":
                other = "2001-01-01T00:00:00Z"
            if name in ("digest", "previous"):
                other = "ab" * 32
            edited = [*lines[:at], {**line, name: other}, *lines[at + 1 :]]
            try:
                faults = [one.fault for one in verified_file(map(json.dumps, edited))]
            except InvalidArgument:
                continue  # it says that this is no evidence
            is_found = any(fault is not None for fault in faults)
            assert is_found == (name not in NOT_DIGESTED), (at, name)


def test_order_and_gaps(lines: list[dict[str, Any]]) -> None:
    """A gap is a fault, or begins a new part; a line that is repeated or moved does not fit."""
    for at in range(1, len(lines) - 1):
        without = [*lines[:at], *lines[at + 1 :]]
        assert verified(without).fault == Fault(FaultKind.LEFT_OUT, at + 1)
        assert verified(without, with_gaps=True).fits
    part = verified([lines[0], lines[1], lines[3], lines[5]], with_gaps=True)
    assert (part.fault, part.parts) == (None, [(1, 2), (4, 4), (6, 6)])
    assert verified(lines[2:]).parts == [(3, 6)]
    for moved in ([*lines, lines[5]], [lines[1], lines[0], *lines[2:]]):
        found = verified(moved).fault
        assert found is not None
        assert found.kind is FaultKind.SURPLUS
    exchanged = [dict(line) for line in lines]
    exchanged[2]["revision"], exchanged[3]["revision"] = 4, 3
    assert verified([*exchanged[:2], exchanged[3], exchanged[2]]).fault == Fault(
        FaultKind.ALTERED, 3
    )


def test_a_file_against_heads(lines: list[dict[str, Any]]) -> None:
    def kept(line: dict[str, Any], **other: Any) -> KeptHeads:
        names = ("number", "organization", "revision", "digest")
        return KeptHeads.read([json.dumps({**{n: line[n] for n in names}, **other})])

    assert verified(lines, kept(lines[4])).heads == 1
    assert verified(lines[:4], kept(lines[4])).fault == Fault(FaultKind.LEFT_OUT, 5)
    wrong = kept(lines[4], digest="00" * 32)
    assert verified(lines, wrong).fault == Fault(FaultKind.HEAD_DIFFERS, 5)
    (_, gone) = verified_file(map(json.dumps, lines), kept(lines[4], number=9))
    assert gone.fault == Fault(FaultKind.NO_ORGANIZATION, 5)


def test_a_part_against_all_heads_that_were_kept(lines: list[dict[str, Any]]) -> None:
    """Those outside the part cannot be compared, and are counted; one inside it has to be there. Of other
    organizations there may be any. Control: a file that should be whole lacks the first of them.
    """
    names = ("number", "organization", "revision", "digest")

    def kept(*at: int, digest: str | None = None) -> KeptHeads:
        heads = [{name: lines[index][name] for name in names} for index in at]
        if digest is not None:
            heads[-1]["digest"] = digest
        other = {"number": 9, "organization": "other", "revision": 3, "digest": "11" * 32}
        return KeptHeads.read(map(json.dumps, [*heads, other]))

    part = lines[1:4]
    found = verified(part, kept(0, 2, 4, 5), with_gaps=True)
    assert (found.fault, found.heads, found.heads_absent) == (None, 1, 3)
    whole = verified_file(map(json.dumps, part), kept(0, 2, 4))
    assert [each.fault for each in whole] == [
        Fault(FaultKind.LEFT_OUT, 1),
        Fault(FaultKind.NO_ORGANIZATION, 3),
    ]
    outside = verified(part, kept(0, 4, 5), with_gaps=True)
    assert outside.fault == Fault(FaultKind.HEAD_ABSENT, 5)
    assert verified(part, kept(0), with_gaps=True).fault == Fault(FaultKind.HEAD_ABSENT, 1)
    wrong = verified(part, kept(0, 2, digest="00" * 32), with_gaps=True)
    assert wrong.fault == Fault(FaultKind.HEAD_DIFFERS, 3)
    with pytest.raises(InvalidArgument, match="an organization in the file"):
        verified(part, kept(), with_gaps=True)


@pytest.mark.parametrize(
    "line",
    [
        *("x", "{}", "[]", '{"number": 1, "organization": "x"}', "\udcff", "9" * 5_000),
        *(b"SQLite format 3\x00\xff" + bytes(50_000), "[" * 200_000),
    ],
)
def test_a_line_that_is_no_evidence(line: str | bytes, lines: list[dict[str, Any]]) -> None:
    """It is named, whatever is in it, and not repeated."""
    with pytest.raises(InvalidArgument, match=r"(?i)line 2") as refused:
        verified_file([json.dumps(lines[0]), line])
    assert len(str(refused.value)) < 300


def test_a_long_value_is_not_repeated(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        verified_file([json.dumps({**lines[0], "recorded_at": "x" * 50_000})])
    assert len(str(refused.value)) < 300


def test_the_page_of_the_file(lines: list[dict[str, Any]], tmp_path: Path) -> None:
    """Bytes are read as well as text, and blank lines are passed over."""
    file = tmp_path / "evidence"
    file.write_text("\n\n".join(json.dumps(line) for line in lines), "utf-8")
    with file.open("rb") as stream:
        assert verified_file(stream)[0].fits


def test_the_head_of_service_actions_is_in_no_file(lines: list[dict[str, Any]]) -> None:
    """So it is not missed: a file of heads of all logs serves for a file of evidence."""
    head = {"organization": "service actions", "number": -1, "revision": 3, "digest": "00" * 32}
    last = {name: lines[-1][name] for name in ("organization", "number", "revision", "digest")}
    heads = KeptHeads.read(map(json.dumps, (last, head)))
    assert (verified(lines, heads).fault, verified(lines, heads).heads) == (None, 1)


def test_another_name_than_in_the_head(lines: list[dict[str, Any]]) -> None:
    names = ("organization", "number", "revision", "digest")
    heads = KeptHeads.read([json.dumps({name: lines[-1][name] for name in names})])
    renamed = [{**line, "organization": "evil"} for line in lines]
    assert verified(renamed).fault is None
    assert verified(renamed, heads).fault == Fault(FaultKind.NAME_DIFFERS, 6)


def test_a_line_that_is_too_deep_is_no_evidence() -> None:
    with pytest.raises(InvalidArgument, match="Line 1"):
        verified_file(["[" * 200_000])
