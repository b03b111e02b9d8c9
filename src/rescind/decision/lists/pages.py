"""Pages of lists: permissions of a subject, resources of a subject, subjects with a permission.

Lists read the facts, in memory or in the store, and not effective roles; so a page costs the same while work
is pending. Pages are in the order of numbers, which never change. A cursor is the last number of its
page, in one organization: a later one of its name refuses it. Within a page, items are in byte order.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Generator
from itertools import islice
from typing import Final, NamedTuple

from rescind.decision.lists.indexed import Indexed
from rescind.decision.lists.permissions import permissions
from rescind.decision.lists.resources import resources
from rescind.decision.lists.source import Asked, Found, Source, Steps, finished
from rescind.decision.lists.stored import FetchMany, Stored
from rescind.decision.lists.streams import BEGINNING
from rescind.decision.lists.subjects import subjects
from rescind.decision.states import STATE_ATTEMPTS, kept_changing, require_revision
from rescind.errors import InvalidCursor, OrganizationNotFound
from rescind.index import Index
from rescind.model import (
    IdRule,
    Page,
    Question,
    Revision,
    Seals,
    SubjectId,
    canonical_subject,
    require_number,
)
from rescind.replicas import CachedAnswers
from rescind.semantics.preconditions import first_unmet
from rescind.store import Store
from rescind.store.rows import QueryWithParams
from rescind.store.rows.lists import READ_ASKED, AskedRow
from rescind.store.rows.organizations import READ_ID_RULE, IdRuleRow

MAX_LIMIT = 10_000
_CURSOR: Final = "position"
_NUMBER_BYTES: Final = 8

LISTS: Final[dict[str, Callable[[Source, Asked], Steps[Found]]]] = {
    "permissions": permissions,
    "resources": resources,
    "subjects": subjects,
}
STEP: Final = 1_024
"""Permissions that one step in memory tests."""


def page(
    store: Store,
    recall: CachedAnswers | None,
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
    """One page of a list. An unknown subject, permission or resource gives an empty page.

    A page may have fewer items than the limit, or none, if finding more would take too long. Only a page
    without a cursor is the last one. Raises OrganizationNotFound, InvalidCursor, also for a cursor of an
    earlier organization of the name, and InvalidArgument for a limit out of range.
    """
    limit = require_number("limit", limit, least=1, most=MAX_LIMIT)
    about = "\0".join((query, *question, kind))
    place = _BEGINNING if cursor is None else opened(store.seals, cursor, about)
    asked = Asked(place.after, limit, kind)
    listed = None
    if recall is not None and not live:
        listed = recall.read(
            question.organization,
            lambda index, at: in_memory(index, query, question, asked, at),
            at_least,
        )
    if listed is None and within is not None:
        listed = _in_transaction(
            lambda questions: store.fetch_many(questions, within=within),
            *(store.seals, query, question, asked, now, at_least),
        )
    elif listed is None:
        with store.snapshot() as snapshot:
            fetch_many = snapshot.fetch_many
            listed = _stored(fetch_many, store.seals, query, question, asked, now, at_least)
    found, revision = listed
    if place.incarnation not in (None, revision.incarnation):
        raise InvalidCursor(cursor=cursor)
    return _page(store.seals, found, limit, about, revision)


def past_page(
    index: Index,
    revision: Revision,
    seals: Seals,
    query: str,
    question: Question,
    *,
    now: int,
    limit: int = 100,
    cursor: str | None = None,
    kind: str = "",
) -> Page:
    """One page of a list from an index of a past state, as `page` gives it. A cursor is for this state."""
    limit = require_number("limit", limit, least=1, most=MAX_LIMIT)
    about = "\0".join((query, *question, kind, revision.token(), str(now)))
    place = _BEGINNING if cursor is None else opened(seals, cursor, about)
    with index.lock:
        asked = Asked(place.after, limit, kind)
        found = finished(in_memory(index, query, question, asked, now))
    assert found is not None
    return _page(seals, found, limit, about, revision)


def in_memory(
    index: Index, query: str, question: Question, asked: Asked, now: int
) -> Generator[None, None, Found | None]:
    """A page from an index; None for a critical permission, which the store decides."""
    facts = index.facts
    if query == "permissions":
        for catalog in (facts.environment, facts.own):
            for at, (_, critical) in enumerate(catalog.permissions.values()):
                if at % STEP == 0:
                    yield
                if critical:
                    return None
    permission = facts.permission(question.permission)
    if query != "permissions" and permission is not None and permission[1]:
        return None
    membership = facts.memberships.get(facts.spelled(question.subject))
    number = None if permission is None else permission[0]
    if _is_unknown(query, membership, number, facts.resources.get(question.resource)):
        return Found({}, None)
    return (yield from LISTS[query](Indexed(index, question, now), asked))


def _in_transaction(
    fetch_many: FetchMany,
    seals: Seals,
    query: str,
    question: Question,
    asked: Asked,
    now: int,
    at_least: Revision | None,
) -> tuple[Found, Revision]:
    """A page in a caller's transaction. The revision is the same before and after its reads."""
    for _ in range(STATE_ATTEMPTS):
        found, revision = _stored(fetch_many, seals, query, question, asked, now, at_least)
        rows: list[AskedRow] = fetch_many([_look(question)])[0]
        seen = (revision.incarnation, revision.organization, revision.environment)
        if [(row.organization, row.revision, row.environment) for row in rows] == [seen]:
            return found, revision
    raise kept_changing()


