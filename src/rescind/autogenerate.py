"""For an application's Alembic: leave Rescind's objects out of autogenerate. Needs no Alembic itself."""

from __future__ import annotations

from typing import Any, Final

SCHEMA: Final = "rescind"
PREFIX: Final = "rescind_"


def include_object(
    item: Any, name: str | None, kind: str, is_reflected: bool, compared_with: Any
) -> bool:
    """Whether autogenerate is to look at an object: no, for what is in the database and is Rescind's.

    Pass it to `context.configure(include_object=include_object)`.
    """
    if not is_reflected or compared_with is not None:
        return True
    table = item if kind == "table" else getattr(item, "table", None)
    schema, table_name = getattr(table, "schema", None), str(getattr(table, "name", name))
    return schema != SCHEMA and not (schema is None and table_name.startswith(PREFIX))
