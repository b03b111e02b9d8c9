"""Lists: who can, what a subject reaches, what it can do. `pages` is the way in.

A list is a merge of ordered streams (`streams`), walked until a page is full (`walk`). What each list merges
is in `subjects`, `resources` and `permissions`; where streams are read, in `stored` and `indexed`.
"""

from rescind.decision.lists.pages import MAX_LIMIT, page, past_page

__all__ = ["MAX_LIMIT", "page", "past_page"]
