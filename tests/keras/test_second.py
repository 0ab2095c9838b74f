"""Derivatives of derivatives, jacobians and vectorized maps, where a form is chosen by the numbers of a batch."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES, truth
from mpmath import mp

import lossdsl

pytestmark = pytest.mark.filterwarnings("ignore:.*reduction-none")


def rows(*sizes):
    """Samples of each size: squares of the outer ones float32 does not have, and a batch with one takes another form."""
    pred = np.array([[1.5, 0.4, 0.25], [0.9, 1.0, 2.0]], np.float32)
    true = np.array([[0.25, 1.0, 0.75], [-1.0, 0.5, 1.25]], np.float32)
    return [np.concatenate([x * np.float32(size) for size in sizes]) for x in (true, pred)]


# an eager call derives what a function keeps as well, which is 0 times infinity where a cube vanishes
SETS = {"ordinary": rows(1, 0.5), "odd": rows(4e-13, 1e22)}


def norm(x):
    return mp.sqrt(mp.fsum(v * v for v in x))


def apart(t, p):
    return [a - b for a, b in zip(p, t, strict=True)]


def mean(values):
    return mp.fsum(values) / 3


def cosine(t, p):
    return mp.fsum(a * b for a, b in zip(t, p, strict=True)) / norm(t) / norm(p)


FORMULAS = {
    "cosine_similarity(y_true, y_pred)": lambda t, p: -cosine(t, p),
    "charbonnier(y_true, y_pred, delta=0.5)": lambda t, p: mean(mp.hypot(d, 0.5) for d in apart(t, p)),
    "cauchy(y_true, y_pred, scale=2)": lambda t, p: mean(mp.log1p((d / 2) ** 2 / 2) for d in apart(t, p)),
    "sqrt(mean(square(y_pred - y_true), axis=-1))": lambda t, p: norm(apart(t, p)) / mp.sqrt(3),
    "mean(sqrt(square(y_pred) + square(y_true)))": lambda t, p: mean(mp.hypot(a, b) for a, b in zip(p, t, strict=True)),
    "mean(sqrt(1 + square(y_pred - y_true)) - 1)": lambda t, p: mean(mp.hypot(d, 1) - 1 for d in apart(t, p)),
    "mean(y_pred / (4 + square(y_pred))) + 0 * mean(y_true)": lambda t, p: mean(v / (4 + v * v) for v in p),
}


@cache
def derived(derive, modes=tuple(MODES), reduction=None):
    """`derive(loss, true, pred)` for all formulas and sets in one function of each mode, which the tests share."""
    losses = {formula: lossdsl.compile(formula, reduction=reduction).function for formula in FORMULAS}

    def step(true, pred):
        return {formula: derive(loss, true, pred) for formula, loss in losses.items()}

    found = {}
    for mode in modes:
        wrapped = MODES[mode](step)
        for name, data in SETS.items():
            found[mode, name] = {key: np.asarray(x, float) for key, x in wrapped(*map(tf.constant, data)).items()}
    return found


def slope(loss, true, pred):
    with tf.GradientTape() as tape:
        tape.watch(pred)
        values = loss(true, pred)
    return tape.gradient(values, pred)


def curvature(loss, true, pred):
    """The gradient of the sum of the gradient."""
    with tf.GradientTape() as tape:
        tape.watch(pred)
        slopes = slope(loss, true, pred)
    return tape.gradient(slopes, pred)


def jacobian(loss, true, pred):
    with tf.GradientTape() as tape:
        tape.watch(pred)
        values = loss(true, pred)
    return tape.jacobian(values, pred)


def mapped(loss, true, pred):
    """Every sample as a batch of its own."""
    return tf.vectorized_map(lambda data: slope(loss, data[0][tf.newaxis], data[1][tf.newaxis])[0], (true, pred))


@cache
def exact(formula, name):
    """Slopes by the oracle, and the gradient of their sum: differences of differences, with many digits."""
    slopes, bends, oracle = truth(FORMULAS[formula], *SETS[name])[1], [], FORMULAS[formula]
    with mp.workdps(90):
        for row in zip(*SETS[name], strict=True):
            t, p = ([mp.mpf(float(x)) for x in side] for side in row)
            h = mp.mpf("1e-20") * max(p)

            def corner(i, a, b, t=t, p=p, h=h):
                return oracle(t, [v + a * h + (b * h if j == i else 0) for j, v in enumerate(p)])

            signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            bends.append([float(sum(s * corner(i, a, b) for a, b, s in signs) / (4 * h * h)) for i in range(len(p))])
    return slopes, np.array(bends)


def same(found, wanted, least=0.0):
    """To five digits of the largest entry of a row, or of the `least` that it is counted as."""
    size = np.maximum(np.max(np.abs(wanted), axis=1, keepdims=True), np.maximum(least, 1e-37))
    off = np.abs(found - wanted) / size
    assert np.max(np.where(np.isnan(off), np.inf, off)) < 1e-5, f"{found} instead of {wanted}"


@pytest.mark.parametrize(("mode", "name"), [(m, n) for m in MODES for n in SETS if (m, n) != ("xla", "odd")])
@pytest.mark.parametrize("formula", FORMULAS)
def test_second_derivatives(formula, name, mode):
    """A second derivative that vanishes beside slope over size has an error in proportion to that.

    Of a quotient x / y TensorFlow derives -x / y / y, of which XLA makes -x / (y * y): there it goes no further than
    that product.
    """
    slopes, bends = exact(formula, name)
    usual = np.max(np.abs(slopes), axis=1) / np.max(np.abs(SETS[name][1]), axis=1).astype(float)
    same(derived(curvature)[mode, name][formula], bends, usual[:, np.newaxis])
    if mode == "eager":  # where a loss that is reduced runs as a function of its own
        of_mean = derived(curvature, (mode,), "sum_over_batch_size")[mode, name][formula]
        same(len(bends) * of_mean, bends, usual[:, np.newaxis])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_jacobians(formula, name, mode):
    """Of samples that know nothing of each other: each one's slopes, and 0."""
    slopes, found = exact(formula, name)[0], derived(jacobian)[mode, name][formula]
    count = len(slopes)
    assert found.shape == (count, count, 3)
    same(found[range(count), range(count)], slopes)
    assert not found[~np.eye(count, dtype=bool)].any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_vectorized_maps(formula, name, mode):
    same(derived(mapped)[mode, name][formula], exact(formula, name)[0])
