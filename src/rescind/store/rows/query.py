"""A query together with the type of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

Row = TypeVar("Row", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    """A query by name, and the NamedTuple whose fields are its columns in their order."""

    name: str
    row: type[Row]
    is_bulk: bool = False
    """Its rows stay the driver's tuples: see `bulk`."""
    is_binary: bool = False
    """PostgreSQL sends its rows in binary form: a BYTEA is neither escaped nor parsed."""

    def __str__(self) -> str:
        return self.name

    def rows(self, found: list[tuple[Any, ...]]) -> list[Row]:
        """The driver's tuples as rows of this query."""
        if self.is_bulk:
            return found  # type: ignore[return-value]
        return list(map(self.row._make, found)) if found else []  # type: ignore[attr-defined]


def bulk(name: str, row: type[tuple[Any, ...]], *, is_binary: bool = False) -> Query[Any]:
    """A query of so many rows that making named ones would be felt: they stay tuples, to be unpacked.

    The constant is annotated with the tuple's type; a test compares it, and the columns, with `row`.
    """
    return Query(name, row, is_bulk=True, is_binary=is_binary)


QueryWithParams: TypeAlias = tuple[Query[Row], Mapping[str, Any]]
"""A query and its parameters."""


class Answers:
    """The rows of several queries: `answers[READ_ROLES]` is a list of `RoleFact`."""

    __slots__ = ("_found",)

    def __init__(self, queries: Iterable[Query[Any]], found: Iterable[list[Any]]) -> None:
        self._found: dict[str, list[Any]] = {
            query.name: rows for query, rows in zip(queries, found, strict=True)
        }

    def __getitem__(self, query: Query[Row]) -> list[Row]:
        return self._found[query.name]

    def replaced(self, query: Query[Row], rows: list[Row]) -> Answers:
        """The same answers with other rows for one query."""
        other = Answers((), ())
        other._found = {**self._found, query.name: rows}
        return other


def typed(query: Query[Row] | str, found: list[tuple[Any, ...]]) -> list[Row]:
    """The rows of a query; of one that is only named, the driver's tuples."""
    return cast("list[Row]", found) if isinstance(query, str) else query.rows(found)


def typed_each(
    questions: Sequence[tuple[Query[Any] | str, Any]], found: Sequence[list[tuple[Any, ...]]]
) -> Any:
    """The rows of several queries: a tuple for a tuple of questions, else a list."""
    answers = (typed(query, rows) for (query, _), rows in zip(questions, found, strict=True))
    return tuple(answers) if isinstance(questions, tuple) else list(answers)
