"""A name that was deleted and is taken again: who has it now inherits nothing, at no decision point.

Other systems gave the access of the former to whoever was made with the name: by rows that stayed, by work
that was still to be done, by a cache, by a retry that met the one that came after.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.applying.former_keys import FormerKeys
from rescind.changes import Change
from rescind.decision.lists import pages
from rescind.errors import InvalidArgument, InvalidCursor, KeyReused
from rescind.propagation.worker import Worker
from rescind.transfer.importer import Batch, Importer
from rescind.transfer.readers import Item
from tests.clock import SettableClock
from tests.contract.world import WORLD
from tests.sql import ours
from tests.state import may

READ, WRITE = ("user:ada", "read", None), ("user:ada", "write", "doc:1")
TAKEN_AGAIN: dict[str, tuple[list[Change], list[Change]]] = {
    "membership": (
        [changes.RemoveMembership(subject="user:ada")],
        [changes.AddMembership(subject="user:ada")],
    ),
    "group": (
        [changes.DeleteGroup(group="eng", cascade=True)],
        [
            changes.CreateGroup(group="eng"),
            changes.AddMembers(group="eng", members=("user:ada",)),
        ],
    ),
    "groups": (
        [
            changes.DeleteGroup(group="staff", cascade=True),
            changes.DeleteGroup(group="eng", cascade=True),
        ],
        [
            changes.CreateGroup(group="eng"),
            changes.CreateGroup(group="staff"),
            changes.AddMembers(group="eng", members=("user:ada",)),
            changes.NestGroup(group="eng", into="staff"),
        ],
    ),
    "roles": (
        [
            changes.DeleteRole(role="reader", cascade=True),
            changes.DeleteRole(role="writer", cascade=True),
        ],
        [
            changes.DefineRole(role="reader", permissions=("read",), priority=1),
            changes.DefineRole(role="writer", permissions=("read", "write"), priority=2),
        ],
    ),
    "permissions": (
        [
            changes.DeletePermission(permission="read", cascade=True),
            changes.DeletePermission(permission="write", cascade=True),
        ],
        [
            changes.DefinePermission(permission="read"),
            changes.DefinePermission(permission="write"),
        ],
    ),
    "resources": (
        [
            changes.Unassign(role="reader", to="group:staff"),
            changes.DeleteResource(resource="folder:a", cascade=True),
        ],
        [
            changes.CreateResource(resource="folder:a"),
            changes.CreateResource(resource="doc:1", parent="folder:a"),
        ],
    ),
}
"""By what Ada loses everything, and how the same names are taken again."""


def settle(authority: Authority) -> None:
    """Do all background work."""
    worker = Worker(authority.store)
    while worker.work_once():
        pass


@pytest.mark.parametrize(
    ("route", "joined"),
    [("inline", True), ("background", False), ("background", True)],
    ids=["inline", "background", "background-joined"],
)
@pytest.mark.parametrize("kind", TAKEN_AGAIN)
def test_who_has_the_name_inherits_nothing(
    acme: Authority, database: str, kind: str, route: str, joined: bool
) -> None:
    """In memory, in effective roles, from the facts and in SQL; before and after the background work."""
    gone, again = TAKEN_AGAIN[kind]
    view = "SELECT count(*) FROM rescind.effective_permission WHERE subject = 'user:ada'"
    acme.store.queries["view"] = ours(acme, view)  # type: ignore[attr-defined]
    with Authority.open(database, organization="acme", index=True) as held:
        assert held.load()
        assert held.check(*READ)
        assert held.check(*WRITE)
        for batch in [[*gone, *again]] if joined else [gone, again]:
            acme.apply(batch, route=route)
        for _ in range(2):
            for question in (READ, WRITE):
                assert not may(acme, *question)
                assert not may(held, *question)
            assert acme.store.fetch("view", {}) == [(0,)]
            settle(acme)


# --- organizations --------------------------------------------------------------------------------

HIRE: list[Change] = [
    changes.AddMembership(subject="user:eve"),
    changes.AddMembers(group="staff", members=("user:eve",)),
]
EVE = ("user:eve", "read", None)
START = datetime(2030, 1, 1, tzinfo=UTC)


def taken_again(authority: Authority) -> None:
    """Another organization of the name, with the same groups and roles."""
    authority.apply([changes.DeleteOrganization(cascade=True)])
    authority.apply(WORLD)


def test_a_grant_repeated_with_its_key_gives_nobody_anything_in_the_next(acme: Authority) -> None:
    """Its receipt is that of what it did."""
    first = acme.apply(HIRE, idempotency_key="k")
    taken_again(acme)
    again = acme.apply(HIRE, idempotency_key="k")
    assert again == first
    assert again.is_repeated
    assert not may(acme, *EVE)
    with pytest.raises(KeyReused):
        acme.apply(HIRE[:1], idempotency_key="k")
    assert acme.apply(HIRE, idempotency_key="another").changed
    assert may(acme, *EVE)


def test_a_deletion_repeated_with_its_key_deletes_no_other(acme: Authority) -> None:
    """Nor a third one: whose name was deleted twice."""
    delete = [changes.DeleteOrganization(cascade=True)]
    first = acme.apply(delete, idempotency_key="k")
    acme.apply(WORLD)
    assert acme.apply(delete, idempotency_key="k") == first
    taken_again(acme)
    assert acme.apply(delete, idempotency_key="k") == first
    assert may(acme, *READ)
    acme.apply(delete)
    assert acme.apply(delete, idempotency_key="k") == first


def test_a_creation_repeated_with_its_key_brings_nothing_back(authority: Authority) -> None:
    """What was deleted meanwhile stays so."""
    first = authority.apply(WORLD, idempotency_key="k")
    authority.apply([changes.DeleteOrganization(cascade=True)])
    assert authority.apply(WORLD, idempotency_key="k") == first
    assert not authority.check(*READ)
    with authority.store.connection() as connection:
        again = authority.apply(WORLD, idempotency_key="k", within=connection)
        assert again.is_repeated
    assert not authority.check(*READ)


def test_control_without_a_look_at_the_former(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next organization of the name is deleted by the retry."""
    monkeypatch.setattr(FormerKeys, "has", lambda *_: False)
    delete = [changes.DeleteOrganization(cascade=True)]
    acme.apply(delete, idempotency_key="k")
    acme.apply(WORLD)
    acme.apply(delete, idempotency_key="k")
    assert not acme.check(*READ)


