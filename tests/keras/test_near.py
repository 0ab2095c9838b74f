"""Differences of nearly equal terms: every digit of float32, however the terms are written, value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from mpmath import mp

import lossdsl
from lossdsl.backends import shims

PART = np.concatenate([10.0 ** np.arange(-7.0, 0.5, 0.5), [0.3, 0.45, 0.55, 0.61, 0.9, 1.5, 7.0, 1e3]])
"""How far apart two numbers are, of the second; on both sides of where the series ends."""
NUMBERS = (0.3, 1.0, 4.7e3)


def pairs():
    """Numbers above 0 that are nearly equal, and some that are not."""
    y = np.repeat(NUMBERS, 2 * len(PART))
    part = np.tile(np.concatenate([PART, -PART / (1 + PART)]), len(NUMBERS))
    return [np.asarray(v, np.float32)[:, np.newaxis] for v in (y * (1 + part), y)]


def signed():
    """Numbers of both signs down to nothing; all truths are 1."""
    x = np.concatenate([PART, -PART, [3e-12, -3e-12, -20.0, 12.0]])
    x = np.clip(x, -40, 40)
    return [np.ones((len(x), 1), np.float32), np.asarray(x, np.float32)[:, np.newaxis]]


def shares():
    """Between 0 and 1."""
    p = np.clip(np.concatenate([PART / 10, 1 - PART / 10]), 1e-6, 1 - 1e-6)
    return [np.full((len(p), 1), 0.3, np.float32), np.asarray(p, np.float32)[:, np.newaxis]]


def _js(t, p):
    """Of nearer ones the middle, which is rounded, decides."""
    m = (t + p) / 2
    return t * mp.log(t / m) + p * mp.log(p / m) if abs(t - p) > 3e-4 * p else mp.nan


def _is(t, p):
    return t / p - mp.log(t / p) - 1


def _kl(t, p):
    return t * mp.log(t / p) - t + p


FORMULAS = {
    "exp(y_pred) - y_pred - 1": (signed, lambda t, x: mp.exp(x) - 1 - x),
    "-0.5 * (1 + y_pred - exp(y_pred)) * y_true": (signed, lambda t, x: (mp.exp(x) - 1 - x) / 2),
    "z = 0.5 * y_pred\n3 - (3 * exp(z) - 3 * z)": (signed, lambda t, x: 3 - 3 * mp.exp(x / 2) + 3 * x / 2),
    "1 - exp(-y_pred) - y_pred * exp(-y_pred)": (signed, lambda t, x: 1 - (1 + x) * mp.exp(-x)),
    "e = abs(y_pred)\ne - log(1 + e)": (signed, lambda t, x: abs(x) - mp.log(1 + abs(x))),
    "e = 2 * abs(y_pred)\n0.5 * (1 + e) * log(1 + e) - abs(y_pred)": (
        signed,
        lambda t, x: (1 + 2 * abs(x)) * mp.log(1 + 2 * abs(x)) / 2 - abs(x),
    ),
    "1 - 1 / (1 + y_pred**2)": (signed, lambda t, x: 1 - 1 / (1 + x * x)),
    "1 - (1 - y_pred)**3": (signed, lambda t, x: 1 - (1 - x) ** 3),
    "softplus(y_pred) - y_true * y_pred": (signed, lambda t, x: mp.log1p(mp.exp(x)) - x),
    "log(1 - exp(-abs(y_pred)))": (signed, lambda t, x: mp.log(-mp.expm1(-abs(x)))),
    "log(0.5 + abs(y_pred))": (signed, lambda t, x: mp.log(0.5 + abs(x))),
    "y_true / y_pred - log(y_true / y_pred) - 1": (pairs, _is),
    "log(y_pred) + y_true / y_pred - log(y_true) - 1": (pairs, _is),
    "2 * (log(y_pred) - log(y_true) - 1 + y_true / y_pred)": (pairs, lambda t, p: 2 * _is(t, p)),
    "y_true * log(y_true / y_pred) - y_true + y_pred": (pairs, _kl),
    "y_pred - y_true + y_true * (log(y_true) - log(y_pred))": (pairs, _kl),
    "2 * (y_true - y_pred + y_true * log(y_pred / y_true))": (pairs, lambda t, p: -2 * _kl(t, p)),
    "m = 0.5 * (y_true + y_pred)\ny_true * log(y_true / m) + y_pred * log(y_pred / m)": (pairs, _js),
    "y_true * log(y_true / y_pred)": (pairs, lambda t, p: t * mp.log(t / p)),
    "abs(log(y_true) - log(y_pred))": (pairs, lambda t, p: abs(mp.log(t / p))),
    "(log(1 + y_pred) - log(1 + y_true))**2": (pairs, lambda t, p: mp.log((1 + p) / (1 + t)) ** 2),
    "(10 * log10(y_pred) - 10 * log10(y_true))**2": (pairs, lambda t, p: (10 * mp.log10(p / t)) ** 2),
    "(y_true / y_pred - 1)**2": (pairs, lambda t, p: (t / p - 1) ** 2),
    "y_pred - y_true * log(y_pred)": (pairs, lambda t, p: p - t * mp.log(p)),
    "y_pred**2 - y_true**2": (pairs, lambda t, p: p**2 - t**2),
    "p = clip(y_pred, 1e-7, 0.99)\n-(y_true * log(p) + (1 - y_true) * log(1 - p))": (
        shares,
        lambda t, p: -(t * mp.log(p) + (1 - t) * mp.log(1 - p)) if p < mp.mpf("0.99") else mp.nan,
    ),
}
MODES = {
    "eager": lambda f: f,
    "graph": tf.function,
    "xla": lambda f: tf.function(f, jit_compile=True),
}
VALUE, GRADIENT = 10, 16
"""Units in the last place; frameworks' functions err by two or three, and some formulas take squares of them."""


