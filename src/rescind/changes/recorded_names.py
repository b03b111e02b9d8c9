"""What a recorded change names, read from its JSON: subjects, groups, roles and resources."""

from __future__ import annotations

from typing import Any, Final

from rescind.model import ROOT


def named_in(changes: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """What changes name: (`subject`, `user:ada`), (`group`, …), (`role`, …), (`resource`, …)."""
    found: set[tuple[str, str]] = set()
    for change in changes:
        found |= _named_by(change)
    return found


_FIELDS: Final = {
    "group": "group",
    "into": "group",
    "out_of": "group",
    "role": "role",
    "resource": "resource",
    "parent": "resource",
    "on": "resource",
}
_HELD: Final = ("assign", "unassign")
_BELOW: Final = ("create_resource", "move_resource")


def _named_by(change: dict[str, Any]) -> set[tuple[str, str]]:
    found = {
        (what, change[field])
        for field, what in _FIELDS.items()
        if isinstance(change.get(field), str)
    }
    found |= {_holder(name) for name in (change.get("subject"), change.get("to")) if name}
    found |= {_holder(name) for name in change.get("members", ())}
    for given in change.get("assignments", ()):
        found |= {("role", given["role"]), ("resource", given.get("on") or ROOT)}
    of_root = (change["change"] in _HELD and not change.get("on")) or (
        change["change"] in _BELOW and not change.get("parent")
    )
    return found | ({("resource", str(ROOT))} if of_root else set())


def _holder(name: str) -> tuple[str, str]:
    if name.startswith("group:"):
        return "group", name.removeprefix("group:")
    return "subject", name if ":" in name else f"user:{name}"
