"""Rows for differences of nearly equal terms, which lose their digits as they are written: no formula can name them.

With `L = log(x / y)` all of them are products of `L`, `x - y` and one smooth function, `curve`: 1 / L - 1 / expm1(L)
is 1/2 - L / 12 + L**3 / 720 - ..., the Bernoulli numbers over factorials (Abramowitz and Stegun, 23.1.1). So
exp(L) - 1 - L is expm1(L) * L * curve(L), and x * log(x / y) - x + y, Loader's deviance (2000), is
(x - y) * L * curve(-L).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lossdsl.interval import EVERYTHING, LARGEST, NO, SMALLEST, Interval, by_ends
from lossdsl.ops import near_functions
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

MEET = 2.0**-102
"""Below it, two different floats may have a difference that is smaller than normal numbers are."""


def _or_none(x: Interval, y: Interval, found: Interval) -> Interval:
    """What is made of a difference is 0 where that is too small."""
    return found.hull(NO) if x.mignitude < MEET and y.mignitude < MEET else found


def _valley(function: Callable[[Array], Array], x: Interval) -> Interval:
    """The range of a function that falls to 0 at 0, and then rises."""
    ends = [float(function(end)) for end in (x.lo, x.hi)]
    ends = [np.inf if np.isnan(end) else end for end in ends]
    return Interval(0.0 if 0.0 in x else min(ends), max(ends)).widened()


def _less_power_range(x: Interval, power: float) -> Interval:
    """It turns at 1 alone, if at all."""
    places = (x.lo, x.hi, 1.0) if 1.0 in x else (x.lo, x.hi)
    ends = [float(near_functions.less_power(place, power)) for place in places]
    return EVERYTHING if np.isnan(ends).any() else Interval(min(ends), max(ends)).widened()


def _quotient(x: Interval, y: Interval) -> Interval:
    """Where a quotient lies; infinite where float32 does not hold it, and 0 where it may vanish."""
    ratio = x / y
    if ratio.lo < SMALLEST:
        ratio = Interval(min(ratio.lo, 0.0), ratio.hi)
    return Interval(ratio.lo, np.inf) if ratio.hi > LARGEST else ratio


def _log1p_difference_inner(x: Interval, y: Interval) -> Interval:
    """The difference over 1 more than the smaller: as large as that is near -1."""
    least = Interval(max(1.0 + min(x.lo, y.lo), 0.0), np.inf)
    return (x - y).hull(y - x) / least


def _deviance_range(x: Interval, y: Interval) -> Interval:
    """Convex, so that the largest is at a corner; the smallest is where the two are nearest."""
    if x.lo < 0.0 or y.lo < 0.0 or _quotient(x, y).lo <= 0.0:
        return EVERYTHING
    corners = [float(near_functions.deviance(a, b)) for a in (x.lo, x.hi) for b in (y.lo, y.hi)]
    most = max(np.inf if np.isnan(corner) else corner for corner in corners)
    least = (
        0.0
        if x.meet(y)
        else float(near_functions.deviance(x.hi, y.lo) if x.hi < y.lo else near_functions.deviance(x.lo, y.hi))
    )
    return Interval(least, most).widened()


def _ratio_rest_range(x: Interval, y: Interval) -> Interval:
    ratio = _quotient(x, y)
    if ratio.lo < 0.0:
        ratio = Interval(0.0, max(ratio.hi, 0.0))
    ends = [float(near_functions.ratio_rest(end, 1.0)) if end > 0.0 else np.inf for end in (ratio.lo, ratio.hi)]
    return _or_none(x, y, Interval(0.0 if 1.0 in ratio else min(ends), max(ends)).widened())


def _log_ratio_range(x: Interval, y: Interval) -> Interval:
    ratio = _quotient(x, y)
    if x.lo < 0.0 or y.lo < 0.0 or ratio.lo <= 0.0 or np.isinf(ratio.hi):
        return EVERYTHING
    return _log_difference_range(x, y)


def _log_difference_range(x: Interval, y: Interval) -> Interval:
    if x.lo < 0.0 or y.lo < 0.0:
        return EVERYTHING
    return _or_none(x, y, by_ends(near_functions.log_difference, (True, False), x, y))


def _log1p_difference_range(x: Interval, y: Interval) -> Interval:
    if x.lo < -1.0 or y.lo < -1.0:
        return EVERYTHING
    return by_ends(near_functions.log1p_difference, (True, False), x, y)


def _xlog_ratio_range(x: Interval, y: Interval, z: Interval) -> Interval:
    found = x * _log_ratio_range(y, z)
    return found.hull(Interval(0.0, 0.0)) if 0.0 in x else found


_APART = Inner(lambda x, y: _quotient(x, y).hull(x - y))
_DEVIANCE_APART = Inner(lambda x, y: _quotient(x, y).hull(x - y, x * _log_ratio_range(x, y)))


ROWS = (
    Op(
        sig="exp_rest(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="exp(x) - 1 - x",
        doc="What the exponential is beyond 1 + x, to the last digit near 0.",
        example="exp_rest(0) -> 0",
        latex=r"\left(e^{{{x}}} - 1 - {x}\right)",
        domain=EVERYWHERE,
        guard="minimum(x, 60)",
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _valley(near_functions.exp_rest, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * expm1(x)",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.exp_rest,
        keras="shims.exp_rest({x})",
    ),
    Op(
        sig="xexp_rest(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x * exp(x) - exp(x) + 1",
        doc="x * exp(x) less expm1(x), to the last digit near 0.",
        example="xexp_rest(0) -> 0",
        latex=r"\left({x} \, e^{{{x}}} - e^{{{x}}} + 1\right)",
        domain=EVERYWHERE,
        guard="minimum(x, 60)",
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _valley(near_functions.xexp_rest, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * x * exp(x)",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=for_finite(near_functions.xexp_rest),
        keras="shims.xexp_rest({x})",
    ),
    Op(
        sig="log1p_rest(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x - log(1 + x)",
        doc="How far log1p stays behind x, to the last digit near 0.",
        example="log1p_rest(0) -> 0",
        latex=r"\left({x} - \log(1 + {x})\right)",
        domain="x > -1",
        guard="maximum(x, epsilon - 1)",
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _valley(near_functions.log1p_rest, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("g * (x / (1 + x))",),
        at_kink=NO_KINK,
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log1p_rest,
        keras="shims.log1p_rest({x})",
    ),
    Op(
        sig="log_ratio(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(x / y)",
        doc="log(x / y), to the last digit where the two are nearly equal.",
        example="log_ratio(2, 2) -> 0",
        latex=r"\log \frac{{{x}}}{{{y}}}",
        domain="x > 0 and y > 0 or x < 0 and y < 0",
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_log_ratio_range,
        inner=_APART,
        curvature=Curvature.NEITHER,
        grad=("g / x", "-g / y"),
        at_kink=NO_KINK,
        safe=(1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log_ratio,
        keras="shims.log_ratio({x}, {y})",
    ),
    Op(
        sig="log_quotient(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x >= 0 and y >= 0, log(x / y), log(-1))",
        doc="log(x / y) of two numbers that are not negative: `log_ratio` with less work.",
        example="log_quotient(2, 2) -> 0",
        latex=r"\log \frac{{{x}}}{{{y}}}",
        domain="x > 0 and y > 0",
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.DOWN),
        range=_log_ratio_range,
        inner=_APART,
        curvature=Curvature.NEITHER,
        grad=("g / x", "-g / y"),
        at_kink=NO_KINK,
        safe=(1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log_quotient,
        keras="shims.log_quotient({x}, {y})",
    ),
    Op(
        sig="log_difference(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(x) - log(y)",
        doc="log(x) - log(y), to the last digit where the two are nearly equal; the quotient need be no float.",
        example="log_difference(2, 2) -> 0",
        latex=r"\left(\log {x} - \log {y}\right)",
        domain="x > 0 and y > 0",
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.DOWN),
        range=_log_difference_range,
        inner=Inner(lambda x, y: x - y),
        curvature=Curvature.NEITHER,
        grad=("g / x", "-g / y"),
        at_kink=NO_KINK,
        safe=(1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log_difference,
        keras="shims.log_difference({x}, {y})",
    ),
    Op(
        sig="log1p_difference(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(1 + x) - log(1 + y)",
        doc="log1p(x) - log1p(y), to the last digit where the two are nearly equal.",
        example="log1p_difference(2, 2) -> 0",
        latex=r"\log \frac{{1 + {x}}}{{1 + {y}}}",
        domain="x > -1 and y > -1",
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.DOWN),
        range=_log1p_difference_range,
        inner=Inner(_log1p_difference_inner),
        curvature=Curvature.NEITHER,
        grad=("g / (1 + x)", "-g / (1 + y)"),
        at_kink=NO_KINK,
        safe=(0.0, 0.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log1p_difference,
        keras="shims.log1p_difference({x}, {y})",
    ),
    Op(
        sig="xlog_ratio(x: float[*s], y: float[*s], z: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="where(x == 0, 0, x * log(where(x == 0, 1, y) / where(x == 0, 1, z)))",
        doc="x * log(y / z), but 0 where x is 0; to the last digit where y and z are nearly equal.",
        example="xlog_ratio(0, 0, 0) -> 0",
        latex=r"{x} \log \frac{{{y}}}{{{z}}}",
        domain="x == 0 or y > 0 and z > 0 or y < 0 and z < 0",
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_xlog_ratio_range,
        inner=Inner(lambda x, y, z: _quotient(y, z).hull(y - z)),
        curvature=Curvature.NEITHER,
        grad=(
            "where(x == 0 and not (y > 0 and z > 0 or y < 0 and z < 0), 0, g * log_ratio(y, z))",
            "xdivy(g * x, y)",
            "-xdivy(g * x, z)",
        ),
        at_kink="xlog_ratio'(0, 0, 1) = 0, 0, 0; xlog_ratio'(0, 1, 0) = 0, 0, 0",
        safe=(None, 1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.xlog_ratio,
        keras="shims.xlog_ratio({x}, {y}, {z})",
    ),
    Op(
        sig="part(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x / y - 1",
        doc="By what part of the second the first is larger.",
        example="part(3, 2) -> 0.5",
        latex=r"\frac{{{x} - {y}}}{{{y}}}",
        domain="y != 0",
        guard="maximum(y, epsilon)",
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=lambda x, y: _or_none(x, y, (x / y - Interval(1.0, 1.0)).widened()),
        inner=Inner(lambda x, y: x - y),
        curvature=Curvature.NEITHER,
        grad=("g / y", "-g * (x / y) / y"),
        at_kink=NO_KINK,
        safe=(None, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=lambda x, y: np.true_divide(np.subtract(x, y), y),
        keras="shims.part({x}, {y})",
    ),
    Op(
        sig="less_power(x: float[*s], power: const = 3) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="1 - (1 - x) ** power",
        doc="1 - (1 - x)**power for a whole power above 1, to the last digit near 0.",
        example="less_power(0.5, power=3) -> 0.875",
        latex=r"\left(1 - (1 - {x})^{{{power}}}\right)",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_less_power_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("g * power * (1 - x) ** (power - 1)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=near_functions.less_power,
        keras="shims.less_power({x}, {power})",
    ),
    Op(
        sig="ratio_rest(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="x / y - 1 - log(x / y)",
        doc="How far the logarithm of a quotient stays behind it less 1: Itakura's and Saito's divergence.",
        example="ratio_rest(2, 2) -> 0",
        latex=r"\left(\frac{{{x}}}{{{y}}} - 1 - \log \frac{{{x}}}{{{y}}}\right)",
        domain="x > 0 and y > 0 or x < 0 and y < 0",
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_ratio_rest_range,
        inner=_APART,
        curvature=Curvature.NEITHER,
        grad=("g * ((x - y) / y) / x", "g * ((y - x) / y) / y"),
        at_kink=NO_KINK,
        safe=(1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.ratio_rest,
        keras="shims.ratio_rest({x}, {y})",
    ),
    Op(
        sig="deviance(x: float[*s], y: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="xlogy(x, x / where(x == 0, 1, y)) - x + y",
        doc="x * log(x / y) - x + y, to the last digit where the two are nearly equal: half of Poisson's deviance.",
        example="deviance(0, 2) -> 2",
        latex=r"\left({x} \log \frac{{{x}}}{{{y}}} - {x} + {y}\right)",
        domain="x == 0 or x > 0 and y > 0 or x < 0 and y < 0",
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=_deviance_range,
        inner=_DEVIANCE_APART,
        curvature=Curvature.NEITHER,
        grad=("where(x == 0, -g, g * log_ratio(x, y))", "g * where(x == 0, 1, (y - x) / y)"),
        at_kink="deviance'(0, 1) = -1, 1; deviance'(0, 0) = -1, 1",
        safe=(1.0, 1.0),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.deviance,
        keras="shims.deviance({x}, {y})",
    ),
    Op(
        sig="deviance1p(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="xlogy(1 + x, 1 + x) - x",
        doc="(1 + x) * log1p(x) - x, to the last digit near 0.",
        example="deviance1p(0) -> 0",
        latex=r"\left((1 + {x}) \log(1 + {x}) - {x}\right)",
        domain="x >= -1",
        guard="maximum(x, -1)",
        monotone=(Monotone.BY_GRAD,),
        range=lambda x: _valley(near_functions.deviance1p, x),
        inner=NOTHING_LARGER,
        curvature=Curvature.CONVEX,
        grad=("where(x == -1, -g, g * log1p(x))",),
        at_kink="deviance1p'(-1) = -1",
        safe=(0.0,),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.deviance1p,
        keras="shims.deviance1p({x})",
    ),
    Op(
        sig="log1m_exp(x: float[*s]) -> float[*s]",
        family=Family.ELEMENTWISE,
        means="log(1 - exp(x))",
        doc="log(1 - exp(x)) for x below 0: of the other event's probability, from the logarithm of one's.",
        example="log1m_exp(-0.6931471805599453) -> -0.6931471805599453",
        latex=r"\log(1 - e^{{{x}}})",
        domain="x < 0",
        guard="minimum(x, -epsilon)",
        monotone=(Monotone.DOWN,),
        range=lambda x: by_ends(near_functions.log1m_exp, (False,), x) if x.lo < 0.0 else EVERYTHING,
        inner=NOTHING_LARGER,
        curvature=Curvature.CONCAVE,
        grad=("-g / expm1(-x)",),
        at_kink=NO_KINK,
        safe=(-1.0,),
        masked=NOT_A_REDUCTION,
        numpy=near_functions.log1m_exp,
        keras="shims.log1m_exp({x})",
    ),
)
