"""What all methods of a client need to make their requests: names, options and headers, checked once."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from rescind import model
from rescind.client.calls import Call, Effect, Request, json_of, path_of, query_of, time_of
from rescind.client.tokens import Tokens
from rescind.errors import InvalidArgument, InvalidCursor, InvalidToken
from rescind.model import Assurance, At

T = TypeVar("T")
MOST_ITEMS: Final = 10_000
AT_LEAST: Final = "Rescind-At-Least"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,500}")
_SENDABLE: Final = re.compile(r"[^\x00-\x1f\x7f]*")


class Asking:
    """Makes requests. Knows the organization that is meant where a call names none."""

    def __init__(self, organization: str | None, tokens: Tokens) -> None:
        self.organization = None if organization is None else model.organization_id(organization)
        self.tokens = tokens

    def named(self, organization: str | None) -> str | None:
        """The organization that a call means; None for the one that the API key is bound to."""
        return self.organization if organization is None else model.organization_id(organization)

    def get(
        self,
        route: tuple[str, ...],
        read: Callable[[bytes], T],
        organization: str | None,
        *,
        at_least: str | None = None,
        is_fresh: bool = False,
        **query: Any,
    ) -> Call[T]:
        """A question in the address. With `is_fresh` it sees this client's own changes."""
        asked = {"organization": organization, **query}
        headers, refused = self.reading(organization, at_least, is_fresh=is_fresh)
        request = Request("GET", path_of(*route), query_of(asked), headers)
        return Call(request, read, refused=refused)

    def post(
        self,
        route: tuple[str, ...],
        read: Callable[[bytes], T],
        body: Mapping[str, object],
        *,
        headers: tuple[tuple[str, str], ...] = (),
        effect: Effect = Effect.NONE,
        **options: Any,
    ) -> Call[T]:
        """A request with a JSON body."""
        request = Request("POST", path_of(*route), "", headers, json_of(body))
        return Call(request, read, effect=effect, **options)

    def reading(
        self, organization: str | None, at_least: str | None, *, is_fresh: bool
    ) -> tuple[tuple[tuple[str, str], ...], Callable[[Exception], None] | None]:
        """The header that names the state to be read, and what is to be told a refusal of it."""
        if at_least is not None:
            return ((AT_LEAST, required_token(at_least)),), None
        token = self.tokens.of(organization) if is_fresh else None
        if token is None:
            return (), None
        return ((AT_LEAST, token),), partial(self._refused, organization, token)

    def _refused(self, organization: str | None, token: str, error: Exception) -> None:
        if isinstance(error, InvalidToken):  # the organization was deleted and made again
            self.tokens.forget(organization, token)


def required_token(token: object) -> str:
    """A token that may be one. Raises InvalidToken."""
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return str.__str__(token)
    raise InvalidToken(token=token if isinstance(token, str) else reprlib.repr(token))


def required_cursor(cursor: object) -> str | None:
    """A cursor that may be one, or None. Raises InvalidCursor."""
    if cursor is None or (isinstance(cursor, str) and _sendable(cursor)):
        return cursor
    raise InvalidCursor(cursor=cursor if isinstance(cursor, str) else reprlib.repr(cursor))


def required_limit(limit: object) -> int | None:
    """Items of a page; None leaves it to the service. Raises InvalidArgument."""
    if limit is None:
        return None
    return model.require_number("limit", limit, least=1, most=MOST_ITEMS)


def required_assurance(assurance: object) -> Assurance:
    """`standard` or `live`. Raises InvalidArgument."""
    if assurance == "standard":
        return "standard"
    if assurance == "live":
        return "live"
    hint = "use 'standard' or 'live'"
    raise InvalidArgument(what="assurance", value=repr(assurance), hint=hint)


def at_text(at: At | None) -> str | None:
    """A state in the past, as the service takes it. Raises InvalidArgument."""
    if at is None:
        return None
    if isinstance(at, datetime):
        return time_of(at)
    if isinstance(at, int) and not isinstance(at, bool):
        return str(model.require_number("at", at, least=0))
    if isinstance(at, str):
        return required_token(at)
    hint = "use an aware datetime, a revision token, or a revision's number"
    raise InvalidArgument(what="at", value=reprlib.repr(at), hint=hint)


def header_text(what: str, value: object) -> str:
    """Text that a header can carry as it is. Raises InvalidArgument."""
    text = model.require_text(what, value)
    if not _SENDABLE.fullmatch(text) or text.strip() != text:
        hint = "over HTTP it has no control characters, and no blanks at its ends"
        raise InvalidArgument(what=what, value=repr(text[:60]), hint=hint)
    return text


def _sendable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
