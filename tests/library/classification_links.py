"""Oracles and claims for classes: other links than softmax."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from case import between, case, convex, equals, loss
from classification_shared import CROSS_LOGITS, claim, each_position, same, shifted, soft_logits
from mpmath import mp
from samples import one_hot_logits

# -- oracles


def root(function: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """Where a function crosses 0 between two points."""
    return mp.findroot(function, (low, high), solver="illinois", tol=mp.mpf(10) ** -72, verify=False)


@each_position
def sparsemax(y: Any, z: Any) -> Any:
    """The projection by trying every support; the paper's form with the threshold."""
    for size in range(1, len(z) + 1):
        for support in combinations(range(len(z)), size):
            tau = (sum(z[j] for j in support) - 1) / size
            if all((z[j] > tau) == (j in support) for j in range(len(z))):
                return -sum(y * z) + sum(z[j] ** 2 - tau**2 for j in support) / 2 + sum(y * y) / 2
    raise AssertionError


@each_position
def entmax15(y: Any, z: Any) -> Any:
    """The Fenchel-Young loss of Tsallis' entropy with alpha = 1.5; the threshold is searched."""
    alpha = mp.mpf(3) / 2
    weights = lambda tau: [max((alpha - 1) * x - tau, mp.mpf(0)) ** (1 / (alpha - 1)) for x in z]  # noqa: E731
    p = weights(root(lambda tau: 1 - sum(weights(tau)), max(z) / 2 - 1, max(z) / 2))
    tsallis = lambda q: sum(x - x**alpha for x in q) / (alpha * (alpha - 1))  # noqa: E731
    return sum(p * z) + tsallis(p) - sum(y * z) - tsallis(y)


@each_position
def bi_tempered(y: Any, z: Any, t1: float, t2: float) -> Any:
    """Tempered logarithm and exponential; the normaliser is searched."""
    s, t = mp.mpf(t1), mp.mpf(t2)
    log_t = lambda x: (x ** (1 - s) - 1) / (1 - s)  # noqa: E731
    exp_t = lambda x: max(1 + (1 - t) * x, mp.mpf(0)) ** (1 / (1 - t))  # noqa: E731
    high = max(z) + (mp.mpf(len(z)) ** (t - 1) - 1) / (t - 1)
    normaliser = root(lambda x: 1 - sum(exp_t(a - x) for a in z), max(z), high)
    p = [exp_t(a - normaliser) for a in z]
    return sum(
        (a * (log_t(a) - log_t(b)) if a > 0 else 0) - (a ** (2 - s) - b ** (2 - s)) / (2 - s)
        for a, b in zip(y, p, strict=True)
    )


CASES = [
    case("sparsemax", sparsemax, one_hot_logits),
    case("sparsemax", sparsemax, soft_logits),
    case("entmax15", entmax15, one_hot_logits),
    case("entmax15", entmax15, soft_logits),
    case("bi_tempered_logistic", bi_tempered, one_hot_logits, t1=0.7, t2=1.3),
    case("bi_tempered_logistic", bi_tempered, one_hot_logits, t1=0.2, t2=4.0),
    case("bi_tempered_logistic", bi_tempered, soft_logits, t1=0.5, t2=2.0),
]

# -- claims


def sparse() -> bool:
    """Sparsemax' margin: nothing is lost where the true class leads by 1."""
    t, z = np.eye(3)[[1]], np.array([[0.5, 1.5, -2.0]])
    return same(loss("sparsemax", t, z), 0) and loss("sparsemax", t, z - [[0, 0.01, 0]])[0] > 0


CLAIMS = [
    claim("sparsemax", "0 where the true class leads by 1", sparse),
    *(shifted(name, one_hot_logits) for name in ("sparsemax", "entmax15", "bi_tempered_logistic")),
    *(convex(name, one_hot_logits) for name in ("sparsemax", "entmax15")),
    claim(
        "entmax15",
        "0 where the true class leads by 2",
        lambda: same(loss("entmax15", np.eye(3)[[1]], np.array([[0.5, 2.5, -1]])), 0),
    ),
    equals("bi_tempered_logistic", CROSS_LOGITS, one_hot_logits, rtol=0.15, t1=0.99999, t2=1.01),
    between("bi_tempered_logistic", one_hot_logits, 0, 1 / (1 - 0.4), t1=0.4, t2=1.5),
]
