"""The OpenAPI document beyond what the framework writes: the order, and what is answered to errors.

The framework describes its own errors, which nobody gets: ours are problem details (RFC 9457), and those of
the management API have WorkOS's shape.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

JSON: Final = "application/json"
_TEXT: Final = {"type": "string"}
_PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457). `code` is stable; `retry` says whether to try again.",
    "required": ["type", "title", "status", "detail", "code", "retry", "request_id", "facts"],
    "properties": {
        "type": {**_TEXT, "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "code": _TEXT,
        "retry": {"type": "boolean"},
        "request_id": _TEXT,
        "facts": {"type": "object"},
    },
}
_MANAGEMENT_ERROR: Final = {
    "type": "object",
    "title": "ManagementError",
    "description": "An error as WorkOS's SDKs read it; `errors` where a field is wrong.",
    "required": ["message", "code"],
    "properties": {
        "message": _TEXT,
        "code": _TEXT,
        "retry": {"type": "boolean"},
        "errors": {"type": "array"},
    },
}
_SHAPES: Final = {
    "Problem": ("application/problem+json", _PROBLEM),
    "ManagementError": (JSON, _MANAGEMENT_ERROR),
}
_ERRORS: Final = {
    "400": "The request is not well formed.",
    "401": "The request carries no valid API key.",
    "403": "The key does not have the scope.",
}
"""What every route may answer; others are the default."""
_DEFAULT: Final = "Another error; `code` tells."
_STREAMED: Final = {"/v1/reviews/lines": ("application/x-ndjson", "text/csv")}
"""What is answered as a stream of lines."""


def finished(document: dict[str, Any]) -> dict[str, Any]:
    """The document as it is published: in an order, and with the errors that there are."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(
        {name: schema for name, (_, schema) in _SHAPES.items()}
    )
    components["responses"] = {
        f"{shape}{status}": _response(shape, told)
        for shape in _SHAPES
        for status, told in (*_ERRORS.items(), ("Default", _DEFAULT))
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                _describe(path, operation)
    return _in_order(document)


def _describe(path: str, operation: dict[str, Any]) -> None:
    """Say what an operation answers to errors, and as lines."""
    responses = operation["responses"]
    shape = "ManagementError" if "management" in operation.get("tags", ()) else "Problem"
    is_public = operation.get("security") == [{}]
    responses.pop("400", None)
    if not is_public:
        responses.update({status: _reference(shape, status) for status in _ERRORS})
    if path == "/readyz":
        responses["503"] = {**responses["200"], "description": "What is not ready, and why."}
    responses["default"] = _reference(shape, "Default")
    if path in _STREAMED:
        responses["200"]["content"] = {kind: {"schema": _TEXT} for kind in _STREAMED[path]}


def _reference(shape: str, status: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{shape}{status}"}


def _response(shape: str, told: str) -> dict[str, Any]:
    kind, _ = _SHAPES[shape]
    schema = {"$ref": f"#/components/schemas/{shape}"}
    return {"description": told, "content": {kind: {"schema": schema}}}


def _in_order(document: dict[str, Any]) -> dict[str, Any]:
    """The document with its paths sorted, and the parameters of a path in the order of the path.

    The framework keeps both in sets, so that their order would be another in each process.
    """
    document["paths"] = dict(sorted(document["paths"].items()))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and "parameters" in operation:
                operation["parameters"].sort(key=partial(_place, path))
    return document


def _place(path: str, parameter: dict[str, Any]) -> int:
    return path.find(f"{{{parameter['name']}}}") if parameter["in"] == "path" else len(path)
