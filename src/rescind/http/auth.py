"""Who calls, and what they may do with the service: scopes, and the organization of a bound key.

The entry point puts the caller (or the refusal) into the request's state; the guards of routes ask here.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rescind.errors import InvalidArgument, OrganizationNotFound, ScopeMissing, Unauthenticated
from rescind.http.json_bodies import require_single_keys, require_strict
from rescind.model import organization_id

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler

Scope: TypeAlias = Literal["read", "check", "write", "admin"]
SCOPES: Final = ("read", "check", "write", "admin")
"""What a key can be for: reading facts and the log, checks and lists, changes, and the keys themselves.
`admin` has the others in it."""

ALTERING: Final = ("write", "admin")

State: TypeAlias = MutableMapping[str, Any]
Guard: TypeAlias = "Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key a request carries."""

    key_id: str
    name: str
    scopes: frozenset[str]
    organization: str | None = None
    """The only one that the key is good for; None for all."""

    def has(self, scope: Scope) -> bool:
        """Whether the key may do that."""
        return scope in self.scopes or "admin" in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises ScopeMissing unless the key may do that."""
        if not self.has(scope):
            raise ScopeMissing(scope=scope)

    def actor(self, behalf: str | None = None) -> str:
        """Who a change is by, as the change log has it: the key, and for whom it was used. `behalf` is the
        header Rescind-Actor, which is read as UTF-8 if it is that.
        """
        key = f"key:{self.key_id} ({self.name})"
        return key if behalf is None else f"{_as_utf8(behalf)} by {key}"

    def organization_for(self, named: str | None) -> str:
        """The organization that a request means. To a bound key, any other is one that does not exist.

        Raises InvalidArgument where none is named and the key is bound to none.
        """
        if named is None:
            if self.organization is None:
                raise InvalidArgument(what="organization", hint="name it as `organization`")
            return self.organization
        name = organization_id(named)
        if self.organization is not None and name != self.organization:
            raise OrganizationNotFound(organization=name)
        return name


def _as_utf8(header: str) -> str:
    """A header's text, which was read as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def requires(scope: Scope) -> Guard:
    """A guard that lets a request pass if the entry point did and its key has the scope.

    Its body must have the types of the route: the framework would take texts for other values. The body of a
    request that alters something must not have a key twice in an object. Questions are not searched for that.
    """

    def guard(connection: ASGIConnection[Any, Any, Any, Any], route: BaseRouteHandler) -> None:
        state = connection.scope["state"]
        admitted(state, scope)
        if not state.get("body"):
            return
        if is_altering:
            require_single_keys(state["body"])
        if (data := route.parsed_data_field) is not None:
            require_strict(state["body"], data.annotation)

    is_altering = scope in ALTERING
    guard.__name__ = f"requires_{scope}"
    guard.scope = scope  # type: ignore[attr-defined]
    return guard


def admitted(state: State, scope: Scope) -> Caller:
    """The caller. Raises what the entry point refused, Unauthenticated, or ScopeMissing."""
    refusal = state.get("refusal")
    if refusal is not None:
        raise refusal
    caller: Caller | None = state.get("caller")
    if caller is None:
        raise Unauthenticated()
    caller.require(scope)
    return caller


def request_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The id of a request: the caller's own, or one that was given to it."""
    return str(connection.scope["state"]["request_id"])


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """The caller of a request that a guard has let pass."""
    return connection.scope["state"]["caller"]  # type: ignore[no-any-return]
