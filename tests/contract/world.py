"""A small organization in which every kind of fact is there, and is used."""

from __future__ import annotations

from datetime import UTC, datetime

from rescind import changes
from rescind.changes import Change

PAST = datetime(2001, 1, 1, tzinfo=UTC)
FUTURE = datetime(2101, 1, 1, tzinfo=UTC)
SOONER = datetime(2100, 1, 1, tzinfo=UTC)

WORLD: list[Change] = [
    changes.CreateOrganization(name="Acme"),
    changes.DefinePermission(permission="read"),
    changes.DefinePermission(permission="write"),
    changes.DefinePermission(permission="purge", critical=True),
    changes.DefinePermission(permission="spare"),
    changes.DefineRole(role="reader", permissions=("read",), priority=1),
    changes.DefineRole(role="writer", permissions=("read", "write"), priority=2),
    changes.DefineRole(role="owner", permissions=("purge", "read", "write"), priority=3),
    changes.DefineRole(role="unused", permissions=("read",)),
    changes.DefineResourceType(type="folder", parents=("folder", "organization")),
    changes.DefineResourceType(type="doc", parents=("folder", "organization")),
    changes.DefineResourceType(type="note"),
    changes.CreateResource(resource="folder:a"),
    changes.CreateResource(resource="folder:b"),
    changes.CreateResource(resource="doc:1", parent="folder:a"),
    changes.CreateResource(resource="doc:2"),
    changes.AddMembership(subject="user:ada", name="Ada"),
    changes.AddMembership(subject="user:bob"),
    changes.AddMembership(subject="user:cyd"),
    changes.AddMembership(subject="agent:bot"),
    changes.CreateGroup(group="eng", name="Engineering"),
    changes.CreateGroup(group="staff"),
    changes.CreateGroup(group="idle"),
    changes.NestGroup(group="eng", into="staff"),
    changes.AddMembers(group="eng", members=("user:ada",)),
    changes.AddMembers(group="staff", members=("user:bob",)),
    changes.Assign(role="reader", to="group:staff"),
    changes.Assign(role="writer", to="group:eng", on="folder:a"),
    changes.Assign(role="owner", to="agent:bot", on="folder:b"),
    changes.Assign(role="reader", to="user:cyd", on="doc:2", expires_at=FUTURE),
]
"""Ada is in eng, which is in staff, where Bob is; staff reads everything, eng writes folder:a."""
