"""The API key that a request carries."""

from __future__ import annotations

from dataclasses import dataclass, field

from rescind.http.auth import Caller
from rescind.http.keys.key_store import Keys


@dataclass(frozen=True, slots=True)
class Credential:
    """The key that a request carries. A request that takes long recognizes it again as it goes on."""

    keys: Keys
    text: str = field(repr=False)
    caller: Caller
    """Whose key it was when the request began."""

    def remembered(self) -> Caller | None:
        """Whose key it is, if that is remembered; reads no database."""
        return self.keys.known(self.text)

    def recognize(self) -> Caller:
        """Whose key it is now. Raises Unauthenticated where it is good no more."""
        return self.remembered() or self.keys.recognize(self.text)
