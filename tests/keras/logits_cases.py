"""Models whose logits are known, and what losses on those logits are, by NumPy alone."""

from __future__ import annotations

import keras
import numpy as np

MODES = {
    "eager": {"run_eagerly": True},
    "graph": {"run_eagerly": False, "jit_compile": False},
    "xla": {"jit_compile": True},
}
NAIVE = "-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))"
GUARDED = "binary_crossentropy"
FOCAL = """
p_t = where(y_true == 1, y_pred, 1 - y_pred)
sum(-0.25 * (1 - p_t)**2 * log(maximum(p_t, epsilon)))
"""
CLASSES = "-sum(y_true * log(y_pred), axis=-1)"
LOGITS = np.array([[60.0, -60.0], [0.5, 3.0], [-20.0, 0.0]], "float32")
LABELS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]], "float32")
LOST = -np.log(1e-7)
"""What a guard of epsilon leaves of a probability of 0."""


def sigmoid(z):
    return 1 / (1 + np.exp(-z.astype(float)))


def softmax(z):
    e = np.exp(z.astype(float) - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def binary(z, t):
    """Each sample's binary cross-entropy by logits, and its gradient with respect to them."""
    z = z.astype(float)
    return (np.logaddexp(0, z) - t * z).mean(-1), (sigmoid(z) - t) / z.shape[-1]


def by_class(z, t):
    z = z.astype(float)
    shifted = z - z.max(-1, keepdims=True)
    each = np.log(np.exp(shifted).sum(-1, keepdims=True)) - shifted
    return (t * each).sum(-1), softmax(z) * t.sum(-1, keepdims=True) - t


def passing(activation, dtype="float32", classes=2):
    """A model whose logits are its inputs, plus a bias whose gradient is that of the logits."""
    inputs = keras.Input((classes,))
    outputs = keras.layers.Dense(classes, activation=activation, dtype=dtype)(inputs)
    model = keras.Model(inputs, outputs)
    model.set_weights([np.eye(classes), np.zeros(classes)])
    return model


def trained(model, loss, z=LOGITS, t=LABELS, mode="graph", weights=None):
    """The loss that `fit` shows, and the gradient of the bias that its step used."""
    model.compile(keras.optimizers.SGD(1.0), loss=loss, **MODES[mode])
    shown = model.fit(z, t, sample_weight=weights, batch_size=len(z), verbose=0).history["loss"][0]
    return shown, -model.get_weights()[1]
