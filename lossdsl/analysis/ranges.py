"""Where every value lies, whatever the data: an interval for each node, from the `range` column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lossdsl.interval import EVERYTHING, NO, RECIPROCAL_ULPS, SMALLEST, UNIT, Interval, outward, point
from lossdsl.ir.node import CAST, CONST, DIM, INPUT, MATRIX, VECTOR, Node
from lossdsl.ops import row
from lossdsl.ops.op import ANY_NUMBER
from lossdsl.types import DType

QUOTIENTS = frozenset({"divide", "xdivy", "divide_no_nan"})
"""By what is fixed, they are products in a graph, with a rounded inverse; XLA subtracts them unrounded."""


def ranges(nodes: Iterable[Node], known: Mapping[Node, Interval] | None = None) -> dict[Node, Interval]:
    """For each node (operands first) an interval that holds it; of the data nothing is believed."""
    found: dict[Node, Interval] = dict(known or {})
    for node in nodes:
        if node not in found:
            found[node] = range_of(node, [found[operand] for operand in node.inputs])
    return found


def range_of(node: Node, operands: Sequence[Interval], entries: Interval = ANY_NUMBER) -> Interval:
    """Where a node lies for operands in these intervals; an axis whose size is not known has so many `entries`."""
    if node.op == CONST:
        return point(float(node.value))
    if node.op in (VECTOR, MATRIX):
        return _of_numbers(node.attr("values"))
    if node.op == DIM:
        return entries
    if node.op == INPUT:
        return UNIT if node.type.dtype is DType.BOOL else EVERYTHING
    if node.op == CAST:
        return _cast(operands[0]) if node.inputs[0].type.dtype is DType.INT else operands[0]
    if node.op == "multiply" and node.inputs[0] is node.inputs[1]:
        return operands[0].square()
    found = row(node.op).range_of(*operands, n=entries_of(node, entries), **constants_of(node))
    if node.op not in QUOTIENTS or not (_is_inexact(node.inputs[1]) or _is_power(node.inputs[1])):
        return found
    return (found.hull(NO) if vanishes(operands[1]) else found).widened(RECIPROCAL_ULPS)


def _cast(whole: Interval) -> Interval:
    """Whole numbers as floats: as they are in float64, rounded in float32."""
    return whole.hull(Interval(float(np.float32(whole.lo)), float(np.float32(whole.hi))))


def vanishes(divisor: Interval) -> bool:
    """Whether the inverse is smaller than normal numbers are, and so may be 0."""
    return divisor.magnitude * SMALLEST > 1.0


def is_fixed(node: Node) -> bool:
    """Whether a graph has it as a constant: numbers, sizes, places, and what is made of them, but of no data."""
    seen, stack = set(), [node]
    while stack:
        part = stack.pop()
        if part.op == INPUT:
            return False
        if part not in seen and part.op != "index":
            stack.extend(part.inputs)
        seen.add(part)
    return True


def _is_power(divisor: Node) -> bool:
    """Whether XLA multiplies by a power, or a product of exponentials, with the negative exponent."""
    seen, stack = set(), [divisor]
    while stack:
        part = stack.pop()
        if part.op in ("power", "exp"):
            return True
        if part.op in (CAST, "kept_apart", "rounded", "negative", "multiply", "square") and part not in seen:
            stack.extend(part.inputs)
        seen.add(part)
    return False


def _is_inexact(divisor: Node) -> bool:
    """Whether its inverse is rounded, and in place of it."""
    size = abs(float(divisor.value)) if divisor.is_const else 0.0
    return is_fixed(divisor) and not (math.frexp(size)[0] == 0.5 and size * SMALLEST <= 1.0)


def inner_of(node: Node, operands: Sequence[Interval], entries: Interval = ANY_NUMBER) -> Interval | None:
    """Where the numbers lie that an operation computes on its way, where they may be the largest; else None."""
    return row(node.op).inner_of(*operands, n=entries_of(node, entries), **constants_of(node))


def constants_of(node: Node) -> dict[str, float]:
    """The numbers that are part of the structure of an operation, by name."""
    return {
        a.name: float(value)
        for a in row(node.op).signature.attributes
        if a.kind == "const" and isinstance(value := node.attr(a.name), (int, float))
    }


def entries_of(node: Node, entries: Interval = ANY_NUMBER) -> Interval:
    """How many entries the operands have along the axes of the operation, where any of them has such an axis."""
    count = point(1.0)
    axes = {axis.id: axis for operand in reversed(node.inputs) for axis in operand.type.axes}
    for axis in axes.values():
        if axis.id in node.axes:
            count = count * (entries if axis.size.symbol is not None else point(float(axis.size.offset)))
    return count


def _of_numbers(values: object) -> Interval:
    assert isinstance(values, tuple)
    numbers = [x for row in values for x in row] if values and isinstance(values[0], tuple) else list(values)
    return outward(min(numbers), max(numbers)) if numbers else Interval(-math.inf, math.inf)
