"""What is known of an API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rescind import model
from rescind.store.rows.keys import KeyRow, ListedKeyRow


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key: everything but its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    organization: str | None
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    """Within the minute."""
    revoked_at: datetime | None
    former_secret_until: datetime | None
    """Until when the secret before the last rotation is good."""
    is_orphan: bool
    """Whether its organization was deleted. It is refused, also where another has the name since."""

    @classmethod
    def of(cls, row: KeyRow | ListedKeyRow) -> ApiKey:
        return cls(
            row.id,
            row.name,
            tuple(row.scopes.split()),
            row.organization,
            model.moment(row.created_at),
            _moment(row.expires_at),
            _moment(row.used_at),
            _moment(row.revoked_at),
            _moment(row.former_until),
            bool(row.is_orphan),
        )


def _moment(at: model.Microseconds | None) -> datetime | None:
    return None if at is None else model.moment(at)
