"""Mutants of a Python module: one operator, constant, condition or statement changed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
BOUND = 1_000
"""Constants outside of functions from here on are not changed by one."""
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.FloorDiv: ast.Mult,
}


class Mutant(NamedTuple):
    """What was changed, in which function (`Class.method()`; a class or `` outside of them), and how."""

    line: int
    function: str
    what: str
    apply: Callable[[], None]


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every mutant of a module, in a fixed order. Applying one changes `tree`."""
    return list(_of_body(tree, ""))


def mutated(source: str, number: int) -> ast.Module:
    """The module with one mutant in place."""
    tree = ast.parse(source)
    mutants(tree)[number].apply()
    return ast.fix_missing_locations(tree)


def _of_body(node: ast.AST, function: str) -> Iterator[Mutant]:
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if isinstance(body, list):
            for index, statement in enumerate(body):
                yield from _of_statement(body, index, statement, function)
    for handler in getattr(node, "handlers", ()):
        yield from _of_body(handler, function)
    for case in getattr(node, "cases", ()):
        yield from _of_body(case, function)


def _of_statement(
    body: list[ast.stmt], index: int, statement: ast.stmt, function: str
) -> Iterator[Mutant]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from _of_body(statement, _name_within(function, statement))
        return
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert):
        return
    if _may_be_dropped(statement):

        def drop() -> None:
            body[index] = ast.Pass()

        yield Mutant(statement.lineno, function, f"dropped: {_text(statement)}", drop)
    if isinstance(statement, ast.If | ast.While):
        if _text(statement.test) == "TYPE_CHECKING":
            return
        yield _negated(statement, statement.lineno, function)
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody", "handlers", "annotation", "cases"):
            continue
        for expression in value if isinstance(value, list) else [value]:
            if isinstance(expression, ast.AST):
                yield from _of_expression(expression, function)
    yield from _of_body(statement, function)


def _name_within(
    function: str, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
) -> str:
    """A function within a function counts as part of it."""
    if function.endswith("()"):
        return function
    name = f"{function}.{statement.name}" if function else statement.name
    return name if isinstance(statement, ast.ClassDef) else f"{name}()"


def _may_be_dropped(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete() | ast.Continue():
            return True
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            return True
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            return True
    return False


def _negated(node: ast.If | ast.While | ast.IfExp, line: int, function: str) -> Mutant:
    def negate() -> None:
        node.test = ast.UnaryOp(ast.Not(), node.test)

    return Mutant(line, function, f"negated: {_text(node.test)}", negate)


def _of_expression(root: ast.AST, function: str) -> Iterator[Mutant]:
    for node in ast.walk(root):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Compare():
                yield from _compared(node, function)
            case ast.BoolOp():
                yield from _joined(node, function)
            case ast.IfExp():
                yield _negated(node, line, function)
            case ast.UnaryOp(op=ast.Not()):
                yield _double_negation(node, function)
            case ast.BinOp() if type(node.op) in _OPERATORS and not _is_text(node):
                other = _OPERATORS[type(node.op)]()
                what = f"{type(other).__name__} in: {_text(node)}"
                yield Mutant(line, function, what, _set(node, "op", other))
            case ast.Constant(value=bool()):
                yield Mutant(
                    line, function, f"turned: {node.value}", _set(node, "value", not node.value)
                )
            case ast.Constant(value=value) if not function and _is_bound(value):
                continue
            case ast.Constant(value=int() | float()):
                what = f"one more than {node.value}"
                yield Mutant(line, function, what, _set(node, "value", node.value + 1))
            case ast.comprehension():
                for test in node.ifs:
                    yield Mutant(
                        test.lineno,
                        function,
                        f"filter dropped: {_text(test)}",
                        _without(node.ifs, test),
                    )


def _is_bound(value: object) -> bool:
    """A large constant of a module bounds a cost or a time: one more does no harm."""
    return isinstance(value, int | float) and value >= BOUND


def _double_negation(node: ast.UnaryOp, function: str) -> Mutant:
    def negate() -> None:
        node.operand = ast.UnaryOp(ast.Not(), node.operand)

    return Mutant(node.lineno, function, f"not removed: {_text(node)}", negate)


def _compared(node: ast.Compare, function: str) -> Iterator[Mutant]:
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            what = f"{other.__name__} in: {_text(node)}"
            yield Mutant(node.lineno, function, what, _put(node.ops, index, other()))


def _joined(node: ast.BoolOp, function: str) -> Iterator[Mutant]:
    neutral = isinstance(node.op, ast.And)
    for index, value in enumerate(node.values):
        what = f"{_text(value)} dropped in: {_text(node)}"
        drop = _put(node.values, index, ast.Constant(neutral))
        yield Mutant(node.lineno, function, what, drop)
    other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    what = f"{type(other).__name__} in: {_text(node)}"
    yield Mutant(node.lineno, function, what, _set(node, "op", other))


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


def _set(node: ast.AST, field: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, field, value)


def _put(values: list[Any], index: int, value: ast.AST) -> Callable[[], None]:
    return lambda: values.__setitem__(index, value)


def _without(values: list[ast.expr], value: ast.expr) -> Callable[[], None]:
    return lambda: values.remove(value)
