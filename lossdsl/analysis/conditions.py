"""Conditions of the operation table, over intervals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lossdsl.interval import EVERYTHING, NO, YES, Interval
from lossdsl.ops import OPERATORS, row
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression


@cache
def _parsed(text: str) -> ast.Expr:
    return parse_expression(text)


def holds(text: str, arguments: Mapping[str, Interval]) -> bool | None:
    """Whether a condition of the table holds for all values in the intervals; None where that is not known."""
    return {YES: True, NO: False}.get(_valued(_parsed(text), arguments))


def asks_for_order(text: str) -> tuple[str, str] | None:
    """The two names of a condition that is only that the first be no larger than the second."""
    tree = _parsed(text)
    if isinstance(tree, ast.Compare) and tree.ops == ("<=",):
        low, high = tree.operands
        if isinstance(low, ast.Name) and isinstance(high, ast.Name):
            return low.id, high.id
    return None


def _valued(tree: ast.Expr, arguments: Mapping[str, Interval]) -> Interval:
    match tree:
        case ast.Number():
            return Interval(float(tree.value), float(tree.value))
        case ast.Name():
            return arguments.get(tree.id, EVERYTHING)
        case ast.Unary():
            return row(OPERATORS[f"unary{tree.op}" if tree.op == "-" else tree.op]).range_of(
                _valued(tree.operand, arguments)
            )
        case ast.Binary():
            return row(OPERATORS[tree.op]).range_of(*(_valued(x, arguments) for x in (tree.left, tree.right)))
        case ast.Compare() if len(tree.ops) == 1:
            return row(OPERATORS[tree.ops[0]]).range_of(*(_valued(x, arguments) for x in tree.operands))
        case ast.Call() if tree.function != "size":
            return row(tree.function).range_of(*(_valued(x, arguments) for x in tree.args))
    return EVERYTHING
