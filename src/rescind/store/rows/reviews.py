"""Access reviews, and who made which change of the log."""

from __future__ import annotations

from typing import NamedTuple

from rescind.model import Microseconds
from rescind.store.rows.log import LogHeadRow
from rescind.store.rows.query import Query


class ReviewRow(NamedTuple):
    """A review: the state that is reviewed, and which part of it, as JSON."""

    name: str
    revision: int
    environment: int
    started_at: Microseconds
    actor: str
    filter: str


class ReviewActionRow(NamedTuple):
    """A service action about a review."""

    number: int
    recorded_at: Microseconds
    kind: str
    subject: str
    detail: str
    actor: str


class ChangeHeadRow(NamedTuple):
    """Who made a change, when and why."""

    revision: int
    recorded_at: Microseconds
    actor: str
    reason: str


READ_REVIEW = Query("read_review", ReviewRow)
LIST_REVIEWS = Query("list_reviews", ReviewRow)
READ_CHANGE_HEADS = Query("read_change_heads", ChangeHeadRow)
LIST_REVIEW_ACTIONS = Query("list_review_actions", ReviewActionRow)
LIST_PRUNINGS = Query("list_prunings", ReviewActionRow)
READ_CHANGE_DIGEST = Query("read_change_digest", LogHeadRow)
