"""The same few numbers on whichever backend `KERAS_BACKEND` names; run by `test_backends.py`."""

from __future__ import annotations

import json
import warnings

import keras
import numpy as np

import lossdsl

MAE = "mean(abs(y_true - y_pred))"


def number(x):
    return float(keras.ops.convert_to_numpy(x))


def masked(loss):
    """`evaluate` and one step of `fit` on padded sequences, where only Keras' own table knows the mask."""
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Masking()(inputs)))
    model.set_weights([np.array([[1.0, -1.0], [0.5, 2.0]]), np.zeros(2)])
    x = np.arange(1, 25, dtype="float32").reshape(3, 4, 2) / 10
    x[0, 3:] = x[1, 1:] = 0
    model.compile(keras.optimizers.SGD(0.1), loss=loss, metrics=[lossdsl.metric(MAE, name="ours")])
    y = np.ones((3, 4, 2), "float32")
    values = model.evaluate(x, y, batch_size=2, verbose=0)
    model.fit(x, y, batch_size=3, verbose=0)
    return [*values, *np.concatenate([w.ravel() for w in model.get_weights()]).tolist()]


def slope(loss, y_true, y_pred, weights):
    if keras.config.backend() == "jax":
        import jax

        return jax.jit(jax.grad(lambda p: loss(y_true, p, weights)))(np.asarray(y_pred, "float32")).tolist()
    if keras.config.backend() == "torch":
        import torch

        given = torch.tensor(y_pred, requires_grad=True)
        loss(y_true, given, weights).backward()
        return given.grad.tolist()
    import tensorflow as tf

    given = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(given)
        value = loss(y_true, given, weights)
    return tape.gradient(value, given).numpy().tolist()


def sure_and_wrong(loss):
    """At a logit of 60 and a label of 0: an eager call, and what `fit` shows and changes."""
    eager = loss(np.zeros((1, 1)), keras.activations.sigmoid(keras.ops.convert_to_tensor([[60.0]])))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, activation="sigmoid", use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    model.compile(keras.optimizers.SGD(1.0), loss=loss)
    shown = model.fit(np.array([[60.0]]), np.zeros((1, 1)), verbose=0).history["loss"][0]
    return [number(eager), shown, float(1 - model.get_weights()[0].item())]


def mapped():
    """The same mapped over by torch, where nobody may look at a number; None elsewhere."""
    if keras.config.backend() != "torch":
        return None
    import torch

    loss = lossdsl.compile("binary_crossentropy", gradient="backend")
    each = torch.func.vmap(lambda z: loss(np.zeros((1, 1)), keras.activations.sigmoid(z)))
    return each(torch.tensor([[[1.0]], [[-3.0]]])).tolist()


def main() -> None:
    y_true, y_pred = (
        np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]),
        np.array([[1.5, 2.0], [3.0, 1.0], [2.0, 2.0]]),
    )
    labels = np.array([[2, 0], [1, 1]], "uint8")
    probabilities = np.array([[[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]], [[0.1, 0.8, 0.1], [0.3, 0.4, 0.3]]], "float32")
    ranking = """
d = y_true - pairs(y_true, axis=batch)
e = y_pred - pairs(y_pred, axis=batch)
mean(softplus(-d * e), axis=pairs)
"""
    found = {"ours": masked(lossdsl.compile(MAE)), "keras": masked(keras.losses.MeanAbsoluteError())}
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        loss = lossdsl.compile(f"{MAE} + sum(abs(y_true - y_pred)) / 4", reduction=reduction)
        found[reduction] = number(loss(y_true, y_pred, np.array([2.0, 1.0, 0.0])))
    found["inside"] = number(lossdsl.compile(MAE)(y_true, y_pred, np.array([[1.0, 2.0], [0.5, 1.0], [0.0, 1.0]])))
    found["labels"] = number(lossdsl.compile("-log(take_along_axis(y_pred, y_true))")(labels, probabilities))
    found["coupled"] = number(lossdsl.compile(ranking)(y_true[:, :1], y_pred[:, :1], np.array([1.0, 1.0, 0.0])))
    found["half"] = number(lossdsl.compile(MAE, dtype="bfloat16")([[0.0]], [[0.1]]))
    found["shape"] = list(lossdsl.compile(MAE)(keras.Input((2,)), keras.Input((2,))).shape)
    found["slope"] = slope(
        lossdsl.compile("-mean(log(y_pred)) + 0 * mean(y_true)"),
        np.zeros((2, 1), "float32"),
        np.array([[0.5], [np.nan]], "float32"),
        np.array([1.0, 0.0], "float32"),
    )
    found["logits"] = [
        sure_and_wrong(lossdsl.compile("binary_crossentropy", **more)) for more in ({}, {"logits": False})
    ]
    found["logits, mapped"] = mapped()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=lossdsl.compile(MAE, reduction=None))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.evaluate(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
    found["told"] = any("trains on the batch's sum" in str(w.message) for w in caught)
    print("FOUND", json.dumps(found))


if __name__ == "__main__":
    main()
