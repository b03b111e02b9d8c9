"""The image of `docker/`, and the composition: fixed versions, nothing to build with, nobody's root."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.release.changelog import ROOT

FILE = ROOT / "docker/Dockerfile"
EXTRAS = ("postgres", "server")
EXACT = re.compile(r"^[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+$")
"""An image of one version, to the last place that its makers count."""
WORDS = {
    "FROM",
    "ARG",
    "WORKDIR",
    "COPY",
    "RUN",
    "LABEL",
    "ENV",
    "USER",
    "EXPOSE",
    "HEALTHCHECK",
    "STOPSIGNAL",
    "ENTRYPOINT",
    "CMD",
}


@pytest.fixture
def dockerfile() -> list[str]:
    """Its instructions, one in a line, without comments."""
    text = FILE.read_text("utf-8").replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture
def last_stage(dockerfile: list[str]) -> list[str]:
    """The instructions of what is shipped."""
    start = max(at for at, line in enumerate(dockerfile) if line.startswith("FROM "))
    return dockerfile[start:]


@pytest.fixture
def compose() -> dict[str, Any]:
    composition: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8"))
    return composition


def lint(path: Path) -> str:
    """What the linter of Dockerfiles finds."""
    command = [str(Path(sysconfig.get_path("scripts")) / "hadolint"), "--no-color", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


def test_lint() -> None:
    """The linter has nothing to say."""
    assert lint(FILE) == ""


def test_control_lint(tmp_path: Path) -> None:
    """It finds a base without a version, and root."""
    worse = FILE.read_text("utf-8").replace(
        "BASE=python:3.13.5-slim-bookworm", "BASE=python:latest"
    )
    worse = worse.replace("USER 10001:10001", "USER root").replace("FROM ${BASE}", "FROM python")
    (tmp_path / "Dockerfile").write_text(worse, "utf-8")
    found = lint(tmp_path / "Dockerfile")
    assert "DL3006" in found
    assert "DL3002" in found


def test_what_the_image_is_built_of(dockerfile: list[str]) -> None:
    """One version is stated of each package that is installed, and every installation is held to those."""
    lines = (ROOT / "docker/constraints.txt").read_text("utf-8").splitlines()
    stated = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    needed = set(_needed("rescind", EXTRAS))
    assert needed | {"hatchling"} <= stated.keys(), needed - stated.keys()
    joined = "\n".join(dockerfile)
    installing = [
        line for line in re.split(r"&&|\n", joined) if re.search(r"\bpip\b.* install", line)
    ]
    assert len(installing) == joined.count(" install ") == 2
    assert all("-c constraints.txt" in line for line in installing)
    assert f".whl)[{','.join(EXTRAS)}]" in installing[-1]


def _needed(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """What a package needs here with these extras, and what that needs."""
    waiting, seen = [(name, frozenset(extras))], set()
    while waiting:
        package, wanted = waiting.pop()
        if (package, wanted) in seen:
            continue
        seen.add((package, wanted))
        for line in distribution(package).requires or []:
            required = Requirement(line)
            marker = required.marker
            if not marker or any(marker.evaluate({"extra": each}) for each in ("", *wanted)):
                key = required.name.lower().replace("_", "-")
                waiting.append((key, frozenset(required.extras)))
    return {package for package, _ in seen} - {name}


def test_the_image(dockerfile: list[str]) -> None:
    """Is built of one base of a fixed version, copies what is there, and has no secret."""
    (base,) = [line.removeprefix("ARG BASE=") for line in dockerfile if line.startswith("ARG BASE")]
    assert EXACT.search(base)
    for line in dockerfile:
        word, _, rest = line.partition(" ")
        assert word in WORDS
        if word == "FROM":
            assert rest.split()[0] == "${BASE}"  # which a release gives with its digest
        if word == "COPY" and not rest.startswith("--from="):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
        if word in {"ENTRYPOINT", "CMD"}:
            assert isinstance(json.loads(rest), list)
    assert not re.search(r"(?i)password|secret|rsk_", "\n".join(dockerfile))


def test_what_is_shipped(last_stage: list[str]) -> None:
    """Runs as a user by number, has a health check, and neither builds nor installs anything."""
    text = "\n".join(last_stage)
    assert not re.search(r"\b(pip|apt-get|gcc|build-essential|make|curl)\b", text)
    (user,) = [line.split()[1] for line in last_stage if line.startswith("USER")]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)  # Kubernetes cannot see that a name is not root
    assert "/readyz" in next(line for line in last_stage if line.startswith("HEALTHCHECK"))
    assert "--without-pip" in FILE.read_text("utf-8")


def test_what_is_sent_to_the_build(dockerfile: list[str]) -> None:
    """Only what is copied: no file that lies about gets into a layer."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[0] == "*"
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = [line.split()[1:-1] for line in dockerfile if re.match(r"COPY (?!--from)", line)]
    assert sent == {source for sources in copied for source in sources}


def test_the_role_of_the_composition(compose: dict[str, Any]) -> None:
    """The services' role is made for them, owns its database, and is no superuser."""
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


def test_the_composition(compose: dict[str, Any]) -> None:
    """Two servers and two workers wait for the migration, that one for the database; no password is in it."""
    services = compose["services"]
    assert services["server"]["deploy"]["replicas"] == services["worker"]["deploy"]["replicas"] == 2
    for name in ("server", "worker"):
        assert "migration" in services[name]["depends_on"]
    assert services["migration"]["depends_on"]["database"]["condition"] == "service_healthy"
    build = services["server"]["build"]
    assert (ROOT / "docker" / build["context"] / build["dockerfile"]).is_file()
    text = (ROOT / "docker/compose.yaml").read_text("utf-8")
    assert set(re.findall(r"PASSWORD: (.)", text)) == {"$"}
    assert EXACT.search(services["database"]["image"])


def test_the_composition_is_confined(compose: dict[str, Any]) -> None:
    """Nothing of ours writes to its image, or has a capability."""
    for name in ("server", "worker", "migration"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_commands_of_the_composition(compose: dict[str, Any]) -> None:
    """Each is a command of ours, with options that it has."""
    from rescind.cli.commands import every_command

    commands = every_command()
    for name in ("server", "worker", "migration"):
        command, *options = compose["services"][name]["command"]
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert set(options) <= known
