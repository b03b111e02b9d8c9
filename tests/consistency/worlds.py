"""Small organizations whose answers were worked out by hand, read from `worlds/*.yaml`.

A file says what it shows (`about`), what is there at first, and what is allowed and denied then. Each of its
`steps` says what happens (`when`, and one batch of `changes` as in docs/reference/changes.md), and what is
allowed and denied after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rescind import changes
from rescind.changes import Change

FOLDER = Path(__file__).parent / "worlds"
KEYS = {
    "about", "at", "everywhere", "settings", "people", "groups", "critical", "roles", "resources",
    "assignments", "allowed", "denied", "steps",
}  # fmt: skip
STEP_KEYS = {"when", "at", "changes", "everywhere", "allowed", "denied"}


class _Loader(yaml.SafeLoader):
    """YAML in which only `true` and `false` are booleans (not `on`), and a time is text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


class Asked(NamedTuple):
    """A question, written `ada read doc:1`: the resource may be left out."""

    subject: str
    permission: str
    resource: str | None


@dataclass(frozen=True)
class Step:
    """A batch for the organization, and one before it for all organizations; then what everybody may."""

    when: str
    at: datetime | None
    everywhere: list[Change]
    changes: list[Change]
    answers: dict[Asked, bool]


@dataclass(frozen=True)
class SmallWorld:
    """One file."""

    name: str
    about: str
    steps: list[Step]


def read_worlds() -> list[SmallWorld]:
    """All of them, in the order of their names."""
    return [read_world(path) for path in sorted(FOLDER.glob("*.yaml"))]


def read_world(path: Path) -> SmallWorld:
    """A file's world. Raises ValueError where it says something that nobody reads."""
    said: dict[str, Any] = yaml.load(path.read_text(), _Loader)
    _require(said, KEYS, path.name)
    first = Step(
        "at first", _time(said), _defined_everywhere(said), list(_made(said)), _answers(said)
    )
    steps = [first]
    for step in said.get("steps", ()):
        _require(step, STEP_KEYS, path.name)
        batch = [changes.from_object(each) for each in step.get("changes", ())]
        everywhere = [changes.from_object(each) for each in step.get("everywhere", ())]
        steps.append(Step(step["when"], _time(step), everywhere, batch, _answers(step)))
    return SmallWorld(path.stem, said["about"], steps)


def subject_of(text: str) -> str:
    """`ada` is a user; agents, service accounts and groups are written with their kind."""
    return text if ":" in text else f"user:{text}"


def _require(said: dict[str, Any], known: set[str], name: str) -> None:
    unknown = said.keys() - known
    if unknown or not (said.get("allowed") or said.get("denied") or said.get("steps")):
        raise ValueError(f"{name}: nobody reads {sorted(unknown)}, or nothing is asked")


def _time(said: dict[str, Any]) -> datetime | None:
    return datetime.fromisoformat(said["at"]) if "at" in said else None


def _answers(said: dict[str, Any]) -> dict[Asked, bool]:
    found: dict[Asked, bool] = {}
    for verdict, is_allowed in (("allowed", True), ("denied", False)):
        for text in said.get(verdict) or ():
            subject, permission, *resource = text.split()
            asked = Asked(subject_of(subject), permission, resource[0] if resource else None)
            if asked in found:
                raise ValueError(f"{text} is said twice")
            found[asked] = is_allowed
    return found


def _defined_everywhere(said: dict[str, Any]) -> list[Change]:
    return list(_roles(said.get("everywhere") or {}, critical=()))


def _made(said: dict[str, Any]) -> Iterator[Change]:
    yield changes.CreateOrganization()
    yield from (changes.from_object(each) for each in said.get("settings", ()))
    yield from _resources(said.get("resources") or {})
    defined = {p for r in (said.get("everywhere") or {}).values() for p in _role(r)["permissions"]}
    yield from _roles(said.get("roles") or {}, said.get("critical", ()), defined)
    for person in said.get("people", ()):
        yield changes.AddMembership(subject=subject_of(person))
    groups: dict[str, Any] = said.get("groups") or {}
    yield from (changes.CreateGroup(group=group) for group in groups)
    for group, about in groups.items():
        for outer in about.get("in", ()):
            yield changes.NestGroup(group=group, into=outer)
        for member in about.get("members", ()):
            who, until = _until(member)
            yield changes.AddMembers(group=group, members=(subject_of(who),), expires_at=until)
    for text in said.get("assignments", ()):
        yield _assignment(text)


def _roles(
    roles: dict[str, Any], critical: Any, defined: set[str] | frozenset[str] = frozenset()
) -> Iterator[Change]:
    contained = {p for role in roles.values() for p in _role(role)["permissions"]} - set(defined)
    for permission in sorted(contained):
        yield changes.DefinePermission(permission=permission, critical=permission in critical)
    for name, role in roles.items():
        yield changes.from_object({"change": "define_role", "role": name, **_role(role)})


def _role(said: Any) -> dict[str, Any]:
    """A role is the list of its permissions, or all its fields."""
    return {"permissions": said} if isinstance(said, list) else said


def _resources(resources: dict[str, str]) -> Iterator[Change]:
    for kind in dict.fromkeys(resource.partition(":")[0] for resource in resources):
        yield changes.DefineResourceType(type=kind)
    for resource, parent in resources.items():
        above = None if parent == "organization" else parent
        yield changes.CreateResource(resource=resource, parent=above)


def _until(text: str) -> tuple[str, datetime | None]:
    """What comes before ` until `, and the time after it."""
    said, _, until = text.partition(" until ")
    return said, datetime.fromisoformat(until) if until else None


def _assignment(text: str) -> Change:
    """`reader to ada`, `reader to group:staff on doc:1 until 2030-01-01T12:00:00Z`."""
    said, until = _until(text)
    role, _, rest = said.partition(" to ")
    holder, _, resource = rest.partition(" on ")
    return changes.Assign(role=role, to=subject_of(holder), on=resource or None, expires_at=until)
