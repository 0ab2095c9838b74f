"""Differences of gamma functions in float64, without terms that cancel: the NumPy columns of `lossdsl.ops.gamma`.

Series are those of Abramowitz and Stegun 1964: 6.1.41 (Stirling), 6.3.18 and 6.4.12; recurrences carry small arguments
to where they hold.
"""

from __future__ import annotations

import math

import numpy as np

from lossdsl.ops.along import log_softmax
from lossdsl.ops.op import Array
from lossdsl.ops.reduction import logsumexp
from lossdsl.ops.special_functions import EULER, FAR, STIRLING, ZETA, digamma, lgamma, trigamma

HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)
NEAR_ONE = 0.5
"""Logarithms up to this far from 0 are of numbers near 1, where the distance from 1 keeps the digits."""


def lgamma2p(d: Array) -> Array:
    """log gamma(2 + d) for d from -0.6 to 0.7."""
    return d * (1.0 - EULER) + sum((-1) ** k * c / k * np.power(d, k) for k, c in enumerate(ZETA, start=2))


def lgamma1p(d: Array) -> Array:
    """log gamma(1 + d) for d from -0.6 to 0.7."""
    return lgamma2p(d) - np.log1p(d)


def stirling(x: Array) -> Array:
    """What log gamma(x) is more than (x - 1/2) * log(x) - x + log(2 * pi) / 2, for x from FAR on."""
    return sum(c / x ** (2 * i + 1) for i, c in enumerate(STIRLING))


def lgamma_exp(x: Array) -> Array:
    """log gamma(exp(x))."""
    power = np.exp(x)
    low = lgamma1p(np.minimum(power, 0.61)) - x
    near = lgamma1p(np.expm1(np.clip(x, -NEAR_ONE, NEAR_ONE)))
    return np.where(x < -NEAR_ONE, low, np.where(x < NEAR_ONE, near, lgamma(np.maximum(power, 1.0))))


def exp_digamma(x: Array) -> Array:
    """exp(x) * digamma(exp(x))."""
    power = np.exp(x)
    return power * digamma(1.0 + power) - 1.0


def digamma_gap(x: Array, d: Array) -> Array:
    """digamma(x + d) - digamma(x); NaN where one of them is none."""
    inside = (x > 0) & (x + d > 0)
    x, d = np.where(inside, x, 1.0), np.where(inside, d, 0.0)
    total = sum(d / (x + i) / (x + i + d) for i in range(int(FAR)))
    low, high = x + FAR, x + FAR + d
    return np.where(inside, total + np.log1p(d / low) + d / low / high * _series(low, high), math.nan)


def _series(low: Array, high: Array) -> Array:
    """(digamma(high) - digamma(low) - log(high / low)) * low * high / (high - low), from FAR on."""
    a, b = 1.0 / low, 1.0 / high
    terms = [(2 * k - 1) * c * (a + b) * _powers(a * a, b * b, k) for k, c in enumerate(STIRLING, start=1)]
    return 0.5 + sum(terms)


def trigamma_gap(x: Array, d: Array) -> Array:
    """trigamma(x + d) - trigamma(x); NaN where one of them is none."""
    inside = (x > 0) & (x + d > 0)
    x, d = np.where(inside, x, 1.0), np.where(inside, d, 0.0)
    shifted = [(x + i, x + i + d) for i in range(int(FAR))]
    total = sum(d / low / high * (1.0 / low + 1.0 / high) for low, high in shifted)
    a, b = 1.0 / (x + FAR), 1.0 / (x + FAR + d)
    terms = [(2 * k - 1) * 2 * k * c * _powers(a, b, 2 * k + 1) for k, c in enumerate(STIRLING, start=1)]
    return np.where(inside, -(total + d * a * b * (1.0 + 0.5 * (a + b) + sum(terms))), math.nan)


def _powers(a: Array, b: Array, k: int) -> Array:
    """(a**k - b**k) / (a - b)."""
    return sum(a**i * b ** (k - 1 - i) for i in range(k))


def exp_digamma_gap(x: Array, y: Array) -> Array:
    """exp(x) * (digamma(exp(x) + exp(y)) - digamma(exp(x)))."""
    power, other = np.exp(np.minimum(x, 705.0)), np.exp(np.minimum(y, 705.0))
    return np.exp(-np.logaddexp(0.0, x - y)) + power * digamma_gap(1.0 + power, other)


