"""What a handler knows of the batch that its change is part of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rescind import model
from rescind.model import ENVIRONMENT, Microseconds, OrganizationId, OrganizationNumber
from rescind.propagation.routing import Router, Scope
from rescind.store import Transaction

BURIED = "\x01"
"""Starts the names of what was deleted and is still on record; no caller can give such a name."""


@dataclass(slots=True)
class Step:
    """One organization's part of a batch, under way."""

    tx: Transaction
    organization: OrganizationId
    number: OrganizationNumber
    now: Microseconds
    is_single_role: bool
    router: Router
    respellings: dict[str, list[tuple[str, str, str | None]]] = field(default_factory=dict)
    """Ids to be spelled anew, where a rule for ids is set: of `memberships` and of `groups`."""

    @property
    def scope(self) -> Scope:
        return Scope(self.number, self.router)


def holder_names(to: str) -> dict[str, Any]:
    """The holder of an assignment as SQL takes it: a subject or a group."""
    holder = model.holder_id(to)
    is_group = holder.startswith("group:")
    return {
        "subject": None if is_group else holder,
        "group": holder.removeprefix("group:") if is_group else None,
    }


def hold_definitions(step: Step) -> None:
    """Before an organization defines something: what is defined for all stays as it is until the change ends.

    Whoever defines for all holds the environment's row, and waits for this change; so each sees the other's.
    """
    if step.organization != ENVIRONMENT:
        step.tx.run("hold_definitions")


def folding(name: str) -> str | None:
    """What all that looks like an id has in common, as the store keeps it: nothing where that is the id."""
    folded = model.folded(name)
    return None if folded == name else folded


def json_list(values: Iterable[str]) -> str:
    """A list as SQL takes it: sorted, each value once."""
    return json.dumps(sorted(set(values)), ensure_ascii=False)
