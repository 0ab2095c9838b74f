"""Shims for differences of nearly equal terms: `lossdsl.ops.near` says what they are, and why in this way.

Where nothing cancels they are what a formula says. What goes into a series is kept near 0, so that a framework that
differentiates both branches meets nothing infinite.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lossdsl.backends.shims_products import xlog1py, xlogy


def curve(x: Any, square: Any) -> Any:
    """1 / x - 1 / expm1(x) for |x| up to 0.5, from x and its square; its series in float64.

    A quotient is enough elsewhere: its numbers are those with the smallest relative error there, 4.1e-8.
    """
    if keras.backend.standardize_dtype(x.dtype) != "float64":
        return 0.5 - x / (12.0000283 + 0.1995522 * square)
    terms = (
        1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
        -3617 / 10670622842880000, 43867 / 5109094217170944000,
    )  # fmt: skip
    square, total = ops.minimum(square, 0.25), 0.0
    for coefficient in reversed(terms):
        total = square * total + coefficient
    return 0.5 - x * total


def exp_rest(x: Any) -> Any:
    """exp(x) - 1 - x without terms that cancel near 0."""
    more, square = ops.expm1(x), ops.square(x)
    return ops.where(square < 0.25, x * more * curve(x, square), more - x)


def xexp_rest(x: Any) -> Any:
    """x * exp(x) - expm1(x) without terms that cancel near 0."""
    more, square = ops.expm1(x), ops.square(x)
    return ops.where(square < 0.25, x * more * curve(-x, square), (x - 1.0) * ops.exp(x) + 1.0)


def log1p_rest(x: Any) -> Any:
    """x - log1p(x) without terms that cancel near 0."""
    log = ops.log1p(x)
    square = ops.square(log)
    return ops.where(square < 0.25, x * log * curve(log, square), x - log)


def deviance1p(x: Any) -> Any:
    """(1 + x) * log1p(x) - x without terms that cancel near 0."""
    near = ops.clip(x, -0.39, 0.64)
    log = ops.log1p(near)
    return ops.where(ops.equal(near, x), near * log * curve(-log, ops.square(log)), xlog1py(1.0 + x, x) - x)


def log_ratio(x: Any, y: Any) -> Any:
    """log(x / y), by the difference where the two are nearly equal: there the quotient is rounded too much."""
    part = (x - y) / y
    near = ops.clip(part, -0.5, 1.0)
    return ops.where(ops.equal(near, part), ops.log1p(near), ops.log(x / y))


def xlog_ratio(x: Any, y: Any, z: Any) -> Any:
    """x * log(y / z), but 0 where x is 0; by the difference where y and z are nearly equal."""
    part = (y - z) / z
    near = ops.clip(part, -0.5, 1.0)
    return ops.where(ops.equal(near, part), x * ops.log1p(near), xlogy(x, y / z))


def _distance(x: Any, y: Any) -> tuple[Any, Any]:
    """How far x is from y, and whether it is below; of equals it is x - y, whose derivative is not 0."""
    apart = x - y
    below = apart < 0
    return ops.where(below, -apart, apart), below


def log_quotient(x: Any, y: Any) -> Any:
    """log(x / y) of numbers that are not negative, by one logarithm of what is above 1."""
    distance, below = _distance(x, y)
    log = ops.log1p(distance / ops.minimum(x, y))
    return ops.where(below, -log, log)


def log_difference(x: Any, y: Any) -> Any:
    """log(x) - log(y) by one logarithm of what is above 1; where the quotient is large, and may overflow, by two."""
    distance, below = _distance(x, y)
    part = distance / ops.maximum(ops.minimum(x, y), 0.0)
    near = ops.minimum(part, 1e4)
    log = ops.log1p(near)
    return ops.where(ops.equal(near, part), ops.where(below, -log, log), ops.log(x) - ops.log(y))


def less_power(x: Any, power: float) -> Any:
    """1 - (1 - x)**power: x times the sum of the lower powers of 1 - x."""
    rest = 1.0 - x
    total = 1.0 + rest
    for _ in range(int(power) - 2):
        total = 1.0 + rest * total
    return x * total


def log1p_difference(x: Any, y: Any) -> Any:
    """log1p(x) - log1p(y) by one logarithm of what is above 1."""
    distance, below = _distance(x, y)
    log = ops.log1p(distance / ops.maximum(1.0 + ops.minimum(x, y), 0.0))
    return ops.where(below, -log, log)


def part(x: Any, y: Any) -> Any:
    """x / y - 1, by the difference: the quotient is rounded too much where the two are nearly equal."""
    return (x - y) / y


def ratio_rest(x: Any, y: Any) -> Any:
    """x / y - 1 - log(x / y) without terms that cancel where the two are nearly equal."""
    part = (x - y) / y
    near = ops.clip(part, -0.39, 0.64)
    log, ratio = ops.log1p(near), x / y
    return ops.where(ops.equal(near, part), near * log * curve(log, ops.square(log)), ratio - 1.0 - ops.log(ratio))


def deviance(x: Any, y: Any) -> Any:
    """x * log(x / y) - x + y without terms that cancel where the two are nearly equal."""
    apart = x - y
    part = apart / y
    near = ops.clip(part, -0.39, 0.64)
    log = ops.log1p(near)
    return ops.where(ops.equal(near, part), apart * log * curve(-log, ops.square(log)), xlogy(x, x / y) - apart)


def log1m_exp(x: Any) -> Any:
    """log(1 - exp(x)) by the exponential or by expm1, whichever is not next to 1 (Maechler 2012)."""
    far, near = ops.minimum(x, -0.6931471805599453), ops.maximum(x, -0.6931471805599453)
    return ops.where(x < -0.6931471805599453, ops.log1p(-ops.exp(far)), ops.log(-ops.expm1(near)))
