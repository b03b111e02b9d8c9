"""States of an organization's facts, and the tokens for them."""

from __future__ import annotations

import base64
import reprlib
from dataclasses import dataclass
from functools import lru_cache

from rescind.errors import InvalidToken


@dataclass(frozen=True, slots=True, order=False)
class Revision:
    """A state of an organization's facts: its own number and the environment's.

    `incarnation` tells an organization from a deleted one of the same name.
    """

    incarnation: int
    organization: int
    environment: int

    def token(self) -> str:
        """The opaque string that a caller hands back to read no older state."""
        return _token(self.incarnation, self.organization, self.environment)

    def covers(self, other: Revision) -> bool:
        """Whether a read at this revision is at least as fresh as `other`."""
        return self.organization >= other.organization and self.environment >= other.environment


@lru_cache(4_096)
def _token(incarnation: int, organization: int, environment: int) -> str:
    text = f"1.{incarnation}.{organization}.{environment}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_token(token: object) -> Revision:
    """The revision of a token, or InvalidToken."""
    if not isinstance(token, str):
        raise InvalidToken(token=reprlib.repr(token))
    return _parsed(token)


@lru_cache(4_096)
def _parsed(token: str) -> Revision:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        version, incarnation, organization, environment = text.split(".")
        if version == "1":
            return Revision(int(incarnation), int(organization), int(environment))
    except ValueError:
        pass
    raise InvalidToken(token=token)
