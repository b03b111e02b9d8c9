"""Directory entries: what the directory keeps of an object beside its facts. For use in a write."""

from __future__ import annotations

import json
from typing import Any, Final

from msgspec import UNSET

from rescind.directory.errors import conflict, invalid
from rescind.directory.ids import PREFIXES, Kind, new_id
from rescind.directory.unit_of_work import UnitOfWork
from rescind.model import OrganizationNumber
from rescind.store.rows.directory import (
    FIND_EXTERNAL_ID,
    FIND_ORGANIZATION_NAMED,
    FIND_PUBLIC_ID,
    TOUCH_ENTRY,
)

MOST_TEXT: Final = 10_000
"""Characters of a text field."""


def touch(
    unit: UnitOfWork, kind: Kind, organization: OrganizationNumber, number: int, **attributes: Any
) -> None:
    """Note that an object was changed now, and set attributes of its entry.

    None removes an attribute, UNSET leaves it as it is.
    """
    unit.concern(organization)
    key = {"o": organization, "kind": kind.name.lower(), "number": number}
    (entry,) = unit.fetch(TOUCH_ENTRY, now=unit.now, **key)
    changed = {name: value for name, value in attributes.items() if value is not UNSET}
    if not changed:
        return
    merged = {**json.loads(entry.attributes), **changed}
    kept = {name: value for name, value in merged.items() if value is not None}
    unit.execute("set_entry", attributes=json.dumps(kept, sort_keys=True), **key)


def create(
    unit: UnitOfWork,
    kind: Kind,
    organization: OrganizationNumber,
    number: int,
    *,
    public_id: str | None = None,
    **attributes: Any,
) -> None:
    """Create the entry of a new object. Raises Conflict where another object has the chosen id."""
    touch(unit, kind, organization, number, **attributes)
    key = {"o": organization, "kind": kind.name.lower(), "number": number}
    unit.execute("set_entry_made", now=unit.now, **key)
    if public_id is not None:
        if unit.fetch(FIND_PUBLIC_ID, public_id=public_id):
            raise conflict("id_taken", f"Something has the id '{public_id}' already.")
        unit.execute("set_public_id", public_id=public_id, **key)


def remove(
    unit: UnitOfWork,
    kind: Kind,
    organization: OrganizationNumber,
    number: int,
    *,
    keep_id: bool = False,
) -> None:
    """Remove an object's entry. With `keep_id`, its public id is kept until its end has been reported."""
    key = {"o": organization, "kind": kind.name.lower(), "number": number}
    if keep_id:
        unit.execute("keep_public_id", **key)
    unit.execute("forget_entry", **key)


def set_external_id(
    unit: UnitOfWork, organization: OrganizationNumber, external_id: str | None
) -> None:
    """Set or clear an organization's external id. Raises Conflict where another has it as id or name."""
    if external_id is not None:
        unit.execute("forget_entries_of_deleted", public_id=None, external_id=external_id)
        others = unit.fetch(FIND_EXTERNAL_ID, external_id=external_id)
        others += unit.fetch(FIND_ORGANIZATION_NAMED, organization=external_id)
        if any(other.organization != organization for other in others):
            message = f"An organization has the external id '{external_id}' already."
            raise conflict("external_id_already_used", message)
    key = {"o": organization, "kind": "organization", "number": 0}
    unit.execute("set_external_id", external_id=external_id, **key)


def chosen_id(unit: UnitOfWork, kind: Kind) -> str | None:
    """The public id that the caller chose for a new object: one that it had in another system.

    Raises Forbidden for keys that are bound to one organization: a conflict would reveal the ids of others.
    """
    public_id = unit.chosen_id
    if public_id is None:
        return None
    unit.require_unbound()
    start = f"{PREFIXES[kind]}_"
    rest = public_id.removeprefix(start)
    if rest == public_id or not (rest.isascii() and rest.isalnum() and len(public_id) <= 64):
        raise invalid("Rescind-Id", f"must be '{start}' and letters and digits")
    if unit.public_ids.place(kind, public_id) is not None:
        raise conflict("id_taken", f"Something has the id '{public_id}' already.")
    unit.execute("forget_entries_of_deleted", public_id=public_id, external_id=None)
    return public_id


def slug_id(unit: UnitOfWork, kind: Kind) -> str:
    """The public id of a new object whose slug it is as well: the chosen one, or a random one."""
    return chosen_id(unit, kind) or new_id(kind)


def text(field: str, value: Any, *, most: int = MOST_TEXT, empty: bool = False) -> Any:
    """A text field's value; None and UNSET pass. Raises InvalidValue for what cannot be stored."""
    if value is None or value is UNSET:
        return value
    if not empty and not value.strip():
        raise invalid(field, "may not be empty")
    if len(value) > most or "\0" in value:
        raise invalid(field, f"must have at most {most} characters, and no NUL")
    return value