def _look(question: Question) -> QueryWithParams[AskedRow]:
    """The query for the revision of the facts, and for the numbers of a question's names."""
    return READ_ASKED, {
        "organization": question.organization,
        "subject": question.subject,
        "permission": question.permission,
        "resource": question.resource,
    }


def _stored(
    fetch_many: FetchMany,
    seals: Seals,
    query: str,
    question: Question,
    asked: Asked,
    now: int,
    at_least: Revision | None,
) -> tuple[Found, Revision]:
    rows: list[AskedRow] = fetch_many([_look(question)])[0]
    if not rows:
        raise OrganizationNotFound(organization=question.organization)
    names = rows[0]
    spelled = canonical_subject(question.subject)
    if names.membership is None and query != "subjects" and spelled != question.subject:
        rules: list[IdRuleRow]
        (rules,) = fetch_many([(READ_ID_RULE, {"organization": question.organization})])
        if rules[0].id_rule == IdRule.CASEFOLD:
            rows = fetch_many([_look(question._replace(subject=SubjectId(spelled)))])[0]
            names = rows[0]
    revision = seals.revision(names.organization, names.revision, names.environment)
    if at_least is not None:
        require_revision(revision, at_least)
    if _is_unknown(query, names.membership, names.permission, names.resource):
        return Found({}, None), revision
    return finished(LISTS[query](Stored(fetch_many, names, now), asked)), revision


def _is_unknown(
    query: str, membership: int | None, permission: int | None, resource: int | None
) -> bool:
    """Whether a name in the question is unknown. What is listed has no name in it: a list of subjects names
    no subject.
    """
    unmet = first_unmet(
        membership=query == "subjects" or membership is not None,
        active=True,
        permission=query == "permissions" or permission is not None,
        resource=query == "resources" or resource is not None,
    )
    return unmet is not None


def _page(seals: Seals, found: Found, limit: int, about: str, revision: Revision) -> Page:
    """Cuts what was found to one page; there may be more than `limit`."""
    names, rest = found.names, found.rest
    if len(names) > limit:
        names = dict(islice(names.items(), limit))
        rest = next(reversed(names))
    cursor = None
    if rest is not None:
        place = rest.to_bytes(_NUMBER_BYTES) + revision.incarnation.to_bytes(_NUMBER_BYTES)
        cursor = seals.seal(_CURSOR, place, about)
    items = tuple(sorted(names.values()))
    return Page(items, cursor, revision)


class _Place(NamedTuple):
    """The number after which a page begins, and the organization that the page before was of."""

    after: int
    incarnation: int | None


_BEGINNING: Final = _Place(BEGINNING, None)


def opened(seals: Seals, cursor: object, about: str) -> _Place:
    """The place of a cursor. Raises InvalidCursor for a cursor of another question."""
    if isinstance(cursor, str):
        place = seals.unseal(_CURSOR, cursor, about)
        if place is not None:
            numbers = place[:_NUMBER_BYTES], place[_NUMBER_BYTES:]
            return _Place(*map(int.from_bytes, numbers))
    raise InvalidCursor(cursor=cursor if isinstance(cursor, str) else reprlib.repr(cursor))
