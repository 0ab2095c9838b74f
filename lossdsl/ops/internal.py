"""Rows that only `grad`, `masked` and `means` reach, and the compiler itself: no formula can name them."""

from __future__ import annotations

import numpy as np

from lossdsl.interval import NO, YES
from lossdsl.ops.op import (
    BACKEND,
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
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
from lossdsl.ops.reduction import products_range, signed_power


def _divide_no_nan(x1: Array, x2: Array) -> Array:
    return np.where(np.equal(x2, 0), 0.0, np.true_divide(x1, np.where(np.equal(x2, 0), 1.0, x2)))


def _others_prod(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Products before and after each value, multiplied: no division, so that zeros are no trouble."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    flat = np.reshape(moved, (*np.shape(moved)[: np.ndim(x) - len(axes)], -1))
    one = np.ones_like(flat[..., :1])
    before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
    after = np.cumprod(np.concatenate([one, np.flip(flat[..., 1:], -1)], -1), -1)
    return np.moveaxis(np.reshape(before * np.flip(after, -1), np.shape(moved)), last, axes)


ROWS = (
    Op(
        sig="any(x: bool[*s], axis: axis = none) -> bool[*s - axis]",
        family=Family.REDUCTION,
        means=PRIMITIVE,
        doc="Whether one of them holds, along axes.",
        example="any([False, True]) -> True",
        latex=r"\exists_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(ZERO,),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="any(c and x, axis=axis)",
        numpy=lambda x, axis: np.any(x, axis=axis, keepdims=True),
        keras="ops.any({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="contraction(x1: float[*s], x2: float[*s], axis: axis) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sum(x1 * x2, axis=axis)",
        doc="Sum of products along axes, with no product stored.",
        example="contraction([1, 2], [3, 4], axis=0) -> 11",
        latex=r"\sum_{{{axis}}} {x1} \, {x2}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=products_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * x2", "g * x1"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="contraction(where(c, x1, 0), x2, axis=axis)",
        numpy=lambda x1, x2, axis: np.sum(np.multiply(x1, x2), axis=axis, keepdims=True),
        keras="ops.expand_dims(ops.einsum({subscripts}, {x1}, {x2}), {missing})",
    ),
    Op(
        sig="others_prod(x: float[*s], axis: axis = none) -> float[*s]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc="For each value, the product of all others along the axes.",
        example="others_prod([0, 2, 3]) -> [6, 0, 0]",
        latex=r"\prod_{{{axis}}}^{{\ne}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x, n: signed_power(x.hull(YES), n),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(BACKEND,),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_others_prod,
        keras="shims.others_prod({x}, {axis})",
    ),
    Op(
        sig="kept_apart(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x",
        doc="The value itself, out of sight of optimisers that would add up the constants on both sides of it.",
        example="kept_apart(2) -> 2",
        latex="{x}",
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
        numpy=lambda x: x,
        keras="ops.maximum({x}, -3.4028234663852886e+38)",
    ),
    Op(
        sig="divide_no_nan(x1: float[*s], x2: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x2 == 0, 0, x1 / where(x2 == 0, 1, x2))",
        doc="x1 / x2, but 0 where x2 is 0.",
        example="divide_no_nan(1, 0) -> 0",
        latex=r"\frac{{{x1}}}{{{x2}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.UNORDERED),
        range=lambda x1, x2: x1.quotient(x2).hull(NO),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("divide_no_nan(g, x2)", "-divide_no_nan(g * out, x2)"),
        at_kink="divide_no_nan'(1, 0) = 0, 0",
        safe=(None, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=_divide_no_nan,
        keras="ops.divide_no_nan({x1}, {x2})",
    ),
    Op(
        sig="spread(x: T[*s], like: T[*s]) -> T[as second]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The value, repeated along every axis that the second has.",
        example="spread([1], [5, 6]) -> [1, 1]",
        latex=r"{x} \to {like}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("g", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, like: np.broadcast_to(x, np.shape(like)),
        keras="ops.broadcast_to({x}, ops.shape({like}))",
    ),
    Op(
        sig="unpairs(x: T[*s], axis: axis = batch) -> T[*s from pairs]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The axis that `pairs` made, under its first name again.",
        example="unpairs([1, 2], axis=0) -> [1, 2]",
        latex="{x}^{{'}}_{{{axis}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("pairs(g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis, to: np.swapaxes(x, axis, to),
        keras="ops.swapaxes({x}, {axis}, {to})",
    ),
)
