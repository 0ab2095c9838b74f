"""Formulas as users write them, naively, beside what they mean: the mathematics in mpmath, limits included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from benchmarks.oracles import plain as m

T, P = "y_true", "y_pred"
BITS = (np.array([[0.25], [1.0], [0.0]]), np.array([[0.3], [0.6], [0.2]]))
LOGITS = (np.array([[0.25], [1.0], [0.0]]), np.array([[0.3], [-1.6], [0.2]]))
NUMBERS = (np.array([[0.5], [-1.5], [2.5]]), np.array([[0.3], [-1.6], [0.2]]))
POSITIVE = (np.array([[0.5], [1.5], [2.5]]), np.array([[0.3], [1.6], [0.2]]))
VECTORS = (np.array([[0.5, -1.5, 0.2, 1.1]]), np.array([[0.3, -1.6, 0.7, -0.4]]))
CHOICES = (np.eye(4), np.array([[0.3, -1.6, 0.7, -0.4]]))
SHARES = (np.array([[0.1, 0.2, 0.3, 0.4]]), np.array([[0.4, 0.2, 0.3, 0.1]]))
MASKS = (np.array([[0.0, 1.0, 1.0, 0.0]]), np.array([[0.4, 0.2, 0.7, 0.1]]))


@dataclass(frozen=True)
class Naive:
    """A formula, what it means, and harmless data; `rows` is whether it takes a row as a whole."""

    number: int
    text: str
    means: Callable[[Any, Any], Any]
    data: tuple[Any, Any]

    def oracle(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample."""
        return np.array([self._one(t, p) for t, p in zip(y_true, y_pred, strict=True)], dtype=object)

    def _one(self, t: Any, p: Any) -> Any:
        return self.means(t[0], p[0]) if len(p) == 1 else self.means(t, p)


def _log(x: Any) -> Any:
    return mp.log(x)


def xlogy(x: Any, y: Any) -> Any:
    return mp.mpf(0) if x == 0 else x * mp.log(y)


def _softplus(x: Any) -> Any:
    return mp.log(1 + mp.exp(x)) if x < 300 else x + mp.exp(-x)


def _entropy(t: Any, p: Any) -> Any:
    return -sum(m.xlogy(t, p))


def _focal(t: Any, p: Any, gamma: float) -> Any:
    return -(xlogy(t * (1 - p) ** gamma, p) + xlogy((1 - t) * p**gamma, 1 - p))


def _cos(t: Any, p: Any) -> Any:
    return sum(t * p) / mp.sqrt(sum(t * t) * sum(p * p))


def _by_logits(t: Any, x: Any) -> Any:
    return t * _softplus(-x) + (1 - t) * _softplus(x)


def _focal_by_logits(t: Any, x: Any) -> Any:
    p, q = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
    return t * q**2 * _softplus(-x) + (1 - t) * p**2 * _softplus(x)


def _log_sum_exp(x: Any) -> Any:
    return mp.log(sum(m.exp(x)))


