"""What the directory refuses. `http/workos/errors.py` gives each a status."""

from __future__ import annotations

from typing import Any


class DirectoryError(Exception):
    """The request cannot be done. `code`, `message` and `facts` are WorkOS's words."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        self.code, self.message, self.facts = code, message, facts
        super().__init__(message)


class ObjectNotFound(DirectoryError):
    """There is no such object, or the key may not see it: both are said in the same words."""


class InvalidValue(DirectoryError):
    """A value of the request cannot be as it is."""


class Conflict(DirectoryError):
    """The request contradicts the present state."""


class Forbidden(DirectoryError):
    """The key may not do this."""


def not_found(what: str, public_id: str) -> ObjectNotFound:
    """No object of this id, or none that the key may see."""
    message = f"{what} not found: '{public_id[:200]}'."
    return ObjectNotFound("entity_not_found", message, entity_id=public_id)


def invalid(field: str, message: str) -> InvalidValue:
    """A field's value is not valid."""
    wrong = [{"code": "invalid", "field": field, "message": message}]
    return InvalidValue("invalid_request_parameters", f"{field}: {message}", errors=wrong)


def invalid_cursor() -> InvalidValue:
    """A cursor is not one of the list that it was sent for."""
    return InvalidValue("invalid_cursor", "The cursor does not belong to this list.")


def conflict(code: str, message: str) -> Conflict:
    """The request contradicts the present state."""
    return Conflict(code, message)
