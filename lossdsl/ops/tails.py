"""Rows that rewriting puts in place of what is lost in rounding far out in a tail, or near 0.

The chance that a normal number is below x, near 0 and near 1; and the chance of a thing that comes from either of two
sources, less that of one of them. No formula can name them.
"""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import LARGEST, NO, NONNEGATIVE, SIGNED_UNIT, Interval, by_ends
from lossdsl.ops.activation import sigmoid
from lossdsl.ops.op import (
    BACKEND,
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
    RangeRule,
    for_finite,
)
from lossdsl.ops.special_functions import mills_ratio

HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)
FURTHEST = 700.0
"""Exponents up to here have an exponential in float64."""


def _log_normal_cdf(x: Array) -> Array:
    """By Mills' ratio of what is left beyond |x| to the density there."""
    size = np.abs(x)
    log_beyond = np.log(mills_ratio(size)) - 0.5 * np.square(size) - HALF_LOG_TAU
    return np.where(np.less(x, 0), log_beyond, np.log1p(-np.exp(log_beyond)))


def _normal_ratio(x: Array) -> Array:
    size = np.abs(x)
    ratio = mills_ratio(size)
    density = np.exp(-0.5 * np.square(size) - HALF_LOG_TAU)
    return np.where(np.less(x, 0), 1.0 / ratio, density / (1.0 - density * ratio))


def _logaddexp_gap(x: Array, y: Array) -> Array:
    """log((1 + exp(x)) / (exp(x) + exp(y))): by log1p, but where the second is far below the first."""
    share = sigmoid(-x) * np.expm1(np.minimum(y, FURTHEST))
    near = (share > -0.5) & (y < FURTHEST)
    direct = np.logaddexp(0.0, x) - np.logaddexp(x, y)
    return np.where(near, -np.log1p(np.where(near, share, 0.0)), direct)


def _sigmoid_gap(x: Array, y: Array) -> Array:
    """With the factor expm1 of y or -y, whichever is below 0."""
    first, second = (sigmoid(x - y), sigmoid(-x)), (sigmoid(x), sigmoid(y - x))
    below = np.less(y, 0)
    return np.where(below, first[0] * first[1], -second[0] * second[1]) * np.expm1(-np.abs(y))


def _exp_softplus(x: Array, y: Array) -> Array:
    """exp of the smaller one, times something moderate."""
    s = x - y
    below = np.minimum(s, 0.0)
    tiny = below < -40.0
    share = np.where(tiny, 1.0, np.log1p(np.exp(below)) * np.exp(-np.where(tiny, 0.0, below)))
    return np.exp(np.minimum(x, y)) * np.where(s < 0, share, np.logaddexp(0.0, s))


def _exp_softplus_slope(x: Array, y: Array) -> Array:
    """For x below y by a series in exp(x - y), in which log(1 + exp(x - y)) has no first term left."""
    s = x - y
    w = np.exp(np.minimum(s, 0.0))
    q = w / (2.0 + w)
    second = (q * sum(2.0 / (2 * k + 3) * q ** (2 * k) for k in range(18)) / (2.0 + w) - 1.0) / (2.0 + w)
    below = np.exp(x) * w * (1.0 / (1.0 + w) + second)
    return np.where(s < 0, below, np.exp(y) * (np.logaddexp(0.0, s) - sigmoid(s)))


def _logaddexp_gap_range(x: Interval, y: Interval) -> Interval:
    """Between 0 and -y: what is added to exp(x) is 1 above and exp(y) below."""
    return (-y).hull(Interval(0.0, 0.0)).widened()


def _exp_softplus_range(x: Interval, y: Interval) -> Interval:
    """Nothing is left where the first factor, or that of x, vanishes; anything, where their distance overflows."""
    if (x - y).magnitude > LARGEST:
        return NONNEGATIVE
    found = by_ends(_exp_softplus, (True, True), x, y)
    return found.hull(NO) if min(x.lo, y.lo) < -87.0 else found


ROWS = (
    Op(
        sig="log_normal_cdf(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(0.5 + 0.5 * erf(x / sqrt(2)))",
        doc="log of the chance that a standard normal number is below x, in both tails.",
        example="log_normal_cdf(0) -> -0.6931471805599453",
        latex=r"\log \Phi({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONCAVE,
        grad=("g * normal_ratio(x)",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=for_finite(_log_normal_cdf),
        keras="shims.log_normal_cdf({x})",
    ),
    Op(
        sig="normal_ratio(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(-square(x) / 2) / (sqrt(pi / 2) * (1 + erf(x / sqrt(2))))",
        doc="Derivative of `log_normal_cdf`: about -x far below 0.",
        example="normal_ratio(0) -> 0.7978845608028654",
        latex=r"\frac{{\phi({x})}}{{\Phi({x})}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.DOWN,),
        range=RangeRule.FROM_MONOTONE,
        inner=Inner(lambda x: (x.square() + Interval(40.0, 40.0)) * Interval(-1.0, 1.0)),
        curvature=Curvature.CONVEX,
        grad=("-g * out * (x + out)",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=for_finite(_normal_ratio),
        keras="shims.normal_ratio({x})",
    ),
    Op(
        sig="logaddexp_gap(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log((1 + exp(x)) / (exp(x) + exp(y)))",
        doc="softplus(x) - logaddexp(x, y), with all digits where y is nearly 0.",
        example="logaddexp_gap(0, 0) -> 0",
        latex=r"\log \frac{{1 + e^{{{x}}}}}{{e^{{{x}}} + e^{{{y}}}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.DOWN),
        range=_logaddexp_gap_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * sigmoid_gap(x, y)", "-g * sigmoid(y - x)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_logaddexp_gap,
        keras="shims.logaddexp_gap({x}, {y})",
    ),
    Op(
        sig="sigmoid_gap(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="1 / (1 + exp(-x)) - 1 / (1 + exp(y - x))",
        doc="sigmoid(x) - sigmoid(x - y), the derivative of `logaddexp_gap`.",
        example="sigmoid_gap(0, 0) -> 0",
        latex=r"(\sigma({x}) - \sigma({x} - {y}))",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UP),
        range=lambda x, y: SIGNED_UNIT,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_sigmoid_gap,
        keras="shims.sigmoid_gap({x}, {y})",
    ),
    Op(
        sig="exp_softplus(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(y) * softplus(x - y)",
        doc="exp(y) * softplus(x - y): nearly exp(x) where that is far smaller, however large exp(y) is.",
        example="exp_softplus(0, 0) -> 0.6931471805599453",
        latex=r"e^{{{y}}} \log(1 + e^{{{x} - {y}}})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UP),
        range=_exp_softplus_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * exp(minimum(x, y)) * sigmoid(abs(x - y))", "g * exp_softplus_slope(x, y)"),
        at_kink=NO_KINK,
        safe=(0.0, 0.0),
        masked=NOT_A_REDUCTION,
        numpy=_exp_softplus,
        keras="shims.exp_softplus({x}, {y})",
    ),
    Op(
        sig="exp_softplus_slope(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(y) * (softplus(x - y) - sigmoid(x - y))",
        doc="Derivative of `exp_softplus` by y.",
        example="exp_softplus_slope(-1000, -1000) -> 0",
        latex=r"e^{{{y}}} (\log(1 + e^{{{x} - {y}}}) - \sigma({x} - {y}))",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=lambda x, y: NONNEGATIVE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(BACKEND, BACKEND),
        at_kink=NO_KINK,
        safe=(0.0, 0.0),
        masked=NOT_A_REDUCTION,
        numpy=_exp_softplus_slope,
        keras="shims.exp_softplus_slope({x}, {y})",
    ),
)
