"""A state as compressed bytes, and back."""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from rescind.semantics.state import (
    ORGANIZATION_TABLES,
    Assigned,
    AssignmentKey,
    EnvironmentState,
    Group,
    Membership,
    Nesting,
    NestingKey,
    OrganizationState,
    Permission,
    Place,
    PlaceKey,
    Resource,
    ResourceType,
    Role,
    SetAside,
    SetAsideKey,
    Settings,
)


class TooManyFacts(Exception):
    """There are more facts in these bytes than may be held."""


class UnreadableState(ValueError):
    """Bytes that are no state of this version's format: the state is to be made again from the log."""


FORMAT: Final = 1
"""Goes up when the bytes change. What is of another format is not read: make it again from the log."""
LEVEL: Final = 1
"""Of compression: several times as fast as the usual one, for little more room."""


class _EnvironmentBytes(msgspec.Struct, frozen=True, array_like=True, tag="*"):
    format: int
    revision: int
    recorded_at: int
    permissions: dict[str, Permission]
    roles: dict[str, Role]
    resource_types: dict[str, ResourceType]


class _OrganizationBytes(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    format: int
    organization: str
    revision: int
    environment: int
    recorded_at: int
    settings: Settings | None
    memberships: dict[str, Membership]
    groups: dict[str, Group]
    places: dict[PlaceKey, Place]
    nestings: dict[NestingKey, Nesting]
    permissions: dict[str, Permission]
    roles: dict[str, Role]
    resource_types: dict[str, ResourceType]
    resources: dict[str, Resource]
    assignments: dict[AssignmentKey, Assigned]
    set_aside: dict[SetAsideKey, SetAside]


class _Counted(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """The tables of an organization, of which only the sizes are read."""

    format: int
    organization: msgspec.Raw
    revision: int
    environment: int
    recorded_at: int
    settings: msgspec.Raw
    memberships: msgspec.Raw
    groups: msgspec.Raw
    places: msgspec.Raw
    nestings: msgspec.Raw
    permissions: msgspec.Raw
    roles: msgspec.Raw
    resource_types: msgspec.Raw
    resources: msgspec.Raw
    assignments: msgspec.Raw
    set_aside: msgspec.Raw


_counting_decoder: Final = msgspec.msgpack.Decoder(_Counted)
_encoder: Final = msgspec.msgpack.Encoder()
_environment_decoder: Final = msgspec.msgpack.Decoder(_EnvironmentBytes)
_organization_decoder: Final = msgspec.msgpack.Decoder(_OrganizationBytes)


def to_bytes(state: OrganizationState | EnvironmentState) -> bytes:
    """The state, compressed; `organization_from_bytes` or `environment_from_bytes` gives it back."""
    kind = _OrganizationBytes if isinstance(state, OrganizationState) else _EnvironmentBytes
    values = {name: getattr(state, name) for name in kind.__struct_fields__ if name != "format"}
    return zlib.compress(_encoder.encode(kind(format=FORMAT, **values)), LEVEL)


def organization_from_bytes(data: bytes, *, most_facts: int = 0) -> OrganizationState:
    """The state that `to_bytes` made these of. Raises UnreadableState.

    Raises TooManyFacts, before it takes their memory, if there are more than `most_facts`; 0 is no limit.
    """
    plain = _plain(data)
    if most_facts:
        sizes = _decoded(_counting_decoder, plain)
        if sum(_map_size(bytes(sizes[name])) for name in ORGANIZATION_TABLES) > most_facts:
            raise TooManyFacts
    return OrganizationState(**_decoded(_organization_decoder, plain))


def environment_from_bytes(data: bytes) -> EnvironmentState:
    """The state that `to_bytes` made these of. Raises UnreadableState."""
    return EnvironmentState(**_decoded(_environment_decoder, _plain(data)))


def _plain(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as error:
        raise UnreadableState(str(error)) from None


def _decoded(decoder: msgspec.msgpack.Decoder[Any], plain: bytes) -> dict[str, Any]:
    try:
        found = decoder.decode(plain)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UnreadableState(str(error)) from None
    if found.format != FORMAT:
        raise UnreadableState(f"it is of format {found.format}, not {FORMAT}")
    return {name: getattr(found, name) for name in found.__struct_fields__ if name != "format"}


def _map_size(raw: bytes) -> int:
    """The entries of a map in MessagePack, by its head."""
    if raw[0] == 0xDF:
        return int.from_bytes(raw[1:5], "big")
    return int.from_bytes(raw[1:3], "big") if raw[0] == 0xDE else raw[0] & 0x0F
