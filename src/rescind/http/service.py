"""What the routes of one process work with."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

from rescind.authority import Authority
from rescind.changes import Change, DeleteOrganization
from rescind.http.at_hand import AtHand
from rescind.http.keys import Keys
from rescind.http.limits import Limits, Rates
from rescind.model import Receipt
from rescind.settings import Settings


@dataclass(slots=True)
class Service:
    """An authority, the keys of those who may call, and what they may ask."""

    authority: Authority
    keys: Keys
    limits: Limits = field(default_factory=Limits)
    public_url: str | None = None
    """How clients reach the service, where that is not what they send as Host."""
    is_stopping: bool = False
    rates: Rates = field(init=False)
    at_hand: Service | None = field(init=False, default=None)
    """The same for who may not wait: its checks are out of memory, or raise NotAtHand."""

    def __post_init__(self) -> None:
        self.rates = Rates(self.limits.requests_per_second)
        if isinstance(self.authority, Authority) and not self.answers_at_once:
            self.at_hand = copy(self)
            self.at_hand.authority = AtHand(self.authority)  # type: ignore[assignment]

    def applied(self, receipt: Receipt, changes: Sequence[Change]) -> None:
        """Take nobody by memory for a caller of an organization that changes of this process deleted."""
        if any(isinstance(change, DeleteOrganization) for change in changes):
            self.keys.forget_organization(receipt.organization)

    @property
    def settings(self) -> Settings:
        """Those of the authority."""
        return self.authority.settings

    @property
    def answers_at_once(self) -> bool:
        """Whether a check reads a local file at most, so that it need not leave the event loop."""
        return self.authority.store.engine == "sqlite"
