"""Revision tokens and cursors on each engine: good in their own database, for their own organization."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.errors import InvalidCursor, InvalidToken
from rescind.model import Revision, Seals
from rescind.store.schema import Installation, seals_of
from tests.contract.world import WORLD
from tests.probe import Probe

ASKS: dict[str, Callable[[Authority, str], Any]] = {
    "check": lambda acme, token: acme.check("user:ada", "read", at_least=token),
    "live": lambda acme, token: acme.check("user:ada", "read", at_least=token, assurance="live"),
    "explain": lambda acme, token: acme.explain("user:ada", "read", at_least=token),
    "check_many": lambda acme, token: acme.check_many([("user:ada", "read", None)], at_least=token),
    "who_can": lambda acme, token: acme.who_can("read", at_least=token),
    "permissions_of": lambda acme, token: acme.permissions_of("user:ada", at_least=token),
    "resources_of": lambda acme, token: acme.resources_of("user:ada", "read", at_least=token),
    "apply": lambda acme, token: acme.apply([changes.CreateGroup(group="n")], if_revision=token),
    "preview": lambda acme, token: acme.preview(
        [changes.CreateGroup(group="n")], if_revision=token
    ),
}
"""Every place that takes a token."""


def formerly(revision: Revision) -> str:
    """The token of a revision as version 0.1 had it: anybody could read and make it."""
    text = f"1.{revision.incarnation}.{revision.organization}.{revision.environment}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("is_on", [True, False])
def test_a_token_of_another_database(
    engine: str, new_database: Callable[[str], str], is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an organization of the same name and number, at the same revision: it is none, though the database
    was copied with its secret. The control: without the database's identity it is.
    """
    urls = new_database(engine), new_database(engine)
    if not is_on:

        def without_identity(
            execute: Callable[[str], Any], ours: Callable[[str], str], found: Installation
        ) -> Seals:
            return seals_of(execute, ours, found._replace(identity=""))

        monkeypatch.setattr("rescind.store.sqlite.incarnation.seals_of", without_identity)
        monkeypatch.setattr("rescind.store.postgres.store.seals_of", without_identity)
    with (
        Authority.open(urls[0], organization="acme") as acme,
        Authority.open(urls[1], organization="acme") as other,
    ):
        token, foreign = acme.apply(WORLD).token, other.apply(WORLD).token
        assert acme.store.seals.parse(token) == other.store.seals.parse(foreign)
        for name, ask in ASKS.items():
            if name == "apply":
                continue
            if not is_on:
                ask(acme, foreign)
                continue
            with pytest.raises(InvalidToken, match="database, or none"):
                ask(acme, foreign)
        page = other.who_can("read", limit=1)
        assert page.next_cursor is not None
        if is_on:
            with pytest.raises(InvalidCursor):
                acme.who_can("read", limit=1, cursor=page.next_cursor)


@pytest.mark.parametrize("name", ASKS)
def test_a_token_as_it_was_is_none(acme: Authority, name: str) -> None:
    """Kept from before tokens were sealed: refused with what to do, however right it is."""
    token = acme.check("user:ada", "read").token
    assert token is not None
    with pytest.raises(InvalidToken, match="0\\.1"):
        ASKS[name](acme, formerly(acme.store.seals.parse(token)))
    assert not acme.apply([], if_revision=token).changed
    assert ASKS[name](acme, token)


def test_the_secret_is_read_once(acme: Authority, probe: Probe, database: str) -> None:
    """When the database is opened; each process that opens it gives out and takes the same tokens."""
    statements: list[str] = []
    probe.before = statements.append
    token = acme.check("user:ada", "read").token
    assert acme.check("user:ada", "read", at_least=token).token == token
    acme.who_can("read", limit=1)
    acme.apply([changes.CreateGroup(group="new")], if_revision=token)
    assert statements
    assert not [name for name in statements if "secret" in name]
    with Authority.open(database, organization="acme") as again:
        assert again.check("user:ada", "read", at_least=token)
        assert (
            again.apply([changes.CreateGroup(group="new")]).token == acme.check("x", "read").token
        )


def test_a_cursor_tells_nothing(acme: Authority) -> None:
    """It is as long whatever it stands at."""
    page = acme.who_can("read", limit=1)
    cursor = page.next_cursor
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert len(raw) == 8 + 16
    assert bytes(4) not in raw
    assert acme.who_can("read", limit=1).next_cursor == cursor
    for wrong in (
        cursor + "=",
        cursor[:-1],
        cursor[::-1],
        base64.urlsafe_b64encode(raw[8:]).decode(),
    ):
        with pytest.raises(InvalidCursor):
            acme.who_can("read", limit=1, cursor=wrong)


def test_what_is_left_of_one_of_the_name_is_not_its_own(acme: Authority) -> None:
    """Pending work by a name is that of the organization that has it now; in the list of all, all is."""
    acme.apply([changes.DeleteOrganization(cascade=True)], route="background")
    (left,) = acme.pending(organization="acme")
    assert left.kind == "organization"
    acme.apply([changes.CreateOrganization()])
    assert acme.pending(organization="acme") == []
    assert [work.kind for work in acme.pending()] == ["organization"]