def ulps(found, wanted):
    """How many units in the last place of float32 a number is off."""
    unit = np.spacing(np.maximum(np.abs(wanted), 2.0**-126).astype(np.float32)).astype(float)
    return np.abs(found - wanted) / unit


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", FORMULAS)
def test_digits(formula, mode):
    make, oracle = FORMULAS[formula]
    true, pred = make()
    loss = lossdsl.compile(formula, reduction=None)

    def both(t, p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            values = loss.function(t, p)
        return values, tape.gradient(values, p)

    values, slopes = MODES[mode](both)(tf.constant(true), tf.constant(pred))
    with mp.workdps(120):
        points = [(mp.mpf(float(t)), mp.mpf(float(p))) for t, p in zip(true[:, 0], pred[:, 0], strict=True)]
        step = mp.mpf("1e-40")
        wanted = np.array([float(oracle(*point)) for point in points])
        slope = np.array([float((oracle(t, p + step) - oracle(t, p - step)) / (2 * step)) for t, p in points])
    kept = np.isfinite(wanted) & (np.abs(slope) < 1e30)
    assert kept.sum() > 20
    for found, truth, most in ((values, wanted, VALUE), (slopes, slope, GRADIENT)):
        off = ulps(np.ravel(found).astype(float), truth)[kept]
        worst = np.argmax(off)
        assert off[worst] <= most, f"{off[worst]:.3g} ulp at {true[kept][worst]}, {pred[kept][worst]}"


# -- the rows themselves

ROWS = {
    "exp_rest": (signed, lambda _, x: mp.exp(x) - 1 - x),
    "xexp_rest": (signed, lambda _, x: (x - 1) * mp.exp(x) + 1),
    "log1p_rest": (signed, lambda _, x: x - mp.log(1 + x) if x > -1 else mp.nan),
    "deviance1p": (signed, lambda _, x: (1 + x) * mp.log(1 + x) - x if x > -1 else mp.nan),
    "log1m_exp": (signed, lambda _, x: mp.log(-mp.expm1(x)) if x < 0 else mp.nan),
    "less_sigmoid": (signed, lambda t, x: t - 1 / (1 + mp.exp(-x))),
    "log_ratio": (pairs, lambda x, y: mp.log(x / y)),
    "log_quotient": (pairs, lambda x, y: mp.log(x / y)),
    "log_difference": (pairs, lambda x, y: mp.log(x / y)),
    "log1p_difference": (pairs, lambda x, y: mp.log((1 + x) / (1 + y))),
    "ratio_rest": (pairs, _is),
    "deviance": (pairs, _kl),
    "part": (pairs, lambda x, y: x / y - 1),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_rows_are_exact_in_every_type(name, dtype):
    """Law tests of the table allow for frameworks' functions; this is closer, and goes by the type."""
    make, oracle = ROWS[name]
    columns = make()
    one = name in ("exp_rest", "xexp_rest", "log1p_rest", "deviance1p", "log1m_exp")
    tensors = [ops.convert_to_tensor(column, dtype=dtype) for column in (columns[1:] if one else columns)]
    with np.errstate(all="ignore"):
        found = np.ravel(ops.convert_to_numpy(getattr(shims, name)(*tensors))).astype(float)
    with mp.workdps(120):
        points = [(mp.mpf(float(x)), mp.mpf(float(y))) for x, y in zip(*(c[:, 0] for c in columns), strict=True)]
        wanted = [oracle(*point) for point in points]
    unit = 2.0 ** (-23 if dtype == "float32" else -52)
    for value, truth, point in zip(found, wanted, points, strict=True):
        if not mp.isnan(truth):
            assert abs(mp.mpf(value) - truth) <= 5 * unit * abs(truth) + mp.mpf("1e-44"), (
                f"{name}: {value} instead of {mp.nstr(truth, 12)} at {[float(x) for x in point]}"
            )


def test_a_quotient_beyond_float32_is_no_obstacle():
    found = shims.log_difference(tf.constant([1e30, 1e-30, 3e38]), tf.constant([1e-30, 1e30, 1.5e-38]))
    wanted = [np.log(1e30) * 2, -np.log(1e30) * 2, np.log(3e38) - np.log(1.5e-38)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


SECOND = {
    "(log(1 + y_pred) - log(1 + y_true))**2": lambda p: 2 / (1 + p) ** 2,
    "exp(y_pred - y_true) - (y_pred - y_true) - 1": lambda p: 1 + 0 * p,
    "y_true * log(y_true / y_pred) - y_true + y_pred": lambda p: 1 / p,
    "y_true / y_pred - log(y_true / y_pred) - 1": lambda p: 1 / p**2,
}


@pytest.mark.parametrize("formula", SECOND)
def test_second_derivatives_where_both_are_equal(formula):
    """There a sign, or a choice, could hide what is learnt twice over."""
    p = tf.constant([[0.5], [2.0], [300.0]])
    loss = lossdsl.compile(formula, reduction=None)
    with tf.GradientTape() as outer:
        outer.watch(p)
        with tf.GradientTape() as inner:
            inner.watch(p)
            values = loss.function(tf.constant(p.numpy()), p)
        slopes = inner.gradient(values, p)
    np.testing.assert_allclose(slopes, np.zeros((3, 1)), atol=1e-6)
    np.testing.assert_allclose(outer.gradient(slopes, p), SECOND[formula](p.numpy()), rtol=1e-5)


@pytest.mark.parametrize("name", ["log_quotient", "log_difference", "log1p_difference", "log_ratio"])
def test_a_framework_differentiates_rows_where_both_are_equal(name):
    """Where samples are coupled and masked, the framework's own derivative is taken."""
    x = tf.constant([0.5, 2.0, 300.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = getattr(shims, name)(x, tf.constant(x.numpy()))
    wanted = 1 / (1 + x.numpy()) if name == "log1p_difference" else 1 / x.numpy()
    np.testing.assert_allclose(tape.gradient(found, x), wanted, rtol=1e-6)


def test_confident_and_right():
    """A label of 1 and a logit of 20: what is left to learn is 2e-9, not 0."""
    loss = lossdsl.compile("binary_crossentropy(y_true, y_pred, from_logits=True)", reduction=None)
    z = tf.constant([[20.0], [-20.0], [10.0], [60.0], [0.0]])
    t = tf.constant([[1.0], [0.0], [1.0], [1.0], [1.0]])
    with tf.GradientTape() as tape:
        tape.watch(z)
        values = loss.function(t, z)
    away = np.array([20, 20, 10, 60, 0.0])
    np.testing.assert_allclose(values, np.log1p(np.exp(-away)), rtol=1e-6)
    sign = np.array([-1, 1, -1, -1, -1])
    np.testing.assert_allclose(tape.gradient(values, z)[:, 0], sign * np.exp(-away) / (1 + np.exp(-away)), rtol=1e-6)
