"""Uses an installed Rescind: `python -I smoke.py VERSION EXTRA`. Nothing of the repository is on the path.

It prints what it tried. RESCIND_SMOKE_POSTGRES names a migrated database, whose server may have more.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

VERSION, EXTRA = sys.argv[1:]
COMMAND = str(Path(sys.executable).with_name("rescind"))
HEAVY = ("alembic", "litestar", "click", "uvicorn", "django", "fastapi", "flask", "httpx")
"""What the library on SQLite does without."""


def has(module: str) -> bool:
    """Whether it is installed here."""
    return importlib.util.find_spec(module) is not None


def main() -> None:
    """Raises for what does not work."""
    import rescind

    assert rescind.__version__ == importlib.metadata.version("rescind") == VERSION
    assert Path(rescind.__file__).is_relative_to(sys.prefix), rescind.__file__
    assert Path(rescind.__file__).with_name("py.typed").is_file()
    tried = ["library"]
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "smoke.db")
        revoke(database, create=True)
        brought = sorted({*HEAVY} & {name.partition(".")[0] for name in sys.modules})
        assert not brought, f"the library imports {brought}"
        for name, needed, use in (
            ("command", "rich", use_command),
            ("service", "uvicorn", use_service),
            ("PostgreSQL", "psycopg", use_postgres),
        ):
            if has(needed):
                use(folder)
                tried.append(name)
            elif name == "command":
                refused()
        if EXTRA == "all":
            tried.append(f"{import_everything()} modules")
    print(", ".join(tried))


def revoke(database: str, *, create: bool = False) -> None:
    """A role by way of a group, and then no more."""
    from rescind import Authority
    from rescind import changes as c

    with Authority.open(database, organization="acme", create=create) as authority:
        authority.apply(
            [
                c.CreateOrganization(),
                c.DefinePermission(permission="doc:read"),
                c.DefineRole(role="reader", permissions=["doc:read"]),
                c.AddMembership(subject="user:ada"),
                c.CreateGroup(group="eng"),
                c.AddMembers(group="eng", members=["user:ada"]),
                c.Assign(role="reader", to="group:eng"),
            ]
        )
        assert authority.check("user:ada", "doc:read").allowed
        receipt = authority.apply([c.RemoveMembers(group="eng", members=["user:ada"])])
        assert receipt.enforced_at
        assert not authority.check("user:ada", "doc:read").allowed


def command(*arguments: str, code: int = 0) -> str:
    """What the command prints."""
    done = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def use_command(folder: str) -> None:
    """Its version, a new file, what a migration of it would do, a change and a check."""
    assert command("--version") == f"rescind {VERSION}\n"
    at = ("-d", str(Path(folder) / "command.db"), "-o", "acme")
    command("init", *at)
    for option in ("--check", "--dry-run"):
        command("migrate", option, *at[:2])
    command("add-membership", "user:ada", *at)
    assert "denied" in command("check", "user:ada", "doc:read", *at, code=1)


def refused() -> None:
    """Without its extra, the command says in one line what to install."""
    said = command("--version", code=2)
    assert said.count("\n") == 1, said
    assert "rescind[cli]" in said, said


def use_service(folder: str) -> None:
    """It serves, takes a change, answers a check, and ends in order."""
    with served(Path(folder)) as (url, key):
        assert get(f"{url}/readyz")
        changes = [
            {"change": "create_organization"},
            {"change": "add_membership", "subject": "user:ada"},
        ]
        post(f"{url}/v1/changes", {"organization": "web", "changes": changes}, key)
        asked = {"organization": "web", "subject": "user:ada", "permission": "doc:read"}
        assert post(f"{url}/v1/check", asked, key)["allowed"] is False


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """The address of a service and its first key; SIGTERM ends it with 0."""
    environment = os.environ | {"RESCIND_DATABASE": str(folder / "service.db"), "RESCIND_PORT": "0"}
    arguments = [COMMAND, "serve"]
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            key = next((line.strip() for line in lines if "rsk_" in line), "")
            url = next((line.split()[-1] for line in lines if line.startswith("serving on")), "")
            assert key, process.communicate(timeout=60)
            assert url, process.communicate(timeout=60)
            yield url, key
        finally:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said


def get(url: str) -> bytes:
    """The answer's body; raises unless the status is 200."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def post(url: str, body: object, key: str) -> dict[str, object]:
    """The answer as an object."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def use_postgres(folder: str) -> None:
    """A migrated database is used; a new one is migrated, where that is installed."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    url = os.environ["RESCIND_SMOKE_POSTGRES"]
    revoke(url)
    if not has("alembic"):
        return
    name = f"smoke_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    host = conninfo_to_dict(url)["host"]
    database = f"postgresql://postgres@/{name}?host={host}"
    from rescind.store.migrations import migrate

    migrate(database)
    revoke(database)


def import_everything() -> int:
    """How many modules can be imported: all but what Alembic runs and what needs a Django project."""
    import rescind

    names = [
        each.name
        for each in pkgutil.walk_packages(rescind.__path__, "rescind.")
        if not re.search(
            r"\.migrations\.(env|versions)\b|\.__main__$|\.integrations\.django\b", each.name
        )
    ]
    for name in names:
        importlib.import_module(name)
    return len(names)


main()
