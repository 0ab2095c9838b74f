"""A guard for an operation in danger, written into the formula: on its operand, never on its result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lossdsl.analysis.ranges import ranges
from lossdsl.checked import Checked
from lossdsl.checker.names import walk
from lossdsl.interval import NONNEGATIVE, Interval
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.ops import OPERATORS, OPS, row
from lossdsl.ops.op import Op
from lossdsl.syntax import ast

MOST = 4
"""Single guards that are tried."""
BY_SIGN = frozenset({"divide", "reciprocal", "xdivy", "power"})
"""Operations that take numbers of either sign: away from 0, on the side that they are on; powers, if they are whole."""
AWAY = "where({x} < 0, minimum({x}, -epsilon), maximum({x}, epsilon))"
WRITTEN = {"xlogy": "log", "xdivy": "divide", "rsqrt": "sqrt", "log_softmax": "log"}
"""What a rewritten operation was, if it is not written so."""


def repairs(checked: Checked, node: Node, given: Mapping[str, Interval]) -> Iterator[str]:
    """The formula with a guard at one operation that the danger may come from, and then at all of its kind.

    `given` says where the data lie.
    """
    text = checked.formula.span.source.text  # of a bare name, the text of the library
    within = _operand_ranges(checked, given)
    suspects = [expr for expr in _suspects(checked, node) if expr.span.text in within]
    for expr in suspects[:MOST]:
        yield _guarded(text, [expr], within)
    alike = [expr for expr in suspects if _operation(expr) == _operation(suspects[0])]
    if len(alike) > 1:
        yield _guarded(text, alike, within)


def _operand_ranges(checked: Checked, given: Mapping[str, Interval]) -> dict[str, Interval]:
    """Where the operand lies that is to be guarded, by the text of its operation; not of numbers."""
    root = checked.display().elaborated.root
    assert root is not None
    nodes = reachable([root])
    known = ranges(nodes, {node: given[str(node.attr("name"))] for node in nodes if node.op == INPUT})
    found: dict[str, Interval] = {}
    for node in nodes:
        op = OPS.get(node.op)
        if op is None or op.guarded is None or node.span is None:
            continue
        operand = node.inputs[_place(op)]
        if node.op == "power" and not _is_whole(node.inputs[1]):
            known[operand] = known[operand].meet(NONNEGATIVE) or known[operand]
        if not operand.is_const:
            found[node.span.text] = known[operand].hull(found.get(node.span.text, known[operand]))
    return found


def _is_whole(node: Node) -> bool:
    return node.is_const and float(node.value).is_integer()


def _place(op: Op) -> int:
    return next(i for i, argument in enumerate(op.signature.args) if argument.name == op.guarded)


def _guarded(text: str, exprs: list[ast.Expr], within: Mapping[str, Interval]) -> str:
    """A text with guards around an operand of each expression, those within others left out."""
    taken = len(text)
    for expr in sorted(exprs, key=lambda each: each.span.start, reverse=True):
        op = row(_operation(expr))
        span = _operands(expr)[_place(op)].span
        if span.stop <= taken:
            guard = _guard(op, _bare(span.text), within[expr.span.text])
            text = text[: span.start] + guard + text[span.stop :]
            taken = span.start
    return text


def _guard(op: Op, operand: str, within: Interval) -> str:
    if op.name in BY_SIGN and within.lo < 0.0:
        return AWAY.format(x=operand)
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
