"""Rows: the functions that networks end in."""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import SIGNED_UNIT, Interval, by_ends, point
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
    Monotone,
    Op,
    RangeRule,
)


def sigmoid(x: Array) -> Array:
    """The logistic function, from the exponential that can't overflow."""
    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1.0, small) / (1.0 + small)


def _gelu_bend(x: Array) -> Array:
    return 0.7978845608028654 * (x + 0.044715 * np.float_power(x, 3))


def _softsign_range(x: Interval) -> Interval:
    ends = [v / (1.0 + abs(v)) if math.isfinite(v) else math.copysign(1.0, v) for v in (x.lo, x.hi)]
    return Interval(*ends).widened().meet(SIGNED_UNIT) or SIGNED_UNIT


def _leaky_relu_range(x: Interval, negative_slope: float) -> Interval:
    if x.lo >= 0.0:
        return x
    below = Interval(x.lo, min(x.hi, 0.0)) * point(negative_slope)
    return below.hull(Interval(0.0, x.hi)) if x.hi >= 0.0 else below


def _elu_range(x: Interval, alpha: float) -> Interval:
    if x.lo >= 0.0:
        return x
    below = by_ends(np.expm1, (True,), Interval(x.lo, min(x.hi, 0.0))) * point(alpha)
    return below.hull(Interval(0.0, x.hi)) if x.hi >= 0.0 else below


ROWS = (
    Op(
        sig="sigmoid(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="1 / (1 + exp(-x))",
        doc="Logistic function: a logit to a probability.",
        example="sigmoid(0) -> 0.5",
        latex=r"\sigma({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * out * sigmoid(-x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=sigmoid,
        keras="ops.sigmoid({x})",
    ),
    Op(
        sig="log_sigmoid(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(1 / (1 + exp(-x)))",
        doc="log(sigmoid(x)); never overflows.",
        example="log_sigmoid(0) -> -0.6931471805599453",
        latex=r"\log \sigma({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONCAVE,
        grad=("g * sigmoid(-x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: -np.logaddexp(0.0, np.negative(x)),
        keras="ops.log_sigmoid({x})",
    ),
    Op(
        sig="softplus(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(1 + exp(x))",
        doc="Smooth max(x, 0); never overflows.",
        example="softplus(0) -> 0.6931471805599453",
        latex=r"\operatorname{{softplus}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * sigmoid(x)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: np.logaddexp(0.0, x),
        keras="ops.softplus({x})",
    ),
    Op(
        sig="softsign(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x / (1 + abs(x))",
        doc="x / (1 + |x|), between -1 and 1.",
        example="softsign(1) -> 0.5",
        latex=r"\operatorname{{softsign}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=_softsign_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g / square(1 + abs(x))",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: x / (1.0 + np.abs(x)),
        keras="ops.softsign({x})",
    ),
    Op(
        sig="relu(x: T[*s]) -> T[*s]",
        family=Family.ELEMENTWISE,
        means="where(x > 0, x, 0)",
        doc="max(x, 0). Its gradient at 0 is 0.",
        example="relu(-1) -> 0",
        latex=r"\operatorname{{relu}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=lambda x: Interval(max(x.lo, 0.0), max(x.hi, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("where(x > 0, g, 0)",),
        at_kink="relu'(0) = 0",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: np.maximum(x, 0),
        keras="ops.relu({x})",
    ),
    Op(
        sig="leaky_relu(x: float[*s], negative_slope: const = 0.2) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x > 0, x, negative_slope * x)",
        doc="x above 0, `negative_slope * x` below; its gradient at 0 is the slope.",
        example="leaky_relu(-1) -> -0.2",
        latex=r"\operatorname{{lrelu}}_{{{negative_slope}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_leaky_relu_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x > 0, g, g * negative_slope)",),
        at_kink="leaky_relu'(0) = 0.2",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, negative_slope: np.where(np.greater(x, 0), x, np.multiply(negative_slope, x)),
        keras="ops.leaky_relu({x}, negative_slope={negative_slope})",
    ),
    Op(
        sig="elu(x: float[*s], alpha: const = 1.0) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x > 0, x, alpha * (exp(x) - 1))",
        doc="x above 0, `alpha * (exp(x) - 1)` below.",
        example="elu(0) -> 0",
        latex=r"\operatorname{{elu}}_{{{alpha}}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_elu_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x > 0, g, g * alpha * exp(minimum(x, 0)))",),
        at_kink="elu'(0, alpha=2.0) = 2",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, alpha: np.where(np.greater(x, 0), x, alpha * np.expm1(np.minimum(x, 0.0))),
        keras="shims.elu({x}, {alpha})",
    ),
    Op(
        sig="silu(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x / (1 + exp(-x))",
        doc="x * sigmoid(x), also called swish.",
        example="silu(0) -> 0",
        latex=r"\operatorname{{silu}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: Interval(0.0 if x.lo >= 0.0 else -0.2785, max(x.hi, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * sigmoid(x) * (1 + x * sigmoid(-x))",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: x * sigmoid(x),
        keras="ops.silu({x})",
    ),
    Op(
        sig="gelu(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x**3)))",
        doc="Gaussian error linear unit, in the form by tanh that Keras uses unless told otherwise.",
        example="gelu(0) -> 0",
        latex=r"\operatorname{{gelu}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: Interval(0.0 if x.lo >= 0.0 else -0.1701, max(x.hi, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(
            "g * sigmoid(1.5957691216057308 * (x + 0.044715 * x * square(x))) * (1 + 1.5957691216057308 * x"
            " * sigmoid(-1.5957691216057308 * (x + 0.044715 * x * square(x))) * (1 + 0.134145 * square(x)))",
        ),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x: x * sigmoid(2.0 * _gelu_bend(x)),
        keras="ops.gelu({x})",
    ),
)
