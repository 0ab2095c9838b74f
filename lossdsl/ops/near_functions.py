"""Differences of nearly equal terms in float64, by series where they cancel: `lossdsl.ops.near` says which and how."""

from __future__ import annotations

import numpy as np

from lossdsl.ops.op import Array
from lossdsl.ops.special import product_with

BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000, 43867 / 5109094217170944000,
)  # fmt: skip
"""B(2k) / (2k)!."""
NEAR = 0.6
"""Up to here the series is used: farther out nothing cancels that matters."""
FAR = 1e4
"""From this quotient on the difference of two logarithms is as good as the logarithm of it, and never overflows."""


def curve(x: Array) -> Array:
    """1 / x - 1 / expm1(x) near 0."""
    total = np.zeros_like(x)
    for coefficient in reversed(BERNOULLI):
        total = total * np.square(x) + coefficient
    return 0.5 - x * total


def _near(x: Array) -> Array:
    return np.clip(x, -NEAR, NEAR)


def exp_rest(x: Array) -> Array:
    """exp(x) - 1 - x."""
    more, near = np.expm1(x), _near(x)
    return np.where(near == x, near * np.expm1(near) * curve(near), more - x)


def xexp_rest(x: Array) -> Array:
    """x * exp(x) - expm1(x)."""
    near = _near(x)
    far = (np.maximum(x, -1e4) - 1.0) * np.exp(x) + 1.0
    return np.where(near == x, near * np.expm1(near) * curve(-near), far)


def log1p_rest(x: Array) -> Array:
    """x - log1p(x)."""
    log = np.log1p(x)
    near = _near(log)
    return np.where(near == log, x * near * curve(near), x - log)


def less_power(x: Array, power: float) -> Array:
    """1 - (1 - x)**power: x times the sum of the lower powers of 1 - x."""
    rest = np.subtract(1.0, x)
    total = np.ones_like(rest)
    for _ in range(int(power) - 1):
        total = 1.0 + rest * total
    return x * total


def log_ratio(x: Array, y: Array) -> Array:
    """log(x / y)."""
    part = np.true_divide(np.subtract(x, y), y)
    near = np.clip(part, -0.5, 1.0)
    return np.where(near == part, np.log1p(near), np.log(np.true_divide(x, y)))


def log_quotient(x: Array, y: Array) -> Array:
    """log(x / y) of numbers that are not negative."""
    return log_ratio(np.where(np.less(x, 0), np.nan, x), np.where(np.less(y, 0), np.nan, y))


def log_difference(x: Array, y: Array) -> Array:
    """log(x) - log(y)."""
    part = np.true_divide(np.abs(np.subtract(x, y)), np.maximum(np.minimum(x, y), 0.0))
    near = np.minimum(part, FAR)
    sign = np.where(np.less(x, y), -1.0, 1.0)
    return np.where(near == part, sign * np.log1p(near), np.subtract(np.log(x), np.log(y)))


def log1p_difference(x: Array, y: Array) -> Array:
    """log1p(x) - log1p(y)."""
    least = np.maximum(1.0 + np.minimum(x, y), 0.0)
    ratio = np.true_divide(np.subtract(x, y), least)
    return np.where(ratio < 0, -1.0, 1.0) * np.log1p(np.abs(ratio))


def xlog_ratio(x: Array, y: Array, z: Array) -> Array:
    """x * log(y / z), 0 where x is 0."""
    nothing = np.equal(x, 0)
    return np.where(nothing, 0.0, np.multiply(x, log_ratio(np.where(nothing, 1.0, y), np.where(nothing, 1.0, z))))


def _parts(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """`x / y - 1`, no farther from 0 than the series goes, its log1p, and whether it is that near."""
    part = np.true_divide(np.subtract(x, y), y)
    near = np.clip(part, -0.45, 0.8)
    return near, np.log1p(near), near == part


def ratio_rest(x: Array, y: Array) -> Array:
    """x / y - 1 - log(x / y)."""
    part, log, near = _parts(x, y)
    ratio = np.true_divide(x, y)
    return np.where(near, part * log * curve(log), ratio - 1.0 - np.log(ratio))


def deviance(x: Array, y: Array) -> Array:
    """x * log(x / y) - x + y."""
    _, log, near = _parts(x, y)
    apart = np.subtract(x, y)
    return np.where(near, apart * log * curve(-log), _XLOGY(x, np.true_divide(x, y)) - apart)


def deviance1p(x: Array) -> Array:
    """(1 + x) * log1p(x) - x."""
    log = np.log1p(x)
    near = _near(log)
    return np.where(near == log, x * near * curve(-near), _XLOG1PY(1.0 + np.asarray(x), x) - x)


def log1m_exp(x: Array) -> Array:
    """By the exponential or by expm1, whichever is not next to 1 (Maechler 2012)."""
    far = np.minimum(x, -np.log(2.0))
    near = np.maximum(x, -np.log(2.0))
    return np.where(np.less(x, -np.log(2.0)), np.log1p(-np.exp(far)), np.log(-np.expm1(near)))


_XLOGY, _XLOG1PY = product_with(np.log, 0.0)[0], product_with(np.log1p, -1.0)[0]
