"""Revisions as a client has them: the token, without what only the database can read out of it."""

from __future__ import annotations

from typing import Any, NoReturn

from rescind.errors import NotSupported
from rescind.model import OrganizationNumber, Revision


class ServedRevision(Revision):
    """A state of an organization's facts, as the service tells it.

    It is compared by its token: equal tokens are one state. `organization` is known of receipts only.
    Everything else that a `Revision` of the library has raises NotSupported.
    """

    __slots__ = ("_number",)
    _number: int | None

    def __init__(self, token: str, number: int | None = None) -> None:
        object.__setattr__(self, "sealed", token)
        object.__setattr__(self, "_number", number)

    @property
    def organization(self) -> int:
        """The organization's number of changes, which receipts have."""
        return _not_told("number") if self._number is None else self._number

    @property
    def environment(self) -> int:
        """Not told."""
        return _not_told("environment")

    @property
    def incarnation(self) -> OrganizationNumber:
        """Not told."""
        return _not_told("incarnation")

    def covers(self, other: Revision) -> bool:
        """Whether both are the same state; else the service is the one to ask, with `at_least`."""
        return self == other or _not_told("order")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServedRevision):
            return NotImplemented
        return self.sealed == other.sealed

    def __hash__(self) -> int:
        return hash(self.sealed)

    def __repr__(self) -> str:
        return f"<Revision {self.sealed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return ServedRevision, (self.sealed, self._number)


def _not_told(what: str) -> NoReturn:
    hint = "the service tells the token alone: pass it on as `at_least` or `if_revision`"
    raise NotSupported(what="revision", value=what, hint=hint)
