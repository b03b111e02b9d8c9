"""What a back-up does not have."""

from __future__ import annotations

from typing import NamedTuple

from rescind import Authority, changes


class Lost(NamedTuple):
    """What a caller keeps of a state that is lost."""

    token: str
    cursor: str


def lose(authority: Authority) -> Lost:
    """A change after the back-up, which lets Cyd read everything, and what the caller keeps of it."""
    grant = [changes.AddMembers(group="staff", members=("user:cyd",))]
    token = authority.apply(grant).token
    assert authority.check("user:cyd", "read", at_least=token)
    cursor = authority.who_can("read", limit=1).next_cursor
    assert cursor is not None
    return Lost(token, cursor)
