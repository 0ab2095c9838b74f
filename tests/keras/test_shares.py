"""Softmax and its kin beside one class that has nearly everything: what is left of the others keeps its digits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES, Tried
from mpmath import mp

from lossdsl.backends import shims
from lossdsl.ops import INTERNAL

pytestmark = pytest.mark.filterwarnings("ignore:.*reduction-none")

GAPS = (0.0, 0.5, 3.0, 10.0, 17.0, 30.0, 60.0, 70.0)
"""How far the second class is below the first; from 17 on float32 has no 1 + exp(-gap)."""


def rows(top, labels):
    """Logits with one class on top, its place turning, and a label for each sample."""
    pred = [np.roll([top, top - gap, top - 1.1 * gap - 0.25], i) for i, gap in enumerate(GAPS)]
    true = [labels(int(np.argmax(row))) for row in pred]
    return np.array(true, np.float32), np.array(pred, np.float32)


SETS = {
    "right": rows(0.75, lambda top: np.eye(3)[top]),
    "wrong": rows(-2.5, lambda top: np.eye(3)[top - 1]),
    "far from 0": rows(3000.0, lambda top: np.eye(3)[top]),
    "at 0": rows(0.0, lambda top: np.eye(3)[top]),
    "shared": rows(1.25, lambda top: 0.05 + 0.85 * np.eye(3)[top]),
    "several": rows(1.25, lambda top: np.eye(3)[top] + [2.0, 0.5, 0.0]),
}


def log_softmax(p):
    largest = max(p)
    return [v - largest - mp.log(mp.fsum(mp.exp(u - largest) for u in p)) for v in p]


def softmax(p):
    return [mp.exp(v) for v in log_softmax(p)]


def dot(a, b):
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


FORMULAS = {
    "-sum(y_true * log(softmax(y_pred)))": lambda t, p: -dot(t, log_softmax(p)),
    "-sum(y_true * log_softmax(y_pred))": lambda t, p: -dot(t, log_softmax(p)),
    "-sum(square(y_true) * log_softmax(y_pred) + 0.5 * y_true)": lambda t, p: (
        -dot([v * v for v in t], log_softmax(p)) - sum(t) / 2
    ),
    "logsumexp(y_pred) + 0 * sum(y_true)": lambda t, p: mp.log(mp.fsum(mp.exp(v) for v in p)),
    "sum(softmax(y_pred) * y_true)": lambda t, p: dot(t, softmax(p)),
    "sum(square(softmax(y_pred)) * y_true)": lambda t, p: dot(t, [v * v for v in softmax(p)]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_digits(formula, name, mode):
    TRIED.judge(formula, mode, name, FORMULAS[formula], 10, 30)


TRIED = Tried(FORMULAS, SETS)


def test_what_an_entry_gives_the_others_where_they_are_masked() -> None:
    """Two logits of -3.4e38 share what the first gives, in NumPy as in TensorFlow."""
    x, g = np.float32([[0, -3.4028235e38, -3.4028235e38]]), np.float32([[1, 1.5, 2]])
    found = shims.log_softmax_others_pull(tf.constant(x), tf.constant(g), -1)
    np.testing.assert_allclose(found, [[-1, 0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(INTERNAL["log_softmax_others_pull"].numpy(x.astype(float), g, -1), found, rtol=1e-6)


def test_an_infinity_times_an_exponential_stays_one() -> None:
    assert np.isinf(shims.times_exp(tf.constant([np.inf, -np.inf]), tf.constant([-10.0, -10.0]))).all()
