"""Rows of the log of service actions."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, OrganizationNumber
from rescind.store.rows.log import ChainRow, LogHeadRow
from rescind.store.rows.query import Query, bulk


class ServiceAction(NamedTuple):
    """What was done to the service rather than to facts. No secret is in it."""

    kind: str
    subject: str
    """What it was done to, such as a key's id."""
    now: Microseconds
    detail: str = "{}"
    """As JSON."""
    actor: str = ""
    request: str = ""
    """The id of a request over HTTP."""
    o: int | None = None
    """The number of the organization that it belongs to."""
    key: str | None = None
    """The id of a key that belongs to the organization, where no number is given."""


class ActionDraftRow(NamedTuple):
    """An action as it will be logged, the digest before it, and what is digested of it (SQLite only)."""

    number: int
    recorded_at: Microseconds
    kind: str
    organization: OrganizationNumber | None
    subject: str
    detail: str
    actor: str
    request: str
    digest_before: bytes
    content: bytes


class ActionRow(NamedTuple):
    """An action; the organization by its name, also if it was deleted."""

    number: int
    recorded_at: Microseconds
    kind: str
    organization: str | None
    subject: str
    detail: str
    actor: str
    request: str
    digest: bytes


class ActionEndRow(NamedTuple):
    """How many actions there were, and the digest that the next one follows from."""

    number: int
    digest: bytes


DRAFT_ACTION = Query("draft_action", ActionDraftRow)
LIST_ACTIONS = Query("list_actions", ActionRow)
READ_ACTION_CHAIN: Query[tuple[int, bytes | None, bytes]] = bulk("read_action_chain", ChainRow)
FIND_ACTION_HEAD = Query("find_action_head", LogHeadRow)
READ_ACTION_END = Query("read_action_end", ActionEndRow)
