"""Every method of a client, as what is to be sent. `Client` and `AsyncClient` are made from this class."""

from __future__ import annotations

from typing import Final

from rescind.client.asking import Asking
from rescind.client.changing import Changing
from rescind.client.facts import Facts
from rescind.client.histories import Histories
from rescind.client.logs import Logs
from rescind.client.questions import Questions

LEFT_OUT: Final = {
    "audit_replay": "the service compares from the newest snapshot on: `GET /v1/audits/replay`",
    "count_review": "count what `review_lines` returns",
    "enforce": "a receipt of the service is enforced",
    "has_due_work": "workers run beside the database",
    "load": "a client holds nothing in memory",
    "open": "make a `Client` of the service's address",
    "prune_log": "done beside the database: `rescind log prune`",
    "recall": "a client holds nothing in memory",
    "reconcile": "workers run beside the database",
    "review_lines_of": "pick from what `review_lines` returns",
    "similar_organizations": "only for users of the database itself",
    "together": "`check_many` asks many questions in one request",
    "unknown_names": "an error's `did_you_mean` has similar names, for keys with the scope `read`",
    "workers": "workers run beside the database",
}
"""Methods of `Authority` that the service does not offer, and what to do instead."""
OPTIONS_LEFT_OUT: Final = {
    "access_history": ("most_changes",),
    "apply": ("within", "inline_most_pairs", "wait", "only_at"),
    "apply_review": ("request",),
    "check": ("within",),
    "check_many": ("within",),
    "explain": ("within",),
    "park": ("actor", "request"),
    "preview": ("only_at",),
    "retry": ("actor", "request"),
    "review_lines": ("used",),
    "start_review": ("request",),
    "verify_log": ("progress",),
}
"""Parameters of the others that it does not offer."""


class Operations(Questions, Facts, Changing, Logs, Histories):
    """All of them."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
