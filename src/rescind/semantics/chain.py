"""The hash chain of the change log: the canonical form of a change, and its digest. Pure.

A digest is SHA-256 over the digest before it and the change's content. So it stands for the whole log up to
its change. The content is everything that never changes after the commit: not when the change was settled or
enforced.

The canonical form is text in UTF-8. Each integer is decimal, then a comma; without a value, the comma alone.
Each text is a netstring: its length in bytes, a colon, the text, a comma; without a value, `:,`. So no two
contents have the same form. SQL makes the same bytes: `engine.digested`.
"""

from __future__ import annotations

import hashlib
from typing import Final

from rescind.model.log import Content


def canonical(content: Content) -> bytes:
    """The bytes that are digested after the digest before."""
    numbers, texts = content[:8], content[8:]
    parts = [b"" if number is None else b"%d" % number for number in numbers]
    parts += [_netstring(text) for text in texts]
    return b",".join((*parts, b""))


def _netstring(text: str | None) -> bytes:
    if text is None:
        return b":"
    encoded = text.encode("utf-8", "surrogatepass")
    return b"%d:%b" % (len(encoded), encoded)


def first_digest(organization: int) -> bytes:
    """The digest before the first change of an organization, given its number."""
    return hashlib.sha256(b"rescind change log %d" % organization).digest()


FIRST_OF_ACTIONS: Final = hashlib.sha256(b"rescind service actions").digest()
"""The digest before the first action in the log of service actions. The schema has it too."""


def action_content(
    number: int, recorded_at: int, organization: int | None, texts: tuple[str, ...]
) -> bytes:
    """What is digested of a service action, in the same form; `texts` are its kind, subject, detail, actor
    and request. SQL makes the same bytes: `engine.action_content`.
    """
    whose = b"" if organization is None else b"%d" % organization
    return b",".join((b"%d" % number, b"%d" % recorded_at, whose, *map(_netstring, texts), b""))


def chained(before: bytes | None, content: bytes) -> bytes | None:
    """The digest of a change, given the one before and its canonical form; None if that one has none."""
    return None if before is None else hashlib.sha256(before + content).digest()


def digest_of_next(before: bytes | None, content: Content) -> bytes | None:
    """The digest of a new change, given the one of the newest change, if there is any."""
    if content.revision == 1:
        before = first_digest(content.organization)
    return chained(before, canonical(content))
