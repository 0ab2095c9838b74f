"""Axis arguments and indices: what was written, settled to identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lossdsl.budgets import current
from lossdsl.checker.names import did_you_mean
from lossdsl.checker.scope import AxisArgument, Scope, SettledAxes
from lossdsl.errors import LossError, diagnostic, fail
from lossdsl.ir.axes import by_number, is_pairs, is_window, require_full
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, VECTOR, Node
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import BATCH, PAIRS, WINDOW, State, Type

_MADE: dict[str, Callable[[str], bool]] = {BATCH: BATCH.__eq__, PAIRS: is_pairs, WINDOW: is_window}
"""Names of axes that nobody declares; a window may be declared all the same, and is that axis then."""


def settle(expr: ast.Expr, type: Type, scope: Scope) -> tuple[str, ...]:
    """The identities of the axes that an axis argument names, for a value of that type."""
    found: list[str] = []
    limit = current().expansion_steps
    waiting = [(expr, scope, True)]
    for _ in range(limit):
        if not waiting:
            break
        item, home, whole = waiting.pop()
        value = home.value(item.id) if isinstance(item, ast.Name) else None
        if isinstance(value, AxisArgument):
            waiting.append((value.expr, value.scope, True))
        elif whole and isinstance(item, (ast.Tuple, ast.Vector)):
            waiting.extend((part, home, False) for part in reversed(item.items))
        else:
            for identity in _one(item, type, home):
                if identity in found:
                    raise fail("axis-twice", home.span(item), axis=identity)
                found.append(identity)
    if waiting:
        raise fail("too-many-steps", scope.span(expr), limit=limit)
    return tuple(found)


def _one(expr: ast.Expr, type: Type, scope: Scope) -> tuple[str, ...]:
    span = scope.span(expr)
    number = _number(expr)
    if number is not None:
        return (_numbered(type, number, span),)
    if not isinstance(expr, ast.Name):
        raise fail("axis-not-understood", span, text=span.text)
    value = scope.value(expr.id)
    if isinstance(value, SettledAxes):
        return value.ids
    if isinstance(value, Node) and value.op in (CONST, VECTOR):
        return _from_value(value, type, span)
    return _named(expr.id, type, scope, span)


def _from_value(value: Node, type: Type, span: Span) -> tuple[str, ...]:
    numbers = value.attr("values") if value.op == VECTOR else (value.value,)
    assert isinstance(numbers, tuple)
    whole = value.op == VECTOR or isinstance(value.value, int)
    if not whole or any(isinstance(n, bool) or not float(n).is_integer() for n in numbers):
        raise fail("axis-not-understood", span, text=numbers)
    return tuple(_numbered(type, int(n), span) for n in numbers)


def _number(expr: ast.Expr) -> int | None:
    sign = 1
    while isinstance(expr, ast.Unary) and expr.op in ("-", "+"):
        sign, expr = (-sign if expr.op == "-" else sign), expr.operand
    if isinstance(expr, ast.Number) and isinstance(expr.value, int):
        return sign * expr.value
    return None


def _numbered(type: Type, number: int, span: Span) -> str:
    axis = by_number(type, number, span)
    if number < 0 and axis.id == BATCH:
        raise fail("axis-is-batch", span, number=number, type=type.show())
    return axis.id


def _named(name: str, type: Type, scope: Scope, span: Span) -> tuple[str, ...]:
    if name == "all":
        return tuple(axis.id for axis in type.full)
    declared = scope.axis(name)
    if declared is not None:
        found = [axis for axis in type.axes if axis.id == declared.id]
    elif name in _MADE:
        found = [axis for axis in type.axes if _MADE[name](axis.id)]
    else:
        known = sorted({*_MADE, "all", *(n for s in scope.chain() for n in s.axes)})
        raise LossError(diagnostic("unknown-axis", span, name=name, help=did_you_mean(name, known)))
    if not found:
        raise fail("axis-absent", span, axis=name, type=type.show())
    return (require_full(type, found[0], name, span).id,)


def missing_axis(type: Type, number: int, scope: Scope) -> tuple[str, ...]:
    """For `expand_dims`: the axis that was indexed away at a place, or none where it would spread anyway."""
    count = len(type.axes)
    if -count <= number < count and type.axes[number].state is State.SELECTED:
        return (type.axes[number].id,)
    return ()


def subscript(builder: Builder, expr: ast.Subscript, operand: Node, numbers: Sequence[Node], scope: Scope) -> Node:
    """`x[..., 0]`, `x[:, 1:]`: one entry or part of an axis, any but batch."""
    span = scope.span(expr)
    bounds = zip(numbers, index_bounds(expr), strict=True)
    given = iter([whole_number(node, "an index", scope.span(bound)) for node, bound in bounds])
    places = _places(expr, operand, span)
    result = operand
    for item, place in zip(expr.items, places, strict=True):
        if place is None:
            continue
        axis = operand.type.axes[place]
        if isinstance(item, ast.Slice):
            start = next(given) if item.lower is not None else None
            stop = next(given) if item.upper is not None else None
            if start is None and stop is None:
                continue
            where = {"axis": (_index_axis(operand, place, span),), "start": start or 0, "stop": stop}
            result = builder.apply("slice", [result], where, span)
        else:
            where = {"axis": (_index_axis(operand, place, span),), "index": next(given)}
            result = builder.apply("select", [result], where, span)
        assert axis.id != BATCH
    return result


def index_bounds(expr: ast.Subscript) -> list[ast.Expr]:
    """What stands in an index and has to be evaluated, in order."""
    bounds: list[ast.Expr] = []
    for item in expr.items:
        if isinstance(item, ast.Slice):
            bounds.extend(bound for bound in (item.lower, item.upper) if bound is not None)
        elif isinstance(item, ast.Expr):
            bounds.append(item)
    return bounds


def _places(expr: ast.Subscript, operand: Node, span: Span) -> list[int | None]:
    """For each item of the index the place of its axis in the operand's own list; None for `...`."""
    count, items = len(operand.type.axes), expr.items
    dots = [i for i, item in enumerate(items) if isinstance(item, ast.Ellipsis)]
    if len(dots) > 1:
        raise fail("two-ellipses", span)
    if len(items) - len(dots) > count:
        raise fail("too-many-indices", span, given=len(items) - len(dots), count=count, type=operand.type.show())
    if not dots:
        return list(range(len(items)))
    after = len(items) - dots[0] - 1
    return [*range(dots[0]), None, *range(count - after, count)]


def _index_axis(operand: Node, place: int, span: Span) -> str:
    axis = require_full(operand.type, operand.type.axes[place], place, span)
    if axis.id == BATCH:
        raise fail("batch-indexed", span)
    return axis.id


def whole_number(node: Node, argument: str, place: Span) -> int:
    """The value of a constant whole number, as structure needs it; `place` is where it is written."""
    if node.is_const and not isinstance(node.value, bool) and isinstance(node.value, int):
        return node.value
    raise fail("needs-whole-number", place, argument=argument, value=_shown(node))


def _shown(node: Node) -> str:
    return str(node.value) if node.is_const else node.type.show()


def whole_number_of(expr: ast.Expr, scope: Scope) -> int:
    """A whole number written as an axis place: `-1`, or the name of a constant."""
    value = scope.value(expr.id) if isinstance(expr, ast.Name) else None
    while isinstance(value, AxisArgument):
        expr, scope = value.expr, value.scope
        value = scope.value(expr.id) if isinstance(expr, ast.Name) else None
    if isinstance(value, Node):
        return whole_number(value, "axis", scope.span(expr))
    number = _number(expr)
    if number is None:
        raise fail("axis-not-understood", scope.span(expr), text=expr.span.text)
    return number
