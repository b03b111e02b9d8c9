"""The official SDK is the acceptance client: nothing of it is left out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from workos.authorization import AsyncAuthorization, Authorization
from workos.events import AsyncEvents, Events
from workos.groups import AsyncGroups, Groups
from workos.organization_membership import (
    AsyncOrganizationMembershipService,
    OrganizationMembershipService,
)
from workos.organizations import AsyncOrganizations, Organizations

PAIRS = [
    (Authorization, AsyncAuthorization),
    (Events, AsyncEvents),
    (Groups, AsyncGroups),
    (OrganizationMembershipService, AsyncOrganizationMembershipService),
    (Organizations, AsyncOrganizations),
]


def methods(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def calls_with_sdk() -> set[str]:
    """The methods that are called in tests with the fixture `sdk`, which is both faces of the SDK."""
    called: set[str] = set()
    for file in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and "sdk" in {a.arg for a in node.args.args}:
                called |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return called


@pytest.mark.parametrize(("kind", "other"), PAIRS)
def test_every_method_is_called(kind: type, other: type) -> None:
    """Of each module, by the synchronous and the asynchronous client."""
    assert methods(kind) == methods(other)
    assert methods(kind) <= calls_with_sdk()
