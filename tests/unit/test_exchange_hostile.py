"""Files as people have them: what comes out of each, or what is said of it. Nothing is ever guessed."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    CreateGroup,
    DefinePermission,
    DefineRole,
)
from rescind.transfer import DateOrder, Delimiter, Format, Reading, parse_all, read

NOW = datetime(2026, 11, 28, tzinfo=UTC)
MAIL = {"Work Email": "subject", "Department": "group"}


@dataclass(frozen=True)
class File:
    """A file and how it is to be read, with the facts that come out of it or the parts of what is said."""

    content: bytes
    facts: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    format: Format = Format.AUTO
    encoding: str | None = None
    reading: dict[str, object] = field(default_factory=dict)


def good(content: str | bytes, *facts: str, **options: object) -> File:
    raw = content.encode() if isinstance(content, str) else content
    return File(raw, facts=facts, **options)  # type: ignore[arg-type]


def bad(content: str | bytes, *says: str, **options: object) -> File:
    raw = content.encode() if isinstance(content, str) else content
    return File(raw, says=says, **options)  # type: ignore[arg-type]


def until(cell: str, at: str, **reading: object) -> File:
    return good(
        f"group;subject;expires_at\neng;ada;{cell}\n", f"ada in eng until {at}", reading=reading
    )


def undated(cell: str, *says: str, **reading: object) -> File:
    return bad(
        f"group;subject;expires_at\neng;ada;{cell}\n", "f:2:expires_at", *says, reading=reading
    )


DAY = "2031-01-01T00:00:00+00:00"
FILES = {
    # --- formats ---
    "pairs are never guessed": bad("ada read\nbob read\n", "f:1", "--format pairs"),
    "a tab-separated export is no pairs": bad("ada@acme.example\tadmin\n", "f:1", "--map"),
    "pairs by name": good(
        "ada read\n", "ada in set-0001", "group:set-0001 as set-0001", format=Format.PAIRS
    ),
    "a comment among pairs": bad("# all\nada read\n", "f:1", "'#'", format=Format.PAIRS),
    "three words among pairs": bad("ada read\na b c\n", "f:2", "3 words", format=Format.PAIRS),
    "a kind that is none in pairs": bad("CORP:ada read\n", "f:1", "user:", format=Format.PAIRS),
    "a JSON list": bad('[{"change": "create_group"}]', "f:1", "jq -c"),
    "nothing": bad("", "f:1", "nothing in it"),
    "blank lines alone": bad("\n \n\n", "nothing in it"),
    "an Excel workbook": bad(b"PK\x03\x04\x14\0\x06\0", "Excel workbook", "CSV UTF-8"),
    "a picture of a list": bad(b"%PDF-1.7", "a PDF"),
    "two lists at once": bad("group,subject,role\neng,ada,x\n", "f:1", "--format members"),
    "a holder and a subject": bad("subject,role,holder\na,b,c\n", "--format assignments"),
    "a resource that was lost": bad(
        "role,holder,resource\nviewer,ada,doc:1\nviewer,bob,\nviewer,cy, \n",
        "f:3:resource",
        "f:4:resource",
        "Write 'organization'",
    ),
    "a resource that is said": good(
        "role,holder,resource\nviewer,ada,organization\nviewer,bob,doc:1\n",
        "ada as viewer",
        "bob as viewer",
    ),
    "names beside members": good(
        "group,subject,name\neng,ada,Ada L\n", "ada named Ada L", "ada in eng"
    ),
    # --- delimiters ---
    "semicolons": good("group;subject\neng;ada\n", "ada in eng"),
    "tabs": good("group\tsubject\neng\tada\n", "ada in eng"),
    "what Excel says of itself": good("sep=;\r\ngroup;subject\r\neng;ada\r\n", "ada in eng"),
    "what Excel says, with commas in cells": good(
        'sep=;\ngroup;subject\n"eng, west";ada\n', "ada in eng, west"
    ),
    "a delimiter that is none": bad("sep=|\ngroup|subject\n", "f:1", "'|'"),
    "a semicolon in a single column": bad("subject\nada;bob\n", "f:2:subject", "';'"),
    "a quoted delimiter": good('group,subject\n"a,b",ada\n', "ada in a,b"),
    "a delimiter that was said": good(
        "group;subject\neng;ada\n", "ada in eng", reading={"delimiter": Delimiter.SEMICOLON}
    ),
    "another delimiter in the rows": bad("group,subject\neng;ada\n", "f:2", "1 column", "has 2"),
    # --- encodings ---
    "a byte order mark": good("\ufeffgroup,subject\neng,ada\n", "ada in eng"),
    "UTF-16 with its mark": good("group\tsubject\nnord\tadé\n".encode("utf-16"), "adé in nord"),
    "UTF-16, big end first": good(b"\xfe\xff" + "subject\nada\n".encode("utf-16-be"), "ada"),
    "UTF-16 without its mark": bad(
        "subject\nada\n".encode("utf-16-le"), "UTF-16", "--encoding utf-16-le"
    ),
    "Windows-1252": bad("subject\nren\xe9\n".encode("cp1252"), "f:2", "--encoding windows-1252"),
    "Windows-1252 that was said": good(
        "subject\nren\xe9\n".encode("cp1252"), "ren\xe9", encoding="windows-1252"
    ),
    "a mark against what was said": bad(
        "\ufeffsubject\nada\n", "mark of UTF-8", "Leave out", encoding="windows-1252"
    ),
    "half a character": bad(b"subject\nada\n\xc3", "f:3", "UTF-8"),
    "compressed, and broken": bad(gzip.compress(b"subject\nada\n" * 99)[:-12], "gzip"),
    "ends of a Macintosh": good("group,subject\reng,ada\reng,bob\r", "ada in eng", "bob in eng"),
    # --- headers ---
    "capitals and blanks": good(" GROUP , Subject \neng,ada\n", "ada in eng"),
    "blanks for underscores": good(
        "Group;Subject;Expires At\neng;ada;2030-12-31\n", f"ada in eng until {DAY}"
    ),
    "columns that are mapped": good(
        "Work Email,Department\nada,eng\n", "ada in eng", reading={"columns": MAIL}
    ),
    "mapped in other letters": good(
        " work  EMAIL,department\nada,eng\n", "ada in eng", reading={"columns": MAIL}
    ),
    "a mapped column that is not there": bad(
        "Mail,Department\nada,eng\n", "f:1", "'Work Email'", "'Mail'", reading={"columns": MAIL}
    ),
    "mapped to no field": bad("a,b\n1,2\n", "'x'", "fields are", reading={"columns": {"a": "x"}}),
    "two columns for a field": bad(
        "a,b\n1,2\n", "two columns", reading={"columns": {"a": "subject", "b": "subject"}}
    ),
    "extra columns": bad(
        "group,subject,a,b\ne,s,1,2\n", "f:1", "'a', 'b'", "--ignore-extra-columns"
    ),
    "extra columns that are ignored": good(
        "group,subject,Phone\neng,ada,1\n", "ada in eng", reading={"ignores_extra": True}
    ),
    "a column that tells who left": bad(
        "group,subject,Worker Status\neng,ada,Terminated\n",
        *("'Worker Status'", "--only", "--ignore"),
        reading={"ignores_extra": True},
    ),
    "a field that would be ignored": bad(
        "subject,expires_at\nada,2030-12-31\n", "'expires_at'", reading={"ignores_extra": True}
    ),
    "rows of those who are there": good(
        "group,subject,Status\neng,ada,ACTIVE\neng,bob,Left\n",
        "ada in eng",
        reading={"only": (("status", "Active"),)},
    ),
    "rows that nobody has": bad(
        "group,subject,Status\neng,ada,on\n",
        "no row has",
        reading={"only": (("status", "Active"),)},
    ),
    "a column twice": bad("group,subject,subject\na,b,c\n", "f:1:subject", "twice"),
    "columns without a name at the end": good("group,subject,,\neng,ada,,\n", "ada in eng"),
    "a value in a column without a name": bad("group,subject,\neng,ada,x\n", "f:2", "3 columns"),
    # --- rows ---
    "blank rows": good("group,subject\n\n,\neng,ada\n , \n", "ada in eng"),
    "a row twice": good("group,subject\neng,ada\neng,user:ada\n", "ada in eng"),
    "a row twice, to different times": bad(
        "group,subject,expires_at\neng,ada,\neng,ada,2030-12-31\n", "f:3:expires_at", "line 2"
    ),
    "a person with two names": bad("subject,name\nada,Ada\nada,Ada L\n", "f:3:name", "line 2"),
    "a newline in quotes": bad('group,subject\n"a\nb",ada\neng,\n', "f:2:group", "f:4:subject"),
    "a quote that never ends": bad('group,subject\neng,"ada\neng,bob\n', "f:2", "never closed"),
    "text after a quote": bad('group,subject\neng,"ada"x\n', "f:2", "after a closing quote"),
    "too few cells": bad("group,subject\neng\n", "f:2", "1 column"),
    "too many cells": bad("group,subject\neng,ada,x\n", "f:2", "3 columns", "quote"),
    "an empty person": bad("group,subject\neng, \n", "f:2:subject", "empty", "remove the row"),
    "a formula": bad('subject\n"=""007"""\n', "f:2:subject", "formula", "as text"),
    "an error of the sheet": bad("subject\n#REF!\n", "f:2:subject", "an error"),
    "a number cut short": bad("subject\n1.23457E+11\n", "f:2:subject", "shortened number"),
    "a name with a NUL": bad("subject,name\nada,A\0B\n", "f:2:name"),
    "a kind that is none": bad("subject\nCORP:ada\n", "f:2:subject", "user:"),
    "all that is wrong": bad(
        "group,subject\n,a\nb,\nc\n", "3 problems", "f:2:group", "f:3:subject"
    ),
    # --- times ---
    "a day": until("2030-12-31", DAY),
    "a day in Berlin": until(
        "2030-12-31", "2031-01-01T00:00:00+01:00", zone=ZoneInfo("Europe/Berlin")
    ),
    "a time with an offset": until("2030-12-31T18:00:00Z", "2030-12-31T18:00:00+00:00"),
    "a time without one": undated("2030-12-31 18:00", "UTC offset", "--timezone"),
    "a time in a zone": until(
        "2030-12-31 18:00", "2030-12-31T18:00:00+00:00", zone=ZoneInfo("UTC")
    ),
    "a day of Excel": until("47848", DAY),
    "a time of Excel": until("47848,75", "2030-12-31T18:00:00+00:00", zone=ZoneInfo("UTC")),
    "a day that can be nothing else": until("31/12/2030", DAY),
    "months first, that can be nothing else": until("12/31/2030", DAY),
    "a day that is its month": until("12.12.2030", "2030-12-13T00:00:00+00:00"),
    "a day by name": until("31-Dec-2030", DAY),
    "a day by its long name": until("December 31, 2030", DAY),
    "a year first": until("2030/12/31", DAY),
    "digits alone": until("20301231", DAY),
    "a day or a month": undated("03/04/2030", "3 April or 4 March", "--dates dmy", "--dates mdy"),
    "a day, as was said": until("03/04/2030", "2030-04-04T00:00:00+00:00", dates=DateOrder.DMY),
    "a month, as was said": until("03/04/2030", "2030-03-05T00:00:00+00:00", dates=DateOrder.MDY),
    "against what was said": undated("12/31/2030", "--dates dmy", dates=DateOrder.DMY),
    "two digits of a year": undated("31/12/30", "two digits", "--dates"),
    "two digits, as was said": until("31.12.30", DAY, dates=DateOrder.DMY),
    "half past six in the evening": until(
        "12/31/2030 6:30 PM", "2030-12-31T18:30:00+00:00", zone=ZoneInfo("UTC")
    ),
    "a day that is none": undated("2030-02-30", "calendar"),
    "a month in German": undated("31. M\xe4rz 2030", "2030-12-31"),
    "seconds since 1970": undated("1924992000", "seconds since 1970"),
    "a year alone": undated("2030", "not a date"),
    "a day long ago, by number": undated("12345", "2000 to 2099"),
    "never": undated("never", "leave it empty"),
    "signs of a column too narrow": undated("########", "spreadsheet"),
    "the end of time": until("9999-12-31", "9999-12-31T23:59:59.999999+00:00"),
    "what is past": undated("2026-11-27", "past", "--allow-past"),
    "what is past, as was said": until("2026-11-27", "2026-11-28T00:00:00+00:00", allows_past=True),
    "both orders in one column": bad(
        "group;subject;expires_at\na;b;31/12/2030\na;c;12/31/2030\n",
        *("f:2:expires_at", "the day comes first here", "line 3", "--dates"),
    ),
    # --- assignments ---
    "assignments": good(
        "Role;Holder\nviewer;group:eng\nviewer;ada\n", "group:eng as viewer", "ada as viewer"
    ),
    "options that pairs have not": bad(
        "ada read\n", "for lists", format=Format.PAIRS, reading={"dates": DateOrder.DMY}
    ),
}


