"""Rows that derivatives of softmax are made of, and sums without one entry: no formula can name them.

Where one entry has nearly all of a sum, what is left is far below the rounding of that entry. 1 - softmax(x) and
log(softmax(x)) are 0 there if they come from the sum; from a sum of the others alone they keep every digit, and so does
the gradient, by which the last wrong answers would still be unlearned.
"""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import LARGEST, SIGNED_UNIT, ULP, UNIT, Interval, outward, point
from lossdsl.ops.along import log_softmax, log_softmax_range, softmax
from lossdsl.ops.gamma_functions import others_sum
from lossdsl.ops.near_functions import exp_rest
from lossdsl.ops.op import (
    BACKEND,
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    SHIFTED,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)
from lossdsl.ops.reduction import SUM_ULPS, largest_and_rest


def _softmax_pull(x: Array, g: Array, axis: tuple[int, ...] | int) -> Array:
    """From the gradient of the largest entry: there nothing is left of it to cancel."""
    out = softmax(x, axis)
    apart = g - np.sum(g * (out > 0.5), axis=axis, keepdims=True)
    return out * (apart - np.sum(out * apart, axis=axis, keepdims=True))


def _log_softmax_pull(x: Array, g: Array, axis: tuple[int, ...] | int) -> Array:
    """Of an entry with more than half: g times what the others have, less softmax(x) times what their g add up to."""
    out = softmax(x, axis)
    first = g * others_sum(out, axis) - out * others_sum(g, axis)
    return np.where(out > 0.5, first, g - out * np.sum(g, axis=axis, keepdims=True))


