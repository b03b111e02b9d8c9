"""The facts of an organization in a few lines of YAML, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct, field

from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateResource,
    DefinePermission,
    DefineResourceType,
    DefineRole,
    NestGroup,
)
from rescind.errors import InvalidArgument, extra

GROUP = "group:"


class AssignmentFacts(Struct, forbid_unknown_fields=True, frozen=True):
    """`{role: editor, to: group:eng, resource: folder:a, expires_at: 2030-01-01T00:00:00Z}`."""

    role: str
    to: str
    resource: str | None = None
    """Not `on`, which means true in YAML."""
    expires_at: datetime | None = None


class Facts(Struct, forbid_unknown_fields=True, frozen=True):
    """What a file may have. A membership is made for each subject that it names."""

    permissions: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)
    """Critical permissions."""
    roles: dict[str, list[str]] = field(default_factory=dict)
    """The permissions of each role; those that are not listed above are made."""
    types: dict[str, list[str]] = field(default_factory=dict)
    """Resource types, with those of their parents."""
    resources: dict[str, str | None] = field(default_factory=dict)
    """Each resource with its parent, or with nothing."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """All groups, with their members: subjects, or `group:…`."""
    memberships: list[str] = field(default_factory=list)
    """Subjects that are in no group."""
    assignments: list[AssignmentFacts] = field(default_factory=list)


def facts(source: str | Path) -> list[Change]:
    """The changes that make what a YAML file or text says. Needs the extra `testing`.

    A `Path` is a file, and so is a text of one line that ends in `.yaml` or `.yml`.

    Raises InvalidArgument, with the place in the file, for anything that it cannot read.
    """
    is_file = isinstance(source, Path) or (
        "\n" not in source and source.endswith((".yaml", ".yml"))
    )
    where = str(source) if is_file else "facts"
    try:
        with extra("testing"):
            import yaml  # type: ignore[import-untyped] # noqa: F401 - msgspec uses it
        text = Path(source).read_text("utf-8") if is_file else str(source)
        found = msgspec.yaml.decode(text.encode(), type=Facts)
    except (OSError, UnicodeError, ValueError) as error:
        raise InvalidArgument(what=where, why=str(error), hint=_hint(str(error))) from None
    return list(_changes(found))


def _hint(why: str) -> str:
    if "at `key` in" in why:
        return "quote what YAML does not take for text, such as 1, no and on; a resource is `resource:`"
    return f"the keys are {', '.join(Facts.__struct_fields__)}"


def _changes(found: Facts) -> Iterator[Change]:
    named = [*found.permissions, *(name for role in found.roles.values() for name in role)]
    for permission in dict.fromkeys([*found.critical, *named]):
        yield DefinePermission(permission=permission, critical=permission in found.critical)
    for role, permissions in found.roles.items():
        yield DefineRole(role=role, permissions=tuple(permissions))
    for kind, parents in found.types.items():
        yield DefineResourceType(type=kind, parents=tuple(parents))
    yield from _resources(found.resources)
    subjects = [
        *found.memberships,
        *(name for members in found.groups.values() for name in members),
    ]
    subjects += [each.to for each in found.assignments]
    for subject in dict.fromkeys(name for name in subjects if not name.startswith(GROUP)):
        yield AddMembership(subject=subject)
    for group in found.groups:
        yield CreateGroup(group=group)
    for group, members in found.groups.items():
        if people := tuple(name for name in members if not name.startswith(GROUP)):
            yield AddMembers(group=group, members=people)
        for name in members:
            if name.startswith(GROUP):
                yield NestGroup(group=name[len(GROUP) :], into=group)
    for each in found.assignments:
        yield Assign(role=each.role, to=each.to, on=each.resource, expires_at=each.expires_at)


def _resources(parents: dict[str, str | None]) -> Iterator[Change]:
    """Parents before children, as the file has them otherwise."""
    waiting = dict(parents)
    while waiting:
        ready = [
            name for name, parent in waiting.items() if parent is None or parent not in waiting
        ]
        for name in ready or tuple(waiting):  # a circle: the first change says so
            yield CreateResource(resource=name, parent=waiting.pop(name))
