"""Rows that rewriting puts in place of what a formula says, where that would lose digits: no formula can name them."""

from __future__ import annotations

import numpy as np

from lossdsl.interval import UNIT, Interval, by_ends
from lossdsl.ops.activation import sigmoid
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
    RangeRule,
    for_finite,
)
from lossdsl.ops.special import product_with


def _log_cosh(x: Array) -> Array:
    """No terms that cancel near 0, nothing that overflows far from it."""
    size = np.abs(x)
    near = np.log1p(-np.square(np.tanh(np.minimum(size, 1.0)))) / -2
    return np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - np.log(2.0))


def _log_bernoulli(x: Array, z: Array) -> Array:
    return np.multiply(z, np.subtract(x, np.greater(z, 0))) - np.log1p(np.exp(-np.abs(z)))


def _less_sigmoid(x: Array, z: Array) -> Array:
    """By the smaller of the two probabilities, and the label's distance from the nearer end."""
    positive = np.greater(z, 0)
    small = sigmoid(-np.abs(z))
    return np.subtract(x, positive) + np.where(positive, small, -small)


FURTHEST = 1417.0
"""No exponent beyond it matters in float64: its half has an exponential, and both make inf of the smallest number."""


def _times_exp(x: Array, y: Array) -> Array:
    """In two halves: neither is infinite where x is small, nor 0 where x is large."""
    half = np.exp(np.minimum(y, FURTHEST) / 2)
    return np.multiply(x, half) * half


def _exp_difference(x: Array, y: Array) -> Array:
    """The larger exponential, times what the distance leaves of it."""
    share = -np.expm1(-np.abs(np.subtract(x, y)))
    return np.where(np.equal(x, y), 0.0, np.where(np.less(x, y), -1.0, 1.0) * _times_exp(share, np.maximum(x, y)))


_XLOG1PY, _XLOG1PY_RANGE = product_with(np.log1p, -1.0)


def _log_bernoulli_range(x: Interval, z: Interval) -> Interval:
    """No further from 0 than `abs(z)`, as often as `x` is from its nearest end, and log(2)."""
    share = max(1.0, abs(x).hi, abs(Interval(1.0, 1.0) - x).hi)
    most = (Interval(0.0, abs(z).hi) * Interval(0.0, share) + Interval(0.0, 0.7)).widened().hi
    return Interval(-most, 0.0 if UNIT.covers(x) else most)


