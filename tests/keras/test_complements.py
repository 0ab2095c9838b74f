"""1 less a probability: as exact where the probability is tiny as where it is nearly 1."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from mpmath import mp

import lossdsl

LOW, HIGH = (mp.mpf(float(np.float32(x))) for x in (1e-7, 1 - 1e-7))
NEAR = [0.0, 1e-9, 1.5e-7, 1e-4, 0.3, 0.5, 0.9, 1 - 1e-6, 1 - 2.0**-23, 1 - 2.0**-24, 1.0]


def clip(p):
    return min(max(p, LOW), HIGH)


FORMULAS = {
    "-mean(log(maximum(1 - y_pred, epsilon)))": lambda p: -mp.log(max(1 - p, LOW)),
    "mean((1 - (y_true * y_pred + (1 - y_true) * (1 - y_pred)))**2)": lambda p: (1 - p) ** 2,
    "mean((1 - where(y_true == 0, y_pred, 1 - y_pred))**2)": lambda p: p**2,
    "p = clip(y_pred, epsilon, 1 - epsilon)\nmean(1 - (y_true * p + (1 - y_true) * (1 - p)))": lambda p: 1 - clip(p),
    "p = clip(y_pred, epsilon, 1 - epsilon)\nright = where(y_pred > 0.4, p, 1 - p)\nmean((1 - right)**2 * log(1 - p))": (
        lambda p: (1 - clip(p) if p > mp.mpf("0.4") else clip(p)) ** 2 * mp.log(1 - clip(p))
    ),
}


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_values_and_gradients(formula, mode):
    loss = lossdsl.compile(formula, reduction=None)
    p = np.array(NEAR, np.float32)[:, np.newaxis]

    def both(p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            values = loss.function(tf.ones_like(p), p)
        return values, tape.gradient(values, p)

    call = {"eager": both, "graph": tf.function(both), "xla": tf.function(both, jit_compile=True)}[mode]
    values, slopes = call(tf.constant(p))
    with mp.workdps(60):
        oracle, points, step = FORMULAS[formula], [mp.mpf(float(x)) for x in p[:, 0]], mp.mpf("1e-30")
        wanted = [float(oracle(x)) for x in points]
        inward = [step if x < 0.5 else -step for x in points]
        slope = [float((oracle(x + h) - oracle(x)) / h) for x, h in zip(points, inward, strict=True)]
    np.testing.assert_allclose(values, wanted, rtol=6e-7)
    np.testing.assert_allclose(slopes[:, 0], slope, rtol=1e-6, atol=1e-30)
