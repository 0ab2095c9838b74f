"""What optimisers of TensorFlow and XLA would lose: constants, quotients of quotients, products within a softmax."""

from __future__ import annotations

import numpy as np
import pytest
from modes import MODES, Tried
from mpmath import mp

pytestmark = pytest.mark.filterwarnings("ignore:.*reduction-none")

C = np.float32(12345.678)
TIES = np.float32([[987.6, 987.6, -55.5], [3.3, 3.29999, 3.3], [-777.7, 100.1, 100.1], [1e3 / 3, 1e3 / 3, 1e3 / 3]])
LABELS = np.float32([[1, 0, 0], [0.25, 0.5, 0.25], [0, 1, 2], [0, 0, 1]])
WITHIN = {
    "-sum(y_true * log_softmax(12345.678 * y_pred))": 1,
    "-sum(y_true * log(softmax(flip(y_pred * 12345.678))))": -1,
    "-sum(y_true * log_softmax(where(max(y_pred, axis=-1) > -1e9, y_pred * 12345.678, 1)))": 1,
    "logsumexp(y_pred * 12345.678) * sum(y_true) - sum(y_true * (y_pred * 12345.678))": 1,
}
"""Products of which the largest is taken off; in what order they are."""
TRIED = Tried(WITHIN, {"": (LABELS, TIES)})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", WITHIN)
def test_a_product_within_a_softmax(formula, mode):
    """The product is a number of float32, in every place of the formula: else two that tie would not."""
    order = WITHIN[formula]
    values, slopes = TRIED.found(formula, mode, "")
    with mp.workdps(60):
        for value, slope, t, x in zip(values, slopes, LABELS, (C * TIES)[:, ::order], strict=True):
            x = [mp.mpf(float(v)) for v in x]
            whole = mp.log(mp.fsum(mp.exp(v - max(x)) for v in x)) + max(x)
            shares = [mp.exp(v - whole) for v in x]
            wanted = float(mp.fsum(float(a) * (whole - v) for a, v in zip(t, x, strict=True)))
            gradient = [
                float(float(C) * (share * float(sum(t)) - float(a))) for a, share in zip(t, shares, strict=True)
            ]
            # a logarithm beside a product of ten million has no digits of its own
            assert abs(value - wanted) <= 1e-6 * wanted + (2.0 if "logsumexp" in formula else 1e-6)
            np.testing.assert_allclose(slope[::order], gradient, rtol=2e-6, atol=2e-3)


QUOTIENTS = {
    "y_true / y_pred / y_pred": (lambda t, p: t / p / p, [[1e30, 3e19], [-2e30, 2e25], [3, 7], [1e-25, 1e-12]]),
    "y_true / (y_pred / y_true)": (lambda t, p: t * t / p, [[1e20, 1e30], [-3e25, 1e35], [3, 7], [1e-25, 1e-20]]),
    "y_true / y_pred / (y_pred + y_true)": (
        lambda t, p: t / p / (p + t),
        [[3e19, 3e19], [1, 2e25], [3, 7], [1e-25, 1e-12]],
    ),
}
"""Points at which float32 does not have the product of two factors, though it has what they are asked for."""
TRIED_QUOTIENTS = {
    formula: Tried([formula], {"": tuple(np.float32(points).T[..., np.newaxis])})
    for formula, (_, points) in QUOTIENTS.items()
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", QUOTIENTS)
def test_quotients_of_quotients(formula, mode):
    TRIED_QUOTIENTS[formula].judge(formula, mode, "", lambda t, p: QUOTIENTS[formula][0](t[0], p[0]), 4, 8)


CONSTANTS = {
    "log((1 - y_pred) + 1e-8) + 0 * y_true": (lambda t, p: mp.log(1 - p + mp.mpf(float(np.float32(1e-8)))), [0.5, 1.0]),
    "sqrt((y_pred - y_true) + 1e-7)": (lambda t, p: mp.sqrt(p - t + mp.mpf(float(np.float32(1e-7)))), [0.7, 3.0]),
    "1 / (1e-7 + (y_pred - y_true))": (lambda t, p: 1 / (p - t + mp.mpf(float(np.float32(1e-7)))), [0.7, 300.0]),
}
TRIED_CONSTANTS = {
    formula: Tried([formula], {"": (np.float32([points]).T, np.float32([points]).T)})
    for formula, (_, points) in CONSTANTS.items()
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", CONSTANTS)
def test_constants_that_would_vanish(formula, mode):
    TRIED_CONSTANTS[formula].judge(formula, mode, "", lambda t, p: CONSTANTS[formula][0](t[0], p[0]), 4, 8)
