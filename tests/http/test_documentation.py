"""The pages of the service: every route, status, setting and limit is there; what is to be sent works."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import fields
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from rescind.http import answers, problems
from rescind.http.app import OURS
from rescind.http.auth import SCOPES
from rescind.http.server.configuration import load
from rescind.http.server.limits import Limits
from rescind.settings import Settings
from tests.docs.pages import ROOT, blocks, section
from tests.docs.test_complete import all_errors
from tests.http.serving import Served

PAGE = ROOT / "docs/reference/http.md"
HOWTO = ROOT / "docs/howto"


def test_routes() -> None:
    """Each once, with its scope."""
    rows = re.findall(r"^\| `(\w+) (\S+)` \| (\w+) \|", section(PAGE, "Routes"), re.MULTILINE)
    expected = set()
    for route in OURS:
        scopes = [getattr(guard, "scope", "") for guard in route.guards or ()] or ["public"]
        for path in route.paths:
            shown = re.sub(r":(int|str)", "", path)
            if not shown.startswith("/o/") and not shown.endswith("/o/{organization}"):
                expected |= {(m, shown, scopes[0]) for m in route.http_methods - {"OPTIONS"}}
    assert sorted(rows) == sorted({*expected, ("GET", "/openapi.json", "public")})


def test_statuses() -> None:
    """Each error under its status."""
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", section(PAGE, "Errors"), re.MULTILINE)
    found = {
        code: int(status) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)
    }
    assert found == {error.code: problems.status_of(error()) for error in all_errors()}


def test_headers_scopes_and_limits() -> None:
    """Each is named."""
    text = PAGE.read_text("utf-8")
    ours = (answers.REVISION, answers.AT_LEAST, answers.IDEMPOTENCY_KEY, answers.ACTOR)
    named = [*ours, *SCOPES, *(limit.name for limit in fields(Limits))]
    assert [name for name in named if f"`{name}`" not in text] == []


def test_settings_of_the_service() -> None:
    """Each with its default; those of the library are in their own table."""
    text = section(ROOT / "docs/reference/configuration.md", "Service")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", text, re.MULTILINE))
    _, named = load(None, {}, {})
    library = {f"settings.{each.name}" for each in fields(Settings)}
    expected = {each.name: shown(each.value) for each in named if each.name not in library}
    assert {name: value.strip() for name, value in rows.items()} == expected


def shown(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and value <= 1e5 else str(value)


def curls(page: Path) -> list[list[str]]:
    """The words of each line that calls curl."""
    lines = [line for block in blocks(page) for line in block.text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def test_what_is_to_be_sent_works(served: Served) -> None:
    """Each line in turn, with the admin's key; the last check of the first page is denied."""
    said = []
    with served.client() as client:
        for page in (HOWTO / "serve.md", HOWTO / "authzen.md"):
            for _, url, *options in curls(page):
                pairs = list(zip(options[::2], options[1::2], strict=True))
                (body,) = [value for option, value in pairs if option == "-d"]
                assert ("-H", "Authorization: Bearer $KEY") in pairs
                body = body.replace('"acme"', '"page"')
                path = url.removeprefix("http://127.0.0.1:8080").replace("/o/acme", "/o/page")
                answer = client.post(path, json=json.loads(body))
                said.append(answer.raise_for_status().json())
    assert [each["allowed"] for each in said if "allowed" in each] == [True, False]
    assert len(said) == 7


# --- docker ---------------------------------------------------------------------------------------


EXACT = re.compile(r"^[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+$")
"""An image of one version, to the last place that its makers count."""


def test_what_the_image_is_built_of(dockerfile: list[str]) -> None:
    """One version is stated of each package that is installed, and every installation is held to those."""
    lines = (ROOT / "docker/constraints.txt").read_text("utf-8").splitlines()
    stated = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    needed = set(_needed("rescind"))
    assert needed | {"hatchling"} <= stated.keys(), needed - stated.keys()
    installing = [line for line in "\n".join(dockerfile).split("&&") if "pip install" in line]
    assert installing
    assert all("-c constraints.txt" in line for line in installing)


def _needed(name: str, extras: tuple[str, ...] = (), seen: set[str] | None = None) -> set[str]:
    """What a package needs here, and what that needs."""
    seen = set() if seen is None else seen
    for line in distribution(name).requires or []:
        required = Requirement(line)
        marker = required.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        key = required.name.lower().replace("_", "-")
        if key not in seen:
            seen.add(key)
            _needed(required.name, tuple(required.extras), seen)
    return seen


def test_the_role_of_the_composition() -> None:
    """The services' role is made for them, owns its database, and is no superuser."""
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8"))
    role = re.match(
        r"postgresql://(\w+)@database/rescind$",
        compose["x-rescind"]["environment"]["RESCIND_DATABASE"],
    )
    database = compose["services"]["database"]
    assert role
    assert role[1] != database["environment"].get("POSTGRES_USER", "postgres")
    script = (ROOT / "docker/database.sh").read_text("utf-8")
    assert any(
        volume.startswith("./database.sh:/docker-entrypoint-initdb.d/")
        for volume in database["volumes"]
    )
    assert f"CREATE ROLE {role[1]} LOGIN NOSUPERUSER" in script
    assert f"CREATE DATABASE rescind OWNER {role[1]}" in script


@pytest.fixture
def dockerfile() -> list[str]:
    """Its instructions, without comments."""
    text = (ROOT / "docker/Dockerfile").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image(dockerfile: list[str]) -> None:
    """Is built of fixed versions, copies what is there, has no secret, and does not run as root."""
    for line in dockerfile:
        word, _, rest = line.partition(" ")
        assert word in {
            "FROM",
            "WORKDIR",
            "COPY",
            "RUN",
            "ENV",
            "USER",
            "EXPOSE",
            "HEALTHCHECK",
            "ENTRYPOINT",
            "CMD",
        }
        if word == "FROM":
            assert EXACT.search(rest.split()[0]), rest
        if word == "COPY" and not rest.startswith("--from="):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
        if word in {"ENTRYPOINT", "CMD"}:
            assert isinstance(json.loads(rest), list)
    assert not re.search(r"(?i)password|secret|rsk_", "\n".join(dockerfile))
    last_user = [line.split()[1] for line in dockerfile if line.startswith("USER")][-1]
    assert last_user not in {"root", "0"}


def test_the_composition() -> None:
    """Two servers and two workers wait for the migration, that one for the database; no password is in it."""
    text = (ROOT / "docker/compose.yaml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    assert services["server"]["deploy"]["replicas"] == services["worker"]["deploy"]["replicas"] == 2
    for name in ("server", "worker"):
        assert "migration" in services[name]["depends_on"]
    assert services["migration"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert (
        ROOT
        / "docker"
        / services["server"]["build"]["context"]
        / services["server"]["build"]["dockerfile"]
    ).is_file()
    assert set(re.findall(r"PASSWORD: (.)", text)) == {"$"}
    assert EXACT.search(services["database"]["image"])
    from typer.main import get_command

    from rescind.cli.commands import application

    commands = get_command(application()).commands  # type: ignore[attr-defined]
    for name in ("server", "worker", "migration"):
        command, *options = services[name]["command"]
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert set(options) <= known