def _stirling_slope(low: Array, high: Array) -> Array:
    """(stirling(low) - stirling(high)) / (high - low)."""
    a, b = 1.0 / low, 1.0 / high
    return a * b * sum(c * _powers(a, b, 2 * k - 1) for k, c in enumerate(STIRLING, start=1))


def _log1p_less(x: Array) -> Array:
    """log(1 + x) - x: log(1 + x) is twice the inverse tanh of x / (2 + x)."""
    small = np.clip(x, -0.5, 1.0)
    s = small / (2.0 + small)
    near = s * (sum(2.0 / (2 * k + 3) * s ** (2 * k + 2) for k in range(18)) - small)
    return np.where(x == small, near, np.log1p(x) - x)


def _rise_far(q: Array, p: Array, ratio: Array) -> Array:
    """log gamma(q + p) - log gamma(q) - p * log(q) for q from FAR on."""
    return q * _log1p_less(ratio) + (p - 0.5) * np.log1p(ratio) - p * _stirling_slope(q, q + p)


def lgamma_rise(x: Array, n: Array) -> Array:
    """log gamma(n + exp(x)) - log gamma(exp(x)) - n * x."""
    power = np.exp(x)
    inside, above = n + power > 0, n >= 0.5
    # from gamma(1 + exp(x)) = exp(x) * gamma(exp(x)) on, which leaves out a whole factor; but not where n is tiny
    more, first = np.where(inside, n - above, 0.0), power + above
    ratio = more * np.exp(-x)
    wide = ~above & (ratio > 1)
    large = np.where(wide, more, 1.0)
    small = np.where(above, more / (1.0 + power), np.where(wide, 0.0, ratio))
    value = np.where(wide, more * -x - (np.log(large) - x) - np.log1p(power / large), -np.log1p(small))
    value = value + np.where(wide, more * np.log1p(power), more * np.log1p(1.0 / np.where(wide, 1.0, first)))
    value = value + more * np.where(above, np.logaddexp(0.0, -x), 0.0)
    for i in range(1, int(FAR)):
        value = value + (more * np.log1p(1.0 / (first + i)) - np.log1p(more / (first + i)))
    q = first + FAR
    value = value + _rise_far(q, more, more / q)
    return np.where(inside, value, lgamma(n + power) - lgamma_exp(x) - n * x)


def digamma_rise(x: Array, n: Array) -> Array:
    """digamma(n + exp(x)) - x."""
    power = np.exp(x)
    inside = n + power > 0
    first = np.where(inside, n + power, 1.0)
    steps = sum(1.0 / (first + i) for i in range(int(FAR)))
    far = np.log1p(np.maximum(n + FAR, 0.0) * np.exp(-np.maximum(x, 0.0)))
    q = first + FAR
    powers = sum((2 * k - 1) * c / q ** (2 * k) for k, c in enumerate(STIRLING, start=1))
    value = np.where((x > 0) & (n > -FAR), far, np.log(q) - x) - (0.5 / q + powers) - steps
    return np.where(inside, value, digamma(n + power) - x)


def lgamma_rise_slope(x: Array, n: Array) -> Array:
    """exp(x) * (digamma(n + exp(x)) - digamma(exp(x))) - n."""
    edge = math.log(FAR)
    power = np.exp(x)
    inside, above = n + power > 0, n >= 0.5
    more, near = np.where(inside, n - above, 0.0), np.exp(np.minimum(x, edge))
    below = near * digamma_gap(1.0 + near, more) - more
    below = below + np.where(above, 0.0, more / np.where(above, 1.0, near + more))
    far = above + np.exp(np.maximum(x, edge))
    high = far + np.where(x < edge, 0.0, more)
    beyond = far * _log1p_less(more / far) + (far - above) * more / far / high * _series(far, high)
    beyond = beyond - above * np.log1p(more / far)
    direct = power * (digamma(n + power) - digamma(power)) - n
    return np.where(inside, np.where(x < edge, below, beyond), direct)


def log_beta_exp(x: Array, y: Array) -> Array:
    """log of the beta function of exp(x) and exp(y)."""
    low, high, edge = np.minimum(x, y), np.maximum(x, y), math.log(FAR)
    p, q = np.exp(np.minimum(low, 705.0)), np.exp(np.clip(high, edge, 705.0))
    total, ratio = p + q, np.exp(low - np.maximum(high, edge))
    one = lgamma_exp(np.minimum(low, edge)) - p * high - _rise_far(q, p, ratio)
    both = p * (low - high) - 0.5 * low + HALF_LOG_TAU + stirling(np.maximum(p, FAR))
    both = both + p * _stirling_slope(q, total) - (total - 0.5) * np.log1p(ratio)
    return np.where(high < edge, _log_beta_near(x, y), np.where(low < edge, one, both))


