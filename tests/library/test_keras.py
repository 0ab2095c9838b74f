"""The losses that Keras has too, against Keras' own functions; and losses in formulas."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from lossdsl import evaluate, library

EPS = 1e-7
random = np.random.default_rng(0)

# -- data: predictions and targets of every kind


def data(kind, positions=(), seed=0):
    random = np.random.default_rng(seed)
    shape = (6, *positions, 5)
    classes = random.integers(0, 5, size=shape[:-1])
    shares = random.dirichlet(np.ones(5), size=shape[:-1])
    return {
        "numbers": (3 * random.normal(size=shape) + 1, 3 * random.normal(size=shape)),
        "counts": (random.poisson(2.0, size=shape) * 1.0, random.uniform(0.2, 4, size=shape)),
        "signs": (random.choice([-1.0, 1.0], size=shape), random.normal(size=shape)),
        "bits": (random.integers(0, 2, size=shape) * 1.0, random.uniform(0.02, 0.98, size=shape)),
        "bits, logits": (random.integers(0, 2, size=shape) * 1.0, 4 * random.normal(size=shape)),
        "one-hot": (np.eye(5)[classes], shares),
        "one-hot, logits": (np.eye(5)[classes], 4 * random.normal(size=shape)),
        "classes": (classes, shares),
        "classes, logits": (classes, 4 * random.normal(size=shape)),
        "shares": (random.dirichlet(np.ones(5), size=shape[:-1]), shares),
        "two": (random.normal(size=shape[:-1]), random.normal(size=(*shape[:-1], 2))),
        "three": (random.normal(size=6), random.normal(size=(6, 3, 5))),
        "vectors": (random.normal(size=(6, 5)), random.normal(size=(6, 5))),
        "groups": (np.array([0, 0, 1, 1, 2, 0]), unit(random.normal(size=(6, 5)))),
    }[kind]


def unit(x):
    return x / np.sqrt(np.sum(x * x, -1, keepdims=True))


def call(name, y_true, y_pred, **params):
    """The library loss of a formula that does nothing but call it, per sample."""
    inputs = [word for word in ("y_true", "y_pred") if f"{word}:" in library.text(name)]
    given = ", ".join([*inputs, *(f"{k}={v}" for k, v in params.items())])
    y_true = y_true if "y_true" in inputs else np.zeros(y_pred.shape)
    return evaluate(f"{name}({given})", y_true, y_pred)


def per_sample(values):
    return values.reshape(len(values), -1).mean(-1)


def per_sample_sum(values):
    return values.reshape(len(values), -1).sum(-1)


# -- Keras' own: name, its function there, parameters, data

KERAS = [
    ("mean_squared_error", "mean_squared_error", {}, "numbers"),
    ("mean_absolute_error", "mean_absolute_error", {}, "numbers"),
    ("mean_absolute_percentage_error", "mean_absolute_percentage_error", {}, "counts"),
    ("mean_squared_logarithmic_error", "mean_squared_logarithmic_error", {}, "numbers"),
    ("huber", "huber", {"delta": 0.7}, "numbers"),
    ("log_cosh", "log_cosh", {}, "numbers"),
    ("cosine_similarity", "cosine_similarity", {}, "numbers"),
    ("poisson", "poisson", {}, "counts"),
    ("hinge", "hinge", {}, "signs"),
    ("hinge", "hinge", {}, "bits"),
    ("squared_hinge", "squared_hinge", {}, "bits"),
    ("categorical_hinge", "categorical_hinge", {}, "one-hot"),
    ("kl_divergence", "kl_divergence", {}, "shares"),
    ("binary_crossentropy", "binary_crossentropy", {}, "bits"),
    ("binary_crossentropy", "binary_crossentropy", {"label_smoothing": 0.2}, "bits"),
    (
        "binary_crossentropy",
        "binary_crossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        "bits, logits",
    ),
    ("categorical_crossentropy", "categorical_crossentropy", {"label_smoothing": 0.2}, "one-hot"),
    ("categorical_crossentropy", "categorical_crossentropy", {"from_logits": True}, "one-hot, logits"),
    ("sparse_categorical_crossentropy", "sparse_categorical_crossentropy", {}, "classes"),
    (
        "sparse_categorical_crossentropy",
        "sparse_categorical_crossentropy",
        {"from_logits": True},
        "classes, logits",
    ),
    (
        "binary_focal_crossentropy",
        "binary_focal_crossentropy",
        {"gamma": 1.5, "label_smoothing": 0.1},
        "bits",
    ),
    (
        "binary_focal_crossentropy",
        "binary_focal_crossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "from_logits": True},
        "bits, logits",
    ),
    (
        "categorical_focal_crossentropy",
        "categorical_focal_crossentropy",
        {"alpha": 0.3, "gamma": 1.5},
        "one-hot",
    ),
    (
        "categorical_focal_crossentropy",
        "categorical_focal_crossentropy",
        {"from_logits": True},
        "one-hot, logits",
    ),
    ("categorical_generalized_cross_entropy", "categorical_generalized_cross_entropy", {"q": 0.7}, "classes"),
]


@pytest.mark.keras
@pytest.mark.parametrize("positions", [(), (4,)], ids=["batch", "batch and time"])
@pytest.mark.parametrize(("name", "function", "params", "kind"), KERAS)
def test_equal_to_keras(name, function, params, kind, positions):
    import keras

    y_true, y_pred = data(kind, positions)
    theirs = getattr(keras.losses, function)(y_true.astype("float32"), y_pred.astype("float32"), **params)
    np.testing.assert_allclose(
        call(name, y_true, y_pred, **params), per_sample(np.asarray(theirs)), rtol=2e-5, atol=2e-6
    )


@pytest.mark.keras
def test_regions_equal_to_keras_sample_by_sample():
    """Keras' Dice and Tversky take the axes to add up; its Tversky has alpha and beta the other way round."""
    import keras

    y_true, y_pred = data("bits", (4,))
    theirs = np.asarray(keras.losses.dice(y_true, y_pred, axis=(1, 2)))
    np.testing.assert_allclose(call("dice", y_true, y_pred), theirs, rtol=1e-5)
    fn_first = np.asarray(keras.losses.tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=(1, 2)))
    np.testing.assert_allclose(call("tversky", y_true, y_pred, alpha=0.5, beta=0.5), fn_first, rtol=1e-5)


