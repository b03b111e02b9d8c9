"""Which modules are loaded: only what the work needs. One process says it of each step in turn."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.instruments.labels import BATCH, KINDS
from tests.unit.test_extras import OPTIONAL

STEPS = """
import contextlib, io, json, sys
at = {}
def note(step):
    at[step] = sorted(sys.modules)
import rescind
note("import")
from rescind import Authority
note("authority")
with Authority.open(sys.argv[1], organization="acme", create=True) as authority:
    authority.check("user:ada", "doc:read")
note("check")
import rescind_start
sys.argv = ["rescind", "-d", sys.argv[1], "-o", "acme", "check", "user:ada", "doc:read"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    rescind_start.main()
note("command")
print(json.dumps(at))
"""
NOT_FOR_A_CHECK = (
    "rescind.applying.apply",
    "rescind.applying.handlers",
    "rescind.changelog",
    "rescind.decision.explain",
    "rescind.decision.lists",
    "rescind.decision_log.recorder",
    "rescind.directory",
    "rescind.history.reviews",
    "rescind.history.states",
    "rescind.index",
    "rescind.insight",
    "rescind.listing.reading",
    "rescind.propagation.worker",
    "rescind.replicas.cache",
    "rescind.model.enforcement",
    "rescind.model.log",
    "rescind.model.receipts",
    "rescind.semantics.access",
    "rescind.semantics.chain",
    "rescind.store.migrations",
    "rescind.store.postgres",
    "rescind.transfer.loading",
)

NEEDLESS = {
    *("asyncio", "email", "importlib.resources", "logging", "msgspec", "socket", "ssl"),
    *("subprocess", "tempfile", "typing_extensions", "zipfile"),
}
"""Packages that are quickly drawn in, and cost several milliseconds each."""


def test_only_what_is_needed_is_loaded(tmp_path: Path) -> None:
    """`import rescind` loads next to nothing, a check nothing of changes, lists and the past, and the command
    `rescind check` no other command.
    """
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(tmp_path / "acme.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    steps = {step: set(names) for step, names in json.loads(done.stdout).items()}
    ours = {step: {n for n in names if is_ours(n)} for step, names in steps.items()}
    assert ours["import"] == {"rescind", "rescind.deferred"}
    assert len(ours["authority"]) <= 62
    assert len(ours["check"]) <= 88
    assert len(ours["command"]) <= 98
    for step in ("authority", "check", "command"):
        assert not {n for n in ours[step] if n.startswith(NOT_FOR_A_CHECK)}, step
    for step in ("authority", "check", "command"):
        assert not steps[step] & NEEDLESS, step
    for step in ("import", "authority", "check"):
        assert not {n.partition(".")[0] for n in steps[step]} & set(OPTIONAL), step
    assert {n for n in ours["command"] if n.startswith("rescind.cli.")} == {
        f"rescind.cli.{name}"
        for name in ("asked", "commands", "declared", "options", "output", "questions")
    }
    unused = {
        "rich",
        "typer",
        "pydantic",
        "alembic",
        "sqlalchemy",
        "psycopg",
        "httpx",
        "litestar",
        "prometheus_client",
    }
    assert not {n.partition(".")[0] for n in steps["command"]} & unused


ON_THE_LOOP = """
import asyncio, json, sys, threading
from rescind import Authority, changes
from rescind.aio import AsyncAuthority

loops = threading.get_ident()
found = []
is_watched = False

def hook(event, arguments):
    if is_watched and threading.get_ident() == loops and event in ("import", "sqlite3.connect"):
        found.append([event, str(arguments[0])])

sys.addaudithook(hook)

async def used(authority):
    await authority.load()
    for number in range(3):
        await asyncio.gather(*(authority.check(f"user:{n}", "doc:read") for n in range(20)))
        member = {"group": "eng", "members": (f"user:{number}",)}
        receipt = await authority.apply([changes.AddMembers(**member)])
        await authority.check("user:0", "doc:read", at_least=receipt.token)
        await authority.check_many([("user:1", "doc:read", None), ("user:none", "doc:read", "doc:1")])
        await authority.explain("user:0", "doc:read")
        await authority.list_members("eng")
        await authority.who_can("doc:read")
        async for _ in authority.log():
            pass
        await authority.apply([changes.RemoveMembers(**member)])

async def opened(path):
    async with AsyncAuthority.open(path, organization="acme", index=True) as authority:
        await used(authority)

async def made_on_the_loop(path):
    authority = AsyncAuthority(Authority.open(path, organization="acme", index=True))
    await used(authority)
    await authority.close()

async def main():
    global is_watched
    is_watched = True
    await globals()[sys.argv[1]](sys.argv[2])
    is_watched = False

asyncio.run(main())
print(json.dumps(found))
"""


@pytest.mark.parametrize("way", ["opened", "made_on_the_loop"])
def test_nothing_is_loaded_or_opened_on_the_event_loop(tmp_path: Path, way: str) -> None:
    """Also at the first use, modules are loaded and connections opened in threads. (Control: an authority
    that is made on the loop does both there.)
    """
    path = str(tmp_path / "acme.db")
    with Authority.open(path, organization="acme", create=True) as authority:
        authority.apply(
            [
                changes.CreateOrganization(),
                changes.DefinePermission(permission="doc:read"),
                changes.DefineRole(role="reader", permissions=("doc:read",)),
                changes.CreateGroup(group="eng"),
                *(changes.AddMembership(subject=f"user:{n}") for n in range(20)),
                changes.Assign(role="reader", to="group:eng"),
            ]
        )
    done = subprocess.run(
        [sys.executable, "-c", ON_THE_LOOP, way, path], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    if way == "opened":
        assert found == []
    else:
        assert {event for event, _ in found} == {"import", "sqlite3.connect"}


def test_the_kinds_of_changes_that_are_written_out() -> None:
    """The labels name every change there is. They are written out, so that a check loads no change."""
    tags = sorted(str(kind.__struct_config__.tag) for kind in get_args(Change))
    assert (*tags, BATCH) == KINDS


def is_ours(name: str) -> bool:
    """Whether a module is of the package."""
    return name == "rescind" or name.startswith("rescind.")
