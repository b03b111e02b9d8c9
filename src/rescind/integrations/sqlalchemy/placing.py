"""Puts the rows that a subject may use in the place of their table, in the FROM of a statement.

Works on SQLAlchemy's statements before they are compiled. `clauses` knows how the rows are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import FromClause, Join, Select, inspect
from sqlalchemy.orm import aliased
from sqlalchemy.sql.visitors import replacement_traverse

from rescind.errors import InvalidArgument
from rescind.integrations.sqlalchemy.clauses import PermittedRows, is_same


def with_rows(statement: Select[Any], rows: PermittedRows) -> Select[Any]:
    """The statement with the rows in place of their table. Raises InvalidArgument if it is not there."""
    _refuse_second(statement, rows)
    froms = tuple(_replaced(each, rows) for each in statement._from_obj)
    joins = tuple((_joined(target, rows), *more) for target, *more in statement._setup_joins)
    changed = statement._generate()
    changed._from_obj, changed._setup_joins = froms, joins
    targets = [
        (target, new) for (target, *_), (new, *_) in zip(statement._setup_joins, joins, strict=True)
    ]
    if any(
        new is not old for old, new in (*zip(statement._from_obj, froms, strict=True), *targets)
    ):
        return changed
    selected = [(each, _replaced(each, rows)) for each in _selected(statement)]
    if any(new is not old for old, new in selected):
        return changed.select_from(
            *(new for old, new in selected if new is not old or isinstance(old, Join))
        )
    if any(is_same(each, rows.element) for each in statement.get_final_froms()):
        return changed.select_from(rows)
    hint = f"{rows.element} is not in its FROM: select from it, or give the alias that is"
    raise InvalidArgument(what="on", value=str(rows.resource), hint=hint)


def _refuse_second(statement: Select[Any], rows: PermittedRows) -> None:
    parts = [part for each in statement._from_obj for part in each._from_objects]
    parts += [_entity(target, target) for target, *_ in statement._setup_joins]
    for part in parts:
        part = getattr(part, "selectable", part)
        if isinstance(part, PermittedRows) and is_same(part.element, rows.element):
            hint = "its table is restricted already: use .where(allowed(…)) for a second condition"
            raise InvalidArgument(what="statement", value=str(rows.element), hint=hint)


def _selected(statement: Select[Any]) -> Iterator[FromClause]:
    """What the selected entities and columns are selected from, each once."""
    found: dict[FromClause, None] = {}
    for each in statement._raw_columns:
        entity = each._annotations.get("parententity")
        if entity is not None:
            found[entity.selectable] = None
        elif isinstance(each, FromClause):
            found[each] = None
    yield from found


def _replaced(part: Any, rows: PermittedRows) -> Any:
    """The element of a FROM clause with the rows in place of their table; itself if that is not in it."""
    if is_same(part, rows.element):
        return rows
    if not isinstance(part, Join) or not any(
        is_same(each, rows.element) for each in part._from_objects
    ):
        return part

    def ours(element: Any, **_: Any) -> Any:
        if isinstance(element, Join):
            return None
        return rows if is_same(element, rows.element) else element

    return replacement_traverse(part, {}, ours)


def _joined(target: Any, rows: PermittedRows) -> Any:
    """The same for the target of a join: a table, an entity, or a relationship."""
    entity = _entity(target, None)
    if entity is None:
        return _replaced(target, rows)
    if not is_same(entity.selectable, rows.element):
        return target
    restricted = aliased(entity.mapper.class_, rows)
    if hasattr(target, "of_type"):
        return target.of_type(restricted)
    return inspect(restricted).__clause_element__()


def _entity(target: Any, otherwise: Any) -> Any:
    """The entity that a join's target names, if it names one."""
    if hasattr(target, "of_type"):
        return target._of_type or target.property.entity
    return getattr(target, "_annotations", {}).get("parententity", otherwise)
