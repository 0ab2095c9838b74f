"""Trains one model on one and on two logical CPUs and prints what came of it; run by `test_replicas.py`."""

from __future__ import annotations

import json

import keras
import numpy as np
import tensorflow as tf

import lossdsl

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
RNG = np.random.default_rng(5)
X = RNG.normal(size=(8, 4, 3)).astype("float32")
Y = RNG.normal(size=(8, 4, 2)).astype("float32")
WEIGHTS = np.array([3.0, 1.0, 0.5, 0.0, 2.0, 1.0, 0.25, 4.0], "float32")
PADDED = X.copy()
PADDED[1, 2:] = PADDED[4, 1:] = PADDED[5] = 0

MAE = "mean(abs(y_true - y_pred))"
CORRELATION = """
a = y_true - mean(y_true, axis=batch)
b = y_pred - mean(y_pred, axis=batch)
1 - mean(a * b, axis=all) / sqrt(mean(a * a, axis=all) * mean(b * b, axis=all))
"""
RANKING = """
t = mean(y_true)
p = mean(y_pred)
mean(softplus(-(t - pairs(t, axis=batch)) * (p - pairs(p, axis=batch))), axis=pairs)
"""
CASES = {
    "even": (MAE, {}, X, None, 4),
    "weights": (MAE, {}, X, WEIGHTS, 8),
    "uneven mask": (MAE, {}, PADDED, None, 8),
    "sum under a mask": (MAE.replace("mean", "sum"), {}, PADDED, None, 8),
    "mean_with_sample_weight": (MAE, {"reduction": "mean_with_sample_weight"}, X, WEIGHTS, 8),
    "sum": (MAE, {"reduction": "sum"}, X, None, 8),
    "short last batch": (MAE, {}, X[:7], None, 4),
    "none": (MAE, {"reduction": None}, X, None, 8),
    "xla asked for": (MAE, {"jit_compile": True}, X, None, 8),
    "correlation": (CORRELATION, {}, X, None, 8),
    "correlation, uneven": (CORRELATION, {}, X[:7], None, 4),
    "ranking with weights": (RANKING, {}, X, WEIGHTS, 8),
    "ranking, none, uneven": (RANKING, {"reduction": None}, X[:7], None, 4),
}


def train(loss, x, weights, batch, strategy):
    with strategy.scope():
        masking = [keras.layers.Masking()] if x is PADDED else []
        model = keras.Sequential([keras.Input((4, 3)), *masking, keras.layers.Dense(2)])
        model.set_weights([np.linspace(-1, 1, 6).reshape(3, 2), np.zeros(2)])
        model.compile(keras.optimizers.SGD(0.1), loss=loss, jit_compile=False)
    history = model.fit(x, Y[: len(x)], sample_weight=weights, batch_size=batch, shuffle=False, verbose=0)
    step = np.concatenate([w.ravel() for w in model.get_weights()])
    return {"loss": history.history["loss"][0], "weights": step.tolist()}


def main() -> None:
    one = tf.distribute.get_strategy()
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    found = {}
    for name, (formula, settings, x, weights, batch) in CASES.items():
        found[name] = [train(lossdsl.compile(formula, **settings), x, weights, batch, s) for s in (one, two)]
    found["keras, even"] = [train(keras.losses.MeanAbsoluteError(), X, None, 4, one)]
    loss = lossdsl.compile(MAE)
    zeros, ones = tf.zeros((4, 2)), tf.ones((4, 2))
    found["values"] = [float(loss(zeros, ones))]
    with two.scope():  # not inside a replica: one loss of one batch
        found["values"].append(float(loss(zeros, ones)))
    found["values"] += [float(v) for v in two.run(loss, (zeros, ones)).values]
    found["values"].append(float(loss(zeros, ones)))
    print("FOUND", json.dumps(found))


main()