def outcome(file: File, place: Path) -> list[str]:
    place.write_bytes(file.content)
    source = read(str(place), file.encoding)
    reading = Reading(**{"now": NOW, **file.reading})  # type: ignore[arg-type]
    found: list[str] = []
    changes = [item.change for item in parse_all([source], file.format, reading).items]
    for change in changes:
        if isinstance(change, AddMembers):
            ends = f" until {change.expires_at.isoformat()}" if change.expires_at else ""
            found += [f"{bare(who)} in {change.group}{ends}" for who in change.members]
        elif isinstance(change, Assign):
            found.append(f"{bare(change.to)} as {change.role}")
        elif isinstance(change, AddMembership) and change.name:
            found.append(f"{bare(change.subject)} named {change.name}")
        elif not isinstance(change, AddMembership | CreateGroup | DefinePermission | DefineRole):
            found.append(str(change))
    told = {line.split()[0] for line in found}
    made = [bare(change.subject) for change in changes if isinstance(change, AddMembership)]
    return found + [subject for subject in made if subject not in told]


def bare(subject: str) -> str:
    return subject.removeprefix("user:")


@pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())
def test_what_comes_out(file: File, tmp_path: Path) -> None:
    """The facts that the file says, and no others; or what is wrong, where, and what to type."""
    if file.says:
        with pytest.raises(Exception, match=r".") as caught:
            outcome(file, tmp_path / "f")
        told = [str(caught.value), *map(str, getattr(caught.value, "problems", ()))]
        text = "\n".join(told).replace(str(tmp_path / "f"), "f")
        assert [part for part in file.says if part not in text] == [], text
    else:
        assert outcome(file, tmp_path / "f") == list(file.facts)
