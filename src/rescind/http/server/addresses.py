"""Which addresses there are, with their methods and the scope that each needs: so that what is refused costs
no more than a look here. The framework does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from litestar.routes import HTTPRoute
from litestar.types.internal_types import PathParameterDefinition

from rescind.errors import InvalidArgument, MethodNotAllowed, RescindError, RouteNotFound
from rescind.http.auth import ALTERING, Scope
from rescind.http.methods import allow
from rescind.http.server.headers import Headers, is_plain

IS_CHECK: Final = {"is_check": True}
"""The option of a route whose answer has the time of a check."""
OURS: Final = "/v1/"
"""The beginning of addresses whose requests say nothing that is not known."""
_CONDITIONS: Final = ("If-Match", "If-None-Match")
"""What a server must evaluate before it alters anything (RFC 9110, 13.2.1). Nothing here has a date of
modification, so that `If-Unmodified-Since` is to be ignored (13.1.4).
"""
MAY_BE_EMPTY: Final = frozenset(("after", "before", "cursor", "search"))
"""Parameters that are no filters if they are empty: the first page, a cursor of no list, any name."""
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address takes: each method with the scope that it needs; None where it is public."""

    scopes: dict[str, Scope | None] = field(default_factory=dict)
    checks: set[str] = field(default_factory=set)
    """Methods whose answer has the time of a check."""
    parameters: dict[str, frozenset[str]] = field(default_factory=dict)
    """The parameters that the query of a method may have, where others are refused: not where routes in
    WorkOS's shape alter nothing, since its SDKs may send others.
    """
    filters: dict[str, frozenset[str]] = field(default_factory=dict)
    """The parameters of a method that must have a value where they are there."""
    numbers: dict[str, frozenset[str]] = field(default_factory=dict)
    """Those of a method that the framework takes for absent where their value is `null`."""
    unread: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Conditions that a method does not evaluate, though it must not act where they do not hold."""

    @property
    def allow(self) -> str:
        """The header `Allow`."""
        return allow(self.scopes)

    def query_of(self, method: str) -> tuple[frozenset[str] | None, frozenset[str], frozenset[str]]:
        """The parameters that a query may have, None for any; those that must have a value; and those of
        which `null` is none.
        """
        nothing: frozenset[str] = frozenset()
        filters, numbers = self.filters.get(method, nothing), self.numbers.get(method, nothing)
        return self.parameters.get(method), filters, numbers

    def scope_for(self, method: str) -> Scope | None:
        """The scope that a method needs. Raises MethodNotAllowed."""
        try:
            return self.scopes[method]
        except KeyError:
            raise MethodNotAllowed() from None

    def require_evaluated(self, method: str, headers: Headers) -> None:
        """Raises InvalidArgument for a condition that would be passed over."""
        for name in self.unread.get(method, ()):
            if name.lower().encode() in headers:
                hint = "leave it out; POST /v1/changes takes If-Match"
                raise InvalidArgument(what=name, why="it is not evaluated here", hint=hint)


def _unknown(_: bytes) -> RescindError | None:
    return None


@dataclass(slots=True)
class _Node:
    names: dict[bytes, _Node] = field(default_factory=dict)
    number: _Node | None = None
    text: _Node | None = None
    address: Address | None = None


class Addresses:
    """All addresses of an application, but for those that the framework adds itself."""

    def __init__(
        self, routes: Iterable[Any], *, absent: Callable[[bytes], RescindError | None] = _unknown
    ) -> None:
        """`absent` says why nothing is at some addresses, on purpose."""
        self._root, self._absent = _Node(), absent
        for route in routes:
            if isinstance(route, HTTPRoute) and not route.path.startswith("/schema"):
                self._add(route)

    def find(self, raw_path: bytes) -> Address:
        """What is at an address. Raises RouteNotFound, also for another spelling of an address; or what says
        why nothing is there on purpose.
        """
        address = None
        if is_plain(raw_path):
            address = _found(self._root, raw_path.split(b"/")[1:])
        if address is None:
            raise self._absent(raw_path) or RouteNotFound()
        return address

    def _add(self, route: HTTPRoute) -> None:
        node = self._root
        for part in route.path_components:
            if not isinstance(part, PathParameterDefinition):
                node = node.names.setdefault(part.encode(), _Node())
            elif part.type is int:
                node.number = node = node.number or _Node()
            else:
                node.text = node = node.text or _Node()
        address = node.address = node.address or Address()
        is_ours = route.path.startswith(OURS)
        for method, (handler, model) in route.route_handler_map.items():
            scopes = [_scope_of(guard) for guard in handler.resolve_guards()]
            scope = address.scopes[method] = scopes[0] if scopes else None
            alters = scope in ALTERING and method != "GET"
            query = frozenset(each.field_alias for each in model.expected_query_params)
            address.filters[method] = query - MAY_BE_EMPTY
            address.numbers[method] = query & {*_nullable(handler)}
            if is_ours or alters:
                address.parameters[method] = query
            if alters:
                read = {each.field_alias for each in model.expected_header_params}
                address.unread[method] = tuple(each for each in _CONDITIONS if each not in read)
            if handler.opt.get("is_check"):
                address.checks.add(method)


def _scope_of(guard: Any) -> Scope:
    scope: Scope = getattr(guard, "func", guard).scope
    return scope


def _nullable(handler: Any) -> Iterator[str]:
    """The parameters of a route, and of what it depends on, of whose type `null` is an absence."""
    for each in (handler, *handler.resolve_dependencies().values()):
        for parameter in each.parsed_fn_signature.parameters.values():
            if parameter.is_optional and _is_none(parameter.annotation):
                yield getattr(parameter.kwarg_definition, "query", None) or parameter.name


def _is_none(kind: Any) -> bool:
    try:
        return msgspec.convert("null", kind, strict=False) is None
    except (msgspec.ValidationError, TypeError):
        return False


def _found(node: _Node, parts: list[bytes], place: int = 0) -> Address | None:
    """Names go before numbers, and those before texts, as in the framework."""
    if place == len(parts):
        return node.address
    part = parts[place]
    number = node.number if _NUMBER.fullmatch(part) else None
    for below in (node.names.get(part), number, node.text):
        if below is not None and (found := _found(below, parts, place + 1)) is not None:
            return found
    return None
