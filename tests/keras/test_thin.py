"""Rows that work along an axis, on operands that are the same for all of its entries: numbers, and what was reduced."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES

import lossdsl

PER_SAMPLE = "y_true: float[batch]\ny_pred: float[batch, k]\n"
CASES = [
    "sum(log_softmax(y_pred) * 2)",
    "sum(log_softmax(y_pred))",
    "sum(log_softmax(y_pred) * mean(y_true, axis=-1))",
    "mean(log_softmax(y_pred) * exp(mean(y_true, axis=-1)))",
    "mean(softmax(y_pred) * mean(y_true, axis=-1))",
    PER_SAMPLE + "sum(log_softmax(y_pred) * y_true)",
    PER_SAMPLE + "sum(log_softmax(y_pred) * square(y_true) * softmax(y_pred))",
    PER_SAMPLE + "1 - sum(normalize(y_pred) * normalize([1, 2, 3, 4]))",
    PER_SAMPLE + "sum(softmax(y_pred + y_true) * (log_softmax(y_pred + y_true) - log_softmax(y_pred)))",
    "y_true: float[batch, c]\ny_pred: float[batch, 4, c]\nsum(log_softmax(y_pred, axis=1) * y_true)",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", CASES)
def test_value_and_gradient(text: str, mode: str) -> None:
    """Against NumPy, as written, and its differences."""
    random = np.random.default_rng(len(text))
    pred = random.normal(size=(3, 4, 2) if "4, c" in text else (3, 4))
    true = random.normal(size={True: (3,), False: (3, 2) if "4, c" in text else (3, 4)}[text.startswith(PER_SAMPLE)])
    loss = lossdsl.compile(text, reduction="sum")

    def run(t: tf.Tensor, p: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = loss(t, p)
        return value, tape.gradient(value, p)

    called = MODES[mode](run)
    value, slope = called(tf.constant(true, "float32"), tf.constant(pred, "float32"))
    wanted = np.zeros_like(pred)
    for place in np.ndindex(pred.shape):
        ends = [pred.copy(), pred.copy()]
        ends[0][place] += 1e-5
        ends[1][place] -= 1e-5
        above, below = (float(np.sum(lossdsl.evaluate(text, true, end))) for end in ends)
        wanted[place] = (above - below) / 2e-5
    assert float(value) == pytest.approx(float(np.sum(lossdsl.evaluate(text, true, pred))), rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(slope, wanted, rtol=1e-3, atol=1e-5)
