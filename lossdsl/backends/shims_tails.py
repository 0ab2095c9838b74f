"""Shims for the tails of distributions: `lossdsl.ops.tails` says what they are, and why in this way."""

from __future__ import annotations

from typing import Any

from keras import ops

from lossdsl.backends.shims_gamma import is_double, polynomial


def erf(x: Any) -> Any:
    """The error function; TensorFlow's own is NaN for infinite numbers of float64, and XLA's goes beyond 1."""
    return ops.clip(ops.erf(ops.clip(x, -30.0, 30.0) if is_double(x) else x), -1.0, 1.0)


def erfinv(x: Any) -> Any:
    """The inverse of the error function; TensorFlow's own has no digits near 0, and is infinite next to 1.

    In float32 by the polynomials of Giles 2010 (Approximating the erfinv function, GPU Computing Gems 2).
    """
    if is_double(x):
        small = ops.abs(x) < 1e-3
        return ops.where(small, x * (0.886226925452758 + 0.23201366653465452 * ops.square(x)), ops.erfinv(x))
    w = -ops.log((1.0 - x) * (1.0 + x))
    middle = polynomial(
        ops.minimum(w, 5.0) - 2.5,
        (1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06, -3.5233877e-06,
         3.43273939e-07, 2.81022636e-08),
    )  # fmt: skip
    tail = polynomial(
        ops.sqrt(ops.maximum(w, 5.0)) - 3.0,
        (2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322,
         0.000100950558, -0.000200214257),
    )  # fmt: skip
    return x * ops.where(w < 5.0, middle, ops.where(w < 20.0, tail, w))


def mills_ratio(x: Any) -> Any:
    """The chance that a standard normal number is above x, over the density there; for x from 0 on.

    In 4 / (4 + x), by interpolation at Chebyshev's points; in float64 the backend's own function where that has digits.
    """
    share = 4.0 / (4.0 + x)
    if is_double(x):
        near, far = ops.minimum(x, 5.0), ops.maximum(x, 5.0)
        direct = 1.2533141373155003 * ops.exp(0.5 * near * near) * ops.erfc(near / 1.4142135623730951)
        fraction = far
        for n in range(60, 0, -1):
            fraction = far + float(n) / fraction
        return ops.where(x < 5.0, direct, 1.0 / fraction)
    return share * polynomial(
        share,
        (
            0.250000001, 0.2499997057, 0.2343893508, 0.2028462486, 0.1620186611, 0.09114238668, 0.1255645318,
            -0.152369145, 0.2763424681, -0.3124474527, 0.1540351457, -0.02820776536,
        ),
    )  # fmt: skip


def normal_density(x: Any) -> Any:
    """exp(-x * x / 2) / sqrt(2 * pi) for x from 0 on, in two factors, the first of a square without rounding."""
    x = ops.minimum(x, 40.0)
    coarse = ops.floor(16.0 * x) / 16.0
    return 0.3989422804014327 * ops.exp(-0.5 * coarse * coarse) * ops.exp(-0.5 * (x - coarse) * (x + coarse))


def log_normal_cdf(x: Any) -> Any:
    """log of the chance that a standard normal number is below x."""
    size = ops.abs(x)
    ratio = mills_ratio(size)
    half = 0.5 * ops.minimum(x, 0.0)
    below = ops.log(ratio) - 0.9189385332046727 - half * ops.minimum(x, 0.0)
    return ops.where(x < 0, below, ops.log1p(-normal_density(size) * ratio))


def normal_ratio(x: Any) -> Any:
    """Density over chance to be below, the derivative of `log_normal_cdf`."""
    size = ops.abs(x)
    ratio, density = mills_ratio(size), normal_density(size)
    return ops.where(x < 0, 1.0 / ratio, density / (1.0 - density * ratio))


def logaddexp_gap(x: Any, y: Any) -> Any:
    """softplus(x) - logaddexp(x, y): by log1p of a product, but where the second is far below the first."""
    furthest = 700.0 if is_double(x, y) else 85.0
    share = ops.sigmoid(-x) * ops.expm1(ops.minimum(y, furthest))
    near = ops.logical_and(share > -0.5, y < furthest)
    direct = ops.softplus(x) - ops.logaddexp(x, y)
    return ops.where(near, -ops.log1p(ops.where(near, share, 0.0)), direct)


def sigmoid_gap(x: Any, y: Any) -> Any:
    """sigmoid(x) - sigmoid(x - y): a product with expm1 of what is below 0."""
    below = y < 0
    sigmoids = ops.sigmoid(ops.where(below, x - y, x)) * ops.sigmoid(ops.where(below, -x, y - x))
    found = sigmoids * ops.expm1(-ops.abs(y))
    return ops.where(below, found, -found)


def exp_softplus(x: Any, y: Any) -> Any:
    """exp(y) * softplus(x - y), as the exponential of the smaller one times something moderate."""
    s = x - y
    below = ops.clip(s, -80.0, 0.0)
    share = ops.where(s < 0, ops.log1p(ops.exp(below)) * ops.exp(-below), ops.softplus(ops.maximum(s, 0.0)))
    return ops.exp(ops.minimum(x, y)) * share


def exp_softplus_slope(x: Any, y: Any) -> Any:
    """exp(y) * (softplus(x - y) - sigmoid(x - y)); below, the logarithm by a series without its first term."""
    s = x - y
    above = ops.maximum(s, 0.0)
    w = ops.exp(ops.minimum(s, 0.0))
    q = w / (2.0 + w)
    terms = tuple(2 / (2 * k + 3) for k in range(16 if is_double(x, y) else 7))
    second = (q * polynomial(ops.square(q), terms) / (2.0 + w) - 1.0) / (2.0 + w)
    share = ops.where(s < 0, w * (1.0 / (1.0 + w) + second), ops.softplus(above) - ops.sigmoid(above))
    return ops.exp(ops.minimum(x, y)) * share
