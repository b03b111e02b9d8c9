"""Statements laid out for a reader. Only white space changes: what the engine gets stays the same."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\bCASE\b|\bEND\b|[()]")
_STEPS: Final = {"(": 1, ")": -1, "CASE": 1, "END": -1}
_CLAUSE: Final = re.compile(
    r"(SELECT|FROM|WHERE|AND|OR|GROUP BY|HAVING|ORDER BY|LIMIT|UNION|EXCEPT|WITH|INSERT|UPDATE|DELETE|SET"
    r"|VALUES|ON CONFLICT|RETURNING|JOIN|LEFT JOIN|CROSS JOIN|CREATE|WHEN|THEN|ELSE|END|NOT EXISTS|EXISTS"
    r"|CASE)\b|\)"
)
INDENT: Final = "    "


def legible(sql: str) -> str:
    """The statement with each line indented by how many parentheses and CASEs are open where it begins.

    A line that begins with neither a clause nor a parenthesis continues the one before, one step further in.
    """
    lines: list[str] = []
    depth, is_text = 0, False
    for line in sql.split("\n"):
        if is_text:  # inside a text of several lines nothing may change
            lines.append(line)
        elif line.strip():
            words = line.strip()
            closing = len(words) - len(words.lstrip(")"))
            step = depth - closing - words.startswith("END")
            step += not _CLAUSE.match(words) and bool(lines) and not _opens(lines[-1])
            lines.append(INDENT * max(step, 0) + words)
        depth += sum(_STEPS.get(token, 0) for token in _TOKEN.findall(line))
        is_text ^= line.count("'") % 2 == 1
    return "\n".join(lines)


def _opens(line: str) -> bool:
    """Whether what follows stands inside what this line opens, and so is indented by that alone."""
    return line.endswith("(")
