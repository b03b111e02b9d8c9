"""Who holds which permission, a pair a line, as roles and groups.

Users with equal sets of permissions become one group, `set-0001` and so on, that holds one role of
the same name: the largest groups first, equal ones in the order of their permissions.
"""

from __future__ import annotations

from collections import defaultdict

from rescind import model
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    DefinePermission,
    DefineRole,
)
from rescind.errors import BadInput, MalformedId
from rescind.model.plural import counted
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Item, Source
from rescind.transfer.tables import MEMBERS_PER_CHANGE


def items(source: Source) -> list[Item]:
    """What makes every pair true, and no other. Raises BadInput naming the lines that are wrong."""
    held: dict[str, set[str]] = defaultdict(set)
    line_of: dict[str, int] = {}
    problems = Problems()
    for number, line in enumerate(source.lines, 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 2:
            why = f"{counted(len(fields), 'word')} where a user and a permission are meant"
            problems.add(BadInput(at=source.at(number), why=why))
            continue
        if line.startswith("#"):
            why = "it begins with '#', and comments are not known here"
            problems.add(BadInput(at=source.at(number), why=why, hint="remove the line"))
            continue
        try:
            user, permission = model.subject_id(fields[0]), model.permission_id(fields[1])
        except MalformedId as error:
            problems.add(BadInput(at=source.at(number), why=str(error)))
            continue
        held[user].add(permission)
        line_of.setdefault(user, number)
        line_of.setdefault(f"permission {permission}", number)
    problems.require_none()
    return _items(source, held, line_of)


def as_sets(held: dict[str, set[str]]) -> list[tuple[str, tuple[str, ...], list[str]]]:
    """Each set of permissions that somebody holds: its name, the permissions, and who holds it."""
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for user in sorted(held):
        holders[tuple(sorted(held[user]))].append(user)
    ranked = sorted(holders.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [(f"set-{n:04}", held, users) for n, (held, users) in enumerate(ranked, 1)]


def _items(source: Source, held: dict[str, set[str]], line_of: dict[str, int]) -> list[Item]:
    def item(change: Change, *mentions: str) -> Item:
        lines = tuple(line_of[mention] for mention in mentions)
        return Item(change, source.at(lines[0]), rows=lines)

    permissions = sorted({permission for each in held.values() for permission in each})
    found = [item(DefinePermission(permission=p), f"permission {p}") for p in permissions]
    found += [item(AddMembership(subject=user), user) for user in sorted(held)]
    for name, allowed, users in as_sets(held):
        found.append(item(DefineRole(role=name, permissions=allowed), users[0]))
        found.append(item(CreateGroup(group=name), users[0]))
        for start in range(0, len(users), MEMBERS_PER_CHANGE):
            part = users[start : start + MEMBERS_PER_CHANGE]
            found.append(item(AddMembers(group=name, members=tuple(part)), *part))
        found.append(item(Assign(role=name, to=f"group:{name}"), users[0]))
    return found
