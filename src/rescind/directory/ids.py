"""Public ids: `om_01h…`. Each is computed from its object's numbers and a secret of the database.

So an object has its id from the start, however it was made, for as long as it lives; and ids do not reveal
how many other objects there are.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from rescind.model import OrganizationNumber

FOR_ALL: Final = OrganizationNumber(0)
"""The number under which roles and permissions for all organizations are kept."""
NO_ORGANIZATION: Final = OrganizationNumber(-1)
"""A number that no organization has."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = {sign: digit for digit, sign in enumerate(_ALPHABET)}
_SIGNS: Final = 26
_ROUNDS: Final = 4
_LAYOUT: Final = struct.Struct(">BIii3x")


class Kind(IntEnum):
    """The kind of object that an id is of. The numbers are part of every id ever given out: they never
    change.
    """

    ORGANIZATION = 1
    MEMBERSHIP = 2
    GROUP = 3
    PERMISSION = 4
    ROLE = 5
    RESOURCE = 6
    ROLE_ASSIGNMENT = 7
    GROUP_ROLE_ASSIGNMENT = 8
    EVENT = 9
    DOMAIN = 10


PREFIXES: Final = {
    Kind.ORGANIZATION: "org",
    Kind.MEMBERSHIP: "om",
    Kind.GROUP: "group",
    Kind.PERMISSION: "perm",
    Kind.ROLE: "role",
    Kind.RESOURCE: "authz_resource",
    Kind.ROLE_ASSIGNMENT: "role_assignment",
    Kind.GROUP_ROLE_ASSIGNMENT: "group_role_assignment",
    Kind.EVENT: "event",
    Kind.DOMAIN: "org_domain",
}


class Place(NamedTuple):
    """An object's numbers: its organization's, its own, and a second one where the kind has two."""

    organization: OrganizationNumber
    number: int = 0
    second: int = 0


class PublicIds:
    """The public ids of one database."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.of = lru_cache(65_536)(self._of)

    def place(self, kind: Kind, public_id: str) -> Place | None:
        """The place that an id stands for; None for any other text."""
        text = public_id.removeprefix(f"{PREFIXES[kind]}_")
        if len(text) != _SIGNS or text == public_id or not set(text) <= _DIGITS.keys():
            return None
        number = 0
        for sign in text:
            number = number << 5 | _DIGITS[sign]
        if number >> 128:
            return None
        raw = self._mixed(number.to_bytes(16), range(_ROUNDS - 1, -1, -1))
        found, *place = _LAYOUT.unpack(raw)
        return Place(*place) if found == kind and raw.endswith(b"\0\0\0") else None

    def _of(
        self, kind: Kind, organization: OrganizationNumber, number: int = 0, second: int = 0
    ) -> str:
        raw = self._mixed(_LAYOUT.pack(kind, organization, number, second), range(_ROUNDS))
        return f"{PREFIXES[kind]}_{_written(int.from_bytes(raw))}"

    def _mixed(self, raw: bytes, rounds: range) -> bytes:
        """A Feistel network with a keyed hash. With the rounds reversed it is its own inverse."""
        left, right = raw[:8], raw[8:]
        for number in rounds:
            digest = hashlib.blake2b(
                bytes((number,)) + right, digest_size=8, key=self._secret
            ).digest()
            left, right = right, bytes(a ^ b for a, b in zip(left, digest, strict=True))
        return right + left


def new_id(kind: Kind) -> str:
    """A random id, for an object that needs one before it has a number."""
    return f"{PREFIXES[kind]}_{_written(secrets.randbits(128))}"


def _written(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
