"""How effective roles follow a change of the facts."""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.propagation import pending as pending
    from rescind.propagation import reconcile as reconcile
    from rescind.propagation import worker as worker

_HOMES: dict[str, str] = {}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, "pending", "reconcile", "worker")
