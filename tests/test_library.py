"""Every loss of the library against a definition from outside: Keras' own, or the paper's, in NumPy."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from lossdsl import check, evaluate, library
from lossdsl.ops import OPS

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


# -- the papers' own


def wing(t, p):
    e, w, c = np.abs(t - p), 4.0, 1.5
    return np.where(e < w, w * np.log(1 + e / c), e - (w - w * np.log(1 + w / c)))


def biweight(t, p):
    x = (t - p) / 2.5
    return np.where(np.abs(x) < 1, 2.5**2 / 6 * (1 - (1 - x**2) ** 3), 2.5**2 / 6)


def regions(t, p):
    axes = tuple(range(1, t.ndim))
    return np.sum(t * p, axes), np.sum((1 - t) * p, axes), np.sum(t * (1 - p), axes)


def tversky_of(t, p, alpha, beta):
    hits, false_alarms, missed = regions(t, p)
    return 1 - hits / (hits + alpha * false_alarms + beta * missed)


def gaussian(t, p):
    variance = np.exp(p[..., 1])
    return -np.log(np.exp(-((t - p[..., 0]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def triplet(t, p):
    a, b, c = p[:, 0], p[:, 1], p[:, 2]
    return np.maximum(np.sum((a - b) ** 2, -1) - np.sum((a - c) ** 2, -1) + 0.5, 0)


def info_nce(t, p):
    scores = np.exp(unit(p) @ unit(t).T / 0.5)
    return -np.log(np.diag(scores) / scores.sum(-1))


def supcon(t, p):
    scores = np.exp(p @ p.T / 0.5)
    result = []
    for i in range(len(t)):
        others = [j for j in range(len(t)) if j != i]
        alike = [j for j in others if t[j] == t[i]]
        terms = [-np.log(scores[i, j] / sum(scores[i, k] for k in others)) for j in alike]
        result.append(np.mean(terms) if alike else 0.0)
    return np.array(result)


def concordance(t, p):
    rho = [
        2 * np.cov(a, b, ddof=0)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
        for a, b in zip(t.T, p.T, strict=True)
    ]
    return np.array([1 - np.mean(rho)])


def pearson(t, p):
    return np.array([1 - np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(t.T, p.T, strict=True)])])


def js(t, p):
    m = (t + p) / 2
    return (np.sum(t * np.log(t / m), -1) + np.sum(p * np.log(p / m), -1)) / 2


def symmetric(t, p):
    log_t = np.where(t == 0, -3.0, 0.0)
    return -0.2 * np.sum(t * np.log(p), -1) - 0.7 * np.sum(p * log_t, -1)


PAPERS = {
    "root_mean_squared_error": ({}, "numbers", lambda t, p: np.sqrt(per_sample((t - p) ** 2))),
    "symmetric_mean_absolute_percentage_error": ({}, "counts", lambda t, p: 200 * np.abs(t - p) / (t + p)),
    "pseudo_huber": ({"delta": 2.0}, "numbers", lambda t, p: 4 * (np.sqrt(1 + ((t - p) / 2) ** 2) - 1)),
    "charbonnier": ({"delta": 0.3}, "numbers", lambda t, p: np.sqrt((t - p) ** 2 + 0.09)),
    "smooth_l1": (
        {"beta": 0.5},
        "numbers",
        lambda t, p: np.where(abs(t - p) < 0.5, (t - p) ** 2, abs(t - p) - 0.25),
    ),
    "quantile": ({"tau": 0.9}, "numbers", lambda t, p: np.where(t > p, 0.9 * (t - p), 0.1 * (p - t))),
    "expectile": ({"tau": 0.9}, "numbers", lambda t, p: np.where(t > p, 0.9, 0.1) * (t - p) ** 2),
    "linex": ({"a": -0.5}, "numbers", lambda t, p: np.exp(-0.5 * (p - t)) + 0.5 * (p - t) - 1),
    "cauchy": ({"scale": 2.0}, "numbers", lambda t, p: np.log(1 + (t - p) ** 2 / 8)),
    "geman_mcclure": ({"scale": 2.0}, "numbers", lambda t, p: 2 * (t - p) ** 2 / ((t - p) ** 2 + 16)),
    "welsch": ({"scale": 2.0}, "numbers", lambda t, p: 1 - np.exp(-((t - p) ** 2) / 8)),
    "tukey_biweight": ({"c": 2.5}, "numbers", biweight),
    "wing": ({"width": 4.0, "curvature": 1.5}, "numbers", wing),
    "gaussian_nll": ({}, "two", gaussian),
    "vae_kl": (
        {},
        "two",
        lambda t, p: 0.5 * per_sample_sum(p[..., 0] ** 2 + np.exp(p[..., 1]) - p[..., 1] - 1),
    ),
    "symmetric_crossentropy": ({"alpha": 0.2, "beta": 0.7, "log_zero": -3.0}, "one-hot", symmetric),
    "soft_crossentropy": (
        {"smoothing": 0.2},
        "one-hot",
        lambda t, p: -0.8 * np.sum(t * np.log(p), -1) - 0.2 * np.mean(np.log(p), -1),
    ),
    "poly1_crossentropy": (
        {"weight": 2.0},
        "one-hot",
        lambda t, p: -np.log(np.sum(t * p, -1)) + 2 * (1 - np.sum(t * p, -1)),
    ),
    "jensen_shannon": ({}, "shares", js),
    "brier": ({}, "one-hot", lambda t, p: np.sum((t - p) ** 2, -1)),
    "jaccard": (
        {"smooth": 1.0},
        "bits",
        lambda t, p: 1 - (regions(t, p)[0] + 1) / (sum(regions(t, p)) + 1),
    ),
    "tversky": ({"alpha": 0.2, "beta": 0.9}, "bits", lambda t, p: tversky_of(t, p, 0.2, 0.9)),
    "focal_tversky": (
        {"alpha": 0.2, "beta": 0.9, "gamma": 1.6},
        "bits",
        lambda t, p: tversky_of(t, p, 0.2, 0.9) ** (1 / 1.6),
    ),
    "contrastive": (
        {"margin": 0.5},
        "bits",
        lambda t, p: np.where(t == 1, p**2, np.maximum(0.5 - p, 0) ** 2),
    ),
    "triplet": ({"margin": 0.5}, "three", triplet),
    "info_nce": ({"temperature": 0.5}, "vectors", info_nce),
    "supervised_contrastive": ({"temperature": 0.5}, "groups", supcon),
    "concordance": ({}, "vectors", concordance),
    "pearson": ({}, "vectors", pearson),
}
NO_POSITIONS = ("three", "vectors", "groups")


@pytest.mark.parametrize("positions", [(), (4,)], ids=["batch", "batch and time"])
@pytest.mark.parametrize("name", PAPERS)
def test_equal_to_the_paper(name, positions):
    params, kind, oracle = PAPERS[name]
    y_true, y_pred = data(kind, () if kind in NO_POSITIONS else positions)
    expected = oracle(y_true, y_pred)
    expected = expected if expected.ndim == 1 else per_sample(expected)
    np.testing.assert_allclose(call(name, y_true, y_pred, **params), expected, rtol=1e-6, atol=1e-9)


# -- the library as a whole


def test_every_loss_has_an_oracle():
    elsewhere = {"dice", "circle"}
    assert set(library.names()) == {name for name, *_ in KERAS} | set(PAPERS) | elsewhere


@pytest.mark.parametrize("name", library.names())
def test_every_loss_is_whole(name):
    """It says where it comes from and what it means, has no name of an operation, and its defaults check."""
    text = library.text(name)
    comment = [line for line in text.splitlines() if line.startswith("#")]
    assert "Per sample:" in text or "one number for the batch" in text
    assert comment[0].endswith(".")
    assert all(len(line) <= 110 for line in text.splitlines())
    assert name not in OPS
    report = check(text)
    assert report.ok, report.render()


def test_aliases():
    assert set(library.ALIASES.values()) <= set(library.names())
    assert not set(library.ALIASES) & (set(library.names()) | set(OPS))
    assert library.text("mse") == library.text("mean_squared_error")
    with pytest.raises(KeyError):
        library.text("msee")


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
