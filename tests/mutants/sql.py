"""Mutants of a rendered SQL statement: one clause dropped, turned or moved by one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "[^"]*" | %\(\w+\)s | :\w+ | ::\w+ | \w+ | <> | <= | >= | \|\| | ->>? | \S""",
    re.VERBOSE,
)
_COMPARISONS = {
    "=": ("<>",),
    "<>": ("=",),
    "<": (">=", "<="),
    "<=": (">", "<"),
    ">": ("<=", ">="),
    ">=": ("<", ">"),
}
_ENDS = frozenset(
    {
        *(
            "AND",
            "OR",
            "WHERE",
            "GROUP",
            "ORDER",
            "LIMIT",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "HAVING",
        ),
        *("JOIN", "CROSS", "LEFT", "INNER", "RETURNING", "ON", "THEN", "WHEN", "ELSE", "AS"),
        *(",", ";", "OFFSET", "FOR"),
    }
)
_NEVER_ZERO = re.compile(r"\b(?:holder|assignment|ended)$")
"""Columns with numbers on both sides of 0 and never 0 itself, so that to include it changes nothing."""
_STARTS = frozenset({"WHERE", "ON", "WHEN", "HAVING"})


class Token(NamedTuple):
    """A word or sign, where it is, and how many brackets and CASEs are open around it."""

    text: str
    start: int
    end: int
    depth: int


class Mutant(NamedTuple):
    """A changed statement, and what was changed."""

    what: str
    sql: str


def mutants(sql: str) -> list[Mutant]:
    """Every mutant of a statement, in a fixed order."""
    tokens = _tokens(sql)
    found = [
        *_dropped_conditions(sql, tokens),
        *_turned_comparisons(sql, tokens),
        *_without_not(sql, tokens),
        *_dropped_branches(sql, tokens),
    ]
    return [mutant for mutant in found if mutant.sql != sql]


def _tokens(sql: str) -> list[Token]:
    tokens, depth = [], 0
    for match in _TOKEN.finditer(sql):
        text = match[0]
        if text in (")", "END"):
            depth -= 1
        tokens.append(Token(text, *match.span(), depth))
        if text in ("(", "CASE"):
            depth += 1
    return tokens


def _before(sql: str, end: int) -> str:
    return re.sub(r"\s+", " ", sql[max(end - 20, 0) : end])


def _replaced(sql: str, start: int, end: int, by: str, what: str) -> Mutant:
    clause = " ".join(sql[start:end].split())[:120]
    return Mutant(f"{what}: {clause}", sql[:start] + by + sql[end:])


def _end_of_condition(tokens: list[Token], first: int) -> int:
    """The index after the condition that begins at `first`."""
    depth, between = tokens[first].depth, False
    for index in range(first, len(tokens)):
        token = tokens[index]
        if token.depth < depth:
            return index
        if token.depth > depth or index == first:
            continue
        if between and token.text == "AND":
            between = False
        elif token.text == "BETWEEN":
            between = True
        elif token.text in _ENDS:
            return index
    return len(tokens)


def _dropped_conditions(sql: str, tokens: list[Token]) -> Iterator[Mutant]:
    between: set[int] = set()
    for index, token in enumerate(tokens):
        if token.text == "BETWEEN":
            between.add(token.depth)
        elif token.text == "AND" and token.depth in between:
            between.discard(token.depth)
        elif token.text in ("AND", "OR"):
            last = tokens[_end_of_condition(tokens, index + 1) - 1]
            yield _replaced(sql, token.start, last.end, "", "dropped")
        elif token.text in _STARTS and tokens[index + 1].text not in ("CONFLICT", "SET"):
            end = _end_of_condition(tokens, index + 1)
            is_or = end < len(tokens) and tokens[end].text == "OR"
            first, last = tokens[index + 1], tokens[end - 1]
            by = "FALSE" if is_or else "TRUE"
            yield _replaced(sql, first.start, last.end, by, f"{by.lower()} for")


def _assigns(tokens: list[Token], index: int) -> bool:
    """Whether the `=` at `index` is one of SET."""
    depth = tokens[index].depth
    for token in reversed(tokens[:index]):
        if token.depth < depth or (token.depth == depth and token.text in ("WHERE", "WHEN", "ON")):
            return False
        if token.depth == depth and token.text == "SET":
            return True
    return False


def _turned_comparisons(sql: str, tokens: list[Token]) -> Iterator[Mutant]:
    for index, token in enumerate(tokens):
        if token.text in _COMPARISONS and not _assigns(tokens, index):
            side = " ".join(sql[token.start : token.end + 20].split())
            is_of_sign = tokens[index + 1].text == "0" and _NEVER_ZERO.search(
                sql[: token.start].rstrip()
            )
            for other in _COMPARISONS[token.text]:
                if is_of_sign and other == f"{token.text}=":
                    continue
                changed = sql[: token.start] + other + sql[token.end :]
                yield Mutant(f"{other} for: {_before(sql, token.start)}{side}", changed)
        following = [other.text for other in tokens[index : index + 3]]
        for words, by in ((["IS", "NOT", "NULL"], "IS NULL"), (["IS", "NULL"], "IS NOT NULL")):
            if following[: len(words)] == words:
                end = tokens[index + len(words) - 1].end
                what = f"turned: {_before(sql, token.start)}{' '.join(words)}"
                yield Mutant(what, sql[: token.start] + by + sql[end:])


def _without_not(sql: str, tokens: list[Token]) -> Iterator[Mutant]:
    for before, token in pairwise(tokens):
        if token.text == "NOT" and before.text not in ("IS", "AS"):
            what = f"without NOT: {' '.join(sql[token.start : token.start + 60].split())}"
            yield Mutant(what, sql[: token.start] + sql[token.end :])


def _dropped_branches(sql: str, tokens: list[Token]) -> Iterator[Mutant]:
    for index, token in enumerate(tokens):
        if token.text in ("UNION", "EXCEPT"):
            end = index + 1
            while end < len(tokens) and tokens[end].depth >= token.depth:
                is_end = tokens[end].text in ("UNION", "EXCEPT", "ORDER", "LIMIT")
                if is_end and tokens[end].depth == token.depth:
                    break
                end += 1
            yield _replaced(sql, token.start, tokens[end - 1].end, "", "dropped")
