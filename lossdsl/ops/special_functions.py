"""Special functions that NumPy lacks, in float64: series where they converge fast, asymptotics elsewhere.

Each is as good as its argument: the error is that of an argument that is wrong in its last few bits.
"""

from __future__ import annotations

import math

import numpy as np

from lossdsl.ops.op import Array

EULER = 0.5772156649015329
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
"""Coefficients of 1/x, 1/x**3, ... in the asymptotic series of lgamma."""
FAR = 15.0
"""From here on the asymptotic series are exact to float64."""


def _zeta_minus_one(k: int) -> float:
    """sum of n**-k from n = 2, by Euler and Maclaurin."""
    n = 50.0
    tail = n ** (1 - k) / (k - 1) + n**-k / 2 + k * n ** (-k - 1) / 12
    tail -= k * (k + 1) * (k + 2) * n ** (-k - 3) / 720
    tail += k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * n ** (-k - 5) / 30240
    return math.fsum([m**-k for m in range(2, 50)]) + tail


ZETA = [_zeta_minus_one(k) for k in range(2, 30)]


def erf(x: Array) -> Array:
    """Error function."""
    size = np.abs(np.asarray(x, float))
    near_one = 1.0 - np.exp(_log_erfc(np.clip(size, 2.0, 6.0)))
    return np.copysign(np.where(size < 2.0, _erf_series(np.minimum(size, 2.0)), near_one), x)


def _erf_series(x: Array) -> Array:
    """exp(-x*x) times a series of positive terms; for 0 to 2."""
    term = total = x
    for n in range(1, 50):
        term = term * (2.0 * x * x) / (2 * n + 1)
        total = total + term
    return 2.0 / math.sqrt(math.pi) * np.exp(-x * x) * total


def _log_erfc(x: Array) -> Array:
    """log(1 - erf(x)), by the continued fraction; from 1 on, best from 2 on."""
    fraction = x
    for n in range(150, 0, -1):
        fraction = x + (n / 2.0) / fraction
    return -x * x - np.log(math.sqrt(math.pi) * fraction)


def mills_ratio(x: Array) -> Array:
    """The chance that a standard normal number is above x, over the density there; for x from 0 on."""
    y = x / math.sqrt(2.0)
    near = np.minimum(y, 1.0)
    direct = math.sqrt(math.pi / 2.0) * np.exp(near * near) * (1.0 - _erf_series(near))
    far = np.maximum(y, 1.0)
    fraction = far
    for n in range(400, 0, -1):
        fraction = far + (n / 2.0) / fraction
    return np.where(y < 1.0, direct, 1.0 / (math.sqrt(2.0) * fraction))


def erfinv(x: Array) -> Array:
    """Inverse of erf: Newton on erf near the middle, on log(1 - erf) in the tails."""
    value = np.asarray(x, float)
    size = np.abs(value)
    middle = np.minimum(size, 0.9)
    y = middle * (math.sqrt(math.pi) / 2.0)
    for _ in range(9):
        y = y + (middle - _erf_series(y)) * (math.sqrt(math.pi) / 2.0) * np.exp(y * y)
    rest = np.clip(1.0 - size, 1e-320, 0.1)
    z = np.sqrt(np.maximum(-np.log(rest * np.sqrt(-math.pi * np.log(rest))), 1.0))
    for _ in range(7):
        z = z + (_log_erfc(z) - np.log(rest)) * np.exp(_log_erfc(z) + z * z) * (math.sqrt(math.pi) / 2.0)
    found = np.where(size < 0.9, y, np.where(size == 1.0, math.inf, z))
    return np.where(size <= 1.0, np.copysign(found, value), math.nan)


def lgamma(x: Array) -> Array:
    """log |gamma(x)|."""
    value = np.asarray(x, float)
    positive = _lgamma_positive(np.where(value > 0.0, value, 1.0 - value))
    with np.errstate(divide="ignore", invalid="ignore"):
        mirrored = np.log(math.pi / np.abs(_sin_pi(value))) - positive
    return np.where(value > 0.0, positive, np.where(np.isinf(value), math.inf, mirrored))


def _lgamma_positive(x: Array) -> Array:
    """Down to 1.5 ... 2.5 for a Taylor series there, or, from FAR on, the asymptotic series."""
    far = np.maximum(x, FAR)
    small = np.minimum(x, FAR)
    steps = np.zeros_like(small)
    product = np.ones_like(small)
    for _ in range(int(FAR)):
        down = small > 2.5
        small = np.where(down, small - 1.0, small)
        product = np.where(down, product * small, product)
        steps += down
    near_two = np.where(small >= 1.5, small - 2.0, np.where(small >= 0.5, small - 1.0, small))
    series = near_two * (1.0 - EULER) + sum((-1) ** k * c / k * near_two**k for k, c in enumerate(ZETA, start=2))
    with np.errstate(divide="ignore"):
        series = series - np.where(small < 1.5, np.log1p(near_two), 0.0)
        series = series - np.where(small < 0.5, np.log(small), 0.0)
    near = np.where(steps > 0, series + np.log(product), series)
    return np.where(x < FAR, near, _stirling(far))


def _stirling(x: Array) -> Array:
    tail = sum(c / x ** (2 * i + 1) for i, c in enumerate(STIRLING))
    with np.errstate(invalid="ignore"):
        main = (x - 0.5) * (np.log(x) - 1.0) + 0.5 * (math.log(2.0 * math.pi) - 1.0)
    return np.where(np.isinf(x), math.inf, main + tail)


def digamma(x: Array) -> Array:
    """Derivative of lgamma."""
    value = np.asarray(x, float)
    reflected = value <= 0.0
    y = np.where(reflected, 1.0 - value, value)
    total = np.zeros_like(y)
    for _ in range(int(FAR)):
        total = np.where(y < FAR, total - 1.0 / y, total)
        y = np.where(y < FAR, y + 1.0, y)
    powers = sum((2 * i + 1) * c / y ** (2 * i + 2) for i, c in enumerate(STIRLING))
    total = total + np.log(y) - 0.5 / y - powers
    with np.errstate(divide="ignore", invalid="ignore"):
        mirrored = total - math.pi * _cos_pi(value) / _sin_pi(value)
    return np.where(reflected, np.where(value == np.round(value), math.nan, mirrored), total)


def trigamma(x: Array) -> Array:
    """Derivative of digamma."""
    value = np.asarray(x, float)
    reflected = value <= 0.0
    y = np.where(reflected, 1.0 - value, value)
    total = np.zeros_like(y)
    for _ in range(int(FAR)):
        total = np.where(y < FAR, total + 1.0 / y**2, total)
        y = np.where(y < FAR, y + 1.0, y)
    powers = sum((2 * i + 1) * (2 * i + 2) * c / y ** (2 * i + 3) for i, c in enumerate(STIRLING))
    total = total + 1.0 / y + 0.5 / y**2 + powers
    with np.errstate(divide="ignore", invalid="ignore"):
        mirrored = (math.pi / _sin_pi(value)) ** 2 - total
    return np.where(reflected, mirrored, total)


def _sin_pi(x: Array) -> Array:
    """sin(pi*x), exact at whole numbers."""
    whole = np.round(x)
    return np.sin(math.pi * (x - whole)) * np.where(whole % 2.0 == 0.0, 1.0, -1.0)


def _cos_pi(x: Array) -> Array:
    whole = np.round(x)
    return np.cos(math.pi * (x - whole)) * np.where(whole % 2.0 == 0.0, 1.0, -1.0)
