"""The token of the last change that a client made to each organization, for reading one's own writes."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

from rescind import forks
from rescind.model import Receipt


class _Kept(NamedTuple):
    token: str
    number: int
    place: int
    """Which receipt it was, counted from 1."""


class Tokens:
    """Tokens by organization. None stands for the one that the API key is bound to.

    Safe to use from many threads. If it is not `is_on`, it keeps nothing.
    """

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._kept: dict[str | None, _Kept] = {}
        self._place = 0
        forks.reinit_after_fork(self)

    def reinit_after_fork(self) -> None:
        """A lock of this process; what is kept stays true."""
        self._lock = Lock()

    def begin(self) -> int:
        """To be called when a change begins, for `note`."""
        return self._place

    def note(self, asked: str | None, receipt: Receipt, begun: int) -> None:
        """Keep a receipt's token, unless the one that is kept is later.

        A change that began after the kept receipt was here is later. Of two at the same time it is the one
        with the larger number.
        """
        if not self.is_on:
            return
        number = receipt.revision.organization
        with self._lock:
            self._place += 1
            for name in {asked, str(receipt.organization)}:
                kept = self._kept.get(name)
                if kept is None or begun >= kept.place or number >= kept.number:
                    self._kept[name] = _Kept(receipt.token, number, self._place)

    def of(self, organization: str | None) -> str | None:
        """The token to read with, if there is one."""
        kept = self._kept.get(organization)
        return None if kept is None else kept.token

    def forget(self, organization: str | None, token: str) -> None:
        """Do not send this token again: the service refused it."""
        with self._lock:
            kept = self._kept.get(organization)
            if kept is not None and kept.token == token:
                del self._kept[organization]
