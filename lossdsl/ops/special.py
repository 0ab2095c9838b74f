"""Rows: special functions, and products and quotients that are 0 where their first factor is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from lossdsl.interval import EVERYTHING, NO, NONNEGATIVE, SLACK, ULP, Interval, by_ends
from lossdsl.ops import special_functions
from lossdsl.ops.op import (
    BACKEND,
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)

LOWEST_LGAMMA = -0.1214863
"""The minimum of lgamma on the positive numbers, rounded down."""


def _lgamma_range(x: Interval) -> Interval:
    """Down to 1.46 it falls, then it rises; slack is absolute, for values near 0."""
    if x.lo <= 0.0:
        return EVERYTHING
    ends = [float(special_functions.lgamma(np.asarray(v))) for v in (x.lo, x.hi)]
    low = LOWEST_LGAMMA if x.lo < 1.47 and x.hi > 1.46 else min(ends)
    return Interval(low, max(low, *ends)).widened() + Interval(-SLACK * ULP, SLACK * ULP)


def _digamma_range(x: Interval) -> Interval:
    if x.lo <= 0.0:
        return EVERYTHING
    return by_ends(special_functions.digamma, (True,), x) + Interval(-SLACK * ULP, SLACK * ULP)


def product_with(log: np.ufunc, zero: float) -> tuple[Callable[..., Array], Callable[[Interval, Interval], Interval]]:
    """`x * log(y)`, 0 where x is 0, for a logarithm that begins at `zero`: its value, and its range."""

    def value(x: Array, y: Array) -> Array:
        nothing = np.equal(x, 0)
        return np.where(nothing, 0.0, np.multiply(x, log(np.where(nothing, zero + 1, y))))

    def range_of(x: Interval, y: Interval) -> Interval:
        logs = by_ends(log, (True,), Interval(max(y.lo, zero), y.hi)) if y.hi > zero else NO
        return (x * logs).hull(NO) if 0.0 in x else x * logs

    return value, range_of


def _xdivy(x: Array, y: Array) -> Array:
    return np.where(np.equal(x, 0), 0.0, np.true_divide(x, np.where(np.equal(x, 0), 1.0, y)))


_XLOGY, _XLOGY_RANGE = product_with(np.log, 0.0)


def _logaddexp_range(x1: Interval, x2: Interval) -> Interval:
    """Never less than the larger, to which something is added that is not negative."""
    most = by_ends(np.logaddexp, (True, True), x1, x2).hi
    lost = SLACK * ULP * max(math.log(2.0), abs(max(x1.hi, x2.hi)))  # the two may cancel
    return Interval(max(x1.lo, x2.lo), most + lost)


ROWS = (
    Op(
        sig="logaddexp(x1: float[*s], x2: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(exp(x1) + exp(x2))",
        doc="log(exp(x1) + exp(x2)); never overflows.",
        example="logaddexp(0, 0) -> 0.6931471805599453",
        latex=r"\log(e^{{{x1}}} + e^{{{x2}}})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UP),
        range=_logaddexp_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * sigmoid(x1 - x2)", "g * sigmoid(x2 - x1)"),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=np.logaddexp,
        keras="ops.logaddexp({x1}, {x2})",
    ),
    Op(
        sig="erf(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means=PRIMITIVE,
        doc="Error function.",
        example="erf(0) -> 0",
        latex=r"\operatorname{{erf}}({x})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("1.1283791670955126 * g * exp(-square(x))",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=special_functions.erf,
        keras="shims.erf({x})",
    ),
    Op(
        sig="erfinv(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means=PRIMITIVE,
        doc="Inverse of the error function.",
        example="erfinv(0) -> 0",
        latex=r"\operatorname{{erf}}^{{-1}}({x})",
        domain="abs(x) < 1",
        guard="clip(x, epsilon - 1, 1 - epsilon)",
        monotone=(Monotone.UP,),
        range=RangeRule.FROM_MONOTONE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("0.886226925452758 * g * exp(square(out))",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=special_functions.erfinv,
        keras="shims.erfinv({x})",
    ),
    Op(
        sig="lgamma(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means=PRIMITIVE,
        doc="log |gamma(x)|: log of a factorial, for likelihoods of counts.",
        example="lgamma(5) -> 3.1780538303479458",
        latex=r"\log \Gamma({x})",
        domain="x > 0 or x != round(x)",
        guard="maximum(x, epsilon)",
        monotone=(Monotone.BY_GRAD,),
        range=_lgamma_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * digamma(x)",),
        at_kink=NO_KINK,
        safe=(1.0,),
        masked=NOT_A_REDUCTION,
        numpy=special_functions.lgamma,
        keras="shims.lgamma({x})",
    ),
    Op(
        sig="digamma(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means=PRIMITIVE,
        doc="Derivative of lgamma.",
        example="digamma(1) -> -0.5772156649015329",
        latex=r"\psi({x})",
        domain="x > 0 or x != round(x)",
        guard="maximum(x, epsilon)",
        monotone=(Monotone.BY_GRAD,),
        range=_digamma_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * trigamma(x)",),
        at_kink=NO_KINK,
        safe=(1.0,),
        masked=NOT_A_REDUCTION,
        numpy=special_functions.digamma,
        keras="shims.digamma({x})",
    ),
    Op(
        sig="xlogy(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x == 0, 0, x * log(where(x == 0, 1, y)))",
        doc="x * log(y), but 0 where x is 0.",
        example="xlogy(0, 0) -> 0",
        latex=r"{x} \log {y}",
        domain="y > 0 or x == 0",
        guard="maximum(y, epsilon)",
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_XLOGY_RANGE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x == 0 and y <= 0, 0, g * log(y))", "xdivy(g * x, y)"),
        at_kink="xlogy'(0, 0) = 0, 0; xlogy'(0, -1) = 0, 0",
        safe=(None, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=_XLOGY,
        keras="shims.xlogy({x}, {y})",
    ),
    Op(
        sig="xdivy(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x == 0, 0, x / where(x == 0, 1, y))",
        doc="x / y, but 0 where x is 0.",
        example="xdivy(0, 0) -> 0",
        latex=r"\frac{{{x}}}{{{y}}}",
        domain="y != 0 or x == 0",
        guard="maximum(y, epsilon)",
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=lambda x, y: x.quotient(y).hull(NO) if 0.0 in x else x.quotient(y),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("where(x == 0 and y == 0, 0, g / y)", "-xdivy(g * out, y)"),
        at_kink="xdivy'(0, 0) = 0, 0",
        safe=(None, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=_xdivy,
        keras="shims.xdivy({x}, {y})",
    ),
)

INTERNAL_ROWS = (
    Op(
        sig="trigamma(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means=PRIMITIVE,
        doc="Second derivative of lgamma; only the gradient of `digamma` reaches it.",
        example="trigamma(1) -> 1.6449340668482264",
        latex=r"\psi_1({x})",
        domain="x > 0 or x != round(x)",
        guard="maximum(x, epsilon)",
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: by_ends(special_functions.trigamma, (False,), x) if x.lo > 0.0 else NONNEGATIVE,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(BACKEND,),
        at_kink=NO_KINK,
        safe=(1.0,),
        masked=NOT_A_REDUCTION,
        numpy=special_functions.trigamma,
        keras="shims.trigamma({x})",
    ),
)
