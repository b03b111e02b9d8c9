"""Exports of HR systems and directories, as their headers are, on both engines: who is in, and who is not."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    CreateOrganization,
    DeactivateMembership,
    DefinePermission,
    DefineResourceType,
    DefineRole,
)
from rescind.errors import BadInput
from rescind.transfer import Import, Reading, exported, forecasts, load, parse, read, surveys


class Export(NamedTuple):
    """An export and the options that its system has in the guide."""

    text: str
    subject: str
    group: str
    only: tuple[str, str]
    people: set[str]
    encoding: str = "utf-8"


EXPORTS = {
    "BambooHR": Export(
        "Employee #,First Name,Last Name,Work Email,Department,Status,Hire Date\r\n"
        '1,Ada,"Lovelace, Countess",ada@acme.example,R & D,Active,2020-01-01\r\n'
        "2,Bob,Gone,bob@acme.example,Sales,Inactive,2020-01-01\r\n",
        *("Work Email", "Department", ("Status", "Active")),
        {"user:ada@acme.example in R & D"},
    ),
    "Workday": Export(
        "Employee ID,Legal Name,Email - Primary Work,Supervisory Organization,Worker Status\n"
        '001,"Lovelace, Ada",ada@acme.example,"Engineering (Grace ""G"" Hopper)",Active\n'
        "002,Bob,bob@acme.example,Sales,Terminated\n",
        *("Email - Primary Work", "Supervisory Organization", ("Worker Status", "Active")),
        {'user:ada@acme.example in Engineering (Grace "G" Hopper)'},
    ),
    "Personio": Export(
        "sep=;\r\nVorname;Nachname;Email;Department;Status\r\n"
        "Ada;Müller;ada@acme.example;Küche;active\r\nBob;X;bob@acme.example;Küche;leave\r\n",
        *("Email", "Department", ("Status", "active")),
        {"user:ada@acme.example in Küche"},
        "utf-8-sig",
    ),
    "Google Workspace": Export(
        "First Name [Required],Last Name [Required],Email Address [Required],"
        "Password [Required],Org Unit Path [Required],Status [READ ONLY]\n"
        "Ada,L,ada@acme.example,****,/Engineering,Active\n"
        "Bob,G,bob@acme.example,****,/Sales,Suspended\n",
        "Email Address [Required]",
        "Org Unit Path [Required]",
        ("Status [READ ONLY]", "Active"),
        {"user:ada@acme.example in /Engineering"},
    ),
    "Okta": Export(
        '"user.login","user.firstName","user.department","user.status"\n'
        '"ada@acme.example","Ada","Engineering","ACTIVE"\n'
        '"bob@acme.example","Bob","Sales","DEPROVISIONED"\n',
        *("user.login", "user.department", ("user.status", "ACTIVE")),
        {"user:ada@acme.example in Engineering"},
    ),
    "Entra ID": Export(
        "userPrincipalName,displayName,mail,department,accountEnabled\n"
        "ada@acme.example,Ada,a@x,Engineering,True\nbob@acme.example,Bob,b@x,Sales,False\n",
        *("userPrincipalName", "department", ("accountEnabled", "True")),
        {"user:ada@acme.example in Engineering"},
    ),
    "Unicode text of Excel": Export(
        "NAME\tMAIL\tTEAM\tACTIVE\r\nAda\tada@acme.example\tÖl\tja\r\nBob\tb@x\tÖl\tnein\r\n",
        *("Mail", "Team", ("active", "JA")),
        {"user:ada@acme.example in Öl"},
        "utf-16",
    ),
}


@pytest.mark.parametrize("system", EXPORTS)
def test_only_those_who_are_there(authority: Authority, tmp_path: Path, system: str) -> None:
    """With the guide's options. Without the status the file is refused, not taken whole."""
    export = EXPORTS[system]
    file = tmp_path / "export.csv"
    file.write_bytes(export.text.encode(export.encoding))
    source = read(str(file))
    columns = {export.subject: "subject", export.group: "group"}
    with pytest.raises(BadInput, match="who has left"):
        parse(source, reading=Reading(columns=columns, ignores_extra=True))
    reading = Reading(columns=columns, only=(export.only,), ignores_extra=True)
    items = parse(source, reading=reading)
    whole = Import(items, source.digest, "acme")
    ((_, foreseen),) = forecasts(authority, whole).values()
    assert foreseen.people.first == ["user:ada@acme.example"]
    load(authority, items, digest=source.digest, organization="acme")
    assert placed(authority) == export.people
    assert not list(surveys(authority, whole)["acme"].made())


