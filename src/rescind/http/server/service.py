"""What the routes of one process work with."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

from rescind.authority import Authority
from rescind.changes import Change, DeleteOrganization
from rescind.decision_log import DecisionRecorder
from rescind.http.keys import Keys
from rescind.http.server.configuration import MetricsAccess
from rescind.http.server.limits import Limits, Rates
from rescind.http.server.nonblocking import (
    MOST_BYTES,
    MOST_QUESTIONS,
    NonblockingAuthority,
    WouldBlock,
)
from rescind.insight.metrics.exposition import Exposition
from rescind.model import Receipt
from rescind.settings import Settings
from rescind.tracing import NO_SPANS, Spans


@dataclass(slots=True)
class Lifetime:
    """How far a process is, for every service in it."""

    is_stopping: bool = False


@dataclass(slots=True)
class Service:
    """An authority, the keys of those who may call, and what they may ask."""

    authority: Authority
    keys: Keys
    limits: Limits = field(default_factory=Limits)
    public_url: str | None = None
    """How clients reach the service, where that is not what they send as Host."""
    exposition: Exposition | None = None
    """The metrics, where they are at `/metrics`."""
    metrics_access: MetricsAccess = "key"
    lifetime: Lifetime = field(default_factory=Lifetime)
    rates: Rates = field(init=False)
    spans: Spans = field(init=False)
    decision_log: DecisionRecorder | None = field(init=False, default=None)
    nonblocking: Service | None = field(init=False, default=None)
    """The same for who may not wait: its checks are out of memory, or raise WouldBlock."""
    most_questions: int | None = field(init=False, default=None)
    """Of one request, where more would keep others waiting."""

    def __post_init__(self) -> None:
        self.rates = Rates(self.limits.requests_per_second)
        self.spans = NO_SPANS
        if isinstance(self.authority, Authority):
            self.spans = self.authority.instruments.spans
            self.decision_log = self.authority.decision_log
            self.nonblocking = copy(self)
            self.nonblocking.authority = NonblockingAuthority(self.authority)  # type: ignore[assignment]
            self.nonblocking.most_questions = MOST_QUESTIONS

    @property
    def is_stopping(self) -> bool:
        """Whether the process has been told to end."""
        return self.lifetime.is_stopping

    @is_stopping.setter
    def is_stopping(self, value: bool) -> None:
        self.lifetime.is_stopping = value

    def nonblocking_for(self, body: bytes) -> Service | None:
        """Who answers at once, if a request with such a body may be answered so."""
        return self.nonblocking if len(body) <= MOST_BYTES else None

    def require_few(self, questions: int) -> None:
        """Raises WouldBlock where so many questions of one request would keep others waiting."""
        if self.most_questions is not None and questions > self.most_questions:
            raise WouldBlock

    def applied(self, receipt: Receipt, changes: Sequence[Change]) -> None:
        """Take nobody by memory for a caller of an organization that changes of this process deleted."""
        if any(isinstance(change, DeleteOrganization) for change in changes):
            self.keys.forget_organization(receipt.organization)

    @property
    def settings(self) -> Settings:
        """Those of the authority."""
        return self.authority.settings
