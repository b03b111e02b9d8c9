"""No change is without a test of what it does."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from rescind.changes import Change


def test_every_change_has_a_test_of_its_effect() -> None:
    """The tests of a change are named after it: `test_add_members_…`."""
    tests = {
        node.name
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    tags = {change.__struct_config__.tag for change in get_args(Change)}
    assert not {tag for tag in tags if not any(name.startswith(f"test_{tag}_") for name in tests)}
