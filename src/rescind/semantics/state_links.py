"""What hangs on a fact of a state: its members, assignments and so on, found without a walk of the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from rescind.semantics.state import OrganizationState, Resource

SUBJECT, GROUP = 0, 1
CHILD, PARENT = 0, 1
HOLDER, ROLE, RESOURCE = 0, 1, 2
"""Places in the keys of tables."""
_LINKED: Final = {"places": 2, "nestings": 2, "assignments": 3, "set_aside": 2}

Key = tuple[str, ...]


class _Keys:
    """The keys of a table by each of their parts."""

    def __init__(self, keys: Iterable[Key], parts: int) -> None:
        self._by: tuple[defaultdict[str, set[Any]], ...]
        self._by = tuple(defaultdict(set) for _ in range(parts))
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> None:
        for keys, name in zip(self._by, key, strict=True):
            keys[name].add(key)

    def discard(self, key: Key) -> None:
        for keys, name in zip(self._by, key, strict=True):
            found = keys.get(name)
            if found is not None:
                found.discard(key)
                if not found:
                    del keys[name]

    def of(self, part: int, name: str) -> tuple[Any, ...]:
        return tuple(self._by[part].get(name, ()))


class Links:
    """Puts facts into the tables of a state, and finds them by the names in their keys.

    What it needs of a table is made when it is asked for first, in one walk, and kept up from then on.
    """

    def __init__(self, state: OrganizationState) -> None:
        self._state = state
        self._keys: dict[str, _Keys] = {}

    def put(self, table: str, key: Any, fact: Any) -> None:
        """Make this the fact of the key."""
        facts = getattr(self._state, table)
        keys = self._keys.get(table)
        if keys is not None and key not in facts:
            keys.add(key)
        facts[key] = fact

    def drop(self, table: str, key: Any) -> None:
        """Take the fact of the key away, if there is one."""
        if getattr(self._state, table).pop(key, None) is not None:
            keys = self._keys.get(table)
            if keys is not None:
                keys.discard(key)

    def of(self, table: str, part: int, name: str) -> tuple[Any, ...]:
        """The keys of a table with that name in that place."""
        keys = self._keys.get(table)
        if keys is None:
            facts = getattr(self._state, table)
            keys = self._keys[table] = _Keys(facts, _LINKED[table])
        return keys.of(part, name)

    def drop_all(self, table: str, part: int, name: str) -> None:
        """Take away all facts with that name in that place."""
        for key in self.of(table, part, name):
            self.drop(table, key)

    def clear(self, table: str) -> None:
        """Take away all facts of a table."""
        getattr(self._state, table).clear()
        self._keys.pop(table, None)

    # --- resources: the parent is in the fact, not in the key ---------------------------------------

    def place_resource(self, resource: str, fact: Resource) -> None:
        """Make this the fact of a resource."""
        keys = self._keys.get("resources")
        if keys is not None:
            self._forget_resource(keys, resource)
            if fact.parent is not None:
                keys.add((resource, fact.parent))
        self._state.resources[resource] = fact

    def drop_resource(self, resource: str) -> None:
        """Take a resource away; nothing may be below it."""
        keys = self._keys.get("resources")
        if keys is not None:
            self._forget_resource(keys, resource)
        self._state.resources.pop(resource, None)

    def below(self, resource: str) -> list[str]:
        """The resource and all below it, what is lowest last."""
        keys = self._keys.get("resources")
        if keys is None:
            there = self._state.resources.items()
            pairs = ((name, fact.parent) for name, fact in there if fact.parent is not None)
            keys = self._keys["resources"] = _Keys(pairs, 2)
        found = [resource]
        for above in found:
            found += [name for name, _ in keys.of(PARENT, above)]
        return found

    def _forget_resource(self, keys: _Keys, resource: str) -> None:
        there = self._state.resources.get(resource)
        if there is not None and there.parent is not None:
            keys.discard((resource, there.parent))


def links_of(state: OrganizationState) -> Links:
    """The state's own."""
    if state.links is None:
        state.links = Links(state)
    return state.links
