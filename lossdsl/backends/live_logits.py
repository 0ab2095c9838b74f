"""The logits that Keras leaves on what a sigmoid or softmax gives, taken only where it is sure which of the two it was.

Keras puts `_keras_logits` on both alike, whatever the axis of the softmax. In a TensorFlow graph the operation that
made the tensor tells them apart; elsewhere the numbers do. JAX has them in eager calls alone, so they are left alone
there: the same loss would be another in `fit`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import keras
from keras import KerasTensor, ops

from lossdsl.rewrite.logits import ACTIVATIONS

ULPS = 4
"""Units in the last place that an activation, computed again by the same kernel, may be off."""
_PLACES = {
    "float16": (2.0**-10, 2.0**-14),
    "bfloat16": (2.0**-7, 2.0**-126),
    "float32": (2.0**-23, 2.0**-126),
    "float64": (2.0**-52, 2.0**-1022),
}
"""Of each float type the last place of 1, and the smallest number with all its places."""
_BY_OPERATION = {"Sigmoid": "sigmoid", "Softmax": "softmax"}


class Logits(NamedTuple):
    """Logits, and the activations that may have made probabilities of them: more than one is for numbers to decide."""

    values: Any
    activations: tuple[str, ...]


def logits_of(y_pred: Any) -> Logits | None:
    """The logits behind probabilities, read before anything is cast or enters a function; None where there are none."""
    values = getattr(y_pred, "_keras_logits", None)
    if values is None or isinstance(y_pred, KerasTensor):
        return None
    match keras.config.backend():
        case "tensorflow":
            import tensorflow as tf

            if not tf.executing_eagerly():
                activation = _of_operation(y_pred, values)
                return None if activation is None else Logits(values, (activation,))
        case "torch":
            import torch

            if torch.compiler.is_compiling():  # a choice by numbers would break its graph in two
                return None
        case _:
            return None
    return Logits(values, ACTIVATIONS)


def _of_operation(y_pred: Any, values: Any) -> str | None:
    """What made a tensor of a TensorFlow graph. Softmax along another axis ends in a transposition, and is not it."""
    operation = getattr(y_pred, "op", None)  # an eager tensor that a graph captures has none
    if operation is None or not operation.inputs or operation.inputs[0] is not values:
        return None
    activation = _BY_OPERATION.get(operation.type)
    # as by numbers: what is 1 whatever the model says is of no class
    return None if activation == "softmax" and values.shape[-1] in (None, 1) else activation


def activation_of(y_pred: Any, logits: Logits) -> str | None:
    """What made the probabilities, or None where that is not sure.

    Numbers are compared before the loss's own function is entered, not in it: there both would be arguments, and the
    gradient with respect to `y_pred` would be 0, silently, instead of None.
    """
    if len(logits.activations) == 1:
        return logits.activations[0]
    return _by_numbers(y_pred, logits.values)


def _by_numbers(y_pred: Any, values: Any) -> str | None:
    """The one activation that all numbers fit; None where both do, or neither."""
    shape = tuple(y_pred.shape)
    if y_pred.dtype != values.dtype or shape != tuple(values.shape) or 0 in (shape or (0,)):
        return None
    if keras.backend.standardize_dtype(y_pred.dtype) not in _PLACES:
        return None
    p, z = (ops.reshape(ops.stop_gradient(x), (-1, shape[-1])) for x in (y_pred, values))
    # the softmax of one entry is 1 whatever the model says: nobody means that
    classes = len(shape) > 1 and shape[-1] > 1
    check = _compiled_check() if keras.config.backend() == "tensorflow" else _fitting
    found = ops.convert_to_numpy(check(p, z, classes)).tolist()
    fitting = [activation for activation, fits in zip(ACTIVATIONS, found, strict=True) if fits]
    return fitting[0] if len(fitting) == 1 else None


@cache
def _compiled_check() -> Any:
    import tensorflow as tf

    return tf.function(_fitting, autograph=False, reduce_retracing=True)


def _fitting(y_pred: Any, values: Any, classes: bool) -> Any:
    """For each activation, whether it makes these probabilities of the logits."""
    sigmoid = _same(y_pred, ops.sigmoid(values))
    no = ops.zeros_like(sigmoid)
    if not classes:
        return ops.stack([sigmoid, no])
    sums = ops.sum(ops.cast(y_pred, "float32"), axis=-1)
    far_off = ops.any(ops.abs(sums - 1) > 0.1)  # nearly every sigmoid, which spares the other half of the work
    softmax = ops.cond(far_off, lambda: no, lambda: _same(y_pred, ops.softmax(values, axis=-1)))
    return ops.stack([sigmoid, softmax])


def _same(a: Any, b: Any) -> Any:
    """Whether two tensors of one kind are the same but for the last places; NaN fits anything, and is for weights."""
    kind = keras.backend.standardize_dtype(a.dtype)
    work = "float64" if kind == "float64" else "float32"
    unit, least = _PLACES[kind]
    p, q = ops.cast(a, work), ops.cast(b, work)
    near = ops.abs(p - q) <= ULPS * unit * ops.maximum(p, least)
    return ops.all(near | (ops.isnan(p) & ops.isnan(q)))