ROWS = (
    Op(
        sig="log_cosh(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(cosh(x))",
        doc="The logarithm of the hyperbolic cosine, accurate near 0 and far from it.",
        example="log_cosh(0) -> 0",
        latex=r"\log \cosh {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: Interval(float(_log_cosh(abs(x).lo)), float(_log_cosh(abs(x).hi))).widened(),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * tanh(x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_log_cosh,
        keras="shims.log_cosh({x})",
    ),
    Op(
        sig="log_bernoulli(x: float[*s], z: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x * log_sigmoid(z) + (1 - x) * log_sigmoid(-z)",
        doc="The log-likelihood of labels, or shares, under the logits z; minus the binary cross-entropy.",
        example="log_bernoulli(1, 0) -> -0.6931471805599453",
        latex=r"\log \operatorname{{Bernoulli}}({x} \mid \sigma({z}))",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_log_bernoulli_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * z", "g * less_sigmoid(x, z)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_log_bernoulli,
        keras="shims.log_bernoulli({x}, {z})",
    ),
    Op(
        sig="less_sigmoid(x: float[*s], z: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x - 1 / (1 + exp(-z))",
        doc="x - sigmoid(z), to the last digit where x is 0 or 1: what is learnt from labels that are nearly right.",
        example="less_sigmoid(1, 0) -> 0.5",
        latex=r"\left({x} - \sigma({z})\right)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.DOWN),
        range=lambda x, z: (x - by_ends(sigmoid, (True,), z)).widened(),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g", "-g * sigmoid(z) * sigmoid(-z)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_less_sigmoid,
        keras="shims.less_sigmoid({x}, {z})",
    ),
    Op(
        sig="xlog1py(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x == 0, 0, x * log1p(where(x == 0, 0, y)))",
        doc="x * log1p(y), but 0 where x is 0.",
        example="xlog1py(0, -1) -> 0",
        latex=r"{x} \log (1 + {y})",
        domain="y > -1 or x == 0",
        guard="maximum(y, epsilon - 1)",
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_XLOG1PY_RANGE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x == 0 and y <= -1, 0, g * log1p(y))", "xdivy(g * x, 1 + y)"),
        at_kink="xlog1py'(0, -1) = 0, 0; xlog1py'(0, -2) = 0, 0",
        safe=(None, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=_XLOG1PY,
        keras="shims.xlog1py({x}, {y})",
    ),
    Op(
        sig="times_exp(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x * exp(y)",
        doc="x * exp(y), finite wherever that is: also where the exponential alone is infinite, or 0.",
        example="times_exp(0, 1000) -> 0",
        latex=r"{x} \, e^{{{y}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.BY_GRAD),
        range=lambda x, y: x * by_ends(np.exp, (True,), y),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("times_exp(g, y)", "times_exp(g * x, y)"),
        at_kink=NO_KINK,
        safe=(None, 0.0),
        masked=NOT_A_REDUCTION,
        numpy=_times_exp,
        keras="shims.times_exp({x}, {y})",
    ),
    Op(
        sig="probability(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(x)",
        doc="exp(x), where x is known to be the logarithm of a probability.",
        example="probability(0) -> 1",
        latex=r"e^{{{x}}}",
        domain=EVERYWHERE,
        guard="minimum(x, 60)",
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * out",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=np.exp,
        keras="ops.exp({x})",
    ),
    Op(
        sig="exp_difference(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(x) - exp(y)",
        doc="The difference of two exponentials, exact where they are nearly the same.",
        example="exp_difference(0, 0) -> 0",
        latex=r"e^{{{x}}} - e^{{{y}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.DOWN),
        range=lambda x, y: (by_ends(np.exp, (True,), x) - by_ends(np.exp, (True,), y)).widened(),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * exp(x)", "-g * exp(y)"),
        at_kink=NO_KINK,
        safe=(0.0, 0.0),
        masked=NOT_A_REDUCTION,
        numpy=for_finite(_exp_difference),
        keras="shims.exp_difference({x}, {y})",
    ),
    Op(
        sig="relative_gap(x: float[*s], y: float[*s], c: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="abs(x - y) / maximum(abs(x) + abs(y), c)",
        doc="The distance over the sum of the sizes, which is c at least; its gradient has no terms that cancel.",
        example="relative_gap(1, 3, 0.1) -> 0.5",
        latex=r"\frac{{|{x} - {y}|}}{{\max(|{x}| + |{y}|, {c})}}",
        domain="c > 0 or x != 0 or y != 0",
        guard="maximum(c, epsilon)",
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD, Monotone.DOWN),
        range=lambda x, y, c: UNIT.widened(),
        inner=Inner(lambda x, y, c: abs(x) + abs(y)),
        curvature=Curvature.NEITHER,
        # of one sign it is the size of (x - y) / (x + y), of two signs 1
        grad=(
            "g * sign(x - y) * where(abs(x) + abs(y) >= c, (1 + sign(x) * sign(y))"
            " * (abs(y) / (abs(x) + abs(y))) / (abs(x) + abs(y)), 1 / c)",
            "g * sign(y - x) * where(abs(x) + abs(y) >= c, (1 + sign(x) * sign(y))"
            " * (abs(x) / (abs(x) + abs(y))) / (abs(x) + abs(y)), 1 / c)",
            "-g * where(abs(x) + abs(y) >= c, 0, abs(x - y) / square(c))",
        ),
        at_kink="relative_gap'(2, 2, 1) = 0, 0, 0; relative_gap'(0, 2, 1) = -0.5, 0, 0",
        safe=(1.0, 1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=lambda x, y, c: np.abs(np.subtract(x, y)) / np.maximum(np.abs(x) + np.abs(y), c),
        keras="ops.divide(ops.abs(ops.subtract({x}, {y})), ops.maximum(ops.add(ops.abs({x}), ops.abs({y})), {c}))",
    ),
)
