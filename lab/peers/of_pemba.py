"""pemba 0.1: a Zanzibar-style engine in Rust, in this process, in memory or on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from lab.check_worlds import CheckWorld, Question
from lab.peers.contract import Relationship, assigned, member, relationships, schema

AT_ONCE = 1_000
"""The most that it writes at once."""
Asked = tuple[str, str, str]


class Pemba:
    """In the file, or in memory."""

    needs_lock = False

    def __init__(self, file: str | None) -> None:
        from pemba import Engine

        self._engine: Any = Engine.memory() if file is None else Engine.sqlite(file)
        self._world: CheckWorld | None = None
        self._check = self._engine.check

    def load(self, world: CheckWorld) -> None:
        self._world = world
        self._engine.write_schema(schema(world))
        facts = map(_text, relationships(world))
        while part := list(islice(facts, AT_ONCE)):
            self._engine.write(touch=part)

    def open(self, world: CheckWorld) -> None:
        self._world = world

    def prepared(self, question: Question) -> Asked:
        subject, permission, resource = question
        return resource, permission, subject

    def ask(self, prepared: Asked) -> bool:
        return bool(self._check(*prepared))

    def ask_all(self, prepared: Sequence[Asked]) -> list[bool]:
        return list(self._engine.check_bulk(prepared))

    def set_member(self, user: int, group: int, is_member: bool) -> None:
        self._write(member(user, group), is_member)

    def set_assigned(self, group: int, role: int, resource: int, is_assigned: bool) -> None:
        assert self._world is not None
        self._write(assigned(self._world, group, role, resource), is_assigned)

    def _write(self, fact: Relationship, is_there: bool) -> None:
        self._engine.write(**{"touch" if is_there else "delete": [_text(fact)]})

    def what_can(self, subject: str, permission: str) -> set[str]:
        return {f"doc:{name}" for name in self._engine.iter_resources("doc", permission, subject)}

    def who_can(self, permission: str, resource: str) -> set[str]:
        found = self._engine.lookup_subjects(resource, permission, "user")
        return {f"user:{name}" for name in found.ids}

    def close(self) -> None:
        self._engine = self._check = None


def _text(fact: Relationship) -> str:
    kind, name, relation, by, who, of = fact
    return f"{kind}:{name}#{relation}@{by}:{who}" + (f"#{of}" if of else "")