def _softmax_others(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Of an entry with more than half, the sum of the others."""
    share, second, powers, whole = _others(x, axis)
    return np.where(share > 0.5, np.exp(second - whole) * np.sum(powers, axis=axis, keepdims=True), 1.0 - share)


def _log_softmax_others(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Of an entry with more than half, by the logarithms of the sums of the others and of all."""
    share, second, powers, whole = _others(x, axis)
    gap = second + np.log(np.sum(powers, axis=axis, keepdims=True)) - whole
    return np.where(share > 0.5, gap, np.log1p(-np.minimum(share, 0.5)))


def _log_softmax_others_pull(x: Array, g: Array, axis: tuple[int, ...] | int) -> Array:
    """Of an entry with more than half, what it gives the others by their shares of what is left."""
    share, _, powers, _ = _others(x, axis)
    most, total = share > 0.5, np.sum(powers, axis=axis, keepdims=True)
    odds = np.where(most, 0.0, g * share / (1.0 - np.minimum(share, 0.5)))
    given = np.sum(np.where(most, g * share, 0.0), axis=axis, keepdims=True)
    return share * (np.sum(odds, axis=axis, keepdims=True) - odds - g) + powers * (given / np.maximum(total, 1.0))


def _others(x: Array, axis: tuple[int, ...] | int) -> tuple[Array, Array, Array, Array]:
    """softmax(x); the largest of all entries but one with more than half, and exponentials by it; the logarithm of the
    whole sum. The second and the last are less the largest x.
    """
    (largest, whole), share = largest_and_rest(x, axis), softmax(x, axis)
    left = np.where(share > 0.5, -np.inf, x - largest)
    second = np.maximum(np.max(left, axis=axis, keepdims=True), -LARGEST)
    return share, second, np.exp(left - second), whole


def _log_softmax_others_range(x: Interval, n: Interval) -> Interval:
    """Not above 0; of one entry alone it is the logarithm of 0, and of more least where that is above all others."""
    least = point(x.lo - x.hi - math.log(2.0)).widened().lo if n.lo >= 2.0 else -math.inf
    return Interval(min(0.0, least), 0.0)


CLOSE = 30.0
"""Up to here the distances of two logits from their mean have exponentials that are summed as they are."""


def _centred(x: Array, y: Array, axis: tuple[int, ...] | int) -> tuple[Array, Array]:
    """softmax(x), and the distances from x to y less their mean by it, counted from that of the largest entry."""
    share = softmax(x, axis)
    apart = np.subtract(y, x)
    apart = apart - np.sum(apart * (share > 0.5), axis=axis, keepdims=True)
    return share, apart - np.sum(share * apart, axis=axis, keepdims=True)


def _softmax_divergence(x: Array, y: Array, axis: tuple[int, ...] | int) -> Array:
    share, apart = _centred(x, y, axis)
    near = np.log1p(np.sum(share * exp_rest(np.minimum(apart, CLOSE)), axis=axis, keepdims=True))
    far = np.sum(share * (log_softmax(x, axis) - log_softmax(y, axis)), axis=axis, keepdims=True)
    return np.where(np.max(apart, axis=axis, keepdims=True) <= CLOSE, near, np.maximum(far, 0.0))


def _softmax_gap(x: Array, y: Array, axis: tuple[int, ...] | int) -> Array:
    share, apart = _centred(x, y, axis)
    close = np.minimum(apart, CLOSE)
    whole = np.sum(share * exp_rest(close), axis=axis, keepdims=True)
    near = share * ((np.expm1(close) - whole) / (1.0 + whole))
    other = softmax(y, axis)
    both = (share > 0.5) & (other > 0.5)
    far = other - share - both * np.sum(other - share, axis=axis, keepdims=True)
    return np.where(np.max(apart, axis=axis, keepdims=True) <= CLOSE, near, far)


def _divergence_range(x: Interval, y: Interval, n: Interval) -> Interval:
    """No more than the largest distance between two logits, less the smallest."""
    rounding = SUM_ULPS * ULP * (x.magnitude + y.magnitude)
    return Interval(0.0, outward(0.0, (x.hi - x.lo) + (y.hi - y.lo) + rounding).hi)


def _softmax_pull_range(x: Interval, g: Interval, n: Interval) -> Interval:
    """A share of the distance to the mean, which is rounded as what it is the mean of."""
    slack = SUM_ULPS * ULP * g.magnitude
    return UNIT * (g - g) + Interval(-slack, slack)


ROWS = (
    Op(
        sig="softmax_divergence(x: float[*s], y: float[*s], axis: axis = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sum(softmax(x, axis=axis) * (log_softmax(x, axis=axis) - log_softmax(y, axis=axis)), axis=axis)",
        doc="Kullback's and Leibler's divergence of two softmaxes, to the last digit where they are nearly the same.",
        example="softmax_divergence([1, 2], [1, 2]) -> 0",
        latex=r"D_{{{axis}}}(\operatorname{{softmax}}({x}) \,\|\, \operatorname{{softmax}}({y}))",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_divergence_range,
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(
            "g * softmax_pull(x, x - y, axis=axis)",
            "g * softmax_gap(x, y, axis=axis)",
        ),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_softmax_divergence,
        keras="shims.softmax_divergence({x}, {y}, {axis})",
    ),
    Op(
        sig="softmax_gap(x: float[*s], y: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="softmax(y, axis=axis) - softmax(x, axis=axis)",
        doc="What softmax(y) is above softmax(x), to the last digit where y and x are nearly the same.",
        example="softmax_gap([0, 0], [0, 0]) -> [0, 0]",
        latex=r"\left(\operatorname{{softmax}}_{{{axis}}}({y}) - \operatorname{{softmax}}_{{{axis}}}({x})\right)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, y, n: SIGNED_UNIT.widened(SUM_ULPS),
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_softmax_gap,
        keras="shims.softmax_gap({x}, {y}, {axis})",
    ),
    Op(
        sig="softmax_others(x: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="1 - softmax(x, axis=axis)",
        doc="1 - softmax(x): what all other entries have, however little that is.",
        example="softmax_others([0, 0]) -> [0.5, 0.5]",
        latex=r"\left(1 - \operatorname{{softmax}}_{{{axis}}}({x})\right)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x, n: UNIT,
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=("-softmax_pull(x, g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_softmax_others,
        keras="shims.softmax_others({x}, {axis})",
    ),
    Op(
        sig="log_softmax_others(x: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="log(1 - softmax(x, axis=axis))",
        doc="log(1 - softmax(x)): what all other entries have, however little that is.",
        example="log_softmax_others([0, 0]) -> [-0.6931471805599453, -0.6931471805599453]",
        latex=r"\log\left(1 - \operatorname{{softmax}}_{{{axis}}}({x})\right)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_log_softmax_others_range,
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=("log_softmax_others_pull(x, g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_log_softmax_others,
        keras="shims.log_softmax_others({x}, {axis})",
    ),
    Op(
        sig="log_softmax_others_pull(x: float[*s], g: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="log_softmax_pull(x, -g * softmax(x, axis=axis) / (1 - softmax(x, axis=axis)), axis=axis)",
        doc="The gradient of `log_softmax_others`, by its argument.",
        example="log_softmax_others_pull([0, 0], [1, 0]) -> [-0.5, 0.5]",
        latex=r"\left(\log(1 - \operatorname{{softmax}})\right)'_{{{axis}}}({x}) \, {g}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, g, n: (SIGNED_UNIT * g * Interval(4.0, 4.0)).widened(SUM_ULPS),
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_log_softmax_others_pull,
        keras="shims.log_softmax_others_pull({x}, {g}, {axis})",
    ),
    Op(
        sig="softmax_pull(x: float[*s], g: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="softmax(x, axis=axis) * (g - sum(g * softmax(x, axis=axis), axis=axis))",
        doc="The gradient of `softmax`, by its argument.",
        example="softmax_pull([0, 0], [1, 0]) -> [0.25, -0.25]",
        latex=r"\operatorname{{softmax}}'_{{{axis}}}({x}) \, {g}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED),
        range=_softmax_pull_range,
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_softmax_pull,
        keras="shims.softmax_pull({x}, {g}, {axis})",
    ),
    Op(
        sig="log_softmax_pull(x: float[*s], g: float[*s], axis: axis = -1) -> float[*s]",
        family=Family.ALONG,
        means="g - softmax(x, axis=axis) * sum(g, axis=axis)",
        doc="The gradient of `log_softmax`, by its argument.",
        example="log_softmax_pull([0, 0], [1, 0]) -> [0.5, -0.5]",
        latex=r"(\log \operatorname{{softmax}})'_{{{axis}}}({x}) \, {g}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, g, n: (g - UNIT * g * n).widened(SUM_ULPS),
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_log_softmax_pull,
        keras="shims.log_softmax_pull({x}, {g}, {axis})",
    ),
    Op(
        sig="others_sum(x: float[*s], axis: axis = none) -> float[*s]",
        family=Family.ALONG,
        means="sum(x, axis=axis) - x",
        doc="For each value, the sum of all others along the axes.",
        example="others_sum([1, 2, 3]) -> [5, 4, 3]",
        latex=r"\sum_{{{axis}}}^{{\ne}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=lambda x, n: (x * (n - Interval(1.0, 1.0))).widened(SUM_ULPS),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("others_sum(g, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=others_sum,
        keras="shims.others_sum({x}, {axis})",
    ),
    Op(
        sig="sum_log_softmax(x: float[*s], t: float[*s], axis: axis = none) -> float[*s - axis]",
        family=Family.REDUCTION,
        means="sum(t * log_softmax(x, axis=axis), axis=axis)",
        doc="Cross-entropy, but for its sign, from what both have at hand.",
        example="sum_log_softmax([0, 0], [1, 1]) -> -1.3862943611198906",
        latex=r"\sum_{{{axis}}} {t} \log \operatorname{{softmax}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=lambda x, t, n: (t * log_softmax_range(x, n) * n).widened(SUM_ULPS),
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=("sum_log_softmax_pull(x, t, g, axis=axis)", "g * log_softmax(x, axis=axis)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, t, axis: np.sum(t * log_softmax(x, axis), axis=axis, keepdims=True),
        keras="shims.sum_log_softmax({x}, {t}, axis={axis}, keepdims=True)",
    ),
    Op(
        sig="sum_log_softmax_pull(x: float[*s], t: float[*s], g: float[*s], axis: axis = none) -> float[*s]",
        family=Family.ALONG,
        means="g * (t - softmax(x, axis=axis) * sum(t, axis=axis))",
        doc="The gradient of `sum_log_softmax` by x.",
        example="sum_log_softmax_pull([0, 0], [1, 0], 2) -> [1, -1]",
        latex=r"{g} \, (\log \operatorname{{softmax}})'_{{{axis}}}({x}) \, {t}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, t, g, n: (g * (t - UNIT * t * n)).widened(SUM_ULPS),
        inner=SHIFTED,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, t, g, axis: g * _log_softmax_pull(x, t, axis),
        keras="shims.sum_log_softmax_pull({x}, {t}, {g}, {axis})",
    ),
    Op(
        sig="rounded(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x",
        doc="The value itself, as a number of its type: no optimiser computes it anew without rounding it.",
        example="rounded(2) -> 2",
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
        keras="ops.minimum({x}, 3.4028234663852886e+38)",
    ),
)
