"""A state as compressed bytes, and back."""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from rescind.semantics.state import (
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


_encoder: Final = msgspec.msgpack.Encoder()
_environment_decoder: Final = msgspec.msgpack.Decoder(_EnvironmentBytes)
_organization_decoder: Final = msgspec.msgpack.Decoder(_OrganizationBytes)


def to_bytes(state: OrganizationState | EnvironmentState) -> bytes:
    """The state, compressed; `organization_from_bytes` or `environment_from_bytes` gives it back."""
    kind = _OrganizationBytes if isinstance(state, OrganizationState) else _EnvironmentBytes
    values = {name: getattr(state, name) for name in kind.__struct_fields__ if name != "format"}
    return zlib.compress(_encoder.encode(kind(format=FORMAT, **values)), LEVEL)


def organization_from_bytes(data: bytes) -> OrganizationState:
    """The state that `to_bytes` made these of. Raises UnreadableState."""
    return OrganizationState(**_decoded(_organization_decoder, data))


def environment_from_bytes(data: bytes) -> EnvironmentState:
    """The state that `to_bytes` made these of. Raises UnreadableState."""
    return EnvironmentState(**_decoded(_environment_decoder, data))


def _decoded(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> dict[str, Any]:
    try:
        found = decoder.decode(zlib.decompress(data))
    except (zlib.error, msgspec.MsgspecError, UnicodeError) as error:
        raise UnreadableState(str(error)) from None
    if found.format != FORMAT:
        raise UnreadableState(f"it is of format {found.format}, not {FORMAT}")
    return {name: getattr(found, name) for name in found.__struct_fields__ if name != "format"}
