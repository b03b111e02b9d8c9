"""The pytest plugin, the assertions about access, and facts from YAML."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rescind import Authority
from rescind.changes import Change, CreateOrganization
from rescind.errors import InvalidArgument
from rescind.store.migrations import migrate
from rescind.testing import assert_allowed, assert_denied, facts

FACTS = """
permissions: [doc:read, doc:write]
critical: [billing:pay]
roles:
  viewer: [doc:read]
  owner: [doc:read, billing:pay]
types: {folder: [], doc: [folder]}
resources: {doc:1: folder:a, folder:a: null}
groups:
  eng: [user:ada]
  staff: [group:eng, user:bob]
memberships: [user:cyd]
assignments:
  - {role: viewer, to: group:staff}
  - {role: owner, to: agent:bot, resource: folder:a}
"""

OF_A_USER = """
import pytest
from rescind.testing import assert_allowed, assert_denied

@pytest.mark.rescind(facts="facts.yaml")
def test_facts(rescind):
    assert_allowed(rescind, "user:ada", "doc:read")
    assert_denied(rescind, "user:cyd", "doc:read")

def test_fails(rescind):
    assert_allowed(rescind, "user:ada", "doc:read")

@pytest.mark.rescind(fact="facts.yaml")
def test_mistyped(rescind):
    pass
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    path = tmp_path_factory.mktemp("testing") / "rescind.db"
    migrate(str(path))
    authority = Authority.open(path, organization="acme")
    changes: list[Change] = [CreateOrganization()]
    authority.apply(changes + facts(FACTS))
    return authority


def test_facts_are_those_of_the_text(authority: Authority) -> None:
    assert_allowed(authority, "user:ada", "doc:read")
    assert_allowed(authority, "agent:bot", "billing:pay", "doc:1")
    assert_denied(authority, "agent:bot", "billing:pay")
    assert_denied(authority, "user:cyd", "doc:read")
    assert authority.check("agent:bot", "billing:pay", "doc:1").is_critical


def test_a_failure_says_what_is_missing_or_through_what(authority: Authority) -> None:
    with pytest.raises(AssertionError, match="user:cyd doc:read is denied"):
        assert_allowed(authority, "user:cyd", "doc:read")
    with pytest.raises(AssertionError, match="user:ada → group:eng → group:staff → role viewer"):
        assert_denied(authority, "user:ada", "doc:read")


def test_what_is_mistyped_is_no_denial(authority: Authority) -> None:
    for question in (("user:cyd", "doc:raed"), ("user:cyd", "doc:read", "doc:404")):
        assert not authority.check(*question)
        with pytest.raises(AssertionError, match="not by the facts"):
            assert_denied(authority, *question)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("roles: [viewer]", "roles"),
        ("role: {viewer: []}", "role"),
        ("assignments: [{role: viewer, to: user:ada, on_: x}]", "assignments"),
        ("assignments: [{role: viewer, to: user:ada, on: doc:1}]", "`resource:`"),
        ("{", "facts"),
        ("no-such.yaml", "no-such.yaml"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        facts(text)


def test_the_plugin_gives_each_test_an_authority_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "facts.yaml").write_text(FACTS, "utf-8")
    (tmp_path / "test_of_a_user.py").write_text(OF_A_USER, "utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "rescind_pytest", "--strict-markers"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed, 1 error" in found.stdout, found.stdout + found.stderr
    assert "user:ada doc:read is denied" in found.stdout
    assert "use @pytest.mark.rescind(facts=None" in found.stdout
