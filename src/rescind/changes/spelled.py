"""The ids of people and groups that a change names, spelled otherwise. Knows no store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from rescind import model
from rescind.changes.groups import ChangeGroupId
from rescind.changes.memberships import ChangeMembershipId
from rescind.changes.union import Change

Spell: TypeAlias = Callable[[str], str]
SUBJECTS: Final = frozenset({"subject", "members", "to"})
"""Fields that hold subjects, or who holds an assignment."""
CHANGES_OF_IDS: Final = (ChangeMembershipId, ChangeGroupId)
GROUPS: Final = frozenset({"group", "into", "out_of"})


def spelled(batch: Sequence[Change], rule: model.IdRule) -> list[Change]:
    """The changes with all ids of people and groups in the spelling that a rule keeps."""
    if rule is model.IdRule.EXACT:
        return list(batch)
    return [respelled(change, _canonical_subject, _canonical_group) for change in batch]


def respelled(change: Change, spell_subject: Spell, spell_group: Spell) -> Change:
    """The change with each id as it is spelled; the same one where all stay."""
    given: dict[str, Any] = {}
    for name in change.__struct_fields__:
        if name in SUBJECTS or (name == "new_id" and isinstance(change, ChangeMembershipId)):
            spell = spell_subject
        elif name in GROUPS or name == "new_id":
            spell = spell_group
        else:
            continue
        value = getattr(change, name)
        other = tuple(map(spell, value)) if isinstance(value, tuple) else spell(value)
        if other != value:
            given[name] = other
    return replace(change, **given) if given else change


def at_start(batch: Sequence[Change]) -> list[Change]:
    """The changes with the ids that people and groups had before the batch, where it changes some."""
    if not any(isinstance(change, CHANGES_OF_IDS) for change in batch):
        return list(batch)
    ids, found = _Ids(), []
    for change in batch:
        found.append(ids.of(change))
        if isinstance(change, CHANGES_OF_IDS):
            old, new = _both(change)
            ids.stands_for(new, old)
    return found


def at_end(batch: Sequence[Change]) -> list[Change]:
    """The changes with the ids that people and groups have after the batch, where it changes some."""
    if not any(isinstance(change, CHANGES_OF_IDS) for change in batch):
        return list(batch)
    ids, found = _Ids(), []
    for change in reversed(batch):
        if isinstance(change, CHANGES_OF_IDS):
            old, new = _both(change)
            ids.stands_for(old, new)
        found.append(ids.of(change))
    return found[::-1]


class _Ids:
    """Holders by the id that they go by in a part of a batch, with the one that they have at an end of it."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def stands_for(self, here: str, there: str) -> None:
        """Where `there` was the id, it is `here` from now on."""
        self._ids[here] = self._ids.pop(there, there)

    def of(self, change: Change) -> Change:
        return respelled(change, self._of_holder, self._of_group)

    def _of_holder(self, name: str) -> str:
        return self._ids.get(model.holder_id(name), name)

    def _of_group(self, name: str) -> str:
        return self._ids.get(f"group:{name}", f"group:{name}").removeprefix("group:")


def _both(change: Change) -> tuple[str, str]:
    if isinstance(change, ChangeMembershipId):
        return model.subject_id(change.subject), model.subject_id(change.new_id)
    assert isinstance(change, ChangeGroupId)
    return f"group:{model.group_id(change.group)}", f"group:{model.group_id(change.new_id)}"


def _canonical_subject(name: str) -> str:
    return model.canonical_subject(name) if len(name) <= model.MAX_ID_LENGTH else name


def _canonical_group(name: str) -> str:
    return model.canonical(name) if len(name) <= model.MAX_ID_LENGTH else name
