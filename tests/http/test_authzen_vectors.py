"""The decisions of AuthZEN's "Todo" interoperability scenario, all of them, over HTTP."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from rescind.changes import (
    AddMembership,
    Assign,
    Change,
    CreateOrganization,
    CreateResource,
    DefinePermission,
    DefineResourceType,
    DefineRole,
)
from tests.conftest import SHARED
from tests.http.serving import Served

VECTORS = SHARED / "vectors" / "authzen_todo_decisions.json"
ROLES = {
    "viewer": ("can_read_user", "can_read_todos"),
    "editor": ("can_read_user", "can_read_todos", "can_create_todo"),
    "owner": ("can_update_todo", "can_delete_todo"),
    "evil_genius": ("can_update_todo",),
    "admin": ("can_delete_todo",),
}
RICK, MORTY, SUMMER, BETH, JERRY = (
    f"CiRmZD{middle}MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
    for middle in ("A2", "E2", "I2", "M2", "Q2")
)
USERS = {
    "rick@the-citadel.com": (RICK, ("editor", "evil_genius", "admin")),
    "morty@the-citadel.com": (MORTY, ("editor",)),
    "summer@the-smiths.com": (SUMMER, ("editor",)),
    "beth@the-smiths.com": (BETH, ("viewer",)),
    "jerry@the-smiths.com": (JERRY, ("viewer",)),
}


def _vectors() -> dict[str, Any]:
    if not VECTORS.exists():
        if os.environ.get("CI"):
            raise AssertionError(f"{VECTORS.name} must be there in CI")
        return {"evaluation": [], "evaluations": []}
    return dict(json.loads(VECTORS.read_text("utf-8")))


FOUND = _vectors()
pytestmark = pytest.mark.skipif(not FOUND["evaluation"], reason="../shared/vectors is not there")


def entities() -> list[dict[str, Any]]:
    """Every resource that the requests name."""
    found = [case["request"]["resource"] for case in FOUND["evaluation"]]
    for case in FOUND["evaluations"]:
        found += [item["resource"] for item in case["request"]["evaluations"]]
    return found


def world() -> list[Change]:
    """The scenario's policy as facts: who owns a todo and may edit at all has a role on it."""
    made: list[Change] = [CreateOrganization()]
    permissions = sorted({name for names in ROLES.values() for name in names})
    made += [DefinePermission(permission=name) for name in permissions]
    made += [DefineRole(role=role, permissions=names) for role, names in ROLES.items()]
    made += [DefineResourceType(type=kind) for kind in ("user", "todo")]
    for subject, roles in USERS.values():
        made.append(AddMembership(subject=f"user:{subject}"))
        made += [Assign(role=role, to=f"user:{subject}") for role in roles]
    owners = {
        f"{each['type']}:{each['id']}": each.get("properties", {}).get("ownerID")
        for each in entities()
    }
    made += [CreateResource(resource=resource) for resource in owners]
    for resource, owner in owners.items():
        if owner and "editor" in USERS[owner][1]:
            made.append(Assign(role="owner", to=f"user:{USERS[owner][0]}", on=resource))
    return made


def test_the_todo_scenario_in_full(served: Served) -> None:
    """Each decision of both endpoints is the one that its authors expect."""
    served.service.authority.apply(world(), organization="todo")
    with served.client(served.key("check", organization="todo")) as client:
        for case in FOUND["evaluation"]:
            answer = client.post("/access/v1/evaluation", json=case["request"])
            assert answer.json() == {"decision": case["expected"]}, case["request"]
        for case in FOUND["evaluations"]:
            answer = client.post("/access/v1/evaluations", json=case["request"])
            assert answer.json() == {"evaluations": case["expected"]}, case["request"]
    assert len(FOUND["evaluation"]) + len(FOUND["evaluations"]) == 43
