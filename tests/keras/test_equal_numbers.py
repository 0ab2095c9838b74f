"""Of equal numbers nothing is left where their mean is taken off, though a mean of 5 or 7 numbers is rounded."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES

import lossdsl

FORMULAS = [
    "std(y_pred, axis=-1)",
    "sqrt(var(y_pred, axis=-1))",
    "std(y_pred, axis=-1, where=y_true > 0)",
    "sum(y_true * (y_pred - mean(y_pred, axis=-1)) / (std(y_pred, axis=-1) + 1e-8), axis=-1)",
    "norm(y_pred - mean(y_pred, axis=-1), axis=-1)",
]


@pytest.mark.parametrize("mode", MODES)
def test_value_and_gradient_are_nothing(mode: str) -> None:
    losses = [lossdsl.compile(formula, reduction="sum").function for formula in FORMULAS]

    def run(true: tf.Tensor, pred: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pred)
            values = [loss(true, pred) for loss in losses]
        return [(value, tape.gradient(value, pred)) for value in values]

    called = MODES[mode](run)
    for size in (3, 5, 7, 10):
        pred = np.repeat(np.array([[49.1], [0.1], [-1e-7], [3e30]], np.float32), size, axis=1)
        true = np.where(np.arange(size) < size - 1, 1, -1) * np.ones_like(pred)
        for formula, (value, slope) in zip(FORMULAS, called(tf.constant(true), tf.constant(pred)), strict=True):
            assert np.all(np.asarray(value) == 0), (formula, size)
            if "y_true *" not in formula:  # that has the gradient 1 / (n * 1e-8)
                assert np.all(np.asarray(slope) == 0), (formula, size)