_X = "t = y_true\nx = y_pred\n"
_P = "t = y_true\np = y_pred\n"
NAIVE = (
    Naive(1, _P + "-(t * log(p) + (1 - t) * log(1 - p))", lambda t, p: -(xlogy(t, p) + xlogy(1 - t, 1 - p)), BITS),
    Naive(2, _X + "-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))", _by_logits, LOGITS),
    Naive(
        3,
        _P + "-(t * log(p + 1e-8) + (1 - t) * log(1 - p + 1e-8))",
        lambda t, p: -(t * _log(p + mp.mpf("1e-8")) + (1 - t) * _log(1 - p + mp.mpf("1e-8"))),
        BITS,
    ),
    Naive(4, "log(1 + exp(y_pred))", lambda t, x: _softplus(x), LOGITS),
    Naive(5, "log(sigmoid(y_pred))", lambda t, x: -_softplus(-x), LOGITS),
    Naive(6, "log(1 - sigmoid(y_pred))", lambda t, x: -_softplus(x), LOGITS),
    Naive(7, "1 / (1 + exp(-y_pred))", lambda t, x: 1 / (1 + mp.exp(-x)), LOGITS),
    Naive(8, "1 - sigmoid(y_pred)", lambda t, x: 1 / (1 + mp.exp(x)), LOGITS),
    Naive(9, "log(sum(exp(y_pred)))", lambda t, x: _log_sum_exp(x), VECTORS),
    Naive(10, "(exp(y_pred) / sum(exp(y_pred)))[..., 0]", lambda t, x: mp.exp(x[0]) / sum(m.exp(x)), VECTORS),
    Naive(
        11,
        _X + "-sum(t * log(softmax(x)))",
        lambda t, x: sum(t * (_log_sum_exp(x) - x)),
        CHOICES,
    ),
    Naive(12, _X + "-sum(t * log_softmax(x))", lambda t, x: sum(t * (_log_sum_exp(x) - x)), CHOICES),
    Naive(13, _P + "-sum(t * log(p))", _entropy, (CHOICES[0], SHARES[1])),
    Naive(14, "sqrt(sum(square(y_pred - y_true)))", lambda t, p: mp.sqrt(sum((p - t) ** 2)), VECTORS),
    Naive(15, "sqrt((y_pred - y_true)**2 + 1e-6)", lambda t, p: mp.sqrt((p - t) ** 2 + mp.mpf("1e-6")), NUMBERS),
    Naive(16, "where(y_pred > 0, log(y_pred), 0)", lambda t, x: mp.log(x) if x > 0 else mp.mpf(0), NUMBERS),
    Naive(17, "-sum(y_pred * log(y_pred))", lambda t, p: _entropy(p, p), SHARES),
    Naive(18, _P + "sum(t * log(t / p))", lambda t, p: _entropy(t, p) - _entropy(t, t), SHARES),
    Naive(19, "log(cosh(y_pred - y_true))", lambda t, p: mp.log(mp.cosh(p - t)), NUMBERS),
    Naive(
        20,
        _P + "-(t * (1 - p)**2 * log(p) + (1 - t) * p**2 * log(1 - p))",
        lambda t, p: _focal(t, p, 2),
        BITS,
    ),
    Naive(
        21,
        _P + "-(t * (1 - p)**0.5 * log(p) + (1 - t) * p**0.5 * log(1 - p))",
        lambda t, p: _focal(t, p, 0.5),
        BITS,
    ),
    Naive(
        22,
        _X + "p = sigmoid(x)\n-(t * (1 - p)**2 * log(sigmoid(x)) + (1 - t) * p**2 * log(1 - sigmoid(x)))",
        _focal_by_logits,
        LOGITS,
    ),
    Naive(
        23,
        _P + "1 - 2 * sum(t * p) / (sum(t) + sum(p))",
        lambda t, p: 1 - 2 * sum(t * p) / (sum(t) + sum(p)),
        MASKS,
    ),
    Naive(
        24,
        _P + "1 - sum(t * p) / (sum(t) + sum(p) - sum(t * p))",
        lambda t, p: 1 - sum(t * p) / (sum(t) + sum(p) - sum(t * p)),
        MASKS,
    ),
    Naive(25, _P + "-sum(t * p) / (norm(t) * norm(p))", lambda t, p: -_cos(t, p), VECTORS),
    Naive(26, _P + "1 - sum(t * p) / (norm(t) * norm(p))", lambda t, p: 1 - _cos(t, p), VECTORS),
    Naive(27, "1 - cos(y_pred)", lambda t, x: 2 * mp.sin(x / 2) ** 2, NUMBERS),
    Naive(28, _X + "exp(x) - t * log(exp(x))", lambda t, x: mp.exp(x) - t * x, LOGITS),
    Naive(29, _P + "p - t * log(p)", lambda t, p: p - xlogy(t, p), POSITIVE),
    Naive(
        30,
        _P + "(log(1 + p) - log(1 + t))**2",
        lambda t, p: mp.log((1 + p) / (1 + t)) ** 2,
        POSITIVE,
    ),
    Naive(31, "log(y_pred / (1 - y_pred))", lambda t, p: mp.log(p / (1 - p)), BITS),
    Naive(
        32,
        "v = exp(y_pred)\n0.5 * (log(v) + y_true**2 / v)",
        lambda d, s: (s + d**2 * mp.exp(-s)) / 2,
        NUMBERS,
    ),
    Naive(33, "(y_pred - y_true)**1.5", lambda t, p: (p - t) * mp.sqrt(p - t), NUMBERS),
    Naive(34, "log(1 + exp(-y_true * y_pred))", lambda t, x: _softplus(-t * x), (np.array([[1.0], [-1.0]]), LOGITS[1])),
    Naive(35, "exp(y_pred) - 1", lambda t, x: mp.expm1(x), NUMBERS),
    Naive(36, "-0.5 * (1 + y_pred - exp(y_pred))", lambda t, s: (mp.expm1(s) - s) / 2, NUMBERS),
)
