"""A guard for an operation in danger, written into the formula: on its operand, never on its result."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lossdsl.checked import Checked
from lossdsl.checker.names import walk
from lossdsl.ir.node import Node
from lossdsl.ops import OPERATORS, OPS, row
from lossdsl.ops.op import Op
from lossdsl.syntax import ast

MOST = 4
"""Single guards that are tried."""
WRITTEN = {"xlogy": "log", "xdivy": "divide", "rsqrt": "sqrt", "log_softmax": "log"}
"""What a rewritten operation was, if it is not written so."""


def repairs(checked: Checked, node: Node) -> Iterator[str]:
    """The formula with a guard at one operation that the danger may come from, and then at all of its kind."""
    text = checked.formula.span.source.text  # of a bare name, the text of the library
    suspects = _suspects(checked, node)
    for expr in suspects[:MOST]:
        yield _guarded(text, [expr])
    alike = [expr for expr in suspects if _operation(expr) == _operation(suspects[0])]
    if len(alike) > 1:
        yield _guarded(text, alike)


def _guarded(text: str, exprs: list[ast.Expr]) -> str:
    """A text with guards around an operand of each expression, those within others left out."""
    taken = len(text)
    for expr in sorted(exprs, key=lambda each: each.span.start, reverse=True):
        op = row(_operation(expr))
        place = next(i for i, argument in enumerate(op.signature.args) if argument.name == op.guarded)
        span = _operands(expr)[place].span
        if span.stop <= taken:
            text = text[: span.start] + _guard(op, _bare(span.text)) + text[span.stop :]
            taken = span.start
    return text


def _guard(op: Op, operand: str) -> str:
    return re.sub(rf"\b{op.guarded}\b", lambda _: operand, op.guard)


def _bare(text: str) -> str:
    """Without the brackets around the whole of it, which a call needs no more."""
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1] if text.startswith("(") else text


def _suspects(checked: Checked, node: Node) -> list[ast.Expr]:
    """Operations that can be guarded: those of that kind first, then those written where the danger is."""
    found = [
        part
        for statement in (*checked.formula.statements, checked.formula.result)
        if statement is not None
        for part in walk(statement)
        if isinstance(part, (ast.Call, ast.Binary)) and _has_guard(part)
    ]
    wanted = {node.op, WRITTEN.get(node.op, node.op)}
    at = node.span

    def inside(expr: ast.Expr) -> bool:
        return (
            at is not None
            and at.source is expr.span.source
            and at.start <= expr.span.start <= expr.span.stop <= at.stop
        )

    return sorted(found, key=lambda e: (_operation(e) not in wanted, not inside(e), e.span.stop - e.span.start))


def _has_guard(expr: ast.Expr) -> bool:
    """Whether the operation of an expression says how to guard an operand of it, and has it by place."""
    op = OPS.get(_operation(expr))
    return op is not None and op.guarded is not None and len(_operands(expr)) == len(op.signature.values)


def _operation(expr: ast.Expr) -> str:
    if isinstance(expr, ast.Call):
        return expr.function
    return OPERATORS.get(expr.op, "") if isinstance(expr, ast.Binary) else ""


def _operands(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    if isinstance(expr, ast.Call):
        return expr.args
    assert isinstance(expr, ast.Binary)
    return expr.left, expr.right
