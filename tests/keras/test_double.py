"""float64: what is made of numbers alone, or of their own size, has that type too, and the digits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES

import lossdsl
from lossdsl.backends import shims

CASES = [
    ("mean(std(y_pred, axis=-1) + 0 * y_pred)", [[2.0, 2.0], [0.0, 0.0], [1e-200, 3e-200]]),
    ("mean(norm(y_pred, axis=-1) + 0 * y_pred)", [[0.0, 0.0], [3e-200, 4e-200], [3e200, 4e200]]),
    ("mean(normalize(y_pred))", [[0.0, 0.0], [3e-200, 4e-200], [3e200, 4e200]]),
    ("mean(sort(square(y_pred)) * [1, 2])", [[3.0, 1.0], [0.5, 0.5]]),
    ("mean(where(y_pred > 0, 0.9, 0.1) * y_pred)", [[3.0, -1.0]]),
    ("square(mean(y_pred, axis=(batch, -1)))", [[3.0, 1.0], [0.5, 0.5]]),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("text", "numbers"), CASES)
def test_value_and_gradient(text: str, numbers: list[list[float]], mode: str) -> None:
    loss = lossdsl.compile(text, dtype="float64", reduction="sum")
    data = np.asarray(numbers)

    def run(pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(pred)
            value = loss(pred, pred)
        return value, tape.gradient(value, pred)

    called = MODES[mode](run)
    value, slope = called(tf.constant(data))
    assert value.dtype == slope.dtype == tf.float64
    assert np.all(np.isfinite(slope))
    assert float(value) == pytest.approx(np.sum(lossdsl.evaluate(text, data, data)), rel=1e-14)


def test_the_error_function_has_ends() -> None:
    assert shims.erf(tf.constant([np.inf, -np.inf, 0.0], "float64")).numpy().tolist() == [1.0, -1.0, 0.0]
