"""Changes, one JSON object a line; `organization` beside a change's own fields says whose it is."""

from __future__ import annotations

import msgspec

from rescind.changes import from_object
from rescind.errors import BadInput, InvalidChange
from rescind.model.json_keys import key_twice
from rescind.transfer.problems import Problems
from rescind.transfer.readers import Item, Source

_decoder = msgspec.json.Decoder()


def items(source: Source) -> list[Item]:
    """One for each line that is not blank. Raises BadInput naming the lines that are wrong."""
    found, problems = [], Problems()
    for number, line in enumerate(source.lines, 1):
        try:
            if line.strip():
                found.append(_item(source, number, line))
        except BadInput as error:
            problems.add(error)
    problems.require_none()
    return found


def _item(source: Source, number: int, line: str) -> Item:
    place = source.at(number)
    try:
        value = _decoder.decode(line)
        key = key_twice(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadInput(at=place, why=f"not JSON: {error}") from None
    if key is not None:
        raise BadInput(at=place, why=f"the key {key!r} is twice in one object", hint="keep one")
    if not isinstance(value, dict):
        raise BadInput(at=place, why='a change is a JSON object, such as {"change": …}')
    organization = value.pop("organization", None)
    if organization is not None and not isinstance(organization, str):
        raise BadInput(at=f"{place}:organization", why="it is not text")
    try:
        return Item(from_object(value), place, organization)
    except InvalidChange as error:
        raise BadInput(at=place, why=error.facts["why"]) from None
