"""Makes PostgreSQL execute joins in the order in which they are written, whatever its statistics say.

The planner swaps the sides of a join if it estimates one of them as small. Then it scans a table for each row
that should have been looked up in it. It cannot swap them if one side is a subquery that refers to the other:
`LATERAL` allows that, and `OFFSET 0` keeps the planner from flattening the subquery.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|[(),]|[A-Z]+\b""")
_JOIN: Final = re.compile(r"\b(?:LEFT )?JOIN\s+(?!LATERAL)(?=[\w\"(])")
_NAME: Final = re.compile(r"[\w.\"]+")
_ALIAS: Final = re.compile(r"\s+AS (\w+)(?: \([\w, ]+\))?")
_ON: Final = re.compile(r"\s+ON\s+")
_ENDS: Final = frozenset(
    (
        "JOIN",
        "LEFT",
        "CROSS",
        "WHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
        "UNION",
        "EXCEPT",
        "HAVING",
        "RETURNING",
        "ON",
    )
)


class _Join(NamedTuple):
    """A join in a statement: its table, alias, condition and end."""

    source: str
    alias: str
    condition: str
    end: int


def laterally(sql: str, *, least_depth: int = 0) -> str:
    """The statement with every `JOIN table AS t ON condition` turned into a lateral subquery.

    With `least_depth`, only joins inside at least so many parentheses.
    """
    done: list[str] = []
    start = depth = position = 0
    while (token := _TOKEN.search(sql, position)) is not None:
        position = token.end()
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if token[0] not in ("JOIN", "LEFT") or depth < least_depth:
            continue
        head = _JOIN.match(sql, token.start())
        if head is None or sql[: token.start()].endswith("CROSS "):
            continue
        join = _read(sql, head.end())
        is_outer = token[0] == "LEFT"
        done += [
            sql[start : token.start()],
            "LEFT JOIN" if is_outer else "CROSS JOIN",
            f" LATERAL (SELECT * FROM {laterally(join.source)}\n"
            f"WHERE {laterally(join.condition)} OFFSET 0) AS {join.alias}",
            " ON TRUE" if is_outer else "",
        ]
        start = position = join.end
    return "".join(done) + sql[start:]


def _read(sql: str, start: int) -> _Join:
    """The join whose table or subquery starts at `start`."""
    name = _NAME.match(sql, start)
    end = start if name is None else name.end()
    if sql[end] == "(":
        end = _close(sql, end)
    alias = _ALIAS.match(sql, end)
    condition = None if alias is None else _ON.match(sql, alias.end())
    if alias is None or condition is None:
        raise ValueError(f"a join without alias or condition: {sql[start : start + 80]}")
    end = _end(sql, condition.end())
    text = sql[condition.end() : end]
    end -= len(text) - len(text.rstrip())
    return _Join(sql[start : alias.end()], alias[1], text.rstrip(), end)


def _close(sql: str, start: int) -> int:
    """The position after the parenthesis that closes the one at `start`."""
    depth = 0
    for token in _TOKEN.finditer(sql, start):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth:
            return token.end()
    raise ValueError(f"a parenthesis stays open: {sql[start : start + 80]}")


def _end(sql: str, start: int) -> int:
    """The end of the condition that starts at `start`."""
    depth = 0
    for token in _TOKEN.finditer(sql, start):
        if not depth and (token[0] in _ENDS or token[0] in "),"):
            return token.start()
        depth += {"(": 1, ")": -1}.get(token[0], 0)
    return len(sql)
