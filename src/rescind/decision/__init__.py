"""Decision points: what answers checks, lists and explanations. Reads only, and decides from the facts.

`questions` declares the public methods. `router` puts each question to the decision point that answers it: a
cached index of `replicas`, or `check`, `lists` and `explain`, which read the store.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.decision import explain as explain
    from rescind.decision import lists as lists
    from rescind.decision import single_role as single_role

_HOMES: dict[str, str] = {}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, "explain", "lists", "single_role")
