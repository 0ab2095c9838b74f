"""Calling a loss: its value and gradient come from one pass, and agree with what the backend makes of the formula."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import forwardprop

import lossdsl
from lossdsl.backends import live_ops

FORMULAS = {
    "mean": "mean(square(y_true - y_pred))",
    "sum": "sum(y_true * exp(y_pred))",
    "sums inside": "1 - sum(y_true * y_pred) / sum(y_true + square(y_pred))",
    "softmax": "-sum(y_true * log(softmax(y_pred)))",
    "positions left": "square(y_true - y_pred) * y_pred",
    "coupled": "mean(square(y_true - mean(y_pred, axis=batch)))",
}
MODES = {
    "eager": lambda f: f,
    "graph": tf.function,
    "unknown sizes": lambda f: tf.function(f, input_signature=[tf.TensorSpec((None, None))] * 2),
    "xla": lambda f: tf.function(f, jit_compile=True),
}
RANDOM = np.random.default_rng(0)
TRUE, PRED = (tf.constant(RANDOM.uniform(0.1, 0.9, (4, 40)).astype("float32")) for _ in range(2))


def derivatives(loss):
    """Value, both gradients, and both gradients of the squared gradient by the predictions."""

    def run(y_true, y_pred):
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([y_true, y_pred])
            with tf.GradientTape(persistent=True) as inner:
                inner.watch([y_true, y_pred])
                value = loss(y_true, y_pred)
            slope = inner.gradient(value, y_pred)
            penalty = tf.reduce_sum(tf.square(slope))
        zero = tf.UnconnectedGradients.ZERO
        by_labels = inner.gradient(value, y_true)
        return value, slope, by_labels, *outer.gradient(penalty, [y_true, y_pred], unconnected_gradients=zero)

    return run


# Each way of running with the formulas that it could get wrong; XLA compiles slowly.
WAYS = [(name, mode, "auto") for name in ("mean", "sums inside") for mode in MODES]
WAYS += [(name, mode, "auto") for name in ("softmax", "coupled", "positions left") for mode in ("eager", "graph")]
WAYS += [("sums inside", "eager", True), ("sums inside", "graph", True), ("sum", "graph", True)]


@pytest.mark.parametrize(("name", "mode", "jit"), WAYS)
def test_first_and_second_derivatives(name, mode, jit):
    wanted = derivatives(lossdsl.compile(FORMULAS[name], gradient="backend", rewrite=False))(TRUE, PRED)
    found = MODES[mode](derivatives(lossdsl.compile(FORMULAS[name], jit_compile=jit)))(TRUE, PRED)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6 * (1 + np.max(np.abs(theirs))))


def test_the_gradient_of_the_labels_when_it_is_asked_for_later():
    """The first call makes a function without it, which must not serve the second."""
    loss = lossdsl.compile(FORMULAS["mean"])
    loss(TRUE, PRED)
    with tf.GradientTape() as tape:
        tape.watch(TRUE)
        value = loss(TRUE, PRED)
    np.testing.assert_allclose(tape.gradient(value, TRUE), 2 * (TRUE - PRED) / 160, rtol=1e-5)


def test_forward_mode_by_the_labels():
    loss = lossdsl.compile(FORMULAS["mean"])
    loss(TRUE, PRED)
    with forwardprop.ForwardAccumulator(TRUE, tf.ones_like(TRUE)) as accumulator:
        value = loss(TRUE, PRED)
    assert float(accumulator.jvp(value)) == pytest.approx(float(tf.reduce_mean(2 * (TRUE - PRED))), rel=1e-4)


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean", None])
def test_reductions_are_those_of_the_plain_call(reduction):
    ours, theirs = (
        lossdsl.compile(FORMULAS["mean"], reduction=reduction, gradient=kind) for kind in ("ours", "backend")
    )
    np.testing.assert_allclose(ours(TRUE, PRED), theirs(TRUE, PRED), rtol=1e-6)


def test_an_empty_batch_is_zero():
    assert float(lossdsl.compile(FORMULAS["mean"])(tf.zeros((0, 3)), tf.zeros((0, 3)))) == 0.0


@pytest.mark.parametrize("shape", [(64, 1000), (8, 1009), (4, 32, 32, 1), (2, 65536), (2, 131101)])
def test_sums_in_xla_keep_their_digits(shape):
    """They are products with ones there; a product over too much would lose digits."""
    x = (1 + RANDOM.random(shape)).astype("float32")
    axes = tuple(range(1, len(shape)))
    exact = np.sum(x.astype("float64"), axis=axes)
    for keepdims in (False, True):
        found = tf.function(lambda x, k=keepdims: live_ops.sum(x, axes, k), jit_compile=True)(x)
        assert found.shape == np.sum(x, axis=axes, keepdims=keepdims).shape
        np.testing.assert_allclose(np.ravel(found), exact, rtol=2e-6)
        mean = tf.function(lambda x, k=keepdims: live_ops.mean(x, axes, k), jit_compile=True)(x)
        np.testing.assert_allclose(np.ravel(mean), exact / np.prod(shape[1:]), rtol=2e-6)


def test_in_fit_with_and_without_xla():
    """One step of each kind moves the weights alike."""
    x, y = RANDOM.normal(size=(8, 3)).astype("float32"), RANDOM.normal(size=(8, 2)).astype("float32")
    moved = []
    for inside, outside in (("auto", False), (True, False), ("auto", True), (True, True)):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="ones")])
        loss = lossdsl.compile(FORMULAS["mean"], jit_compile=inside)
        model.compile(keras.optimizers.SGD(0.1), loss=loss, jit_compile=outside)
        model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
        moved.append(np.concatenate([np.ravel(w) for w in model.get_weights()]))
    for other in moved[1:]:
        np.testing.assert_allclose(other, moved[0], rtol=1e-5)
