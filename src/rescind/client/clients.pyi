"""Declares `Client` and `AsyncClient` for type checkers. `make client-stub` writes this file."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final

import httpx

from rescind.changes import Change
from rescind.client.connecting import Key
from rescind.client.policy import Retries, Timeouts
from rescind.model import (
    AccessHistory,
    Action,
    AlikeIds,
    AssignmentEntry,
    Assurance,
    At,
    Decision,
    Difference,
    ExpiryEntry,
    FactPage,
    GroupEntry,
    KeptHeads,
    LineDecision,
    LogEntry,
    LogHead,
    LogPage,
    MemberEntry,
    MembershipEntry,
    Page,
    PendingWork,
    PermissionEntry,
    Receipt,
    ResourceEntry,
    Review,
    ReviewLine,
    ReviewOutcome,
    RoleEntry,
    Route,
    VerifiedLog,
    VerifiedReview,
)

METHODS: Final[tuple[str, ...]]

class Client:
    def __init__(
        self,
        url: str,
        *,
        key: Key,
        organization: str | None = None,
        read_your_writes: bool = False,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        most_bytes: int = 16777216,
        most_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
        transport: Callable[[], httpx.BaseTransport] | None = None,
    ) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Client: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> AccessHistory: ...
    def actions(
        self, *, organization: str | None = None, after: int = 0, limit: int | None = None
    ) -> Iterator[Action]: ...
    def apply(
        self,
        changes: Sequence[Change],
        *,
        actor: str = "unknown",
        reason: str = "",
        idempotency_key: str | None = None,
        organization: str | None = None,
        detail: bool = False,
        route: Route | str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Receipt: ...
    def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        organization: str | None = None,
    ) -> ReviewOutcome: ...
    def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        explain: bool = False,
        at: At | None = None,
    ) -> Decision: ...
    def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> list[Decision]: ...
    def explain(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> Decision: ...
    def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Review: ...
    def list_assignments(
        self,
        holder: str | None = None,
        *,
        role: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[AssignmentEntry]: ...
    def list_expiring(
        self, until: datetime | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[ExpiryEntry]: ...
    def list_groups(
        self, of: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[GroupEntry]: ...
    def list_members(
        self,
        group: str,
        *,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[MemberEntry]: ...
    def list_memberships(
        self,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        active: bool | None = None,
        **paging: Any,
    ) -> FactPage[MembershipEntry]: ...
    def list_permissions(
        self, role: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[PermissionEntry]: ...
    def list_resources(
        self,
        parent: str | None = None,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **paging: Any,
    ) -> FactPage[ResourceEntry]: ...
    def list_reviews(
        self, *, life: int | None = None, organization: str | None = None
    ) -> list[Review]: ...
    def list_roles(
        self, *, organization: str | None = None, **paging: Any
    ) -> FactPage[RoleEntry]: ...
    def log(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int | None = None,
        **about: Any,
    ) -> Iterator[LogEntry]: ...
    def log_heads(self, *, organization: str | None = None) -> Iterator[LogHead]: ...
    def log_page(
        self, *, organization: str | None = None, after: int = 0, limit: int = 100, **about: Any
    ) -> LogPage: ...
    def look_alikes(
        self, *, organization: str | None = None, limit: int = 1000
    ) -> list[AlikeIds]: ...
    def park(self, work: PendingWork) -> bool: ...
    def pending(
        self, *, organization: str | None = None, limit: int = 1000
    ) -> list[PendingWork]: ...
    def permissions_of(
        self,
        subject: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Page: ...
    def preview(
        self,
        changes: Sequence[Change],
        *,
        organization: str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Difference: ...
    def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Page: ...
    def retry(self, work: PendingWork) -> bool: ...
    def review_lines(
        self,
        review: str,
        *,
        after: str | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> Iterator[ReviewLine]: ...
    def start_review(
        self, review: str, *, actor: str = "unknown", organization: str | None = None, **only: Any
    ) -> Review: ...
    def verify_log(
        self, *, organization: str | None = None, heads: KeptHeads | Iterable[LogHead] | None = None
    ) -> Iterator[VerifiedLog]: ...
    def verify_reviews(
        self,
        review: str | None = None,
        *,
        decisions: Sequence[LineDecision] | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> list[VerifiedReview]: ...
    def who_can(
        self,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        **options: Any,
    ) -> Page: ...

class AsyncClient:
    def __init__(
        self,
        url: str,
        *,
        key: Key,
        organization: str | None = None,
        read_your_writes: bool = False,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        most_bytes: int = 16777216,
        most_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> AsyncClient: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    async def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> AccessHistory: ...
    def actions(
        self, *, organization: str | None = None, after: int = 0, limit: int | None = None
    ) -> AsyncIterator[Action]: ...
    async def apply(
        self,
        changes: Sequence[Change],
        *,
        actor: str = "unknown",
        reason: str = "",
        idempotency_key: str | None = None,
        organization: str | None = None,
        detail: bool = False,
        route: Route | str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Receipt: ...
    async def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        organization: str | None = None,
    ) -> ReviewOutcome: ...
    async def check(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        explain: bool = False,
        at: At | None = None,
    ) -> Decision: ...
    async def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> list[Decision]: ...
    async def explain(
        self,
        subject: str,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        at: At | None = None,
    ) -> Decision: ...
    async def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Review: ...
    async def list_assignments(
        self,
        holder: str | None = None,
        *,
        role: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[AssignmentEntry]: ...
    async def list_expiring(
        self, until: datetime | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[ExpiryEntry]: ...
    async def list_groups(
        self, of: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[GroupEntry]: ...
    async def list_members(
        self,
        group: str,
        *,
        organization: str | None = None,
        effective: bool = False,
        expired: bool = False,
        **paging: Any,
    ) -> FactPage[MemberEntry]: ...
    async def list_memberships(
        self,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        active: bool | None = None,
        **paging: Any,
    ) -> FactPage[MembershipEntry]: ...
    async def list_permissions(
        self, role: str | None = None, *, organization: str | None = None, **paging: Any
    ) -> FactPage[PermissionEntry]: ...
    async def list_resources(
        self,
        parent: str | None = None,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **paging: Any,
    ) -> FactPage[ResourceEntry]: ...
    async def list_reviews(
        self, *, life: int | None = None, organization: str | None = None
    ) -> list[Review]: ...
    async def list_roles(
        self, *, organization: str | None = None, **paging: Any
    ) -> FactPage[RoleEntry]: ...
    def log(
        self,
        *,
        organization: str | None = None,
        after: int = 0,
        limit: int | None = None,
        **about: Any,
    ) -> AsyncIterator[LogEntry]: ...
    def log_heads(self, *, organization: str | None = None) -> AsyncIterator[LogHead]: ...
    async def log_page(
        self, *, organization: str | None = None, after: int = 0, limit: int = 100, **about: Any
    ) -> LogPage: ...
    async def look_alikes(
        self, *, organization: str | None = None, limit: int = 1000
    ) -> list[AlikeIds]: ...
    async def park(self, work: PendingWork) -> bool: ...
    async def pending(
        self, *, organization: str | None = None, limit: int = 1000
    ) -> list[PendingWork]: ...
    async def permissions_of(
        self,
        subject: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        **options: Any,
    ) -> Page: ...
    async def preview(
        self,
        changes: Sequence[Change],
        *,
        organization: str | None = None,
        if_revision: str | None = None,
        force: bool = False,
    ) -> Difference: ...
    async def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Page: ...
    async def retry(self, work: PendingWork) -> bool: ...
    def review_lines(
        self,
        review: str,
        *,
        after: str | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> AsyncIterator[ReviewLine]: ...
    async def start_review(
        self, review: str, *, actor: str = "unknown", organization: str | None = None, **only: Any
    ) -> Review: ...
    def verify_log(
        self, *, organization: str | None = None, heads: KeptHeads | Iterable[LogHead] | None = None
    ) -> AsyncIterator[VerifiedLog]: ...
    async def verify_reviews(
        self,
        review: str | None = None,
        *,
        decisions: Sequence[LineDecision] | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> list[VerifiedReview]: ...
    async def who_can(
        self,
        permission: str,
        resource: str | None = None,
        *,
        organization: str | None = None,
        subject_kind: str | None = None,
        **options: Any,
    ) -> Page: ...
