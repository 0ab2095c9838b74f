"""Rows: every value from all those along one axis."""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import UNIT, Interval, point
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    SHIFTED,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)
from lossdsl.ops.reduction import MOST_COUNTED, SUM_ULPS, exact_ends, largest_and_rest, norm


def softmax(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Shares of the sum of exponentials. `logsumexp` has it in its gradient, over all its axes at once."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: tuple[int, ...] | int) -> Array:
    """The logarithms of `softmax`."""
    largest, rest = largest_and_rest(x, axis)
    return (x - largest) - rest


def normalize(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Divided by the length, 0 where that is 0."""
    length = norm(x, axis)
    return np.where(length == 0.0, 0.0, x / np.where(length == 0.0, 1.0, length))


def log_softmax_range(x: Interval, n: Interval) -> Interval:
    """Not above 0; least where all others are as far above as can be."""
    return Interval(min(0.0, point(x.lo - x.hi - math.log(n.hi)).widened().lo), 0.0)


def _normalize_range(x: Interval, n: Interval) -> Interval:
    return Interval(-1.0 if x.lo < 0.0 else 0.0, 1.0 if x.hi > 0.0 else 0.0).widened()


def _cumsum_range(x: Interval, n: Interval) -> Interval:
    """TensorFlow adds one after another: each of them may be rounded."""
    return exact_ends(x * Interval(1.0, n.hi), x, SUM_ULPS + min(n.hi, MOST_COUNTED))


ROWS = (
    Op(
        sig="softmax(x: float[*s], axis: axis = -1, where: bool[*s] = none) -> float[*s]",
        family=Family.ALONG,
        means="exp(x) / sum(exp(x), axis=axis)",
        doc=("Exponentials as shares of their sum: logits to probabilities. It is 0 where `where=` does not hold."),
        example="softmax([0, 0]) -> [0.5, 0.5]",
        latex=r"\operatorname{{softmax}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x, n: UNIT,
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=("softmax_pull(x, g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="where(c, softmax(where(c, x, -3.4028235e38), axis=axis), 0)",
        numpy=softmax,
        keras="shims.softmax({x}, {axis})",
    ),
    Op(
        sig="log_softmax(x: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="x - log(sum(exp(x), axis=axis))",
        doc="log(softmax(x)); never underflows.",
        example="log_softmax([0, 0]) -> [-0.6931471805599453, -0.6931471805599453]",
        latex=r"\log \operatorname{{softmax}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=log_softmax_range,
        inner=SHIFTED,
        curvature=Curvature.CONCAVE,
        grad=("log_softmax_pull(x, g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=log_softmax,
        keras="shims.log_softmax({x}, {axis})",
    ),
    Op(
        sig="normalize(x: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="divide_no_nan(x, norm(x, axis=axis))",
        doc="The value divided by its Euclidean length; 0 where that is 0, and so is its gradient.",
        example="normalize([3, 4]) -> [0.6, 0.8]",
        latex=r"\operatorname{{normalize}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_normalize_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("(norm(x, axis=axis) != 0) * (g - out * sum(g * out, axis=axis)) / nonzero(norm(x, axis=axis))",),
        at_kink="normalize'([0, 0]) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=normalize,
        keras="shims.normalize({x}, ops.sum, {axis})",
    ),
    Op(
        sig="cumsum(x: T[*s], axis: axis = -1) -> T[*s]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc="Running sum along an axis.",
        example="cumsum([1, 2, 3]) -> [1, 3, 6]",
        latex=r"\operatorname{{cumsum}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=_cumsum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.cumsum(x, axis=axis),
        keras="ops.cumsum({x}, axis={axis})",
    ),
    Op(
        sig="flip(x: T[*s], axis: axis = -1) -> T[*s]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc="The values in reverse order along an axis.",
        example="flip([1, 2, 3]) -> [3, 2, 1]",
        latex=r"\operatorname{{flip}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("flip(g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.flip(x, axis=axis),
        keras="ops.flip({x}, axis={axis})",
    ),
)
