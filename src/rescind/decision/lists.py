"""Lists on the store: what a subject can do, what it can reach, who can. Page by page, in byte order.

Each candidate is put to the same test as a check, so lists and checks cannot disagree.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from rescind.decision.check import Question, require
from rescind.errors import InvalidArgument, InvalidCursor, OrganizationNotFound
from rescind.model import Page, Revision
from rescind.store import Store

MAX_LIMIT = 10_000


def page(
    store: Store,
    query: str,
    question: Question,
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    limit: int,
    cursor: str | None,
    kind: str = "",
) -> Page:
    """One page of a list query. An unknown subject, permission or resource gives an empty page.

    Raises OrganizationNotFound, InvalidCursor, and InvalidArgument for a limit out of range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidArgument(what="limit", value=limit, mend=f"use 1 to {MAX_LIMIT}")
    asked = "\0".join((query, *question, kind))
    after = "" if cursor is None else _opened(cursor, asked)
    names = {
        "organization": question.organization,
        "subject": question.subject,
        "permission": question.permission,
        "resource": question.resource,
    }
    rows = store.fetch("list_names", names)
    if not rows:
        raise OrganizationNotFound(organization=question.organization)
    o, number, environment, m, p, r = rows[0]
    revision = Revision(o, number, environment)
    if at_least is not None:
        require(revision, at_least)
    needed = {"list_permissions": (m, r), "list_resources": (m, p), "list_subjects": (p, r)}
    if None in needed[query]:
        return Page((), None, revision)
    params: dict[str, Any] = {
        "o": o,
        "m": m,
        "p": p,
        "r": r,
        "live": live,
        "now": now,
        "after": after,
        "limit": limit + 1,
        "kind": kind,
        "kind_end": kind[:-1] + ";" if kind else "",
    }
    found = tuple(slug for (slug,) in store.fetch(query, params))
    items = found[:limit]
    more = _closed(items[-1], asked) if len(found) > limit else None
    return Page(items, more, revision)


def _closed(after: str, asked: str) -> str:
    return base64.urlsafe_b64encode(_mark(asked) + after.encode()).decode().rstrip("=")


def _opened(cursor: str, asked: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if raw[:6] == _mark(asked):
            return raw[6:].decode()
    except ValueError:
        pass
    raise InvalidCursor(cursor=cursor)


def _mark(asked: str) -> bytes:
    return hashlib.sha256(asked.encode()).digest()[:6]
