"""Decisions that OpenFGA's authors worked out: nested groups, reproduced in full."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from rescind import Authority
from rescind.changes import (
    AddMembers,
    AddMembership,
    Assign,
    Change,
    CreateGroup,
    CreateOrganization,
    CreateResource,
    DefinePermission,
    DefineResourceType,
    DefineRole,
    NestGroup,
)
from rescind.errors import NestingCycle
from tests.conftest import SHARED

VECTORS = SHARED / "vectors" / "nested_groups_openfga.json"


def _cases() -> list[dict[str, Any]]:
    if not VECTORS.exists():
        if os.environ.get("CI"):
            raise AssertionError(f"{VECTORS.name} must be there in CI")
        return []
    return list(json.loads(VECTORS.read_text("utf-8")))


CASES = _cases()
pytestmark = pytest.mark.skipif(not CASES, reason="../shared/vectors is not there")


def _nodes(case: dict[str, Any]) -> set[str]:
    """Everything that flows or is flowed into is a group, a subject only if it is a node too."""
    nodes = {node for _, node in case["memberships"]} | {
        n for edge in case["nesting"] for n in edge
    }
    nodes |= {check["node"] for check in case["checks"]}
    nodes |= {listed["node"] for listed in case["list_users"]}
    return nodes


def _subject(name: str) -> str:
    return f"user:{name}"


def _world(case: dict[str, Any]) -> list[Change]:
    """Each node a group that holds a role on a resource of its own."""
    nodes = sorted(_nodes(case))
    subjects = {s for s, _ in case["memberships"]} | {c["subject"] for c in case["checks"]}
    subjects |= {listed["subject"] for listed in case["list_objects"]}
    batch: list[Change] = [
        CreateOrganization(),
        DefinePermission(permission="member"),
        DefineRole(role="member", permissions=("member",)),
        DefineResourceType(type="node"),
    ]
    batch += [AddMembership(subject=_subject(subject)) for subject in sorted(subjects)]
    for node in nodes:
        batch += [
            CreateGroup(group=node),
            CreateResource(resource=f"node:{node}"),
            Assign(role="member", to=f"group:{node}", on=f"node:{node}"),
        ]
    batch += [
        AddMembers(group=node, members=(_subject(subject),))
        for subject, node in case["memberships"]
    ]
    # a subject that is itself a node stands for its members: a witness among them is asked about
    batch += [AddMembers(group=s, members=(_subject(s),)) for s in sorted(subjects & set(nodes))]
    batch += [NestGroup(group=s, into=node) for s, node in case["memberships"] if s in nodes]
    batch += [NestGroup(group=child, into=parent) for child, parent in case["nesting"]]
    return batch


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["id"] for case in CASES])
def test_case(authority: Authority, number: int) -> None:
    """Checks and both lists are as its authors say, by both decision points; a cycle is refused."""
    case = CASES[number]
    if case["cyclic"]:
        with pytest.raises(NestingCycle):
            authority.apply(_world(case))
        return
    authority.apply(_world(case))
    for assurance in ("standard", "live"):
        for check in case["checks"]:
            decision = authority.check(
                _subject(check["subject"]), "member", f"node:{check['node']}", assurance=assurance
            )
            assert decision.allowed == check["allowed"], check
        for listed in case["list_objects"]:
            page = authority.resources_of(
                _subject(listed["subject"]), "member", assurance=assurance
            )
            end = f"#{listed['relation']}"
            nodes = {r.removeprefix("node:") for r in page.items}
            found = {
                n.removesuffix(end)
                for n in nodes
                if n.endswith(end) and n.startswith(listed["type"] + ":")
            }
            assert found == set(listed["objects"]), listed
        for listed in case["list_users"]:
            page = authority.who_can("member", f"node:{listed['node']}", assurance=assurance)
            found = {subject.removeprefix("user:") for subject in page.items}
            assert set(listed["users"]) <= found, listed
            assert {u for u in found if u.split(":")[0] in _kinds(listed)} <= set(listed["users"])


def _kinds(listed: dict[str, Any]) -> set[str]:
    return {user.split(":")[0] for user in listed["users"]}
