"""A cloud's predefined roles: defined, given to groups of people on projects, asked about, and edited."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from lab.real.asked import Figures, Question, answers, percentiles, timed
from lab.worlds import apply_all, settle
from rescind import Authority, changes
from rescind.changes import Change

PEOPLE, GROUPS, PROJECTS, GIVEN = 1_000, 40, 200, 25
"""`GIVEN` is the roles that each group holds, on projects of its own choice."""
ASKED = 4_000
Roles = dict[str, list[str]]
Given = list[list[tuple[str, int]]]


def measured(url: str, file: Path, most: int | None, rounds: int, seed: int) -> Figures:
    """All roles, or the first so many; what is asked is held half of the time."""
    roles = cloud_roles(file, most)
    choose = random.Random(seed)
    given = [
        [(choose.choice(sorted(roles)), choose.randrange(PROJECTS)) for _ in range(GIVEN)]
        for _ in range(GROUPS)
    ]
    figures = {
        "roles": float(len(roles)),
        "permissions": float(len(set().union(*map(set, roles.values())))),
        "largest_role": float(max(map(len, roles.values()))),
        "pairs": float(sum(map(len, roles.values()))),
    }
    with Authority.open(url, organization="cloud") as authority:
        start = time.perf_counter()
        apply_all(authority, _defined(roles))
        figures["import_s"] = time.perf_counter() - start
        apply_all(authority, _people(given))
        settle(authority)
        questions = expected(roles, given, choose, ASKED)
        found, wrong = answers(authority, "sql", questions[: ASKED // 4])
        figures |= found
    with Authority.open(url, organization="cloud", index=True) as replica:
        figures["load_s"] = timed([replica.load])[0]
        found, more = answers(replica, "check", questions)
        figures |= found
        figures |= percentiles("churn", edits(replica, roles, given, choose, rounds), 1e3, "ms")
        settle(replica)
        _, after = answers(replica, "after", expected(roles, given, choose, ASKED // 4))
    figures["wrong"] = float(wrong + more + after)
    return figures


def cloud_roles(file: Path, most: int | None = None) -> Roles:
    """Each role's permissions; roles without any are left out."""
    with gzip.open(file, "rt") as text:
        whole: Roles = json.load(text)
    kept = ((name, sorted(set(held))) for name, held in sorted(whole.items()) if held)
    return dict(islice(kept, most))


def _defined(roles: Roles) -> Iterator[Change]:
    yield changes.CreateOrganization()
    yield changes.DefineResourceType(type="project")
    for permission in sorted(set().union(*map(set, roles.values()))):
        yield changes.DefinePermission(permission=permission)
    for role, permissions in roles.items():
        yield changes.DefineRole(role=role, permissions=tuple(permissions))


def _people(given: Given) -> Iterator[Change]:
    for number in range(PROJECTS):
        yield changes.CreateResource(resource=f"project:{number}")
    for number in range(PEOPLE):
        yield changes.AddMembership(subject=f"user:{number}")
    for group, roles in enumerate(given):
        members = tuple(f"user:{number}" for number in range(group, PEOPLE, GROUPS))
        yield changes.CreateGroup(group=f"g{group}")
        yield changes.AddMembers(group=f"g{group}", members=members)
        for role, project in dict.fromkeys(roles):
            yield changes.Assign(role=role, to=f"group:g{group}", on=f"project:{project}")


def expected(
    roles: Roles, given: Given, choose: random.Random, count: int
) -> list[tuple[Question, bool]]:
    """Questions with their answers; every other one is about a permission of a role that the user has."""
    found = []
    for number in range(count):
        user, project = choose.randrange(PEOPLE), choose.randrange(PROJECTS)
        role = choose.choice(sorted(roles))
        mine = given[user % GROUPS]
        if number % 2:
            role, project = choose.choice(mine)
        if not roles[role]:
            continue
        permission = choose.choice(roles[role])
        allowed = any(permission in roles[held] for held, on in mine if on == project)
        found.append(((f"user:{user}", permission, f"project:{project}"), allowed))
    return found


def edits(
    authority: Authority, roles: Roles, given: Given, choose: random.Random, rounds: int
) -> list[float]:
    """Seconds in which a role that people have loses a permission, or gets it back. `roles` follow."""
    times: list[float] = []
    lost: dict[str, str] = {}
    for _ in range(rounds):
        role, _project = choose.choice(choose.choice(given))
        if role in lost:
            permission = lost.pop(role)
            change = changes.EditRole(role=role, add=(permission,))
            roles[role].append(permission)
        else:
            permission = choose.choice(roles[role])
            change = changes.EditRole(role=role, remove=(permission,))
            roles[role].remove(permission)
            lost[role] = permission
        times += timed([lambda change=change: authority.apply([change])])  # type: ignore[misc]
    return times
