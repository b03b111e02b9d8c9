"""What callers give, checked once: ids, texts and numbers."""

from __future__ import annotations

import re
import reprlib
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final, TypeVar

from rescind.errors import InvalidArgument, MalformedId
from rescind.model.enums import (
    MAX_ID_LENGTH,
    MAX_TEXT_LENGTH,
    ROOT,
    SUBJECT_KINDS,
    GroupId,
    OrganizationId,
    PermissionId,
    ResourceId,
    ResourceTypeId,
    RoleId,
    SubjectId,
)
from rescind.model.spelling import may_be_id

Id = TypeVar("Id", bound=str)


MOST_REMEMBERED: Final = 16_384
"""Ids of one kind; so all of them take some 50 MB at most."""
MOST_BYTES: Final = 128
"""Of an id that is remembered."""


class _Large(Exception):
    """Leaves an id unremembered: what raises is not."""


def remembering(check: Callable[[object], Id]) -> Callable[[object], Id]:
    """The check, with its latest results remembered. What cannot be a key is no text: it is refused."""

    @lru_cache(MOST_REMEMBERED)
    def remembered(value: object) -> Id:
        found = check(value)
        if sys.getsizeof(found) > MOST_BYTES:
            raise _Large(found)
        return found

    @wraps(check)
    def found(value: object) -> Id:
        try:
            return remembered(value)
        except TypeError:
            return check(value)
        except _Large as large:
            is_found: Id = large.args[0]
            return is_found

    return found


def _checked(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise MalformedId(what=what, value=reprlib.repr(value), hint="give it as text")
    value = str.__str__(
        value
    )  # of an enumeration's member too, which a driver would take by its name
    if 0 < len(value) <= MAX_ID_LENGTH and may_be_id(value):
        return value
    raise MalformedId(
        what=what,
        value=repr(value[:60]),
        hint=f"use 1 to {MAX_ID_LENGTH} characters, none invisible, no space at the ends",
    )


@remembering
def organization_id(value: object) -> OrganizationId:
    """The organization's id, or MalformedId."""
    return OrganizationId(_checked("organization", value))


@remembering
def subject_id(value: object) -> SubjectId:
    """`kind:id` with a known kind; a bare id is a user. Otherwise MalformedId."""
    return _subject("subject", value, "write user:…, service_account:… or agent:…")


_is_plain_subject = re.compile(rf"(?:{'|'.join(sorted(SUBJECT_KINDS))}):[ -~]*[!-~]").fullmatch
"""Subjects in printable ASCII with their kind. What it does not match is looked at more closely."""


def _subject(what: str, value: object, hint: str) -> SubjectId:
    if type(value) is str and len(value) <= MAX_ID_LENGTH and _is_plain_subject(value):
        return SubjectId(value)
    text = _checked(what, value)
    kind, colon, rest = text.partition(":")
    if not colon:
        return SubjectId(f"user:{text}")
    if kind in SUBJECT_KINDS and rest:
        return SubjectId(text)
    raise MalformedId(what=what, value=text, hint=hint)


def require_subject_kind(value: object) -> str:
    """A kind of subjects, or InvalidArgument."""
    if isinstance(value, str) and value in SUBJECT_KINDS:
        return str.__str__(value)
    hint = f"use one of {', '.join(SUBJECT_KINDS)}"
    raise InvalidArgument(what="subject kind", value=reprlib.repr(value), hint=hint)


@remembering
def group_id(value: object) -> GroupId:
    """The group's id, taken as it is, or MalformedId."""
    return GroupId(_checked("group", value))


@remembering
def holder_id(value: object) -> str:
    """Who can hold an assignment: `group:…` or a subject. Otherwise MalformedId."""
    if isinstance(value, str) and value.startswith("group:"):
        return f"group:{group_id(value.removeprefix('group:'))}"
    return _subject("holder", value, "write group:…, user:…, service_account:… or agent:…")


@remembering
def role_id(value: object) -> RoleId:
    """The role's id, or MalformedId."""
    return RoleId(_checked("role", value))


@remembering
def permission_id(value: object) -> PermissionId:
    """The permission's id, or MalformedId."""
    return PermissionId(_checked("permission", value))


_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@remembering
def resource_type_id(value: object) -> ResourceTypeId:
    """The resource type's id, or MalformedId."""
    text = _checked("resource type", value)
    if not _TYPE.fullmatch(text):
        raise MalformedId(
            what="resource type", value=text, hint="use letters, digits, '_', '-' and '.'"
        )
    if text == ROOT:
        raise MalformedId(what="resource type", value=text, hint="that one is the root's own type")
    return ResourceTypeId(text)


@remembering
def resource_id(value: object) -> ResourceId:
    """`type:id`, or `organization` (or nothing) for the organization. Otherwise MalformedId."""
    if value is None or value == ROOT:
        return ROOT
    text = _checked("resource", value)
    kind, colon, rest = text.partition(":")
    if not colon or not rest:
        raise MalformedId(what="resource", value=text, hint="write type:id, such as document:1")
    if kind == ROOT:
        raise MalformedId(
            what="resource", value=text, hint="write organization alone for the organization itself"
        )
    resource_type_id(kind)
    return ResourceId(text)


def resource_named(kind: object, id: object) -> ResourceId:
    """`type:id` of a type and an id that were given apart, or MalformedId. A colon in the type would move the
    border between them: `doc:1` and `2` are not `doc` and `1:2`.
    """
    return resource_id(f"{resource_type_id(kind)}:{id}")


def require_text(what: str, value: object) -> str:
    """The text, if every engine keeps it: UTF-8, no NUL, of bounded length. Else InvalidArgument."""
    if not isinstance(value, str):
        raise InvalidArgument(what=what, value=reprlib.repr(value), hint="give it as text")
    value = str.__str__(value)
    if "\0" in value or len(value) > MAX_TEXT_LENGTH:
        hint = f"use at most {MAX_TEXT_LENGTH:,} characters, none of them NUL"
        raise InvalidArgument(what=what, hint=hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(what=what, value=repr(value[:60]), hint="give it as UTF-8") from None
    return value


def require_part(what: str, value: object) -> str:
    """A part of a text that is looked for. InvalidArgument for an empty one: every text has it."""
    if part := require_text(what, value):
        return part
    raise InvalidArgument(what=what, hint="it is empty: give a part of it, or leave it out")


def require_number(what: str, value: object, *, least: int, most: int | None = None) -> int:
    """The whole number, if it lies between these. Else InvalidArgument."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = int(value)
        if least <= number and (most is None or number <= most):
            return number
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    raise InvalidArgument(what=what, value=reprlib.repr(value), hint=f"use a whole number {bounds}")


def require_flag(what: str, value: object) -> bool:
    """A yes or no; None is no. Else InvalidArgument: the text "false" would count as true."""
    if value is None:
        return False
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    raise InvalidArgument(what=what, value=reprlib.repr(value), hint="use True or False")
