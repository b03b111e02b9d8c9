"""The design that this one is not: after a background revocation rows still say yes; nobody believes them.

Each way in which access can be taken away leaves stale effective roles; a join over them would allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import ENVIRONMENT
from tests.faults.small import FACTS, MEMBERS, PLACES, opened, prepare, require_settled, settle
from tests.sql import ours
from tests.state import may

NAME, SUBJECT, PLACE = "acme", MEMBERS[0], PLACES[0]
GIVING = """
SELECT e.assignment FROM rescind.effective_role AS e
JOIN rescind.organization AS o ON o.id = e.organization AND o.slug = 'acme'
JOIN rescind.membership AS m ON m.organization = o.id AND m.id = e.membership AND m.subject = 'user:0'
JOIN rescind.assignment AS a ON a.organization = o.id AND a.id = e.assignment
JOIN rescind.resource AS r ON r.organization = o.id AND r.id = a.resource
  AND r.slug IN ('doc:0', 'organization')
JOIN rescind.role_permission AS rp ON rp.role = a.role
JOIN rescind.permission AS p ON p.id = rp.permission
WHERE p.slug = :permission
"""
"""What gives it, to a naive eye."""
KEPT = "SELECT e.assignment FROM rescind.effective_role AS e WHERE e.organization = :o AND e.membership = 1"
VIEW = """
SELECT permission FROM rescind.effective_permission
WHERE organization = 'acme' AND subject = 'user:0' AND resource = 'doc:0'
"""
LOST: dict[str, tuple[str, str, Change]] = {
    "it leaves the group": ("read", NAME, changes.RemoveMembers(group="team", members=(SUBJECT,))),
    "others replace it": ("read", NAME, changes.ReplaceMembers(group="team", members=MEMBERS[1:])),
    "the flow is cut": ("write", NAME, changes.UnnestGroup(group="team", out_of="all")),
    "the role is taken back": (
        "read",
        NAME,
        changes.Unassign(role="reader", to="group:team", on=PLACE),
    ),
    "other roles replace it": (
        "read",
        NAME,
        changes.ReplaceAssignments(to="group:team", assignments=()),
    ),
    "the group is deleted": ("read", NAME, changes.DeleteGroup(group="team", cascade=True)),
    "the upper group is deleted": ("write", NAME, changes.DeleteGroup(group="all", cascade=True)),
    "the resource is deleted": ("read", NAME, changes.DeleteResource(resource=PLACE, cascade=True)),
    "the role is deleted": ("read", ENVIRONMENT, changes.DeleteRole(role="reader", cascade=True)),
    "the membership is removed": ("read", NAME, changes.RemoveMembership(subject=SUBJECT)),
}
"""How access can be lost: a permission on `doc:0` that `user:0` then has no more, where, and the change."""
BELIEVED = ("it leaves the group", "others replace it", "the flow is cut")
"""Where even a join that looks at the assignments would allow."""


@pytest.fixture
def acme(database: str) -> Iterator[Authority]:
    """The small organization."""
    prepare(database)
    with opened(database, NAME) as authority:
        authority.apply(FACTS, route="inline")
        yield authority


def _found(authority: Authority, sql: str, **names: object) -> set[object]:
    """The first column of a query."""
    if authority.store.engine == "postgres":
        sql = re.sub(r":(permission|o)\b", r"%(\1)s", sql)
    authority.store.queries["found"] = ours(authority, sql)
    return {row[0] for row in authority.store.fetch("found", names)}


@pytest.mark.parametrize("how", LOST)
def test_stale_rows_allow_nothing(acme: Authority, how: str) -> None:
    """The rows that gave access are still there, and every decision point denies."""
    permission, organization, change = LOST[how]
    o = acme.store.fetch("find_log", {"organization": NAME})[0][0]
    giving = _found(acme, GIVING, permission=permission)
    assert giving
    assert may(acme, SUBJECT, permission, PLACE)
    acme.apply([change], organization=organization, route="background")
    assert list(acme.log())[-1].route == "background"
    assert giving <= _found(acme, KEPT, o=o)
    if how in BELIEVED:
        assert _found(acme, GIVING, permission=permission) == giving
    assert not may(acme, SUBJECT, permission, PLACE)
    assert permission not in _found(acme, VIEW)
    settle(acme)
    assert not giving & _found(acme, KEPT, o=o)
    require_settled(acme, NAME)


@pytest.mark.parametrize("how", BELIEVED)
def test_control_without_the_fence(acme: Authority, how: str) -> None:
    """Control: pending work that fences nothing leaves access that was taken away."""
    permission, _, change = LOST[how]
    acme.apply([change], route="background")
    acme.store.queries["unfence"] = ours(acme, "UPDATE rescind.pending SET fence = NULL")
    acme.store.transact(lambda tx: tx.run("unfence"))
    assert acme.check(SUBJECT, permission, PLACE)
    assert permission in _found(acme, VIEW)
