"""The logs as a client reads them: the change log, service actions, and what proves them, as calls."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from rescind import model
from rescind.client import records
from rescind.client.asking import Asking
from rescind.client.calls import Call, Pages
from rescind.errors import InvalidArgument
from rescind.model import Action, KeptHeads, LogEntry, LogHead, LogPage, VerifiedLog

T = TypeVar("T")
PAGE = 100
"""Items that an iterator asks for at a time."""


class Logs:
    """The change log, and the log of service actions."""

    asking: Asking

    def log(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int | None = None,
        **about: Any,
    ) -> Pages[LogEntry]:
        """The changes after a revision as they stand now, oldest first, read page by page as they are asked
        for.

        `about` says which: `actor` (part of it), `subject`, `group`, `role`, `resource` (what a change
        names), `since` and `until` (when it was recorded). The `link` of an entry is not told.
        """
        left = None if limit is None else model.require_number("limit", limit, least=0)
        start = model.require_number("after", after, least=0, most=2**63 - 1)
        return self._entries(self.asking.named(organization), start, left, _about(**about))

    def log_page(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int = 100,
        **about: Any,
    ) -> Call[LogPage]:
        """A page of the same. It looks at no more than 20,000 changes, so it may have fewer than `limit`."""
        start = model.require_number("after", after, least=0, most=2**63 - 1)
        limit = model.require_number("limit", limit, least=1)
        name, asked = self.asking.named(organization), _about(**about)
        return self._log_page(name, start, limit, asked)

    def actions(
        self, *, organization: str | None = None, after: int = 0, limit: int | None = None
    ) -> Pages[Action]:
        """What was done to keys, reviews, pending work, logs and the schema, oldest first: of one
        organization or of all that the key is good for, after an action's number.
        """
        left = None if limit is None else model.require_number("limit", limit, least=0)
        start = model.require_number("after", after, least=0, most=2**63 - 1)
        name = None if organization is None else model.organization_id(organization)
        return self._actions(name, start, left)

    def log_heads(self, *, organization: str | None = None) -> Pages[LogHead]:
        """The newest digest of the log of an organization, of each that has or had the name. Keep them where
        nobody who can write the database can write: see `verify_log`.
        """
        name = self.asking.named(organization)
        return Pages(self.asking.get(("v1", "log", "head"), records.log_heads, name))

    def verify_log(
        self,
        *,
        organization: str | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
    ) -> Pages[VerifiedLog]:
        """Make every digest of the organization's log again, and say which first change does not fit. `heads`
        were kept elsewhere: the log must still have each of them.
        """
        name, route = self.asking.named(organization), ("v1", "log", "verify")
        if heads is None:
            return Pages(self.asking.get(route, records.verified_logs, name))
        body = {"organization": name, "heads": kept_objects(heads)}
        return Pages(self.asking.post(route, records.verified_logs, body))

    def _log_page(
        self, name: str | None, after: int, limit: int, asked: dict[str, Any]
    ) -> Call[LogPage]:
        route = ("v1", "changes")
        return self.asking.get(route, records.log_page, name, after=after, limit=limit, **asked)

    def _entries(
        self, name: str | None, after: int, left: int | None, asked: dict[str, Any]
    ) -> Pages[LogEntry]:
        call = self._log_page(name, after, _size(left), asked)

        def read(body: bytes) -> tuple[tuple[LogEntry, ...], Pages[LogEntry] | None]:
            page = call.read(body)
            items, more = _cut(page.items, left)
            if page.next_after is None or more == 0:
                return items, None
            _require_later(page.next_after, after)
            return items, self._entries(name, page.next_after, more, asked)

        return Pages(Call(call.request, read))

    def _actions(self, name: str | None, after: int, left: int | None) -> Pages[Action]:
        call = self.asking.get(
            ("v1", "actions"), records.actions, name, after=after, limit=_size(left)
        )

        def read(body: bytes) -> tuple[tuple[Action, ...], Pages[Action] | None]:
            found, next_after = call.read(body)
            items, more = _cut(found, left)
            if next_after is None or more == 0:
                return items, None
            _require_later(next_after, after)
            return items, self._actions(name, next_after, more)

        return Pages(Call(call.request, read))


def _require_later(next_after: int, after: int) -> None:
    """Raise ValueError where the next page is not a later one: reading on would never end."""
    if next_after <= after:
        raise ValueError(f"the page after {after} ends at {next_after}")


def _size(left: int | None) -> int:
    return PAGE if left is None else max(1, min(PAGE, left))


def _cut(items: tuple[T, ...], left: int | None) -> tuple[tuple[T, ...], int | None]:
    """At most as many as are left, and how many are left then."""
    if left is None:
        return items, None
    return items[:left], left - len(items[:left])


def _about(
    *,
    actor: str | None = None,
    subject: str | None = None,
    group: str | None = None,
    role: str | None = None,
    resource: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Which changes are meant. Raises MalformedId, InvalidArgument, and TypeError for other names."""
    return {
        "actor": None if actor is None else model.require_part("actor", actor),
        "subject": None if subject is None else model.subject_id(subject),
        "group": None if group is None else model.group_id(group),
        "role": None if role is None else model.role_id(role),
        "resource": None if resource is None else model.resource_id(resource),
        "since": since,
        "until": until,
    }


def _heads(given: Any) -> list[LogHead]:
    found = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(each, LogHead) for each in found):
        hint = "Pass what `log_heads` returned, or KeptHeads"
        raise InvalidArgument(what="heads", value=repr(given)[:60], hint=hint)
    return found


def kept_objects(given: KeptHeads | Iterable[LogHead]) -> list[dict[str, Any]]:
    """Heads as JSON. One that is the name of no organization has none: the service takes it for its own.

    Raises InvalidArgument for what is no head.
    """
    heads = given if isinstance(given, KeptHeads) else KeptHeads.of(_heads(given))
    named = {n: name for n, name in heads.names.items() if name != f"number {n}"}
    return [
        {
            "number": number,
            "revision": revision,
            "digest": digest.hex(),
            **({"organization": named[number]} if number in named else {}),
        }
        for number, digests in heads.digests.items()
        for revision, digest in digests.items()
    ]
