"""Lists on the store: what a subject can do, what it can reach, who can. Page by page, in byte order.

Each candidate is put to the same test as a check, so lists and checks cannot disagree.
"""

from __future__ import annotations

import reprlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, Final

from rescind.decision.check import Question, require
from rescind.decision.index import Index, browse
from rescind.decision.memory import Recall
from rescind.errors import InvalidCursor, OrganizationNotFound
from rescind.model import Page, Revision, Seals, require_number
from rescind.store import Store

MAX_LIMIT = 10_000
_CURSOR: Final = "cursor"


IN_MEMORY: Final[dict[str, Callable[[Index, Question, int], browse.Steps]]] = {
    "list_permissions": browse.permissions,
    "list_resources": browse.resources,
    "list_subjects": browse.subjects,
}
"""The same lists, out of an index."""


def page(
    store: Store,
    recall: Recall | None,
    query: str,
    question: Question,
    *,
    live: bool,
    now: int,
    at_least: Revision | None,
    limit: int,
    cursor: str | None,
    kind: str = "",
    within: object = None,
) -> Page:
    """One page of a list query. An unknown subject, permission or resource gives an empty page.

    Raises OrganizationNotFound, InvalidCursor, and InvalidArgument for a limit out of range.
    """
    limit = require_number("limit", limit, least=1, most=MAX_LIMIT)
    asked = "\0".join((query, *question, kind))
    after = "" if cursor is None else _opened(store.seals, cursor, asked)
    if recall is not None and not live:
        ask = IN_MEMORY[query]
        listed = recall.consult_in_turns(
            question.organization, lambda index, at: ask(index, question, at), at_least
        )
        if listed is not None:
            names, revision = listed
            start = bisect_left(names, kind) if kind else 0
            end = bisect_left(names, kind[:-1] + ";") if kind else len(names)
            start = max(start, bisect_right(names, after)) if after else start
            found = tuple(names[start : min(end, start + limit + 1)])
            return _page(store.seals, found, limit, asked, revision)
    asked_for = {
        "organization": question.organization,
        "subject": question.subject,
        "permission": question.permission,
        "resource": question.resource,
    }
    rows = store.fetch("list_names", asked_for, within=within)
    if not rows:
        raise OrganizationNotFound(organization=question.organization)
    o, number, environment, m, p, r = rows[0]
    revision = store.seals.revision(o, number, environment)
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
    found = tuple(slug for (slug,) in store.fetch(query, params, within=within))
    return _page(store.seals, found, limit, asked, revision)


def _page(seals: Seals, found: tuple[str, ...], limit: int, asked: str, revision: Revision) -> Page:
    """A page of what was found, which goes one beyond it where there is more."""
    items = found[:limit]
    cursor = seals.seal(_CURSOR, items[-1].encode(), asked) if len(found) > limit else None
    return Page(items, cursor, revision)


def _opened(seals: Seals, cursor: object, asked: str) -> str:
    """After which name the page begins. Raises InvalidCursor for a cursor of another question."""
    if isinstance(cursor, str):
        after = seals.unseal(_CURSOR, cursor, asked)
        if after is not None:
            return after.decode()
    raise InvalidCursor(cursor=cursor if isinstance(cursor, str) else reprlib.repr(cursor))
