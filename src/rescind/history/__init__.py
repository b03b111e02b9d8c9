"""The past: states of an organization at a time, and what proves that its log was not altered."""

from typing import TYPE_CHECKING

from rescind.deferred import deferred

if TYPE_CHECKING:
    from rescind.history import access_reader as access_reader
    from rescind.history import actions as actions
    from rescind.history import heads as heads
    from rescind.history import holdings as holdings
    from rescind.history import log_proof as log_proof
    from rescind.history import moments as moments
    from rescind.history import pruning as pruning
    from rescind.history import replay_audit as replay_audit
    from rescind.history import review_run as review_run
    from rescind.history import review_starting as review_starting
    from rescind.history import review_verify as review_verify
    from rescind.history import reviews as reviews
    from rescind.history import revocations as revocations
    from rescind.history import verify as verify
    from rescind.history.states import past_answers

__all__ = ["past_answers"]

_HOMES = {"rescind.history.states": "past_answers"}
_MODULES = (
    "access_reader",
    "actions",
    "heads",
    "holdings",
    "log_proof",
    "moments",
    "pruning",
    "replay_audit",
    "review_run",
    "review_starting",
    "review_verify",
    "reviews",
    "revocations",
    "verify",
)

if not TYPE_CHECKING:
    __getattr__, __dir__ = deferred(__name__, _HOMES, *_MODULES)
