"""Reading one page of a list of facts: the organization, the cursor before it, and the one after it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from rescind.decision.states import require_revision
from rescind.errors import (
    GroupNotFound,
    InvalidCursor,
    MembershipNotFound,
    OrganizationNotFound,
)
from rescind.listing.names import UNKNOWN, Similar
from rescind.model import FactPage, HolderNumber, Revision, moment, require_flag, require_number
from rescind.store import Store
from rescind.store.contract import Snapshot
from rescind.store.rows import Query, Row
from rescind.store.rows.listing import FIND_LISTED, ListedRow

MOST_ITEMS: Final = 10_000
"""Items of one page."""
FIRST: Final = -(2**31)
"""Less than any number."""
LAST: Final = 2**31 - 1
"""Greater than any number."""

_CURSOR: Final = "cursor"
_FLAGS: Final = frozenset(("active", "effective", "expired"))
Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list is about: an organization, and perhaps one thing in it, by name."""

    organization: str
    group: str | None = None
    subject: str | None = None
    role: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """The part of a list to read."""

    limit: int = 100
    cursor: str | None = None
    at_least: str | None = None


class Reading:
    """One page of one list, at one state of the facts."""

    def __init__(
        self,
        store: Store,
        snapshot: Snapshot,
        numbers: ListedRow,
        revision: Revision,
        asked: str,
        paging: Paging,
    ) -> None:
        self._store, self._snapshot, self._asked, self._paging = store, snapshot, asked, paging
        self.numbers, self.revision = numbers, revision

    @property
    def limit(self) -> int:
        """Items of the page."""
        return self._paging.limit

    def after(self, *first: Any) -> list[Any]:
        """The key that the page before ended with, or this one at the beginning. Raises InvalidCursor."""
        cursor = self._paging.cursor
        if cursor is None:
            return list(first)
        if isinstance(cursor, str):
            content = self._store.seals.unseal(_CURSOR, cursor, self._asked)
            if content is not None:
                key: list[Any] = json.loads(content)
                return key
        raise InvalidCursor(cursor=cursor if isinstance(cursor, str) else reprlib.repr(cursor))

    def fetch(self, query: Query[Row], **params: Any) -> list[Row]:
        """The rows of a query, at this state."""
        return self.fetch_many(query, [params])[0]

    def fetch_many(self, query: Query[Row], params: Sequence[dict[str, Any]]) -> list[list[Row]]:
        """The rows of a query for each of several parameters, at this state, in one round trip."""
        o = self.numbers.organization
        return self._snapshot.fetch_many([(query, {"o": o, **each}) for each in params])

    def page(
        self,
        rows: Sequence[Row],
        key: Callable[[Row], Sequence[Any]],
        fact: Callable[[Row], Fact | None],
    ) -> FactPage[Fact]:
        """A page of rows. One row more than the limit means that there is another page. Rows without a fact
        are left out.
        """
        shown = rows[: self.limit]
        items = tuple(each for row in shown if (each := fact(row)) is not None)
        return self.ending(items, key(shown[-1]) if len(rows) > self.limit else None)

    def ending(self, items: tuple[Fact, ...], key: Sequence[Any] | None) -> FactPage[Fact]:
        """A page with the cursor for the next one, if there is more."""
        cursor = None
        if key is not None:
            content = json.dumps(list(key), ensure_ascii=False, separators=(",", ":")).encode()
            cursor = self._store.seals.seal(_CURSOR, content, self._asked)
        return FactPage(items, cursor, self.revision)


@contextmanager
def reading(
    store: Store, kind: str, listed: Listed, paging: Paging, /, **how: Any
) -> Iterator[Reading]:
    """Read a page of a kind of list. `how` is what else the list depends on.

    Raises OrganizationNotFound, InvalidArgument, InvalidToken and RevisionUnavailable. What its block raises
    for a name that does not exist gets names that are like it.
    """
    require_number("limit", paging.limit, least=1, most=MOST_ITEMS)
    for what in _FLAGS & how.keys():
        require_flag(what, how[what])
    at_least = None if paging.at_least is None else store.seals.parse(paging.at_least)
    names = {
        "organization": listed.organization,
        "group": listed.group,
        "subject": listed.subject,
        "role": listed.role,
        "resource": listed.resource,
    }
    with _hinting(store, listed.organization), store.snapshot() as snapshot:
        (rows,) = snapshot.fetch_many([(FIND_LISTED, names)])
        if not rows:
            raise OrganizationNotFound(organization=listed.organization)
        (numbers,) = rows
        at = (numbers.organization, numbers.revision, numbers.environment)
        revision = store.seals.revision(*at)
        if at_least is not None:
            require_revision(revision, at_least)
        about = (kind, *names.values(), *how.values(), numbers.organization)
        yield Reading(store, snapshot, numbers, revision, "\0".join(map(str, about)), paging)


@contextmanager
def _hinting(store: Store, organization: str) -> Iterator[None]:
    try:
        yield
    except UNKNOWN as error:
        raise Similar(store).hinted(error, organization) from None


def of_holder(organization: str, holder: str) -> Listed:
    """A list about a subject or `group:…`."""
    if holder.startswith("group:"):
        return Listed(organization, group=holder.removeprefix("group:"))
    return Listed(organization, subject=holder)


def require_holder(read: Reading, listed: Listed) -> HolderNumber:
    """The holder's number. Raises GroupNotFound and MembershipNotFound."""
    if listed.group is not None:
        if read.numbers.group is None:
            raise GroupNotFound(group=listed.group)
        return read.numbers.group
    if read.numbers.membership is None:
        raise MembershipNotFound(subject=listed.subject)
    return read.numbers.membership


def time(value: int | None) -> datetime | None:
    """A stored time, if there is one."""
    return None if value is None else moment(value)


def prefix(kind: str | None) -> tuple[str, str]:
    """The range of names with the prefix `kind:`; without a kind, all names."""
    return ("", "") if kind is None else (f"{kind}:", f"{kind};")
