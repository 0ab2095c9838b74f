"""Rows: what moves values by place, counts them, or goes by a label."""

from __future__ import annotations

import numpy as np

from lossdsl.interval import UNIT, Interval
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    STOPPED,
    ZERO,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)
from lossdsl.ops.reduction import products_range


def _inside(indices: Array, size: int) -> None:
    outside = (np.asarray(indices) < 0) | (np.asarray(indices) >= size)
    if np.any(outside):
        raise IndexError(f"index {np.asarray(indices)[outside].flat[0]} is not in 0 to {size - 1}")


def _one_hot(x: Array, num_classes: int, axis: int) -> Array:
    return np.equal(x, along(np.arange(num_classes), np.ndim(x), axis)).astype(float)


def _take(x: Array, indices: Array, axis: int = 0) -> Array:
    table = np.reshape(x, -1)
    _inside(indices, table.size)
    return table[np.asarray(indices, int)]


def _take_along(x: Array, indices: Array, axis: int) -> Array:
    _inside(indices, np.shape(x)[axis])
    return np.take_along_axis(x, np.asarray(indices, int), axis)


def _index(x: Array, axis: int) -> Array:
    return along(np.arange(np.shape(x)[axis]), np.ndim(x), axis)


def along(values: Array, rank: int, axis: int) -> Array:
    """A vector, laid along one axis of so many."""
    shape = [1] * rank
    shape[axis] = -1
    return np.reshape(values, shape)


def matmul(x1: Array, x2: Array, axis: int = -1) -> Array:
    """An axis times a matrix, where it stands."""
    return np.moveaxis(np.tensordot(x1, x2, (axis, 0)), -1, axis)


ROWS = (
    Op(
        sig="one_hot(x: int[*s], num_classes: const) -> float[*s + classes]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "1 at the place that the label names, 0 elsewhere, on the axis that the labels lack. A"
            " label outside gives zeros."
        ),
        example="one_hot(1, 3) -> [0, 1, 0]",
        latex=r"\operatorname{{onehot}}_{{{num_classes}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: UNIT,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(ZERO,),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_one_hot,
        keras="ops.one_hot(ops.squeeze({x}, {axis}), {num_classes}, axis={axis}, dtype=dtype)",
    ),
    Op(
        sig="take(x: T[table], indices: int[*s]) -> T[as indices]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "The entries of a table (one axis, not batch) at the places that the labels name. A place"
            " outside is an error."
        ),
        example="take([10, 20, 30], [2, 0]) -> [30, 10]",
        latex="{x}_{{{indices}}}",
        domain="indices >= 0 and indices < size(x, axis=all)",
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("scatter_add(g, x, indices)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_take,
        keras="ops.take(ops.reshape({x}, (-1,)), {indices}, axis=0)",
    ),
    Op(
        sig="take_along_axis(x: T[*s], indices: int[*s], axis: axis = -1) -> T[*s at axis]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "The entry along an axis at the place that the label names; the labels lack that axis. A"
            " place outside is an error."
        ),
        example="take_along_axis([10, 20, 30], 2) -> 30",
        latex="{x}_{{{indices},{axis}}}",
        domain="indices >= 0 and indices < size(x, axis=axis)",
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(index(x, axis=axis) == indices, g, 0)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_take_along,
        keras="ops.take_along_axis({x}, {indices}, axis={axis})",
    ),
    Op(
        sig="expand_dims(x: T[*s], axis: axis) -> T[*s + axis]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="Lets a value that was indexed (`x[..., 0]`) spread along the axis it lost.",
        example="expand_dims([1, 2], 1) -> [1, 2]",
        latex="{x}_{{[{axis}]}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("g",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: x,
        keras="{x}",
    ),
    Op(
        sig="size(x: T[*s], axis: axis = none) -> int",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The number of entries along axes.",
        example="size([7, 8, 9]) -> 3",
        latex=r"\left| {x} \right|_{{{axis}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: n,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=(ZERO,),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.prod([np.shape(x)[a] for a in axis], dtype=int),
        keras="shims.size({x}, {axis})",
    ),
    Op(
        sig="index(x: T[*s], axis: axis = -1) -> int[axis]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="0, 1, 2, ... along an axis.",
        example="index([7, 8, 9]) -> [0, 1, 2]",
        latex=r"\operatorname{{index}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: Interval(0.0, max(n.hi - 1.0, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=(ZERO,),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_index,
        keras="shims.index({x}, {axis})",
    ),
    Op(
        sig="pairs(x: T[*s], axis: axis = batch) -> T[*s as pairs]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "The same samples again, on an axis `pairs` of their own: `x - pairs(x)` holds every"
            " difference. A sample is a pair with itself too."
        ),
        example="pairs([1, 2], axis=0) -> [1, 2]",
        latex="{x}'_{{{axis}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("unpairs(g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis, to: np.swapaxes(x, axis, to),
        keras="ops.swapaxes({x}, {axis}, {to})",
    ),
    Op(
        sig="matmul(x1: float[*s, k], x2: float[k, n]) -> float[*s, n]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The last axis times a parameter matrix, which takes no gradient.",
        example="matmul([1, 2], [[1, 0, 1], [0, 1, 1]]) -> [1, 2, 3]",
        latex=r"{x1} \, {x2}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=products_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("matmul_transposed(g, x2)", STOPPED),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=matmul,
        keras="ops.moveaxis(ops.tensordot({x1}, {x2}, [[{axis}], [0]]), -1, {axis})",
    ),
)
