"""Squares that float32 does not have: value and gradient keep their digits, far out, near 0, and in between."""

from __future__ import annotations

import numpy as np
import pytest
from modes import MODES, Tried
from mpmath import mp

pytestmark = pytest.mark.filterwarnings("ignore:.*reduction-none")

ORDINARY = ([1.5, 0.4, 0.25], [0.9, 1.0, 2.0], [3.0, 0.125, 0.75])
SIZES = {
    "ordinary": (1.0, 0.1, 7.0),
    "large": (1.0, 1e25, 1e30),
    "small": (1.0, 1e-25, 1e-30),
    "all": (1e-30, 1e30, 1.0),
}
"""A batch of ordinary numbers takes the plain form of every shim, one with a single odd row the careful one."""


def rows(sizes):
    """Samples of three entries, of each size, and truths of the same size."""
    pred = np.array([[x * size for x in row] for size in sizes for row in ORDINARY], np.float32)
    true = np.roll(pred, 1, axis=1) * np.float32(0.75)
    return true, pred


def norm(x):
    return mp.sqrt(mp.fsum(v * v for v in x))


def apart(t, p):
    return [a - b for a, b in zip(p, t, strict=True)]


def mean(values):
    return mp.fsum(values) / 3


def var(x):
    return mean([(v - mean(x)) ** 2 for v in x])


def cosine(t, p):
    return mp.fsum(a * b for a, b in zip(t, p, strict=True)) / norm(t) / norm(p)


FORMULAS = {
    "sqrt(sum(square(y_pred - y_true)))": lambda t, p: norm(apart(t, p)),
    "sqrt(mean(square(y_pred - y_true), axis=-1))": lambda t, p: norm(apart(t, p)) / mp.sqrt(3),
    "sqrt(mean(square(y_pred)) + mean(square(y_true)))": lambda t, p: mp.sqrt((norm(p) ** 2 + norm(t) ** 2) / 3),
    "mean(sqrt(square(y_pred) + square(y_true)))": lambda t, p: mean(mp.hypot(a, b) for a, b in zip(p, t, strict=True)),
    "mean(sqrt(square(y_pred - y_true) + 0.25))": lambda t, p: mean(mp.hypot(d, 0.5) for d in apart(t, p)),
    "mean(sqrt(1 + square(y_pred - y_true)) - 1)": lambda t, p: mean(mp.hypot(d, 1) - 1 for d in apart(t, p)),
    "mean(log(1 + square(y_pred - y_true) / 4))": lambda t, p: mean(mp.log1p(d * d / 4) for d in apart(t, p)),
    "log(sum(square(y_pred)))": lambda t, p: mp.log(norm(p) ** 2),
    "mean(y_pred / (4 + square(y_pred)))": lambda t, p: mean(v / (4 + v * v) for v in p),
    "mean(square(y_pred) / (9 + square(y_pred)))": lambda t, p: mean(v * v / (9 + v * v) for v in p),
    "mean(square(y_pred) / (square(y_true) + square(y_pred)))": lambda t, p: mean(
        a * a / (a * a + b * b) for a, b in zip(p, t, strict=True)
    ),
    "mean((1 + square(y_pred)) ** 0.35)": lambda t, p: mean((1 + v * v) ** mp.mpf("0.35") for v in p),
    "sqrt(var(y_pred))": lambda t, p: mp.sqrt(var(p)),
    "sum(y_true * y_pred) / (norm(y_true) * norm(y_pred))": cosine,
    "1 - sum(normalize(y_true) * normalize(y_pred))": lambda t, p: 1 - cosine(t, p),
    "sum(y_true * y_pred) / sum(square(y_true))": lambda t, p: (
        mp.fsum(a * b for a, b in zip(t, p, strict=True)) / norm(t) ** 2
    ),
    "norm(y_pred) - norm(y_true)": lambda t, p: norm(p) - norm(t),
}
ROUGH = {
    "mean(square(y_pred) / (square(y_true) + square(y_pred)))": (8, 100),
    "mean((1 + square(y_pred)) ** 0.35)": (20, 16),
    "1 - sum(normalize(y_true) * normalize(y_pred))": (8, 30),
    "norm(y_pred) - norm(y_true)": (50, 8),
}
"""Where terms of either sign meet, and for a power of a large number, which frameworks round by more."""


TRIED = Tried(FORMULAS, {name: rows(sizes) for name, sizes in SIZES.items()})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("formula", FORMULAS)
def test_digits(formula, sizes, mode):
    TRIED.judge(formula, mode, sizes, FORMULAS[formula], *ROUGH.get(formula, (8, 16)), rows=True)
