"""The hash chain of the change log: each change has its digest, whichever way it was made."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rescind import ENVIRONMENT, Authority, changes
from rescind.history.log_start import forget, log_start, start_after
from rescind.model.log import Content
from rescind.semantics.chain import canonical, chained, first_digest
from tests.contract.world import WORLD
from tests.sql import ours

GIVE = changes.Assign(role="reader", to="user:ada")
TAKE = changes.Unassign(role="reader", to="user:ada")
COLUMNS = ", ".join(Content._fields)


def rows(authority: Authority, organization: int) -> list[tuple[Content, bytes | None]]:
    """The log of an organization, given its number: contents and digests."""
    sql = (
        f"SELECT {COLUMNS}, digest FROM rescind.change WHERE organization = {organization}"
        " ORDER BY revision"
    )
    with authority.store.connection() as connection:
        driver: Any = connection
        found = driver.execute(ours(authority, sql)).fetchall()
    return [(Content(*row[:-1]), row[-1]) for row in found]


def run(authority: Authority, sql: str) -> None:
    with authority.store.connection() as connection:
        driver: Any = connection
        driver.execute(ours(authority, sql))


def require_chained(authority: Authority, organization: int) -> list[Content]:
    """Every change has the digest that Python makes of it."""
    before: bytes | None = first_digest(organization)
    contents = []
    for content, digest in rows(authority, organization):
        before = chained(before, canonical(content))
        assert digest == before, content
        contents.append(content)
    return contents


HOSTILE = ["'; DROP TABLE x; --", "12:a,", 'é\n\t"', "x" * 10_000, "ﷺ𝔘", ""]


def test_every_change_has_its_digest(authority: Authority) -> None:
    """Inline and in the background, with hostile actors and reasons, with and without a key."""
    authority.apply(WORLD)
    for number, text in enumerate(HOSTILE):
        change = changes.RenameMembership(subject="user:ada", name=f"Ada {number}")
        authority.apply([change], reason=text, idempotency_key=f"{number}:é,")
    background = authority.apply(
        [changes.Assign(role="writer", to="group:staff")], route="background"
    )
    assert background.route == "background"
    leave = changes.RemoveMembers(group="eng", members=("user:ada",))
    authority.apply([leave], actor="Zoë, 5:")
    (_, *rest) = require_chained(authority, 1)
    assert [content.reason for content in rest[: len(HOSTILE)]] == HOSTILE
    assert {content.environment for content in rest} == {0}
    assert {content.route for content in rest} == {"inline", "background"}


def test_the_environment_is_in_it(acme: Authority) -> None:
    """The revision of `*`: its own in its own log, the cause's where it caused the change, else the last."""
    everywhere = {"organization": ENVIRONMENT}
    acme.apply([changes.DefineRole(role="guest", permissions=())], **everywhere)
    acme.apply([changes.Assign(role="guest", to="user:ada")])
    acme.apply([changes.DeleteRole(role="guest", cascade=True)], **everywhere)
    acme.apply([GIVE])
    assert [each.environment for each in require_chained(acme, 0)] == [1, 2]
    own = require_chained(acme, 1)
    assert [(each.environment, each.caused_by) for each in own] == [
        (0, None),
        (1, None),
        (2, 2),
        (2, None),
    ]


def test_a_change_in_the_callers_transaction_has_its_digest(acme: Authority) -> None:
    """Also two in one transaction, and nothing remains of one that is rolled back."""
    with acme.store.connection() as connection:
        acme.apply([GIVE], within=connection)
        acme.apply([changes.Assign(role="reader", to="user:bob")], within=connection)
    with suppress(ZeroDivisionError), acme.store.connection() as connection:
        acme.apply([TAKE], within=connection)
        raise ZeroDivisionError
    acme.apply([TAKE])
    assert len(require_chained(acme, 1)) == 4


def test_an_organization_that_is_made_again_has_a_log_of_its_own(acme: Authority) -> None:
    acme.apply([changes.DeleteOrganization(cascade=True)])
    acme.apply(WORLD)
    assert len(require_chained(acme, 1)) == 2
    assert len(require_chained(acme, 2)) == 1


def test_after_a_change_without_digest_comes_none(acme: Authority) -> None:
    """As while a process of an older version still runs. Its own log only."""
    acme.apply([GIVE])
    run(acme, "UPDATE rescind.change SET digest = NULL WHERE organization = 1 AND revision = 2")
    acme.apply([TAKE])
    acme.apply(WORLD, organization="other")
    assert [digest is None for _, digest in rows(acme, 1)] == [False, True, True]
    require_chained(acme, 2)


def test_the_oldest_changes_are_taken_out(acme: Authority) -> None:
    """The start keeps the digest that the rest follows from. Never the newest change."""
    for _ in range(3):
        acme.apply([GIVE])
        acme.apply([TAKE])
    chain = rows(acme, 1)
    (number, *_) = (content.organization for content, _ in chain)
    done: list[Any] = []

    def start(tx: Any, revision: int) -> None:
        done[:] = [start_after(tx, number, revision, now=5, why="pruned")]  # type: ignore[arg-type]

    for revision, expected in ((7, 0), (9, 0), (4, 1), (2, 0)):
        acme.store.transact(lambda tx, at=revision: start(tx, at))  # type: ignore[misc]
        assert (revision, done[0]()) == (revision, expected)
    found = log_start(acme.store, number)  # type: ignore[arg-type]
    assert found == (4, chain[3][1], chain[3][0].environment, 5, "pruned")
    deleted: list[int] = []
    while not deleted or deleted[-1]:
        acme.store.transact(lambda tx: done.append(forget(tx, number, limit=3)))  # type: ignore[arg-type]
        deleted.append(done[-1]())
    assert deleted == [3, 1, 0]
    assert rows(acme, 1) == chain[4:]
    acme.apply([GIVE])
    (*_, (_, before), (newest, digest)) = rows(acme, 1)
    assert digest == chained(before, canonical(newest))
