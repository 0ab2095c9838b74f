"""Every library loss as a Keras loss: value and gradient in float32, weights, half types, and saving."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from library_cases import ONE_EACH, Case, slopes, values
from library_checks import MOST_SLOW, agree, tensors

import lossdsl
from lossdsl import library
from lossdsl.checked import analyse


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_value_gradient_and_weights(case: Case) -> None:
    loss = lossdsl.compile(case.name, **case.params)
    y_true, y_pred = tensors(case)
    wanted = values(case)

    @tf.function
    def step() -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([y_true, y_pred])
            value = loss(y_true, y_pred)
        return value, tf.convert_to_tensor(tape.gradient(value, y_pred))

    value, slope = step()
    size = 1 + np.max(np.abs(wanted))
    assert float(value) == pytest.approx(np.mean(wanted), rel=1e-4, abs=1e-5 * size)
    agree(slope.numpy(), slopes(case))
    if len(wanted) == len(y_pred):
        weights = np.linspace(0.25, 2, len(wanted))
        weighted = float(loss(y_true, y_pred, tf.constant(weights, "float32")))
        if analyse(library.text(case.name)).couples == "none":
            assert weighted == pytest.approx(np.mean(wanted * weights), rel=1e-4, abs=1e-5 * size)
        assert np.isfinite(weighted)


@pytest.mark.parametrize("case", MOST_SLOW)
def test_double_precision(case: Case) -> None:
    """Digits that float32 has not."""
    loss = lossdsl.compile(case.name, **case.params, dtype="float64")
    y_true, y_pred = tensors(case, "float64")
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    wanted, slope, found = np.mean(values(case)), slopes(case), tape.gradient(value, y_pred).numpy()
    assert value.dtype == found.dtype == "float64"
    assert float(value) == pytest.approx(wanted, rel=1e-10, abs=1e-10)
    known = np.isfinite(slope)
    np.testing.assert_allclose(found[known], slope[known], rtol=1e-7, atol=1e-7 * (1 + np.max(np.abs(slope[known]))))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", MOST_SLOW)
def test_half_types(case: Case, dtype: str) -> None:
    """No NaN on ordinary inputs, in the value or the gradient; near the truth, as near as the inputs allow."""
    loss = lossdsl.compile(case.name, **case.params)
    y_true, y_pred = tensors(case, dtype)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred)
    assert np.isfinite(float(value))
    assert np.all(np.isfinite(tf.cast(tf.convert_to_tensor(tape.gradient(value, y_pred)), "float32").numpy()))


@pytest.mark.parametrize("name", library.names())
def test_saved_with_every_parameter_changed(name: str) -> None:
    changed = {key: other(value, name, key) for key, value in lossdsl.check(name).parameters.items()}
    loss = lossdsl.compile(name, **changed)
    saved = json.loads(json.dumps(keras.losses.serialize(loss)))
    again = keras.losses.deserialize(saved)
    assert again.get_config() == loss.get_config()
    assert again.params == changed


def other(value: object, name: str, key: str) -> object:
    """Another value for a parameter that its declaration allows."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        whole = all(isinstance(item, int) for item in value)
        scale = 2 if whole else 0.75
        return [[item * scale for item in row] if isinstance(row, list) else row * scale for row in value]
    for candidate in (value * 0.75, value * 0.5 + 0.25, value + 0.125, value + 1, value - 1):
        if lossdsl.check(name, {key: candidate}).ok and candidate != value:
            return candidate
    raise AssertionError(f"no other value for {key} of {name}")
