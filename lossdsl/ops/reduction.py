"""Rows: many values to one, along axes. Every one of them takes `where=`."""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import ULP, Interval
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOTHING_LARGER,
    PRIMITIVE,
    SHIFTED,
    Array,
    Curvature,
    Family,
    Inner,
    Monotone,
    Op,
    RangeRule,
)

SUM_ULPS = 64
"""Float32 units in the last place by which a long sum may err: frameworks add in blocks."""
MOST_COUNTED = 2.0**24
"""Up to here float32 holds every whole number."""


def norm(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Euclidean length, scaled so that no square overflows or vanishes."""
    largest = np.max(np.abs(x), axis=axis, keepdims=True)
    scale = np.where((largest > 0.0) & np.isfinite(largest), largest, 1.0)
    return scale * np.sqrt(np.sum(np.square(x / scale), axis=axis, keepdims=True))


def logsumexp(x: Array, axis: tuple[int, ...] | int) -> Array:
    """log of the sum of exponentials, shifted by the largest."""
    largest, rest = largest_and_rest(x, axis)
    return largest + rest


def largest_and_rest(x: Array, axis: tuple[int, ...] | int) -> tuple[Array, Array]:
    """The largest value, and what logsumexp adds to it: by log1p, which keeps what is far below it."""
    largest = np.max(x, axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0.0)
    first = np.equal(x, largest)
    others = np.sum(np.where(first, 0.0, np.exp(x - shift)), axis=axis, keepdims=True)
    return largest, np.log1p(others + (np.sum(first, axis=axis, keepdims=True) - 1.0))


def exact_ends(total: Interval, entry: Interval, ulps: float = SUM_ULPS) -> Interval:
    """Where a long sum lies: with slack, but for whole entries that add up to what floats can count."""
    wide = total.widened(ulps)
    ends = [(total.lo, entry.lo), (total.hi, entry.hi)]
    low, high = (end.is_integer() and part.is_integer() and abs(end) <= MOST_COUNTED for end, part in ends)
    return Interval(total.lo if low else wide.lo, total.hi if high else wide.hi)


def _sum_range(x: Interval, n: Interval) -> Interval:
    return exact_ends(x * n, x)


def products_range(x1: Interval, x2: Interval, n: Interval) -> Interval:
    """Where a sum of products lies."""
    whole = all(end.is_integer() for x in (x1, x2) for end in (x.lo, x.hi))
    return exact_ends(x1 * x2 * n, x1 * x2) if whole else (x1 * x2 * n).widened(SUM_ULPS)


def _mean_range(x: Interval, n: Interval) -> Interval:
    """A sum times the rounded inverse of a size, under XLA: by that the mean of three ones is above 1."""
    halved = n.is_point and math.frexp(n.lo)[0] == 0.5
    return (exact_ends(x * n, x) / n) if halved else x.widened(SUM_ULPS)


def _prod_range(x: Interval, n: Interval) -> Interval:
    if x.lo >= 0.0:
        return exact_ends(x**n, x)
    return signed_power(x, n)


def signed_power(x: Interval, n: Interval) -> Interval:
    """Products of so many numbers of either sign."""
    size = Interval(0.0, x.magnitude)
    bound = exact_ends(size**n, size).hi
    return Interval(-bound, bound)


def _var_range(x: Interval, n: Interval) -> Interval:
    return Interval(0.0, _std_range(x, n).square().widened(SUM_ULPS).hi)


def _std_range(x: Interval, n: Interval) -> Interval:
    """Half the distance of the ends, at most, and by how much the mean may be off."""
    spread = x.magnitude if math.isinf(x.magnitude) else (x.hi - x.lo) / 2.0 + SUM_ULPS * ULP * x.magnitude
    return Interval(0.0, Interval(0.0, spread).widened(SUM_ULPS).hi)


def _norm_range(x: Interval, n: Interval) -> Interval:
    root = Interval(math.sqrt(n.lo), math.sqrt(n.hi))
    return (abs(x) * root).widened(SUM_ULPS)


def _logsumexp_range(x: Interval, n: Interval) -> Interval:
    most = (x.widened() + Interval(math.log(n.lo), math.log(n.hi)).widened()).widened()
    return Interval(x.lo, most.hi)  # never less than the largest, which is in it as it is


def _sum_and_squares(x: Interval, n: Interval) -> Interval:
    """What a variance is computed from: the sum, and the sum of the squared distances from the mean."""
    return (x * n).hull((x - x).square() * n)


ROWS = (
    Op(
        sig="sum(x: T[*s], axis: axis = none, where: bool[*s] = none) -> T[*s - axis]",
        family=Family.REDUCTION,
        means=PRIMITIVE,
        doc="Sum along axes. It is 0 where `where=` selects nothing.",
        example="sum([1, 2, 3]) -> 6",
        latex=r"\sum_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=lambda x, n: _sum_range(x, n),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("spread(g, x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="sum(where(c, x, 0), axis=axis)",
        numpy=lambda x, axis: np.sum(x, axis=axis, keepdims=True),
        keras="ops.sum({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="mean(x: float[*s], axis: axis = none, where: bool[*s] = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sum(x, axis=axis) / size(x, axis=axis)",
        doc="Arithmetic mean along axes. It is 0 where `where=` selects nothing.",
        example="mean([1, 2, 6]) -> 3",
        latex=r"\operatorname*{{mean}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=_mean_range,
        inner=Inner(lambda x, n: x * n),
        curvature=Curvature.AFFINE,
        grad=("spread(g / size(x, axis=axis), x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="sum(where(c, x, 0), axis=axis) / maximum(sum(c, axis=axis), 1)",
        numpy=lambda x, axis: np.mean(x, axis=axis, keepdims=True),
        keras="ops.mean({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="prod(x: T[*s], axis: axis = none, where: bool[*s] = none) -> T[*s - axis]",
        family=Family.REDUCTION,
        means=PRIMITIVE,
        doc="Product along axes. It is 1 where `where=` selects nothing.",
        example="prod([2, 3, 4]) -> 24",
        latex=r"\prod_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_prod_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * others_prod(x, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="prod(where(c, x, 1), axis=axis)",
        numpy=lambda x, axis: np.prod(x, axis=axis, keepdims=True),
        keras="ops.prod({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="max(x: T[*s], axis: axis = none, where: bool[*s] = none) -> T[*s - axis]",
        family=Family.REDUCTION,
        means=PRIMITIVE,
        doc=(
            "Largest value along axes; equal ones share the gradient. It is the lowest float32 where"
            " `where=` selects nothing."
        ),
        example="max([1, 3, 2]) -> 3",
        latex=r"\max_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("where(x == out, g / sum(x == out, axis=axis), 0)",),
        at_kink="max'([1, 1]) = [0.5, 0.5]",
        safe=NO_LIMITS,
        masked="max(where(c, x, -3.4028235e38), axis=axis)",
        numpy=lambda x, axis: np.max(x, axis=axis, keepdims=True),
        keras="ops.max({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="min(x: T[*s], axis: axis = none, where: bool[*s] = none) -> T[*s - axis]",
        family=Family.REDUCTION,
        means=PRIMITIVE,
        doc=(
            "Smallest value along axes; equal ones share the gradient. It is the largest float32"
            " where `where=` selects nothing."
        ),
        example="min([3, 1, 2]) -> 1",
        latex=r"\min_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONCAVE,
        grad=("where(x == out, g / sum(x == out, axis=axis), 0)",),
        at_kink="min'([1, 1]) = [0.5, 0.5]",
        safe=NO_LIMITS,
        masked="min(where(c, x, 3.4028235e38), axis=axis)",
        numpy=lambda x, axis: np.min(x, axis=axis, keepdims=True),
        keras="ops.min({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="var(x: float[*s], axis: axis = none, where: bool[*s] = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="mean(square(x - mean(x, axis=axis)), axis=axis)",
        doc="Mean squared distance from the mean. It is 0 where `where=` selects nothing.",
        example="var([1, 3]) -> 1",
        latex=r"\operatorname{{var}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_var_range,
        inner=Inner(_sum_and_squares),
        curvature=Curvature.CONVEX,
        grad=("g * 2 * (x - mean(x, axis=axis)) / size(x, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="mean(square(x - mean(x, axis=axis, where=c)), axis=axis, where=c)",
        numpy=lambda x, axis: np.var(x, axis=axis, keepdims=True),
        keras="ops.var({x}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="std(x: float[*s], axis: axis = none, where: bool[*s] = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sqrt(var(x, axis=axis))",
        doc="Standard deviation, the square root of `var`; its gradient is 0 where it is 0.",
        example="std([1, 3]) -> 1",
        latex=r"\operatorname{{std}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_std_range,
        inner=Inner(_sum_and_squares),
        curvature=Curvature.CONVEX,
        grad=("g * rms_normalize(x - mean(x, axis=axis), axis=axis) / size(x, axis=axis)",),
        at_kink="std'([1, 1]) = [0, 0]",
        safe=NO_LIMITS,
        # the mean twice: of equal numbers it is that number then, and nothing is left of them
        masked=(
            "std(where(c, x, mean(x, axis=axis, where=c) + mean(x - mean(x, axis=axis, where=c), axis=axis, where=c)),"
            " axis=axis) * sqrt(size(c, axis=axis) / maximum(sum(c, axis=axis), 1))"
        ),
        numpy=lambda x, axis: np.std(x, axis=axis, keepdims=True),
        keras="shims.std({x}, ops.mean, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="norm(x: float[*s], axis: axis = none, where: bool[*s] = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sqrt(sum(square(x), axis=axis))",
        doc="Euclidean length along axes; its gradient is 0 where it is 0.",
        example="norm([3, 4]) -> 5",
        latex=r"\left\lVert {x} \right\rVert_{{{axis}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_norm_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        # not x over the length times g: the quotient of g and the length may be too large, or too small
        grad=("g * normalize(x, axis=axis)",),
        at_kink="norm'([0, 0]) = [0, 0]",
        safe=NO_LIMITS,
        masked="norm(where(c, x, 0), axis=axis)",
        numpy=norm,
        keras="shims.norm({x}, ops.sum, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="logsumexp(x: float[*s], axis: axis = none, where: bool[*s] = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="log(sum(exp(x), axis=axis))",
        doc=(
            "log of the sum of exponentials; never overflows. It is the lowest float32 where `where=` selects nothing."
        ),
        example="logsumexp([0, 0]) -> 0.6931471805599453",
        latex=r"\log \sum_{{{axis}}} e^{{{x}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=_logsumexp_range,
        inner=SHIFTED,
        curvature=Curvature.CONVEX,
        # not exp(x - out): far out, `out` is rounded to more than what the largest entry adds to
        grad=("g * softmax(x, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked="logsumexp(where(c, x, -3.4028235e38), axis=axis)",
        numpy=logsumexp,
        keras="shims.logsumexp({x}, axis={axis}, keepdims=True)",
    ),
)
