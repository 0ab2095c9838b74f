"""The losses as one writes them by hand from the formula: `keras.ops`, as `call` of a Keras loss.

Written plainly, neither slowed down nor tuned: what a practitioner with the formula at hand puts into a project.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

EPSILON = 1e-7


class HandWritten(keras.losses.Loss):
    """A custom loss; its `call` is one of the functions below."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(name=function.__name__)
        self.call = function


def _all_but_batch(x):
    return tuple(range(1, len(x.shape)))


def _chosen(x, y_true):
    """The entry of each true class. Keras hands labels over as floats."""
    classes = ops.expand_dims(ops.cast(y_true, "int32"), axis=-1)
    return ops.squeeze(ops.take_along_axis(x, classes, axis=-1), axis=-1)


def mean_squared_error(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true, y_pred):
    return 100 * ops.mean(ops.abs(y_true - y_pred) / ops.maximum(ops.abs(y_true), EPSILON), axis=-1)


def mean_squared_logarithmic_error(y_true, y_pred):
    log_true = ops.log(ops.maximum(y_true, EPSILON) + 1)
    log_pred = ops.log(ops.maximum(y_pred, EPSILON) + 1)
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


def huber(y_true, y_pred):
    error = ops.abs(y_true - y_pred)
    return ops.mean(ops.where(error <= 1.0, 0.5 * ops.square(error), error - 0.5), axis=-1)


def log_cosh(y_true, y_pred):
    return ops.mean(ops.log(ops.cosh(y_pred - y_true)), axis=-1)


def hinge(y_true, y_pred):
    return ops.mean(ops.maximum(1 - y_true * y_pred, 0), axis=-1)


def squared_hinge(y_true, y_pred):
    return ops.mean(ops.square(ops.maximum(1 - y_true * y_pred, 0)), axis=-1)


def categorical_hinge(y_true, y_pred):
    positive = ops.sum(y_true * y_pred, axis=-1)
    negative = ops.max((1 - y_true) * y_pred, axis=-1)
    return ops.maximum(negative - positive + 1, 0)


def poisson(y_true, y_pred):
    return ops.mean(y_pred - y_true * ops.log(y_pred + EPSILON), axis=-1)


def poisson_from_log(y_true, y_pred):
    return ops.mean(ops.exp(y_pred) - y_true * y_pred, axis=-1)


def kl_divergence(y_true, y_pred):
    y_true = ops.clip(y_true, EPSILON, 1)
    y_pred = ops.clip(y_pred, EPSILON, 1)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def cosine_similarity(y_true, y_pred):
    y_true = ops.normalize(y_true, axis=-1)
    y_pred = ops.normalize(y_pred, axis=-1)
    return -ops.sum(y_true * y_pred, axis=-1)


def binary_crossentropy(y_true, y_pred):
    p = ops.clip(y_pred, EPSILON, 1 - EPSILON)
    return -ops.mean(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=-1)


def bce_from_logits(y_true, y_pred):
    return ops.mean(ops.softplus(y_pred) - y_true * y_pred, axis=-1)


def categorical_crossentropy(y_true, y_pred):
    p = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
    return -ops.sum(y_true * ops.log(ops.clip(p, EPSILON, 1 - EPSILON)), axis=-1)


def cce_from_logits(y_true, y_pred):
    return -ops.sum(y_true * ops.log_softmax(y_pred, axis=-1), axis=-1)


def cce_smoothed(y_true, y_pred, smoothing=0.1):
    y_true = y_true * (1 - smoothing) + smoothing / y_true.shape[-1]
    return -ops.sum(y_true * ops.log_softmax(y_pred, axis=-1), axis=-1)


def sparse_categorical_crossentropy(y_true, y_pred):
    p = ops.clip(y_pred, EPSILON, 1 - EPSILON)
    p = p / ops.sum(p, axis=-1, keepdims=True)
    return -ops.log(_chosen(p, y_true))


def scce_from_logits(y_true, y_pred):
    log_p = ops.log_softmax(y_pred, axis=-1)
    return -_chosen(log_p, y_true)


def binary_focal_crossentropy(y_true, y_pred):
    p = ops.clip(y_pred, EPSILON, 1 - EPSILON)
    p_t = y_true * p + (1 - y_true) * (1 - p)
    return ops.mean(-ops.square(1 - p_t) * ops.log(p_t), axis=-1)


