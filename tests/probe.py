"""The probe of the stores that tests open: it watches a store's statements, and leaves some of them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rescind import Authority
from rescind.store import Params, Store


@dataclass
class Probe:
    """Given to a store when it is opened. Does nothing until it is told to."""

    before: Callable[[str], object] | None = None
    """Called with the name of each statement of a change, before it runs."""
    omitted: set[str] = field(default_factory=set)
    """The queries that do nothing: the control of a guard."""
    run: set[str] = field(default_factory=set)
    """The queries that were run."""

    def before_statement(self, query: str, params: Params) -> None:  # noqa: ARG002
        if self.before is not None:
            self.before(query)

    def omit(self, query: str) -> bool:
        self.run.add(query)
        return query in self.omitted


def probe_of(opened: Authority | Store) -> Probe:
    """The probe that a store was opened with."""
    store: Any = opened.store if isinstance(opened, Authority) else opened
    assert isinstance(store.probe, Probe), "open the store with a probe"
    return store.probe
