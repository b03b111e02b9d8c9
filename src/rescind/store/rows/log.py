"""Rows of the hash chain of the change log."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds, OrganizationNumber
from rescind.store.rows.query import Query, bulk


class LogStartRow(NamedTuple):
    """The last change that is no longer in an organization's log, when it was taken out, and why."""

    revision: int
    digest: bytes
    environment: int | None
    recorded_at: Microseconds
    why: str


class ListedLogRow(NamedTuple):
    """An organization, also a deleted one, whose log can be verified; its name is None if it has vanished."""

    organization: OrganizationNumber
    name: str | None
    revision: int


class ChainRow(NamedTuple):
    """A change's digest, if it has one, and what is digested of it: `semantics/chain.py`."""

    revision: int
    digest: bytes | None
    content: bytes


class ChainPageRow(NamedTuple):
    """As ChainRow; the content is None if the change is too long to be read with others."""

    revision: int
    digest: bytes | None
    content: bytes | None


class LogHeadRow(NamedTuple):
    """The newest change of a log."""

    revision: int
    digest: bytes | None
    recorded_at: Microseconds


class LogRevisionRow(NamedTuple):
    """How far an organization has come."""

    revision: int


class LockedRow(NamedTuple):
    """An organization that is locked until the transaction ends."""

    id: OrganizationNumber


class UnchainedRow(NamedTuple):
    """The oldest change of an organization that has no digest, and what it follows from."""

    organization: OrganizationNumber
    revision: int
    revision_before: int | None
    digest_before: bytes | None
    revision_of_start: int | None
    digest_of_start: bytes | None
    is_begun: bool
    """Whether any change of the organization has a digest; true if there is one before."""


FIND_LOG_START = Query("find_log_start", LogStartRow)
LIST_LOGS = Query("list_logs", ListedLogRow)
LIST_LOGS_OF = Query("list_logs_of", ListedLogRow)
LIST_STRAY_LOGS = Query("list_stray_logs", ListedLogRow)
READ_CHAIN: Query[tuple[int, bytes | None, bytes]] = bulk("read_chain", ChainRow)
READ_CHAIN_PAGE: Query[tuple[int, bytes | None, bytes | None]] = bulk(
    "read_chain_page", ChainPageRow, is_binary=True
)
FIND_LOG_HEAD = Query("find_log_head", LogHeadRow)
READ_LOG_REVISION = Query("read_log_revision", LogRevisionRow)
LOCK_ORGANIZATION = Query("lock_organization", LockedRow)
FIND_UNCHAINED = Query("find_unchained", UnchainedRow)
