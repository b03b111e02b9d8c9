"""A small organization to break things on: its facts, what is changed in it, and all its rows.

Many of them fit in one database: roles and permissions are the environment's, and numbers count within the
organization, so that the same history gives the same rows in each.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rescind import Authority, changes
from rescind.changes import Change
from rescind.model import ENVIRONMENT
from rescind.propagation.audit import audit
from rescind.propagation.worker import Worker
from rescind.settings import Settings
from rescind.store import Store, open_store
from tests.probe import Probe
from tests.sql import ours

AT = datetime(2030, 1, 1, tzinfo=UTC)
"""The time of all changes."""
MEMBERS = tuple(f"user:{n}" for n in range(3))
PLACES = tuple(f"doc:{n}" for n in range(4))

ROLES: list[Change] = [
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="write"),
    changes.DefineRole(role="reader", permissions=("read",)),
    changes.DefineRole(role="writer", permissions=("write",)),
    changes.DefineResourceType(type="doc"),
]
FACTS: list[Change] = [
    changes.CreateOrganization(),
    *(changes.AddMembership(subject=subject) for subject in (*MEMBERS, "user:late")),
    *(changes.CreateResource(resource=place) for place in PLACES),
    *(changes.CreateGroup(group=group) for group in ("team", "all", "other")),
    changes.NestGroup(group="team", into="all"),
    changes.AddMembers(group="team", members=MEMBERS),
    *(changes.Assign(role="reader", to="group:team", on=place) for place in PLACES),
    changes.Assign(role="writer", to="group:all"),
    changes.Assign(role="writer", to="group:other", on=PLACES[0]),
]
CHANGE: list[Change] = [
    changes.RemoveMembers(group="team", members=MEMBERS[:1]),
    changes.Assign(role="writer", to="group:team", on=PLACES[1]),
    changes.Unassign(role="reader", to="group:team", on=PLACES[2]),
    changes.NestGroup(group="team", into="other"),
]
"""Somebody leaves, a role is given, another taken back, and all flow into another group."""

ROWS = {
    "organization": "revision, last_number",
    "membership": "id, subject, active",
    '"group"': "id, slug, ended",
    "group_member": 'membership, "group", expires_at',
    "recorded_nesting": "child, parent, ended",
    "assignment": "id, holder, role, resource, expires_at, made, ended",
    "effective_role": "membership, assignment, expires_at",
    "change": "revision, recorded_at, idempotency_key, direction, route, granted, revoked,"
    " settled_at IS NULL, body",
    "idempotency": "key, digest, revision",
    "pending": '"group", kind, ref, direction, urgency, fence, since, revision, cursor_membership,'
    " cursor_assignment, done, total, attempts",
}
"""All but what the database's clock says."""

State = dict[str, list[tuple[Any, ...]]]


def opened(database: str | Store, organization: str, **settings: Any) -> Authority:
    """An authority with the clock of the tests, and a probe."""
    store = open_store(database, probe=Probe()) if isinstance(database, str) else database
    return Authority(
        store, organization=organization, settings=Settings(**settings), clock=lambda: AT
    )


def prepare(database: str) -> None:
    """Roles and permissions for all organizations."""
    with opened(database, ENVIRONMENT) as environment:
        environment.apply(ROLES)


def rows(authority: Authority, organization: str) -> State:
    """All rows of an organization, at one state."""
    store = authority.store
    mark = ":o" if store.engine == "sqlite" else "%(o)s"
    for table, columns in ROWS.items():
        key = "id" if table == "organization" else "organization"
        store.queries[f"rows of {table}"] = ours(
            store, f"SELECT {columns} FROM rescind.{table} WHERE {key} = {mark}"
        )
    names = {"o": store.fetch("find_log", {"organization": organization})[0][0]}
    found = store.fetch_many([(f"rows of {table}", names) for table in ROWS])
    return {table: sorted(some, key=repr) for table, some in zip(ROWS, found, strict=True)}


def require_settled(authority: Authority, organization: str) -> None:
    """Nothing is pending, nothing is kept on record for it, and effective roles are what the facts imply."""
    state = rows(authority, organization)
    assert state["pending"] == []
    assert not [row for row in state["change"] if row[-2]]
    assert not [row for row in state["assignment"] if row[-1] is not None]
    report = audit(authority.store, organization)
    assert report.is_clean, report
    assert report.effective_roles == len(state["effective_role"])


class Steady:
    """The pace of chunks of one size, however long they take."""

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs

    def learn(self, seconds: float, waiting: int, *, is_full: bool) -> None:
        """Nothing."""


def settle(authority: Authority, pace: Steady | None = None) -> None:
    """Have a worker do what is due, and clear away what that leaves."""
    worker = Worker(authority.store, authority.settings, pace=pace)
    while authority.has_due_work():
        worker.work_once()
