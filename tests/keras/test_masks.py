"""Masks from layers: seen where Keras keeps them, refused where they don't fit; and the shapes of labels."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import lossdsl

MAE = "mean(abs(y_true - y_pred))"


class Slice(keras.layers.Layer):
    """A layer that says it supports masks and drops a step, as careless ones do."""

    supports_masking = True

    def call(self, inputs):
        return inputs[:, 1:]


def masked_model(*more):
    inputs = keras.Input((4, 2))
    x = keras.layers.Masking()(inputs)
    for layer in (keras.layers.Dense(2), *more):
        x = layer(x)
    return keras.Model(inputs, x)


def padded():
    x = np.arange(1, 25, dtype="float32").reshape(3, 4, 2) / 10
    x[0, 3:] = x[1, 1:] = 0
    return x, np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]], bool)


@pytest.mark.parametrize("weights", [None, (3,), (3, 1), (3, 4)], ids=str)
@pytest.mark.parametrize(
    "settings", [{"run_eagerly": True}, {}, {"jit_compile": True}, {"steps_per_execution": 2}], ids=str
)
def test_a_masked_evaluation_with_weights(weights, settings):
    x, mask = padded()
    model = masked_model()
    w = None if weights is None else np.random.default_rng(0).random(weights).astype("float32")
    model.compile("sgd", loss=lossdsl.compile(MAE), **settings)
    found = model.evaluate(x, np.zeros((3, 4, 2)), sample_weight=w, batch_size=3, verbose=0)
    e = np.abs(model.predict(x, verbose=0)).mean(-1)
    factor = 1.0 if w is None else np.broadcast_to(w.reshape(w.shape + (1,) * (2 - w.ndim)), (3, 4))
    assert float(found) == pytest.approx((e * mask * factor).sum() / mask.sum(), rel=1e-5)


def test_a_mask_on_a_model_whose_output_is_one_number_a_step():
    x, mask = padded()
    for y in (np.zeros((3, 4, 1)), np.zeros((3, 4))):
        model = masked_model(keras.layers.Dense(1))
        model.compile("sgd", loss=lossdsl.compile(MAE))
        e = np.abs(model.predict(x, verbose=0))[..., 0]
        assert float(model.evaluate(x, y, batch_size=3, verbose=0)) == pytest.approx(
            (e * mask).sum() / mask.sum(), rel=1e-5
        )


@pytest.mark.parametrize("eagerly", [True, False])
def test_a_mask_that_is_longer_than_the_predictions_is_an_error(eagerly):
    x, _ = padded()
    model = masked_model(Slice())
    model.compile("sgd", loss=lossdsl.compile(MAE), run_eagerly=eagerly)
    with pytest.raises(lossdsl.LossError, match=r"a mask of shape \((3|None), 4\)"):
        model.evaluate(x, np.zeros((3, 3, 2)), verbose=0)


def test_all_masked_is_zero():
    model = masked_model()
    model.compile("sgd", loss=lossdsl.compile(MAE))
    assert model.evaluate(np.zeros((3, 4, 2)), np.ones((3, 4, 2)), verbose=0) == 0.0


def test_the_mask_is_in_the_table_that_keras_keeps_for_tracers():
    from keras.src.backend import get_keras_mask

    from lossdsl.backends import runtime

    assert runtime.get_keras_mask is get_keras_mask


@pytest.mark.parametrize("labels", [np.array([0, 2, 1]), np.array([[0], [2], [1]])], ids=["(B,)", "(B,1)"])
def test_class_numbers_of_either_shape(labels):
    y_pred = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.2, 0.5, 0.3]], "float32")
    expected = -np.log([0.5, 0.8, 0.5]).mean()
    loss = lossdsl.compile("-log(take_along_axis(y_pred, y_true))")
    assert float(loss(labels, y_pred)) == pytest.approx(expected, rel=1e-6)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("linear")])
    model.compile("sgd", loss=loss)
    assert float(model.evaluate(y_pred, labels, verbose=0)) == pytest.approx(expected, rel=1e-6)


def test_ragged_sparse_text_and_nested_data_are_refused_by_name():
    import tensorflow as tf

    loss = lossdsl.compile(MAE)
    zeros = np.zeros((2, 2))
    for bad, says in (
        (tf.ragged.constant([[1.0], [2.0, 3.0]]), "y_true is of type RaggedTensor"),
        (tf.sparse.from_dense(zeros), "y_true is of type SparseTensor"),
        ({"a": zeros}, "y_true is of type dict"),
        (["cat", "dog"], "y_true holds text"),
    ):
        with pytest.raises(lossdsl.LossError, match=says):
            loss(bad, zeros)

    @tf.function
    def lost(y):
        return loss(tf.py_function(lambda x: x, [y], tf.float32), y)

    with pytest.raises(lossdsl.LossError, match="y_true has an unknown number of axes"):
        lost(tf.zeros((2, 2)))


def test_symbolic_tensors_make_symbolic_losses():
    y_true, y_pred, weights = keras.Input((3,)), keras.Input((3,)), keras.Input(())
    loss = lossdsl.compile(MAE)
    assert loss(y_true, y_pred, weights).shape == ()
    assert loss.call(y_true, y_pred).shape == (None,)
    data = [np.zeros((2, 3)), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])]
    model = keras.Model([y_true, y_pred], loss(y_true, y_pred))
    assert float(model(data)) == pytest.approx(3.5)
    weighted = lossdsl.compile(MAE, reduction="mean_with_sample_weight")(y_true, y_pred, weights)
    model = keras.Model([y_true, y_pred, weights], weighted)
    assert float(model([*data, np.array([1.0, 3.0])])) == pytest.approx((2 + 3 * 5) / 4)
