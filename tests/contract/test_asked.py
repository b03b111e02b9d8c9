"""What one check asks the store: the least that decides it, and more only where that does not."""

from __future__ import annotations

from typing import Any

import pytest

from rescind import Authority, changes
from rescind.decision import check
from rescind.store import Params

GRANT = changes.Assign(role="writer", to="group:staff")
"""Bob may write, then; by the background route there are no effective roles that say so."""


class Asked:
    """The names of the checks' queries; and what is to be changed before one of them."""

    def __init__(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.before: dict[str, list[changes.Change]] = {}
        fetch = authority.store.fetch

        def recording(query: Any, params: Params, *, within: object = None) -> Any:
            name = str(query)
            if name.startswith("check"):
                if todo := self.before.pop(name, None):
                    authority.apply(todo)
                self.names.append(name)
            return fetch(query, params, within=within)

        monkeypatch.setattr(authority.store, "fetch", recording)

    def taken(self) -> list[str]:
        """The names since the last time."""
        names, self.names = self.names, []
        return names


@pytest.fixture
def asked(acme: Authority, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the checks of `acme` ask."""
    return Asked(acme, monkeypatch)


def test_at_rest_one_query_decides(acme: Authority, asked: Asked) -> None:
    """By either decision point, allowed or denied; for what is guessed wrong, from the second time on."""
    assert acme.check("ada", "write", "doc:1")
    assert not acme.check("bob", "write", "doc:1")
    assert asked.taken() == ["check_effective_multiple"] * 2
    assert acme.check("ada", "write", "doc:1", assurance="live")
    assert asked.taken() == ["check_live_multiple"]
    for expected in (["check_effective_multiple", "check"], ["check_live_multiple"]):
        assert not acme.check("ada", "purge", "doc:1")
        assert asked.taken() == expected
    acme.apply([changes.SetRoleMode(mode="single")])
    asked.taken()
    for expected in (["check_effective_multiple", "check"], ["check_effective_single"]):
        assert acme.check("ada", "write", "doc:1")
        assert asked.taken() == expected


@pytest.mark.parametrize("mode", ["multiple", "single"])
def test_the_facts_are_asked_where_effective_roles_cannot_say(
    acme: Authority, asked: Asked, mode: str
) -> None:
    """While something is pending, what effective roles do not give is decided live, by a second query."""
    acme.apply([changes.SetRoleMode(mode=mode), GRANT], route="background")
    acme.check("bob", "read")
    asked.taken()
    found = acme.check("bob", "write", "doc:2")
    assert (found.allowed, found.point) == (True, "live")
    denied = acme.check("bob", "write", "doc:none")
    assert (denied.allowed, denied.reason) == (False, "unknown_resource")
    denied = acme.check("cyd", "write", "doc:2")
    assert (denied.allowed, denied.point) == (False, "live")
    both = [f"check_effective_{mode}", f"check_live_{mode}"]
    assert asked.taken() == [*both, both[0], *both]


def test_control_without_asking_the_facts_a_grant_is_denied(
    acme: Authority, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second query is what makes it right."""
    acme.apply([GRANT], route="background")
    monkeypatch.setattr(check, "UNDECIDED", None)
    assert not acme.check("bob", "write", "doc:2")


def test_trusted_effective_roles_need_no_second_query(acme: Authority, asked: Asked) -> None:
    """Whatever is pending, if it revokes nothing."""
    acme.apply([GRANT], route="background")
    found = acme.check("ada", "write", "doc:1")
    assert (found.allowed, found.point) == (True, "effective")
    assert asked.taken() == ["check_effective_multiple"]


def test_what_changes_between_two_queries_is_seen(acme: Authority, asked: Asked) -> None:
    """The answer is of one state: that of the query which decides."""
    acme.apply([GRANT], route="background")
    asked.taken()
    mode = changes.SetRoleMode(mode="single")
    asked.before["check_live_multiple"] = [mode, changes.Unassign(role="writer", to="group:staff")]
    found = acme.check("bob", "write", "doc:2")
    assert asked.taken()[:3] == ["check_effective_multiple", "check_live_multiple", "check"]
    assert not found
    assert found.token == acme.check("bob", "write", "doc:2").token
