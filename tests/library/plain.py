"""Mathematics for the oracles: NumPy arrays of mpmath numbers, and functions of them.

`+ - * / ** @`, comparisons, `abs`, `np.sum`, `np.max`, `np.maximum`, `np.where`, `np.cumsum` and `np.sort` work on them as they
are. What NumPy knows for floats alone (`np.exp`, `np.log`, ...) stands here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp

DIGITS = 40
EPSILON = mp.mpf("1e-7")
"""Keras' epsilon."""


def exact(array: Any) -> Any:
    """Floats as mpmath numbers, exactly; class numbers stay whole numbers, and what is not there stays away."""
    if array is None:
        return None
    array = np.asarray(array)
    return array if array.dtype.kind in "iub" else np.frompyfunc(mp.mpf, 1, 1)(array)


def _each(function: Any) -> Any:
    return np.frompyfunc(function, 1, 1)


exp = _each(mp.exp)
log = _each(mp.log)
sqrt = _each(mp.sqrt)
sin = _each(mp.sin)
cos = _each(mp.cos)
atan = _each(mp.atan)
acos = _each(mp.acos)
tanh = _each(mp.tanh)
cosh = _each(mp.cosh)
erf = _each(mp.erf)


def _near_zero(function: Any, there: Any) -> Any:
    """mpmath takes as many digits as the argument has zeros, and so forever: there the first two terms are exact."""
    return _each(lambda x: there(x) if 0 < x < mp.mpf("1e-150") else function(x))


gamma = _near_zero(mp.gamma, lambda x: 1 / x - mp.euler)
lgamma = _near_zero(mp.loggamma, lambda x: -mp.log(x) - mp.euler * x)
digamma = _near_zero(mp.digamma, lambda x: -1 / x - mp.euler)
normal_cdf = _each(mp.ncdf)
normal_pdf = _each(mp.npdf)
sigmoid = _each(lambda x: 1 / (1 + mp.exp(-x)))
relu = _each(lambda x: max(x, mp.mpf(0)))


def softmax(z: Any, axis: int = -1) -> Any:
    return exp(z) / np.sum(exp(z), axis=axis, keepdims=True)


def logsumexp(z: Any, axis: int = -1) -> Any:
    return log(np.sum(exp(z), axis=axis))


def xlogy(x: Any, y: Any) -> Any:
    """x * log(y), and 0 where x is 0."""
    return np.frompyfunc(lambda a, b: mp.mpf(0) if a == 0 else a * mp.log(b), 2, 1)(x, y)


def clip(x: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def probabilities(p: Any) -> Any:
    """Keras' guard: epsilon away from 0 and 1."""
    return clip(p, EPSILON, 1 - EPSILON)


def one_hot(labels: Any, classes: int) -> Any:
    return exact(np.eye(classes)[labels])


def unit(x: Any, axis: int = -1) -> Any:
    """Vectors scaled to length 1."""
    return x / sqrt(np.sum(x * x, axis=axis, keepdims=True))


@_each
def held(x: Any) -> Any:
    """A number that takes no gradient: rounded to half of the digits, so that the tiny step of a derivative does not show.

    Floats stay what they are, and so does what is small, down to about the size of such a step.
    """
    if abs(x) < mp.mpf(10) ** (-mp.dps / mp.mpf(3)):
        return mp.mpf(0)
    mantissa, exponent = mp.frexp(x)
    bits = 16 + mp.dps // 2
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), exponent - bits)


def mean(x: Any, axis: Any = None) -> Any:
    return np.sum(x, axis=axis) / (np.size(x) // np.size(np.sum(x, axis=axis)))


def per_sample(values: Any) -> Any:
    """The mean over everything but the batch."""
    return mean(np.reshape(values, (len(values), -1)), axis=1)


def per_sample_sum(values: Any) -> Any:
    return np.sum(np.reshape(values, (len(values), -1)), axis=1)
