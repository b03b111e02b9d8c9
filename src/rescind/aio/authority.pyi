"""Declares `AsyncAuthority` for type checkers. `make aio-stub` writes this file."""

import os
from collections.abc import AsyncIterator, Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from rescind.authority import Authority, Clock, Wait
from rescind.changes import Change
from rescind.decision_log import DecisionLog, LastUsed
from rescind.history.pruning import Pruning
from rescind.history.replay_report import ReplayReport
from rescind.history.verify import VerifyProgress
from rescind.listing.names import UnknownName
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
    ReviewCounts,
    ReviewLine,
    ReviewOutcome,
    RoleEntry,
    Route,
    VerifiedLog,
    VerifiedReview,
)
from rescind.propagation.worker import OnProgress, Workers
from rescind.settings import Settings

THREADS: Final = 8
MOST_QUESTIONS: Final = 128
CHANGING: Final[frozenset[str]]
READING: Final[frozenset[str]]
ITERATING: Final[frozenset[str]]
LEFT_OUT: Final[frozenset[str]]

class Opening:
    def __await__(self) -> Generator[Any, None, AsyncAuthority]: ...
    async def __aenter__(self) -> AsyncAuthority: ...
    async def __aexit__(self, *_: object) -> None: ...

class AsyncWorkers:
    sync: Workers
    async def start(self) -> AsyncWorkers: ...
    async def stop(self) -> None: ...
    async def __aenter__(self) -> AsyncWorkers: ...
    async def __aexit__(self, *_: object) -> None: ...

class AsyncAuthority:
    sync: Authority
    def __init__(self, authority: Authority, *, threads: int = 8) -> None: ...
    async def close(self) -> None: ...
    async def __aenter__(self) -> AsyncAuthority: ...
    async def __aexit__(self, *_: object) -> None: ...
    @classmethod
    def open(
        cls,
        database: str | os.PathLike[str],
        *,
        organization: str | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        index: bool = False,
        decision_log: DecisionLog | None = None,
        create: bool = False,
        threads: int = 8,
    ) -> Opening: ...
    def recall(
        self, questions: Sequence[tuple[str, str, str | None]], *, organization: str | None = None
    ) -> list[Decision] | None: ...
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
        within: object = None,
        at: At | None = None,
    ) -> Decision: ...
    async def check_many(
        self,
        questions: Sequence[tuple[str, str, str | None]],
        *,
        organization: str | None = None,
        at_least: str | None = None,
        assurance: Assurance = "standard",
        within: object = None,
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
        within: object = None,
        at: At | None = None,
    ) -> Decision: ...
    def workers(
        self, *, concurrency: int = 1, on_progress: OnProgress | None = None
    ) -> AsyncWorkers: ...
    async def access_history(
        self,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: int | None = None,
        most_changes: int = ...,
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
        within: object = None,
        detail: bool = False,
        route: Route | str | None = None,
        inline_most_pairs: int | None = None,
        wait: Wait = "enforced",
        if_revision: str | None = None,
        force: bool = False,
        only_at: str | None = None,
    ) -> Receipt: ...
    async def apply_review(
        self,
        review: str,
        decisions: Sequence[LineDecision],
        *,
        actor: str = "unknown",
        comment: str = "",
        dry_run: bool = False,
        request: str = "",
        organization: str | None = None,
    ) -> ReviewOutcome: ...
    async def audit_replay(self, *, organization: str | None = None) -> ReplayReport: ...
    async def count_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> ReviewCounts: ...
    async def enforce(self, receipt: Receipt) -> Receipt: ...
    async def find_review(
        self, review: str, *, life: int | None = None, organization: str | None = None
    ) -> Review: ...
    async def has_due_work(self) -> bool: ...
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
    async def load(self, organization: str | None = None) -> bool: ...
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
    async def park(self, work: PendingWork, *, actor: str = "", request: str = "") -> bool: ...
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
        only_at: str | None = None,
    ) -> Difference: ...
    async def prune_log(
        self,
        before: datetime | int,
        *,
        organization: str | None = None,
        dry_run: bool = False,
        actor: str = "",
    ) -> Pruning: ...
    async def reconcile(
        self, group: str | PendingWork, *, organization: str | None = None
    ) -> None: ...
    async def resources_of(
        self,
        subject: str,
        permission: str,
        *,
        organization: str | None = None,
        resource_type: str | None = None,
        **options: Any,
    ) -> Page: ...
    async def retry(self, work: PendingWork, *, actor: str = "", request: str = "") -> bool: ...
    def review_lines(
        self,
        review: str,
        *,
        after: str | None = None,
        used: LastUsed | None = None,
        life: int | None = None,
        organization: str | None = None,
    ) -> AsyncIterator[ReviewLine]: ...
    async def review_lines_of(
        self, review: str, lines: Sequence[str], *, organization: str | None = None
    ) -> dict[str, ReviewLine]: ...
    async def similar_organizations(self, name: str) -> tuple[str, ...]: ...
    async def start_review(
        self,
        review: str,
        *,
        actor: str = "unknown",
        request: str = "",
        organization: str | None = None,
        **only: Any,
    ) -> Review: ...
    async def unknown_names(
        self,
        *,
        subject: str | None = None,
        permission: str | None = None,
        resource: str | None = None,
        organization: str | None = None,
    ) -> tuple[UnknownName, ...]: ...
    def verify_log(
        self,
        *,
        organization: str | None = None,
        heads: KeptHeads | Iterable[LogHead] | None = None,
        progress: VerifyProgress | None = None,
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
