"""Numbers of a formula that are lost in a type: they vanish, become infinite, or can't be told from others."""

from __future__ import annotations

import operator
from collections.abc import Iterator

from lossdsl.checked import Checked
from lossdsl.checker.declared import data_declarations
from lossdsl.checker.names import walk
from lossdsl.errors import Diagnostic, diagnostic
from lossdsl.interval import SMALLEST
from lossdsl.ir.node import CAST, INPUT, Node, reachable
from lossdsl.precision import FLOAT32, Precision
from lossdsl.syntax import ast
from lossdsl.types import DType

ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def lost_constants(checked: Checked, kind: Precision) -> tuple[Diagnostic, ...]:
    """Warnings, each told once: of sums in the type that is computed in, of the rest in the type of the data."""
    found = [*_absorbed(checked, kind), *_vanishing(checked, kind), *_alike(checked, kind)]
    return tuple({(each.message, each.span): each for each in found}.values())


def _absorbed(checked: Checked, kind: Precision) -> Iterator[Diagnostic]:
    """`1 - 1e-8`, which is 1 in float32."""
    computed = kind.computing
    known = _known(checked)
    for part in walk(checked.formula):
        total = _number(part, known) if isinstance(part, ast.Binary) and part.op in "+-" else None
        if total is None or not isinstance(part, ast.Binary):
            continue
        small, large = sorted((_number(side, known) or 0.0 for side in (part.left, part.right)), key=abs)
        becomes = computed.of(total)
        if 0.0 < abs(small) < abs(large) and 0.0 < abs(becomes) == computed.of(abs(large)) < float("inf"):
            given, left = f"{abs(small):g}", f"{becomes:.9g}"
            yield diagnostic(
                "constant-lost", part.span, sum=part.span.text, becomes=left, number=given, dtype=computed.name
            )


def _vanishing(checked: Checked, kind: Precision) -> Iterator[Diagnostic]:
    """Numbers that are 0 or infinite in the type of the data."""
    result = checked.formula.result
    place = None if result is None else result.span
    given = [(f"{value:g}", value, place) for value in checked.params.values() if isinstance(value, (int, float))]
    numbers = [part for part in walk(checked.formula) if isinstance(part, ast.Number)]
    for text, value, span in [*((part.span.text, part.value, part.span) for part in numbers), *given]:
        left = abs(kind.of(value))
        left = 0.0 if left < SMALLEST and kind is FLOAT32 else left  # what is subnormal is flushed to 0
        if value and left in (0.0, float("inf")):
            becomes = "0" if left == 0.0 else "infinite"
            what, advice = HALF if kind.is_half else WHOLE
            yield diagnostic(
                "constant-vanishes", span, number=text, becomes=becomes, dtype=kind.name, what=what, advice=advice
            )


HALF = (
    "predictions are rounded to",
    "the loss itself computes in float32; but next to rounded values this number may guard nothing",
)
WHOLE = ("the loss computes in", "its numbers are 0, or lie between 1.2e-38 and 3.4e38 in size: or compute in float64")


def _alike(checked: Checked, kind: Precision) -> Iterator[Diagnostic]:
    """Whole numbers that data are compared with, or may be, and that are another number once rounded."""
    root = checked.elaborated.root
    assert root is not None
    for node in reachable([root]):
        if node.op in ("equal", "not_equal"):
            for one, other in (node.inputs, node.inputs[::-1]):
                if one.op == INPUT and one.type.dtype is DType.FLOAT and other.is_const:
                    yield from _inexact(float(other.value), kind, str(one.attr("name")), node)
    for name, declaration in data_declarations(checked.formula).items():
        allowed = declaration.range
        whole = name == "y_true" and checked.label
        if allowed is not None and whole and _is_cast(root, name) and allowed.upper is not None:
            computed = kind.computing
            if allowed.upper > 2.0**computed.digits:
                yield from _inexact(2.0**computed.digits + 1.0, computed, name, declaration, AS_FLOATS)
        elif allowed is not None and not whole:
            for member in allowed.members or ():
                yield from _inexact(member, kind, name, declaration)


AS_FLOATS = "they are computed with as floats: index with them, or compare them, or keep them below that"
AS_LABELS = "declare them as `label` or `int`: whole numbers are never rounded to that type"


def _inexact(
    number: float, kind: Precision, name: str, where: Node | ast.Declaration, advice: str = AS_LABELS
) -> Iterator[Diagnostic]:
    left = kind.of(number)
    if float(number).is_integer() and left != number:
        given, becomes = f"{number:.9g}", f"{left:.9g}"
        yield diagnostic(
            "label-inexact", where.span, name=name, number=given, becomes=becomes, dtype=kind.name, advice=advice
        )


def _is_cast(root: Node, name: str) -> bool:
    """Whether whole numbers of an input are computed with as floats."""
    casts = [node for node in reachable([root]) if node.op == CAST and node.type.dtype is DType.FLOAT]
    return any(part.op == INPUT and part.attr("name") == name for part in reachable(casts))


def _known(checked: Checked) -> dict[str, float]:
    """The numbers that names stand for: parameters as given, or their defaults, and `epsilon`."""
    found: dict[str, float] = {"epsilon": checked.meaning.epsilon}
    for statement in checked.formula.statements:
        if isinstance(statement, ast.Declaration) and statement.default is not None:
            value = _number(statement.default, found)
            found |= {} if value is None else {statement.name: value}
    return found | {name: float(x) for name, x in checked.params.items() if isinstance(x, (int, float))}


def _number(expr: ast.Tree, known: dict[str, float]) -> float | None:
    """The value of an expression of numbers; None where there is more in it, or none comes of it."""
    if isinstance(expr, ast.Number):
        return float(expr.value)
    if isinstance(expr, ast.Name):
        return known.get(expr.id)
    if isinstance(expr, ast.Unary) and expr.op == "-":
        value = _number(expr.operand, known)
        return None if value is None else -value
    if isinstance(expr, ast.Binary) and expr.op in ARITHMETIC:
        left, right = _number(expr.left, known), _number(expr.right, known)
        if left is not None and right is not None and not (expr.op == "/" and right == 0.0):
            return float(ARITHMETIC[expr.op](left, right))
    return None