@pytest.mark.keras
def test_circle_equal_to_keras():
    import keras

    y_true, y_pred = data("groups")
    theirs = np.asarray(keras.losses.circle(y_true.astype("int32"), y_pred.astype("float32"), gamma=8.0, margin=0.3))
    np.testing.assert_allclose(call("circle", y_true, y_pred, gamma=8.0, margin=0.3), theirs, rtol=1e-4, atol=1e-5)


# -- the library as a whole


def test_perfect_predictions_cost_nothing():
    y = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    exact = (
        "mse mae mape msle rmse huber pseudo_huber log_cosh smooth_l1 pinball expectile linex cauchy "
        "geman_mcclure welsch tukey_biweight wing brier dice jaccard tversky smape concordance pearson"
    )
    for name in exact.split():
        np.testing.assert_allclose(evaluate(f"{name}(y_true, y_pred)", y, y), 0, atol=1e-9, err_msg=name)


def test_losses_add_up_in_a_formula():
    y_true, y_pred = data("bits")
    whole = evaluate("0.7 * mse(y_true, y_pred) + 0.3 * dice(y_true, y_pred, smooth=1)", y_true, y_pred)
    overlap = np.sum(y_true * y_pred, -1)
    dice = 1 - (2 * overlap + 1) / (y_true.sum(-1) + y_pred.sum(-1) + 1)
    np.testing.assert_allclose(whole, 0.7 * np.mean((y_true - y_pred) ** 2, -1) + 0.3 * dice, rtol=1e-12)


def test_empty_regions_cost_nothing_when_smooth():
    zeros = np.zeros((2, 4))
    for name in ("dice", "jaccard", "tversky"):
        assert functools.reduce(np.maximum, abs(call(name, zeros, zeros, smooth=1.0))) == 0
