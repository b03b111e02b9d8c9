"""The text of an API key, `rsk_ID_SECRET`. Its secret is shown once and stored nowhere.

A secret has 256 random bits, so that one plain SHA-256 of it keeps it safe.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from rescind.errors import ApiKeyNotFound, Unauthenticated

PREFIX: Final = "rsk"


def parted(text: str) -> tuple[str, str]:
    """The id and the secret of a key's text. Raises Unauthenticated for what is no key's."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != PREFIX or not _is_id(key_id):
        raise Unauthenticated()
    return key_id, secret


def key_text(key_id: str, secret: str) -> str:
    """The text of a key."""
    return f"{PREFIX}_{key_id}_{secret}"


def new_id() -> str:
    """An id that no key has."""
    return secrets.token_hex(8)


def new_secret() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def secret_digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_id(text: str) -> bool:
    return len(text) == 16 and text.isascii() and text.isalnum()


def checked_id(key_id: str) -> str:
    """The id of a key. Raises ApiKeyNotFound for what is none."""
    if not _is_id(key_id):
        raise ApiKeyNotFound(key=key_id)
    return key_id
