"""What a process writes beside its changes does not make the next change read its pages anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rescind import Authority, changes
from rescind.store import Store


@pytest.mark.parametrize("is_put", [True, False])
def test_when_a_change_was_enforced_is_written_by_the_connection_that_made_it(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, is_put: bool
) -> None:
    """That connection sees no write by another. (Control: written over a connection for reading, it does.)"""
    with Authority.open(new_database("sqlite"), organization="acme") as authority:
        store = authority.store
        store.queries["version"] = "PRAGMA data_version"  # type: ignore[attr-defined]
        if not is_put:
            monkeypatch.setattr(store, "execute_alone", store.fetch)
        authority.apply([changes.CreateOrganization(), changes.AddMembership(subject="user:ada")])
        before = _version(store)
        store.execute_alone("record_enforced", {"notes": '[{"o": 1, "revision": 1, "at": 1}]'})
        assert (_version(store) == before) == is_put


def _version(store: Store) -> Any:
    """Changes for the connection of changes whenever another one wrote to the file."""
    seen: list[Any] = []
    store.transact(lambda tx: seen.append(tx.read_later("version")))
    return seen[0]()
