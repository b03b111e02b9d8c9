"""What is given out to be handed back: revision tokens and cursors, sealed with a secret of the database.

A sealed text tells nothing, can be made by nobody else, and has one spelling. It is authenticated encryption
with a synthetic initialization vector (as RFC 5297 has it, on BLAKE2b and SHAKE256): the same content has the
same text, so that tokens can be compared.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import reprlib
from functools import lru_cache
from typing import Final

from rescind.errors import InvalidToken
from rescind.model.enums import OrganizationNumber
from rescind.model.revisions import Revision

_TAG_BYTES: Final = 8
_CONTENT_BYTES: Final = 16
_NUMBER_BITS: Final = 48
"""Of an organization's revision, and of the environment's."""
_LARGEST: Final = (1 << _NUMBER_BITS) - 1
_REVISION: Final = "revision"


class Seals:
    """The seals of one database. Safe to use from many threads."""

    def __init__(self, secret: str) -> None:
        self._tag_key, self._pad_key = (
            hashlib.blake2b(secret.encode(), digest_size=32, person=use).digest()
            for use in (b"rescind tag", b"rescind pad")
        )
        self.revision = lru_cache(4_096)(self._revision)
        self._parsed = lru_cache(4_096)(self._parse)

    def seal(self, purpose: str, content: bytes, about: str = "") -> str:
        """The content sealed for a purpose; `about` is what it must be unsealed with."""
        tag = self.tag(purpose, content, about)
        return _text(tag + self._masked(tag, content))

    def unseal(self, purpose: str, text: str, about: str = "") -> bytes | None:
        """The content of a text of this purpose; None for any other text."""
        raw = _raw(text)
        if raw is None:
            return None
        tag = raw[:_TAG_BYTES]
        content = self._masked(tag, raw[_TAG_BYTES:])
        return content if hmac.compare_digest(tag, self.tag(purpose, content, about)) else None

    def parse(self, token: object) -> Revision:
        """The revision of a token of this database. Raises InvalidToken for anything else."""
        if isinstance(token, str):
            return self._parsed(token)
        raise InvalidToken(token=reprlib.repr(token))

    def _revision(self, incarnation: int, organization: int, environment: int) -> Revision:
        """A revision with its token."""
        text = ""
        if 0 <= organization <= _LARGEST and 0 <= environment <= _LARGEST:
            number = (incarnation << _NUMBER_BITS | organization) << _NUMBER_BITS | environment
            text = self.seal(_REVISION, number.to_bytes(_CONTENT_BYTES))
        return Revision(OrganizationNumber(incarnation), organization, environment, text)

    def _parse(self, token: str) -> Revision:
        content = self.unseal(_REVISION, token)
        if content is None or len(content) != _CONTENT_BYTES:
            raise InvalidToken(token=token)
        number = int.from_bytes(content)
        organization, environment = number >> _NUMBER_BITS & _LARGEST, number & _LARGEST
        incarnation = OrganizationNumber(number >> 2 * _NUMBER_BITS)
        return Revision(incarnation, organization, environment, token)

    def tag(self, purpose: str, content: bytes, about: str) -> bytes:
        key, person = self._tag_key, purpose.encode()
        if about:
            key = hashlib.blake2b(about.encode(), digest_size=32, key=key, person=b"about").digest()
        return hashlib.blake2b(content, digest_size=_TAG_BYTES, key=key, person=person).digest()

    def _masked(self, tag: bytes, content: bytes) -> bytes:
        """The content under a pad that follows from the tag; done twice, it is the content again."""
        size = len(content)
        pad = hashlib.shake_256(self._pad_key + tag).digest(size)
        return (int.from_bytes(content) ^ int.from_bytes(pad)).to_bytes(size)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes | None:
    """The bytes of a text in its one spelling."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if _text(raw) == text else None
