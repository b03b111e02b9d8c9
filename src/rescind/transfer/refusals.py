"""Which line a refusal of the store is about."""

from __future__ import annotations

from typing import Final

from rescind import model
from rescind.changes import members_in, to_object
from rescind.errors import BadInput, RescindError
from rescind.errors.base import in_json
from rescind.transfer.batches import Batches
from rescind.transfer.readers import Item

MOST_TRIED: Final = 2_000
"""Of a longer batch, the line is the first that mentions what the refusal names."""


def placed(error: RescindError, batches: Batches | None, batches_done: int) -> RescindError:
    """The refusal of the batch that was tried last, with the place of the change that it is about.

    Failures and refusals without a place are returned as they are; so is everything before the first batch.
    """
    if error.retry or isinstance(error, BadInput) or batches is None:
        return error
    item = refused(error, batches)
    if item is None or not item.place:
        return error
    facts: dict[str, object] = {
        "at": row_of(error, item),
        "why": error.sentence(in_json).rstrip("."),
    }
    if batches_done:
        facts["batches_done_before"] = batches_done
    return BadInput(**facts)


def refused(error: RescindError, batches: Batches) -> Item | None:
    """The item of the batch tried last that is refused: found by trying how much of the batch is not."""
    batch = batches.tried
    named = {name for value in error.facts.values() for name in _names(str(value))}
    likely = [item for item in batch if item.place and named & _mentions(item)]
    whole = [item.change for item in batch]
    is_tried = len(likely) != 1 and len(batch) <= MOST_TRIED
    if not is_tried or batches.authority._refused(whole, batches.name) is None:
        return likely[0] if likely else None
    good, bad = 0, len(batch)
    while bad - good > 1:
        middle = (good + bad) // 2
        found = batches.authority._refused(whole[:middle], batches.name)
        good, bad = (middle, bad) if found is None else (good, middle)
    return batch[good] if batch else None


def row_of(error: RescindError, item: Item) -> str:
    """The row that gave the member whom the refusal names, or the item's own place."""
    members = members_in(item.change)
    values = {str(value) for value in error.facts.values()}
    for number, member in enumerate(members if item.rows else ()):
        if model.subject_id(member) in values:
            return item.row(number)
    return item.place


def _names(value: str) -> set[str]:
    """A fact as it stands, and the name that it begins with where it says more."""
    return {value, *(value.partition(more)[0] for more in (", ", " into ", " below "))}


def _mentions(item: Item) -> set[str]:
    found = set()
    for value in to_object(item.change).values():
        for text in value if isinstance(value, list | tuple) else [value]:
            bare = str(text)
            found |= {bare, f"user:{bare}", f"group:{bare}", bare.removeprefix("group:")}
    return found
