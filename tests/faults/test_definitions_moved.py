"""What is defined for all organizations changes between a batch's judgement and its entry in the log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import psycopg
import pytest

from rescind import Authority, changes
from rescind.history.replay_audit import audit_replay
from rescind.model import RoleMode
from rescind.store import open_store
from tests.probe import Probe, probe_of
from tests.property.rows import role_resets

GUARD = "refuse_moved_definitions"
ROLES = ("high", "low")
RAISE_LOW = changes.EditRole(role="low", priority=9)


@pytest.fixture
def judged(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Authority]:
    """Ada holds two roles of all organizations, and the higher one counts. Statements are sent one by one."""
    database = new_database("postgres")
    with Authority(open_store(database, probe=Probe()), organization="acme") as authority:
        shared = [changes.DefineRole(role=role, permissions=()) for role in ROLES]
        authority.apply([*shared, changes.EditRole(role="high", priority=5)], organization="*")
        single = changes.SetRoleMode(mode=RoleMode.SINGLE)
        held = [changes.Assign(role=role, to="user:ada") for role in ROLES]
        ada = changes.AddMembership(subject="user:ada")
        authority.apply([changes.CreateOrganization(), single, ada, *held])
        monkeypatch.setattr(psycopg.Connection, "pipeline", lambda _: contextlib.nullcontext())
        yield authority


def _raise_low_before(authority: Authority, statement: str) -> None:
    """Give the lower role the highest priority, when a batch has been judged but is not in the log yet."""

    def before(name: str) -> None:
        if name == statement:
            probe_of(authority).before = None
            with Authority.open(authority.store.url) as other:
                other.apply([RAISE_LOW], organization="*")

    probe_of(authority).before = before


@pytest.mark.parametrize("is_within", [False, True])
def test_a_batch_is_judged_by_the_definitions_that_its_entry_names(
    judged: Authority, is_within: bool
) -> None:
    """It is tried again. By then the role that it takes is not the winning one, so nothing is set aside."""
    _raise_low_before(judged, "close_change")
    _unassign_high(judged, is_within=is_within)
    assert role_resets(judged, "acme") == set()
    assert audit_replay(judged.store, "acme").is_clean


def test_control_without_the_guard_replay_sets_other_roles_aside(judged: Authority) -> None:
    """The batch was judged by the old priority, and the log names a revision of `*` with the new one."""
    probe_of(judged).omitted.add(GUARD)
    _raise_low_before(judged, "close_change")
    _unassign_high(judged, is_within=False)
    assert role_resets(judged, "acme") == {("user:ada", "low")}
    assert not audit_replay(judged.store, "acme").is_clean


@pytest.mark.parametrize("statement", ["remember_roles_below", "commit"])
def test_outside_of_the_judgement_nothing_is_tried_again(judged: Authority, statement: str) -> None:
    """Before it, between its first two looks, the batch sees the new priority or is tried again; after it,
    the log names the revision of `*` before."""
    _raise_low_before(judged, statement)
    _unassign_high(judged, is_within=False)
    expected = {("user:ada", "low")} if statement == "commit" else set()
    assert role_resets(judged, "acme") == expected
    assert audit_replay(judged.store, "acme").is_clean


def _unassign_high(authority: Authority, *, is_within: bool) -> None:
    change = changes.Unassign(role="high", to="user:ada")
    if is_within:
        with authority.store.connection() as connection:
            authority.apply([change], within=connection)
    else:
        authority.apply([change])
