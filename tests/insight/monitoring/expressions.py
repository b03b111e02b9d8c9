"""What a PromQL expression names: metrics with the labels that it uses of them."""

from __future__ import annotations

import re

_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')


def selectors(expression: str) -> list[tuple[str, dict[str, str]]]:
    """Each metric that an expression selects, with the labels that it must have."""
    bare = re.sub(r"\b(?:by|on|without|ignoring) *\([^)]*\)", " ", expression)
    return [
        (name, dict(_MATCHER.findall(matchers)))
        for name, matchers in _SELECTOR.findall(bare)
        if name.startswith("rescind") or name == "up"
    ]


def grouped(expression: str) -> set[str]:
    """The labels that an expression groups by."""
    lists = re.findall(r"\b(?:by|on) *\(([^)]*)\)", expression)
    return {label.strip() for each in lists for label in each.split(",")}
