"""Rescind: changes through the front door, durable, each settled; questions from memory."""

from __future__ import annotations

from collections.abc import Sequence

from lab.check_worlds import CheckWorld, Question
from lab.worlds import settle
from rescind import Authority, changes


class Rescind:
    """On the database at a URL."""

    needs_lock = False

    def __init__(self, url: str) -> None:
        self._authority = Authority.open(url, organization="lab", index=True)

    def load(self, world: CheckWorld) -> None:
        """Facts and effective roles are written, and the organization is in memory."""
        world.record(self._authority)
        settle(self._authority)
        self._authority.load()

    def open(self, world: CheckWorld) -> None:  # noqa: ARG002
        self._authority.load()

    def prepared(self, question: Question) -> Question:
        return question

    def ask(self, prepared: Question) -> bool:
        return bool(self._authority.check(*prepared))

    def ask_all(self, prepared: Sequence[Question]) -> list[bool]:
        return [bool(decision) for decision in self._authority.check_many(prepared)]

    def set_member(self, user: int, group: int, is_member: bool) -> None:
        kind = changes.AddMembers if is_member else changes.RemoveMembers
        self._authority.apply([kind(group=f"g{group}", members=(f"user:{user}",))])

    def set_assigned(self, group: int, role: int, resource: int, is_assigned: bool) -> None:
        kind = changes.Assign if is_assigned else changes.Unassign
        self._authority.apply([kind(role=f"r{role}", to=f"group:g{group}", on=f"doc:{resource}")])

    def what_can(self, subject: str, permission: str) -> set[str]:
        found: set[str] = set()
        cursor = None
        while True:
            page = self._authority.resources_of(subject, permission, limit=10_000, cursor=cursor)
            found.update(str(item) for item in page.items)
            if (cursor := page.next_cursor) is None:
                return found

    def who_can(self, permission: str, resource: str) -> set[str]:
        found: set[str] = set()
        cursor = None
        while True:
            page = self._authority.who_can(permission, resource, limit=10_000, cursor=cursor)
            found.update(str(item) for item in page.items)
            if (cursor := page.next_cursor) is None:
                return found

    def close(self) -> None:
        self._authority.close()
