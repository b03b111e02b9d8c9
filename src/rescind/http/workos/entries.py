"""What the directory keeps of an object, and the events that tell of it; for use in a write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from rescind.http.workos.call import Call
from rescind.http.workos.errors import conflict, invalid
from rescind.http.workos.ids import PREFIXES, Kind, new_id

EVENTS_KEPT_SECONDS: Final = 30 * 24 * 3600
MOST_TEXT: Final = 10_000


def touch(call: Call, kind: Kind, o: int, number: int, **attributes: Any) -> None:
    """Note that an object was changed, and what is given of its attributes; None takes one away."""
    call.about(o)
    key = {"o": o, "kind": kind.name.lower(), "number": number}
    ((found,),) = call.fetch("touch_entry", now=call.now, **key)
    given = {name: value for name, value in attributes.items() if value is not UNSET}
    if not given:
        return
    merged = {**json.loads(found), **given}
    kept = {name: value for name, value in merged.items() if value is not None}
    call.fetch("set_entry", attributes=json.dumps(kept, sort_keys=True), **key)


def made(
    call: Call, kind: Kind, o: int, number: int, *, public_id: str | None = None, **attributes: Any
) -> None:
    """The entry of a new object. Raises a conflict where something else has the chosen id."""
    touch(call, kind, o, number, **attributes)
    key = {"o": o, "kind": kind.name.lower(), "number": number}
    call.fetch("set_entry_made", now=call.now, **key)
    if public_id is not None:
        if call.fetch("find_public_id", public_id=public_id):
            raise conflict("id_taken", f"Something has the id '{public_id}' already.")
        call.fetch("set_public_id", public_id=public_id, **key)


def set_external_id(call: Call, o: int, external_id: str | None) -> None:
    """Give an organization an external id, or none. Raises a conflict where another has it as id or name."""
    if external_id is not None:
        call.fetch("forget_entries_of_deleted", public_id=None, external_id=external_id)
        others = call.fetch("find_external_id", external_id=external_id)
        others += call.fetch("find_organization_named", organization=external_id)
        if any(other != o for (other,) in others):
            told = f"An organization has the external id '{external_id}' already."
            raise conflict("external_id_already_used", told)
    key = {"o": o, "kind": "organization", "number": 0}
    call.fetch("set_external_id", external_id=external_id, **key)


def chosen_id(call: Call, kind: Kind) -> str | None:
    """The id that the request wants for what it makes: one that was had elsewhere.

    Raises for keys that are bound to one organization: to them it could tell what ids others have.
    """
    given = call.chosen_id
    if given is None:
        return None
    call.require_unbound()
    start = f"{PREFIXES[kind]}_"
    rest = given.removeprefix(start)
    if rest == given or not (rest.isascii() and rest.isalnum() and len(given) <= 64):
        raise invalid("Rescind-Id", f"must be '{start}' and letters and digits")
    if call.ids.place(kind, given) is not None:
        raise conflict("id_taken", f"Something has the id '{given}' already.")
    call.fetch("forget_entries_of_deleted", public_id=given, external_id=None)
    return given


def own_id(call: Call, kind: Kind) -> str:
    """The id of something new whose name in the core it is as well."""
    return chosen_id(call, kind) or new_id(kind)


def event(call: Call, name: str, o: int, data: Mapping[str, Any]) -> None:
    """Note what there is to tell of this write, which the log cannot say as well."""
    since, revision = call.revisions(o) or (None, None)
    call.fetch("forget_old_notes", cutoff=call.now - EVENTS_KEPT_SECONDS * 1_000_000)
    call.fetch(
        "record_note",
        o=o,
        since=since,
        revision=revision,
        name=name,
        data=json.dumps(data, ensure_ascii=False),
        actor=call.caller.key_id,
        now=call.now,
    )


def text(field: str, value: Any, *, most: int = MOST_TEXT, empty: bool = False) -> Any:
    """The text of a field as it was given, or what stands for nothing given. Raises if it cannot be."""
    if value is None or value is UNSET:
        return value
    if not empty and not value.strip():
        raise invalid(field, "may not be empty")
    if len(value) > most or "\0" in value:
        raise invalid(field, f"must have at most {most} characters, and no NUL")
    return value
