"""Lists: who can, what a subject reaches, what it can do. `pages` is the way in.

A list is a merge of ordered streams (`streams`), walked until a page is full (`walk`). What each list merges
is in `subjects`, `resources` and `permissions`; where streams are read, in `stored` and `indexed`.
"""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.decision.lists.pages import MAX_LIMIT, page, past_page

__all__ = [
    "MAX_LIMIT",
    "page",
    "past_page",
]

_HOMES = {
    "rescind.decision.lists.pages": "MAX_LIMIT page past_page",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES)
