"""Functions where TensorFlow's own have no digits, or what is computed on the way leaves the floats, by mpmath."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES, ulps
from mpmath import mp

import lossdsl
from lossdsl.backends import shims

NEAR_ONE = 1 - 2.0 ** -np.arange(1, 25)
CASES = {
    "erfinv": (
        shims.erfinv,
        mp.erfinv,
        [(x,) for x in (*NEAR_ONE, *-NEAR_ONE, 1e-37, -1e-7, 9.9e-4, 1e-3, 1.01e-3, 0.3)],
    ),
    "elu": (
        lambda x: shims.elu(x, 1.0),
        lambda x: x if x > 0 else mp.expm1(x),
        [(x,) for x in (-1e-30, -1e-9, -2e-8, -1e-7, -1e-3, -1.0, -90.0, 0.0, 3.0)],
    ),
    "log_difference": (
        shims.log_difference,
        lambda x, y: mp.log(x) - mp.log(y),
        [(1.1755e-38, 2.365e-38), (2.365e-38, 1.1755e-38), (5e-38, 6.19e-38), (3e38, 1.2e-38), (0.5, 0.5)],
    ),
    "log_quotient": (
        shims.log_quotient,
        lambda x, y: mp.log(x / y),
        [(1.1755e-38, 2.365e-38), (5e-38, 6.19e-38), (2.0, 3.0)],
    ),
    "digamma_gap": (
        shims.digamma_gap,
        lambda x, d: mp.digamma(x + d) - mp.digamma(x),
        [(1e-36, 0.01), (1e-12, 1e30), (1e-8, 1.0), (1e20, 1e10), (0.5, 0.5)],
    ),
    "trigamma_gap": (
        shims.trigamma_gap,
        lambda x, d: mp.psi(1, x + d) - mp.psi(1, x),
        [(1e-12, 1e32), (1e-8, 1e32), (1e-15, 1.0), (0.5, 0.5)],
    ),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CASES)
def test_digits(name: str, mode: str) -> None:
    function, oracle, places = CASES[name]
    data = np.array(places, np.float32)
    found = np.asarray(MODES[mode](function)(*(tf.constant(x) for x in data.T)), float)
    with mp.workdps(60):
        wanted = np.array([float(oracle(*(mp.mpf(float(x)) for x in row))) for row in data])
    off = ulps(found, wanted, wanted)
    assert np.max(off) <= 16, (data[np.argmax(off)], found[np.argmax(off)], wanted[np.argmax(off)])


@pytest.mark.parametrize("mode", MODES)
def test_beyond_the_ends(mode: str) -> None:
    found = MODES[mode](shims.erfinv)(tf.constant([1.0, -1.0, 1.5, 0.0]))
    assert np.array_equal(found, [np.inf, -np.inf, np.nan, 0.0], equal_nan=True)


@pytest.mark.parametrize("mode", MODES)
def test_logarithms_of_small_numbers_in_float64(mode: str) -> None:
    loss = lossdsl.compile("mean(log(y_pred) - log(y_true))", dtype="float64")
    pred, true = (tf.constant([[x]], tf.float64) for x in (1.17549e-38, 2.365e-38))
    assert float(MODES[mode](loss)(true, pred)) == pytest.approx(np.log(1.17549 / 2.365), rel=1e-12)


def test_activations_of_numbers() -> None:
    assert lossdsl.evaluate("mean(y_pred * elu(-1, alpha=2))", [[1.0]], [[1.0]])[0] == pytest.approx(2 * np.expm1(-1))
    assert lossdsl.evaluate("mean(y_pred * leaky_relu(-1))", [[1.0]], [[1.0]])[0] == pytest.approx(-0.2)
