"""Heads of logs: the newest digest of each organization, to be kept where nobody who can write the
database can write.

A file of heads has one JSON object on each line, and may have any number of each organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from rescind.errors import InvalidArgument
from rescind.model import moment
from rescind.store import Store
from rescind.store.rows.actions import FIND_ACTION_HEAD
from rescind.store.rows.log import FIND_LOG_HEAD, LIST_LOGS, ListedLogRow

ACTIONS_NUMBER: Final = -1
"""Stands for the log of service actions where a log has the number of its organization."""
ACTIONS_NAME: Final = "service actions"
PAGE = 500
"""Organizations that are read at a time."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest change of an organization's log, and the digest that stands for the log up to it."""

    organization: str
    number: int
    """The organization's number, which no other organization ever has."""
    revision: int
    digest: str | None
    """64 hexadecimal digits; None while the log has not its chain yet."""
    at: datetime
    """When the change was recorded."""


class _Line(msgspec.Struct):
    number: int
    revision: int
    digest: str | None
    organization: str | None = None


def listed_logs(store: Store, organization: str | None) -> Iterator[ListedLogRow]:
    """Organizations with their numbers, oldest first: all, or those that have or had a name."""
    after = -1
    while True:
        asked = {"after": after, "organization": organization, "limit": PAGE}
        rows = store.fetch(LIST_LOGS, asked)
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].organization


def log_heads(store: Store, organization: str | None) -> Iterator[LogHead]:
    """The head of each log that has any change, also of deleted organizations; of all, last that of service
    actions.
    """
    for log in listed_logs(store, organization):
        for row in store.fetch(FIND_LOG_HEAD, {"o": log.organization}):
            digest = None if row.digest is None else bytes(row.digest).hex()
            at = moment(row.recorded_at)
            yield LogHead(log.name or "", log.organization, row.revision, digest, at)
    for row in store.fetch(FIND_ACTION_HEAD, {}) if organization is None else ():
        digest = None if row.digest is None else bytes(row.digest).hex()
        at = moment(row.recorded_at)
        yield LogHead(ACTIONS_NAME, ACTIONS_NUMBER, row.revision, digest, at)


class KeptHeads:
    """Heads that were kept elsewhere: digests by organization's number and revision."""

    def __init__(self) -> None:
        self.digests: dict[int, dict[int, bytes]] = {}
        self.names: dict[int, str] = {}

    @classmethod
    def read(cls, lines: Iterable[str | bytes], *, what: str = "heads") -> KeptHeads:
        """Heads from the lines of a file. Raises InvalidArgument, which says which line is none."""
        found = cls()
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                head = msgspec.json.decode(line, type=_Line)
                digest = None if head.digest is None else bytes.fromhex(head.digest)
            except (ValueError, UnicodeError, RecursionError) as error:
                hint = f"line {number} is no head, as `rescind log head` prints it: {error}"
                raise InvalidArgument(what=what, hint=hint) from None
            if digest is not None:
                found._add(head, digest, number, what)
        return found

    def _add(self, head: _Line, digest: bytes, line: int, what: str) -> None:
        known = self.digests.setdefault(head.number, {})
        if known.setdefault(head.revision, digest) != digest:
            hint = f"line {line} and one before it have two digests of one revision"
            raise InvalidArgument(what=what, hint=hint)
        self.names[head.number] = head.organization or f"number {head.number}"

    @classmethod
    def of(cls, heads: Iterable[LogHead]) -> KeptHeads:
        """Heads as `log_heads` gives them."""
        return cls.read(msgspec.json.encode(head) for head in heads)

    def is_other_name(self, number: int, name: str | None) -> bool:
        """Whether the organization of that number had another name in the newest head."""
        return self.names.get(number, name) not in (name, f"number {number}")

    def __bool__(self) -> bool:
        return bool(self.digests)
