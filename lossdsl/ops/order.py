"""Rows: what goes by rank along one axis."""

from __future__ import annotations

import numpy as np

from lossdsl.interval import Interval
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    ZERO,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)


def top_k_indices(x: Array, k: int, axis: int) -> Array:
    """The places of the `k` largest values, the first of equals first."""
    return np.take(np.argsort(np.negative(x), axis=axis, kind="stable"), np.arange(k), axis=axis)


ROWS = (
    Op(
        sig="argmax(x: T[*s], axis: axis = -1) -> int[*s - axis]",
        family=Family.ORDER,
        means=PRIMITIVE,
        doc="The place of the largest value along an axis, the first of equals.",
        example="argmax([1, 3, 2]) -> 1",
        latex=r"\operatorname{{argmax}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: Interval(0.0, max(n.hi - 1.0, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(ZERO,),
        at_kink="argmax'([1, 1]) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.argmax(x, axis=axis, keepdims=True),
        keras="ops.argmax({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="argsort(x: T[*s], axis: axis = -1) -> int[*s]",
        family=Family.ORDER,
        means=PRIMITIVE,
        doc="The places of the values along an axis, from the smallest value to the largest.",
        example="argsort([10, 30, 20]) -> [0, 2, 1]",
        latex=r"\operatorname{{argsort}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: Interval(0.0, max(n.hi - 1.0, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(ZERO,),
        at_kink="argsort'([1, 1]) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.argsort(x, axis=axis, kind="stable"),
        keras="ops.argsort({x}, axis={axis})",
    ),
    Op(
        sig="sort(x: T[*s], axis: axis = -1) -> T[*s]",
        family=Family.ORDER,
        means=PRIMITIVE,
        doc="The values along an axis, from the smallest to the largest.",
        example="sort([3, 1, 2]) -> [1, 2, 3]",
        latex=r"\operatorname{{sort}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("scatter_along_axis(g, x, argsort(x, axis=axis), axis=axis)",),
        at_kink="sort'([1, 1]) = [1, 1]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.sort(x, axis=axis),
        keras="ops.sort({x}, axis={axis})",
    ),
    Op(
        sig="top_k(x: T[*s], k: const, axis: axis = -1) -> T[*s, k]",
        family=Family.ORDER,
        means=PRIMITIVE,
        doc="The `k` largest values along an axis, the largest first.",
        example="top_k([1, 3, 2], 2) -> [3, 2]",
        latex=r"\operatorname{{top}}_{{{k},{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("scatter_along_axis(g, x, top_k_indices(x, k=k, axis=axis), axis=axis)",),
        at_kink="top_k'([1, 1, 0], k=1) = [1, 0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, k, axis: np.take_along_axis(x, top_k_indices(x, k, axis), axis),
        keras="shims.top_k({x}, {k}, {axis})",
    ),
)
