"""Closed intervals, ends rounded outward to float32: what they promise holds there as well as in float64.

An interval says where a value lies wherever it is defined; whether it is defined is another question
(`domain`). Sums, products, quotients and square roots of floats are rounded correctly, and rounding is
monotone: an end that is itself a float32 bounds them with no allowance. Everything else gets `widened`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LARGEST = 3.4028234663852886e38
"""The largest finite float32."""
BEYOND = 3.4028235677973366e38
"""What is rounded to infinity in float32; numbers below it are rounded to the largest float."""
SMALLEST = 1.1754943508222875e-38
"""The smallest normal float32: what is smaller may be flushed to zero, or not."""
ULP = 2.0**-23
"""Relative spacing of float32."""
BLURRED = 2.0**-100
"""Below it functions may vanish: XLA's `erf` of the smallest normal number does."""
RECIPROCAL_ULPS = 4
"""Float32 units in the last place by which TensorFlow's inverse of a number may err, and as much again."""
COARSE, COARSE_ULPS = 1e33, 4096
"""From where on it is no more than a first guess, and by how much that errs."""
SLACK = 16
"""Float32 units in the last place by which a framework's `exp`, `log`, ... may err."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The numbers from `lo` to `hi`, both included; either may be infinite."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not self.lo <= self.hi:
            raise ValueError(f"not an interval: [{self.lo}, {self.hi}]")

    def __str__(self) -> str:
        return f"[{self.lo:g}, {self.hi:g}]"

    @property
    def is_point(self) -> bool:
        """Whether there is one number in it."""
        return self.lo == self.hi

    @property
    def magnitude(self) -> float:
        """The largest absolute value."""
        return max(abs(self.lo), abs(self.hi))

    @property
    def mignitude(self) -> float:
        """The smallest absolute value."""
        return 0.0 if 0.0 in self else min(abs(self.lo), abs(self.hi))

    def __contains__(self, value: float) -> bool:
        return self.lo <= value <= self.hi

    def covers(self, other: Interval) -> bool:
        """Whether the other lies within this one."""
        return self.lo <= other.lo and other.hi <= self.hi

    def hull(self, *others: Interval) -> Interval:
        """The smallest interval that covers all of them."""
        every = (self, *others)
        return Interval(min(x.lo for x in every), max(x.hi for x in every))

    def meet(self, other: Interval) -> Interval | None:
        """What lies in both, or None."""
        lo, hi = max(self.lo, other.lo), min(self.hi, other.hi)
        return Interval(lo, hi) if lo <= hi else None

    def widened(self, ulps: float = SLACK) -> Interval:
        """Ends moved outward by so many float32 units in the last place; 0 stays."""
        return outward(self.lo - abs(self.lo) * ulps * ULP, self.hi + abs(self.hi) * ulps * ULP)

    def blurred(self) -> Interval:
        """Ends next to 0 moved to 0: there a framework's function may leave nothing at all."""
        return Interval(0.0 if 0.0 < self.lo < BLURRED else self.lo, 0.0 if -BLURRED < self.hi < 0.0 else self.hi)

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Interval) -> Interval:
        return outward(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        return _corners(_times, self, other)

    def __truediv__(self, other: Interval) -> Interval:
        """The quotients by all numbers of `other` but 0."""
        if other.lo < 0.0 < other.hi or other.lo == other.hi == 0.0:
            return EVERYTHING
        return _corners(_over, self, _one_sided(other))

    def quotient(self, other: Interval) -> Interval:
        """The same as TensorFlow computes it in a graph: `1 / x` is an approximation, by which 1 / 1 is 0.99999994."""
        found = self / other
        if not self.lo == self.hi == 1.0:
            return found
        wide = found.widened(RECIPROCAL_ULPS if other.magnitude < COARSE else COARSE_ULPS)
        return wide if found.hi != 1.0 else Interval(wide.lo, 1.0)

    def __abs__(self) -> Interval:
        return Interval(self.mignitude, self.magnitude)

    def square(self) -> Interval:
        """The squares: never negative, which `x * x` of unrelated factors can't say."""
        return outward(_times(self.mignitude, self.mignitude), _times(self.magnitude, self.magnitude))

    def __pow__(self, other: Interval) -> Interval:
        """The powers, where they are defined: of a negative number, whole powers only."""
        if self.lo >= 0.0:
            found = _settled(_power, self, other)
            inexact = other.lo < 0.0 and found.lo == 1.0  # by an inverse, as `quotient`
            return Interval(found.widened().lo, found.hi) if inexact else found
        if not (other.is_point and math.isfinite(other.lo)):
            bound = (abs(self) ** other).hi
            return Interval(-bound, bound)
        return self._whole_power(float(other.lo))

    def _whole_power(self, exponent: float) -> Interval:
        point = Interval(exponent, exponent)
        if not exponent.is_integer():
            return Interval(0.0, self.hi) ** point if self.hi >= 0.0 else EVERYTHING
        if exponent % 2.0 == 0.0:
            return abs(self) ** point
        if exponent > 0.0:
            return _settled(_power, self, point)
        return Interval(1.0, 1.0).quotient(self._whole_power(-exponent))


EVERYTHING = Interval(-math.inf, math.inf)
NONNEGATIVE = Interval(0.0, math.inf)
NONPOSITIVE = Interval(-math.inf, 0.0)
UNIT = Interval(0.0, 1.0)
SIGNED_UNIT = Interval(-1.0, 1.0)
YES = Interval(1.0, 1.0)
NO = Interval(0.0, 0.0)


def point(value: float) -> Interval:
    """A number as written: between its two float32 neighbours, of which the largest float has but one."""
    if LARGEST < abs(value) < BEYOND:
        value = math.copysign(LARGEST, value)
    return outward(value, value)


def outward(lo: float, hi: float) -> Interval:
    """The ends rounded outward to float32; an end that is not a number is no bound."""
    return Interval(-math.inf if math.isnan(lo) else _down(lo), math.inf if math.isnan(hi) else -_down(-hi))


def by_ends(function: Callable[..., object], up: Sequence[bool], *operands: Interval, exact: bool = False) -> Interval:
    """The range of a function that rises (`up`) or falls in each operand: its values at the ends, with slack.

    The values at the ends of the whole line, which every implementation keeps to, cap the slack; so does
    a value at 0 that a float holds exactly: `exp(0)` is 1 everywhere. No slack at all for what floats
    compute exactly.
    """
    low = [x.lo if rises else x.hi for rises, x in zip(up, operands, strict=True)]
    high = [x.hi if rises else x.lo for rises, x in zip(up, operands, strict=True)]
    lo, hi = _at(function, low), _at(function, high)
    if not lo <= hi:
        return EVERYTHING
    if exact:
        return outward(lo, hi)
    wide = outward(lo, hi).widened().blurred()
    floor = lo if _settled_at(low, lo) else _at(function, [-math.inf if rises else math.inf for rises in up])
    cap = hi if _settled_at(high, hi) else _at(function, [math.inf if rises else -math.inf for rises in up])
    return wide.meet(outward(floor, cap)) or wide


def _at(function: Callable[..., object], place: Sequence[float]) -> float:
    return float(function(*place))  # type: ignore[arg-type]


def _settled_at(place: Sequence[float], value: float) -> bool:
    return not any(place) and (2.0 * value).is_integer()


def _down(value: float) -> float:
    """The largest float32 that is not above `value`, no subnormal among them."""
    if value == 0.0 or math.isinf(value):
        return value
    if abs(value) < SMALLEST:
        return 0.0 if value > 0.0 else -SMALLEST
    if abs(value) > LARGEST:
        return LARGEST if value > 0.0 else -LARGEST if value > -BEYOND else -math.inf
    mantissa, exponent = math.frexp(value)
    return math.ldexp(math.floor(mantissa * 2.0**24), exponent - 24)


def _corners(function: Callable[[float, float], float], x: Interval, y: Interval) -> Interval:
    values = [function(a, b) for a in (x.lo, x.hi) for b in (y.lo, y.hi)]
    return outward(min(values), max(values))


def _settled(function: Callable[[float, float], float], x: Interval, y: Interval) -> Interval:
    """The corners with slack, except at 0 and 1, which no implementation of a power oversteps."""
    exact = _corners(function, x, y)
    wide = exact.widened()
    return Interval(
        exact.lo if exact.lo in (0.0, 1.0) else wide.lo,
        exact.hi if exact.hi in (0.0, 1.0) else wide.hi,
    )


def _one_sided(divisor: Interval) -> Interval:
    """A divisor that ends in 0, with the zero of the sign that keeps quotients on their side."""
    return Interval(divisor.lo, -0.0) if divisor.hi == 0.0 else Interval(divisor.lo + 0.0, divisor.hi)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0.0 or b == 0.0 else a * b


def _over(a: float, b: float) -> float:
    if a == 0.0:
        return 0.0
    if b == 0.0:
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    return math.copysign(math.inf, a) * math.copysign(1.0, b) if math.isinf(a) else a / b


def _power(a: float, b: float) -> float:
    if a == 0.0 and b < 0.0:
        return math.inf
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf if a > 0.0 or b % 2.0 == 0.0 else -math.inf