def focal_from_logits(y_true, y_pred, alpha=0.25, gamma=2.0):
    p = ops.sigmoid(y_pred)
    crossentropy = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
    p_t = y_true * p + (1 - y_true) * (1 - p)
    alpha_t = y_true * alpha + (1 - y_true) * (1 - alpha)
    return ops.mean(alpha_t * ops.power(1 - p_t, gamma) * crossentropy, axis=-1)


def categorical_focal_crossentropy(y_true, y_pred, alpha=0.25, gamma=2.0):
    p = y_pred / ops.sum(y_pred, axis=-1, keepdims=True)
    p = ops.clip(p, EPSILON, 1 - EPSILON)
    return -ops.sum(alpha * ops.power(1 - p, gamma) * y_true * ops.log(p), axis=-1)


def generalized_cross_entropy(y_true, y_pred, q=0.5):
    return (1 - ops.power(_chosen(y_pred, y_true), q)) / q


def dice(y_true, y_pred):
    axes = _all_but_batch(y_pred)
    overlap = ops.sum(y_true * y_pred, axis=axes)
    return 1 - 2 * overlap / (ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) + EPSILON)


def tversky(y_true, y_pred, alpha=0.5, beta=0.5):
    axes = _all_but_batch(y_pred)
    hits = ops.sum(y_true * y_pred, axis=axes)
    false_alarms = ops.sum((1 - y_true) * y_pred, axis=axes)
    missed = ops.sum(y_true * (1 - y_pred), axis=axes)
    return 1 - hits / (hits + alpha * false_alarms + beta * missed + EPSILON)


def jaccard(y_true, y_pred):
    axes = _all_but_batch(y_pred)
    overlap = ops.sum(y_true * y_pred, axis=axes)
    union = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes) - overlap
    return 1 - overlap / (union + EPSILON)


def penalised_error(y_true, y_pred):
    error = ops.abs(y_true - y_pred)
    return ops.mean(error * 0.5 * (1 + error), axis=-1)


def charbonnier(y_true, y_pred, delta=0.001):
    return ops.mean(ops.sqrt(ops.square(y_true - y_pred) + delta**2), axis=-1)


def linex(y_true, y_pred, a=1.0):
    scaled = a * (y_pred - y_true)
    return ops.mean(ops.exp(scaled) - scaled - 1, axis=-1)


def quantile(y_true, y_pred, tau=0.9):
    error = y_true - y_pred
    return ops.mean(ops.maximum(tau * error, (tau - 1) * error), axis=-1)


def cauchy(y_true, y_pred, scale=1.0):
    return ops.mean(ops.log(1 + 0.5 * ops.square((y_true - y_pred) / scale)), axis=-1)


def barron(y_true, y_pred, alpha=1.5, scale=1.0):
    z = ops.square((y_true - y_pred) / scale) / abs(alpha - 2)
    return ops.mean(abs(alpha - 2) / alpha * (ops.power(z + 1, alpha / 2) - 1), axis=-1)


def geman_mcclure(y_true, y_pred, scale=1.0):
    z = ops.square((y_true - y_pred) / scale)
    return ops.mean(2 * z / (z + 4), axis=-1)


def welsch(y_true, y_pred, scale=1.0):
    return ops.mean(1 - ops.exp(-0.5 * ops.square((y_true - y_pred) / scale)), axis=-1)


def tukey_biweight(y_true, y_pred, c=4.685):
    error = y_true - y_pred
    inside = 1 - ops.power(1 - ops.square(error / c), 3)
    return ops.mean(c**2 / 6 * ops.where(ops.abs(error) <= c, inside, 1.0), axis=-1)


def wing(y_true, y_pred, width=10.0, curvature=2.0):
    error = ops.abs(y_true - y_pred)
    joint = width - width * ops.log(1 + width / curvature)
    return ops.mean(ops.where(error < width, width * ops.log(1 + error / curvature), error - joint), axis=-1)


def gaussian_nll(y_true, y_pred):
    location, log_variance = y_pred[..., 0], y_pred[..., 1]
    squared = ops.square(y_true - location)
    return ops.mean(0.5 * (ops.log(2 * 3.141592653589793) + log_variance + squared / ops.exp(log_variance)), axis=-1)
