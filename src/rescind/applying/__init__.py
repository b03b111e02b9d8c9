"""How a batch of changes is carried out: attempts, one transaction, and a handler for each change."""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.applying.apply import applier_of
    from rescind.applying.enforcing import ReceiptEnforcer
    from rescind.applying.options import ApplyOptions, require_key, required_revision
    from rescind.applying.transaction import LogDraft

__all__ = [
    "ApplyOptions",
    "LogDraft",
    "ReceiptEnforcer",
    "applier_of",
    "require_key",
    "required_revision",
]

_HOMES = {
    "rescind.applying.apply": "applier_of",
    "rescind.applying.enforcing": "ReceiptEnforcer",
    "rescind.applying.options": "ApplyOptions require_key required_revision",
    "rescind.applying.transaction": "LogDraft",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
