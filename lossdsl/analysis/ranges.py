"""Where every value lies, whatever the data: an interval for each node, from the `range` column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from lossdsl.interval import EVERYTHING, UNIT, Interval, outward, point
from lossdsl.ir.node import CAST, CONST, DIM, INPUT, MATRIX, VECTOR, Node
from lossdsl.ops import row
from lossdsl.ops.op import ANY_NUMBER
from lossdsl.types import DType


def ranges(nodes: Iterable[Node], known: Mapping[Node, Interval] | None = None) -> dict[Node, Interval]:
    """For each node (operands first) an interval that holds it; of the data nothing is believed."""
    found: dict[Node, Interval] = dict(known or {})
    for node in nodes:
        if node not in found:
            found[node] = _range(node, found)
    return found


def _range(node: Node, found: Mapping[Node, Interval]) -> Interval:
    if node.op == CONST:
        return point(float(node.value))
    if node.op in (VECTOR, MATRIX):
        return _of_numbers(node.attr("values"))
    if node.op == DIM:
        return ANY_NUMBER
    if node.op == INPUT:
        return UNIT if node.type.dtype is DType.BOOL else EVERYTHING
    operands = [found[operand] for operand in node.inputs]
    if node.op == CAST:
        return operands[0]
    if node.op == "multiply" and node.inputs[0] is node.inputs[1]:
        return operands[0].square()
    op = row(node.op)
    constants = {
        a.name: float(value)
        for a in op.signature.attributes
        if a.kind == "const" and isinstance(value := node.attr(a.name), (int, float))
    }
    return op.range_of(*operands, n=_entries(node), **constants)


def _entries(node: Node) -> Interval:
    """How many entries the operand has along the axes of the operation."""
    count = 1
    for axis in node.inputs[0].type.axes:
        if axis.id in node.axes:
            if axis.size.symbol is not None:
                return ANY_NUMBER
            count *= axis.size.offset
    return point(float(count))


def _of_numbers(values: object) -> Interval:
    assert isinstance(values, tuple)
    numbers = [x for row in values for x in row] if values and isinstance(values[0], tuple) else list(values)
    return outward(min(numbers), max(numbers)) if numbers else Interval(-math.inf, math.inf)