def test_a_key_is_kept_as_long_as_others(acme: Authority, clock: SettableClock) -> None:
    """After 48 hours it is a new one."""
    clock.now = START
    acme.apply(HIRE, idempotency_key="k")
    taken_again(acme)
    clock.now = START + timedelta(hours=48)
    assert acme.apply(HIRE, idempotency_key="k").is_repeated
    clock.now += timedelta(seconds=1)
    assert acme.apply(HIRE, idempotency_key="k").changed


def test_the_first_of_a_name_is_looked_up_once(acme: Authority) -> None:
    """A change with a key costs no more than one without."""
    asked: list[str] = []
    fetch = acme.store.fetch

    def noting(query: Any, *rest: Any, **options: Any) -> Any:
        asked.append(getattr(query, "name", query))
        return fetch(query, *rest, **options)

    acme.store.fetch = noting  # type: ignore[method-assign, assignment]
    for number in range(3):
        acme.apply([changes.CreateGroup(group=f"g{number}")], idempotency_key=f"k{number}")
    assert asked.count("has_former") == 1
    assert "find_former_key" not in asked


# --- cursors --------------------------------------------------------------------------------------

LISTS: dict[str, Callable[..., object]] = {
    "who_can": lambda a, **o: a.who_can("read", limit=1, **o),
    "resources_of": lambda a, **o: a.resources_of("user:ada", "read", limit=1, **o),
    "permissions_of": lambda a, **o: a.permissions_of("user:ada", "doc:1", limit=1, **o),
    "memberships": lambda a, **o: a.list_memberships(limit=1, **o),
    "groups": lambda a, **o: a.list_groups(limit=1, **o),
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("index", [False, True], ids=["store", "memory"])
def test_a_cursor_is_good_in_one_organization(
    acme: Authority, database: str, kind: str, index: bool
) -> None:
    """In the next of its name it would pass over whoever has a lower number."""
    ask = LISTS[kind]
    cursor = ask(acme).next_cursor  # type: ignore[attr-defined]
    assert cursor is not None
    ask(acme, cursor=cursor)
    taken_again(acme)
    with Authority.open(database, organization="acme", index=index) as asked:
        assert not index or asked.load()
        with pytest.raises(InvalidCursor):
            ask(asked, cursor=cursor)
        ask(asked, cursor=ask(asked).next_cursor)  # type: ignore[attr-defined]


def test_control_a_cursor_of_a_number_alone(
    acme: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was first in the next organization is on no page."""
    opened = pages.opened
    monkeypatch.setattr(pages, "opened", lambda *a: opened(*a)._replace(incarnation=None))
    first = acme.who_can("read", limit=1)
    taken_again(acme)
    rest = acme.who_can("read", cursor=first.next_cursor)
    assert "user:ada" not in rest.items


def test_an_import_does_not_go_on_in_the_next(acme: Authority) -> None:
    """Repeated with its key it is refused, and not reported as done."""
    batch = Batch("acme", [Item(change, "f:1") for change in HIRE])
    Importer(acme, run="run/").apply(batch, "run/0")
    taken_again(acme)
    with pytest.raises(InvalidArgument, match="deleted since the import began"):
        Importer(acme, run="run/").apply(batch, "run/0")
    assert not may(acme, *EVE)