def _log_beta_near(x: Array, y: Array) -> Array:
    """The same where neither is large."""
    x, y = np.minimum(x, math.log(FAR)), np.minimum(y, math.log(FAR))
    a, b = np.expm1(np.clip(x, -0.3, 0.3)), np.expm1(np.clip(y, -0.3, 0.3))
    near_one = lgamma1p(a) + lgamma1p(b) - lgamma2p(a + b)
    direct = lgamma_exp(x) + lgamma_exp(y) - lgamma_exp(np.logaddexp(x, y))
    return np.where((np.abs(x) < 0.3) & (np.abs(y) < 0.3), near_one, direct)


def log_dirichlet(x: Array, axis: tuple[int, ...] | int) -> Array:
    """Sum of log gamma(exp(x)), less log gamma of the sum of exp(x)."""
    power, whole, edge = np.exp(x), logsumexp(x, axis), math.log(FAR)
    total = np.exp(whole)
    large = power * log_softmax(x, axis) - 0.5 * x + HALF_LOG_TAU + stirling(np.maximum(power, FAR))
    small = lgamma_exp(np.minimum(x, edge))
    far = np.sum(np.where(x < edge, small + power * (1.0 - whole), large), axis=axis, keepdims=True)
    far = far + 0.5 * whole - HALF_LOG_TAU - stirling(np.maximum(total, FAR))
    beside_two = np.sum(np.expm1(np.minimum(x, edge)), axis=axis, keepdims=True)
    beside_two = beside_two + (np.sum(np.ones_like(x), axis=axis, keepdims=True) - 2.0)
    of_total = lgamma_exp(np.minimum(whole, edge))
    of_total = np.where(np.abs(beside_two) < 0.5, lgamma2p(np.clip(beside_two, -0.5, 0.5)), of_total)
    return np.where(whole < edge, np.sum(small, axis=axis, keepdims=True) - of_total, far)


def log_dirichlet_slope(x: Array, axis: tuple[int, ...] | int) -> Array:
    """exp(x) * (digamma(exp(x)) - digamma of the sum of exp(x))."""
    power = np.exp(np.minimum(x, 700.0))
    shares = np.exp(x - np.max(x, axis=axis, keepdims=True))
    others, total = others_sum(power, axis), np.sum(power, axis=axis, keepdims=True)
    tiny = total < 1e-200
    share = np.where(tiny, others_sum(shares, axis), others) / np.where(
        tiny, np.sum(shares, axis=axis, keepdims=True), total
    )
    return -(share + power * digamma_gap(1.0 + power, others))


def others_sum(x: Array, axis: tuple[int, ...] | int) -> Array:
    """For each value, the sum of all others."""
    size = np.abs(x)
    most = size > 0.5 * np.sum(size, axis=axis, keepdims=True)
    rest = np.sum(np.where(most, 0.0, x), axis=axis, keepdims=True)
    return np.where(most, rest, np.sum(x, axis=axis, keepdims=True) - x)


def gamma_entropy(x: Array) -> Array:
    """x + log gamma(x) + (1 - x) * digamma(x)."""
    near, far = np.minimum(x, FAR), np.maximum(x, FAR)
    direct = near + lgamma(near) + (1.0 - near) * digamma(near)
    powers = sum((2 * k - 1) * c / far ** (2 * k) for k, c in enumerate(STIRLING, start=1))
    series = 0.5 * np.log(far) + HALF_LOG_TAU + 0.5 + ((far - 1.0) * powers + stirling(far) - 0.5 / far)
    return np.where(x < FAR, direct, series)


def gamma_entropy_slope(x: Array) -> Array:
    """1 + (1 - x) * trigamma(x)."""
    near, far = np.minimum(x, FAR), np.maximum(x, FAR)
    direct = 1.0 + (1.0 - near) * trigamma(near)
    powers = sum((2 * k - 1) * 2 * k * c / far ** (2 * k - 1) for k, c in enumerate(STIRLING, start=1))
    series = 0.5 / far + (0.5 - (far - 1.0) * powers) / far**2
    return np.where(x < FAR, direct, series)
