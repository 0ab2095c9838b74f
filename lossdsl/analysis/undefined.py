"""Whether a value is a number, and not NaN, whatever finite data come: what comparing it says depends on that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np

from lossdsl.analysis.conditions import holds
from lossdsl.analysis.ranges import constants_of, inner_of, range_of
from lossdsl.interval import LARGEST, Interval
from lossdsl.ir.node import INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops import row
from lossdsl.ops.op import EVERYWHERE, PRIMITIVE, Curvature, Family, Monotone, RangeRule
from lossdsl.types import DType

DATA = Interval(-LARGEST, LARGEST)


def is_defined(root: Node) -> bool:
    """Whether nothing in a graph can be NaN: `where(log(x) < 5, y, z)` is z where the logarithm is none."""
    known: dict[Node, Interval] = {}
    for node in reachable([root]):
        operands = [known[operand] for operand in node.inputs]
        number = node.op == INPUT and node.type.dtype is not DType.BOOL
        known[node] = DATA if number else range_of(node, operands)
        if node.op not in STRUCTURAL and not _is_number(node, operands, known[node]):
            return False
    return True


def _is_number(node: Node, operands: Sequence[Interval], result: Interval) -> bool:
    op = row(node.op)
    arguments = dict(zip((a.name for a in op.signature.values), operands, strict=True))
    if op.domain != EVERYWHERE and op.family is not Family.INDEX and holds(op.domain, arguments) is not True:
        return False
    inner = inner_of(node, operands)
    both_ways = op.means != PRIMITIVE and result.lo == -math.inf and result.hi == math.inf
    if both_ways or (inner is not None and overflows(inner)):
        return False  # parts of it may be infinite apart, as those of `exp(x) - exp(y)`
    apart = op.family is not Family.ELEMENTWISE and overflows(result)  # partial sums, and products, may overflow
    return not (apart or any(map(overflows, operands))) or not undefined(node, operands, result)


def overflows(interval: Interval, most: float = LARGEST) -> bool:
    """Whether a value may be infinite, in float32 or where `most` is the largest number."""
    return interval.magnitude > most


def undefined(node: Node, operands: Sequence[Interval], result: Interval) -> bool:
    """Whether an operation may be NaN where operands may be infinite: as `inf - inf` is, and `0 * inf`.

    It is tried where operands end, also those beside it, and at 0 and 1: `x * log(y / z)` where y is z.
    """
    op = row(node.op)
    if op.range is RangeRule.HULL:
        return False
    if op.family is not Family.ELEMENTWISE:
        rises = op.curvature is Curvature.AFFINE and set(op.monotone) == {Monotone.UP}
        return not rises or (result.lo == -math.inf and result.hi == math.inf)
    every = {0.0, 1.0, -1.0, *(end for x in operands for end in (x.lo, x.hi))}
    places = np.array(list(product(*([end for end in every if end in x] for x in operands)))).T
    # in float32 more of it vanishes, and what is subnormal is as good as 0: as it is a little further out
    further = np.where(np.isfinite(places), np.clip(1.25 * places, -LARGEST, LARGEST), places).astype(np.float32)
    with np.errstate(all="ignore"):
        values = [op.numpy(*numbers, **constants_of(node)) for numbers in (places, further)]
    return any(bool(np.isnan(found).any()) for found in values)
