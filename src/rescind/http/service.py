"""What the routes of one process work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from rescind.authority import Authority
from rescind.http.enforced import Enforced
from rescind.http.keys import Keys
from rescind.http.limits import Limits, Rates
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
    enforced: Enforced = field(default_factory=Enforced)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self.rates = Rates(self.limits.requests_per_second)

    @property
    def settings(self) -> Settings:
        """Those of the authority."""
        return self.authority.settings

    @property
    def answers_at_once(self) -> bool:
        """Whether a check reads a local file or memory, so that it need not leave the event loop."""
        return self.authority.store.engine == "sqlite"