def placed(authority: Authority) -> set[str]:
    return {
        f"{who} in {change.group}"
        for change in exported(authority, "acme")
        if isinstance(change, AddMembers)
        for who in change.members
    }


def written(tmp_path: Path, text: str) -> Import:
    file = tmp_path / "f.csv"
    file.write_text(text)
    source = read(str(file))
    return Import(parse(source), source.digest, "acme", batch_size=2)


@pytest.fixture
def ready(authority: Authority) -> Authority:
    """With roles, one of them for documents, and ada."""
    authority.apply(
        [
            CreateOrganization(),
            DefinePermission(permission="read"),
            DefineRole(role="viewer", permissions=("read",)),
            DefineResourceType(type="document"),
            DefineRole(role="editor", permissions=("read",), resource_type="document"),
            AddMembership(subject="ada", name="Ada L"),
            Assign(role="viewer", to="ada"),
        ]
    )
    return authority


def test_all_unknown_names_are_told_before_anything_is_done(
    ready: Authority, tmp_path: Path
) -> None:
    """Also of later batches. Each by its own line, after cells of several lines."""
    text = (
        "role,holder,resource\nviewer,bob,organization\n"
        'viewer,"group:two words",organization\nvewer,cy,organization\n'
        "viewer,dan,document:9\neditor,eve,organization\n"
    )
    revision = len(list(ready.log()))
    with pytest.raises(BadInput) as caught:
        surveys(ready, written(tmp_path, text))
    told = [problem.place_and_why() for problem in caught.value.problems]
    assert [line.partition(",")[0].rpartition(":")[2] for line in told] == ["4", "5", "6"]
    assert "vewer" in told[0]
    assert "document:9" in told[1]
    assert "type document" in told[2]
    assert len(list(ready.log())) == revision


def test_what_is_new_is_counted(ready: Authority, tmp_path: Path) -> None:
    """And what is there is not; nor is what is left out."""
    ready.apply([AddMembership(subject="bob")])
    ready.apply([DeactivateMembership(subject="bob")])
    text = "role,holder\nviewer,ada\nviewer,bob\nviewer,cy\nviewer,group:new\n"
    survey = surveys(ready, written(tmp_path, text))["acme"]
    assert {kind: (new.count, new.first) for kind, new in survey.made()} == {
        "people": (1, ["user:cy"]),
        "groups": (1, ["new"]),
        "assignments": (2, ["user:cy as viewer", "group:new as viewer"]),
    }
    assert [(e.at.rpartition(":")[2], e.what) for e in survey.left_out] == [
        ("3", "user:bob as viewer")
    ]


def test_a_name_on_record_stays(ready: Authority, tmp_path: Path) -> None:
    """A list names those who are new, and does not stop for who has another name."""
    whole = written(tmp_path, "subject,name\nada,Ada Lovelace\nbob,Bob\n")
    assert surveys(ready, whole)["acme"].renamed.first == ["user:ada"]
    load(ready, whole.items, digest=whole.digest, organization="acme")
    names = {c.subject: c.name for c in exported(ready, "acme") if isinstance(c, AddMembership)}
    assert names == {"user:ada": "Ada L", "user:bob": "Bob"}
