"""Rows for sums of squares that rewriting puts in place of what a formula says, where a square would overflow, vanish
or cancel though the value itself does not: no formula can name them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lossdsl.interval import SMALLEST, YES, Interval, by_ends
from lossdsl.ops.along import normalize
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    Array,
    Curvature,
    Family,
    Inner,
    Monotone,
    Op,
    for_finite,
)
from lossdsl.ops.reduction import SUM_ULPS, norm


def _nonzero_range(x: Interval) -> Interval:
    """Numbers below the smallest normal one are not told from 0."""
    return Interval(SMALLEST, max(x.hi, 1.0)) if x.lo == 0.0 else x.hull(YES) if 0.0 in x else x


def _hypot_range(x1: Interval, x2: Interval) -> Interval:
    ends = [math.hypot(a, b) for a, b in ((x1.mignitude, x2.mignitude), (x1.magnitude, x2.magnitude))]
    return Interval(*ends).widened()


def _over_hypot(x1: Array, x2: Array) -> Array:
    length = np.hypot(x1, x2)
    return np.where(length == 0.0, 0.0, np.true_divide(x1, np.where(length == 0.0, 1.0, length)))


def _over_hypot_range(x1: Interval, x2: Interval) -> Interval:
    return Interval(-1.0 if x1.lo < 0.0 else 0.0, 1.0 if x1.hi > 0.0 else 0.0).widened()


def _hypotm1(x: Array) -> Array:
    return np.multiply(x, np.true_divide(x, 1.0 + np.hypot(x, 1.0)))


def _log1p_square(x: Array, c: Array) -> Array:
    """Twice the logarithm where the square would be infinite."""
    size = np.abs(np.multiply(x, c))
    far = size > 1e100
    return np.where(far, 2.0, 1.0) * np.log1p(np.where(far, size, np.square(np.minimum(size, 1e100))))


def _even(function: Callable[[Array], Array], x: Interval, rises: bool = True) -> Interval:
    """The range of a function of the size of its argument, with which it rises, or falls."""
    return by_ends(lambda size: function(np.clip(size, 0.0, 1e150)), (rises,), abs(x))


def _lorentz(x: Array) -> Array:
    return 1.0 / (1.0 + np.square(x))


def _damped(x1: Array, x2: Array) -> Array:
    """Two quotients by the size, which far out is all that shows."""
    size = np.maximum(np.abs(x2), 1e100)
    return np.where(np.abs(x2) > 1e100, x1 / size / size, x1 / (1.0 + np.square(np.minimum(np.abs(x2), 1e100))))


def _serpentine(x: Array, c: Array) -> Array:
    """1 / (c * c * x) far out."""
    size = np.multiply(c, x)
    far = np.abs(size) > 1e100
    near = np.where(far, 0.0, size)
    return np.where(far, 1.0 / np.where(far, np.multiply(c, size), 1.0), x / (1.0 + np.square(near)))


def _serpentine_range(x: Interval, c: Interval) -> Interval:
    """No further from 0 than x, nor than 1 / (2 * c)."""
    most = x.magnitude if c.mignitude == 0.0 else min(x.magnitude, 0.5 / c.mignitude)
    return Interval(-most if x.lo < 0.0 else 0.0, most if x.hi > 0.0 else 0.0).widened()


def _square_share(x: Array) -> Array:
    squares = np.minimum(np.square(x), 2.0**60)
    return squares / (1.0 + squares)


def _root_mean_square(x: Array, axis: tuple[int, ...] | int) -> Array:
    length = norm(x, axis)
    return length / np.sqrt(np.size(x) / np.size(length))


def _rms_normalize_range(x: Interval, n: Interval) -> Interval:
    most = math.sqrt(n.hi)
    return Interval(-most if x.lo < 0.0 else 0.0, most if x.hi > 0.0 else 0.0).widened(SUM_ULPS)


def _centered_range(x: Interval, n: Interval) -> Interval:
    """The mean is never taken to lie outside the numbers that it is of."""
    return (x - x).widened()


def _cosine_distance(x1: Array, x2: Array, axis: tuple[int, ...] | int) -> Array:
    apart = np.square(normalize(x1, axis) - normalize(x2, axis))
    none = (norm(x1, axis) == 0.0) | (norm(x2, axis) == 0.0)
    return np.where(none, 1.0, 0.5 * np.sum(apart, axis=axis, keepdims=True))


ROWS = (
    Op(
        sig="nonzero(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x == 0, 1, x)",
        doc="The value, or 1 where that is 0: what divides a 0.",
        example="nonzero(0) -> 1",
        latex=r"\operatorname{{nonzero}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=_nonzero_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x == 0, 0, g)",),
        at_kink="nonzero'(0) = 0",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: np.where(np.equal(x, 0), 1.0, x),
        keras="shims.nonzero({x})",
    ),
    Op(
        sig="hypot(x1: float[*s], x2: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="sqrt(square(x1) + square(x2))",
        doc="The root of the sum of two squares, which may be too large for floats; its gradient at 0 is 0.",
        example="hypot(3, 4) -> 5",
        latex=r"\sqrt{{{x1}^2 + {x2}^2}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_hypot_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * over_hypot(x1, x2)", "g * over_hypot(x2, x1)"),
        at_kink="hypot'(0, 0) = 0, 0",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=np.hypot,
        keras="shims.hypot({x1}, {x2})",
    ),
    Op(
        sig="over_hypot(x1: float[*s], x2: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x1 == 0, 0, x1 / hypot(x1, x2))",
        doc="x1 / hypot(x1, x2), but 0 where both are 0: the cosine of the angle in a right triangle.",
        example="over_hypot(3, 4) -> 0.6",
        latex=r"\frac{{{x1}}}{{\sqrt{{{x1}^2 + {x2}^2}}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.BY_GRAD),
        range=_over_hypot_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(
            "g * square(over_hypot(x2, x1)) / nonzero(hypot(x1, x2))",
            "-g * over_hypot(x1, x2) * over_hypot(x2, x1) / nonzero(hypot(x1, x2))",
        ),
        at_kink="over_hypot'(0, 0) = 0, 0",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_over_hypot,
        keras="shims.over_hypot({x1}, {x2})",
    ),
    Op(
        sig="hypotm1(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="sqrt(1 + square(x)) - 1",
        doc="hypot(x, 1) - 1, exact for small x.",
        example="hypotm1(0) -> 0",
        latex=r"\sqrt{{1 + {x}^2}} - 1",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _even(_hypotm1, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * over_hypot(x, 1)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_hypotm1,
        keras="shims.hypotm1({x})",
    ),
    Op(
        sig="log1p_square(x: float[*s], c: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(1 + square(c * x))",
        doc="The logarithm of 1 + a square, which may be too large for floats.",
        example="log1p_square(0, 3) -> 0",
        latex=r"\log(1 + ({c} {x})^2)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=lambda x, c: _even(lambda size: _log1p_square(size, 1.0), x * c),
        inner=Inner(lambda x, c: (x * c).square()),
        curvature=Curvature.NEITHER,
        grad=("2 * g * square(c) * serpentine(x, c)", "2 * g * (c * x) * serpentine(x, c)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=for_finite(_log1p_square),
        keras="shims.log1p_square({x}, {c})",
    ),
    Op(
        sig="damped(x1: float[*s], x2: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x1 / (1 + square(x2))",
        doc="x1 / (1 + square(x2)), also where the square is too large for floats.",
        example="damped(3, 1) -> 1.5",
        latex=r"\frac{{{x1}}}{{1 + {x2}^2}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.BY_GRAD),
        range=lambda x1, x2: x1 * _even(_lorentz, x2, rises=False),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("damped(g, x2)", "damped(damped(-2 * g * x1 * x2, x2), x2)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_damped,
        keras="shims.damped({x1}, {x2})",
    ),
    Op(
        sig="serpentine(x: float[*s], c: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x / (1 + square(c * x))",
        doc="x / (1 + square(c * x)), also where the square is too large for floats.",
        example="serpentine(3, 1) -> 0.3",
        latex=r"\frac{{{x}}}{{1 + ({c} {x})^2}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_serpentine_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(
            "g * damped(1 - c * x, c * x) * damped(1 + c * x, c * x)",
            "-2 * g * (c * x) * serpentine(x, c) * serpentine(x, c)",
        ),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_serpentine,
        keras="shims.serpentine({x}, {c})",
    ),
    Op(
        sig="square_share(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="square(x) / (1 + square(x))",
        doc="The share of a square in 1 + the square, which may be too large for floats.",
        example="square_share(1) -> 0.5",
        latex=r"\frac{{{x}^2}}{{1 + {x}^2}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _even(_square_share, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("damped(damped(2 * g * x, x), x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_square_share,
        keras="shims.square_share({x})",
    ),
    Op(
        sig="centered(x: float[*s], axis: axis) -> float[*s]",
        family=Family.ALONG,
        means="x - mean(x, axis=axis)",
        doc="The value less its mean: of equal numbers nothing is left, however a mean is rounded.",
        example="centered([1, 2, 6], axis=0) -> [-2, -1, 3]",
        latex=r"({x} - \operatorname*{{mean}}_{{{axis}}} {x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_centered_range,
        inner=Inner(lambda x, n: x * n),
        curvature=Curvature.AFFINE,
        grad=("centered(g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.subtract(x, np.mean(x, axis=axis, keepdims=True)),
        keras="shims.centered({x}, ops.mean, {axis})",
    ),
    Op(
        sig="root_mean_square(x: float[*s], axis: axis) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sqrt(mean(square(x), axis=axis))",
        doc="The root of the mean of the squares, which may be too large for floats; its gradient at 0 is 0.",
        example="root_mean_square([1, 7], axis=0) -> 5",
        latex=r"\operatorname{{rms}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x, n: abs(x).widened(SUM_ULPS),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * rms_normalize(x, axis=axis) / size(x, axis=axis)",),
        at_kink="root_mean_square'([0, 0], axis=0) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_root_mean_square,
        keras="shims.norm({x}, ops.mean, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="rms_normalize(x: float[*s], axis: axis) -> float[*s]",
        family=Family.ALONG,
        means="divide_no_nan(x, root_mean_square(x, axis=axis))",
        doc="The value divided by its root mean square; 0 where that is 0, and so is its gradient.",
        example="rms_normalize([1, 7], axis=0) -> [0.2, 1.4]",
        latex=r"\operatorname{{rmsnorm}}_{{{axis}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_rms_normalize_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(
            "(root_mean_square(x, axis=axis) != 0) * (g - out * mean(g * out, axis=axis))"
            " / nonzero(root_mean_square(x, axis=axis))",
        ),
        at_kink="rms_normalize'([0, 0], axis=0) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: normalize(x, axis) * np.sqrt(np.size(x) / np.size(norm(x, axis))),
        keras="shims.normalize({x}, ops.mean, {axis})",
    ),
    Op(
        sig="cosine_distance(x1: float[*s], x2: float[*s], axis: axis) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="1 - sum(normalize(x1, axis=axis) * normalize(x2, axis=axis), axis=axis)",
        doc="1 less the cosine of the angle between two vectors, exact where that is small.",
        example="cosine_distance([1, 0], [0, 2], axis=0) -> 1",
        latex=r"1 - \cos_{{{axis}}}({x1}, {x2})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=lambda x1, x2, n: Interval(0.0, 2.0).widened(SUM_ULPS),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        # the directions first: where they are nearly one, their difference is all there is
        grad=(
            "(norm(x1, axis=axis) != 0) * g * (normalize(x1, axis=axis) - normalize(x2, axis=axis)"
            " - out * normalize(x1, axis=axis)) / nonzero(norm(x1, axis=axis))",
            "(norm(x2, axis=axis) != 0) * -g * (normalize(x1, axis=axis) - normalize(x2, axis=axis)"
            " + out * normalize(x2, axis=axis)) / nonzero(norm(x2, axis=axis))",
        ),
        at_kink="cosine_distance'([0, 0], [1, 0], axis=0) = [0, 0], [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_cosine_distance,
        keras="shims.cosine_distance({x1}, {x2}, ops.sum, {axis})",
    ),
)
