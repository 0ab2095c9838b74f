"""Gamma functions and their differences: digits near 1 and 2, where they vanish, next to 0, and far out."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from modes import MODES, Tried
from mpmath import mp

from lossdsl.backends import shims

pytestmark = pytest.mark.filterwarnings("ignore:.*reduction-none")

NUMBERS = np.array(
    [1e-30, 1e-6, 0.01, 0.3, 0.999, 1 - 2.0**-20, 1, 1 + 2.0**-20, 1.001, 1.4616, 1.6, 1.98, 2, 2 + 2.0**-19, 2.02,
     2.9, 3, 3.1, 4, 7.5, 15.5, 100.25, 1e4, 3e6, 1e12, 1e30], np.float32
)  # fmt: skip
COUNTS = NUMBERS[2:-2]
LOGARITHMS = np.array(
    [-90, -30, -8, -2, -0.6, -0.5, -0.25, -1e-3, -1e-6, 0, 1e-6, 1e-3, 0.2, 0.35, 0.41, 0.6, 0.8, 1, 1.2, 2, 5, 12, 30],
    np.float32,
)


def lgamma_exp(x):
    return mp.loggamma(mp.exp(x))


def log_beta(x, y):
    return lgamma_exp(x) + lgamma_exp(y) - mp.loggamma(mp.exp(x) + mp.exp(y))


def beta_slope(x, y):
    """0 where float32 has no number for it."""
    return mp.exp(x) * (mp.digamma(mp.exp(x) + mp.exp(y)) - mp.digamma(mp.exp(x))) if y > -80 else mp.nan


def rise(x, n):
    return mp.loggamma(n + mp.exp(x)) - lgamma_exp(x) - n * x


def rise_slope(x, n):
    return mp.exp(x) * (mp.digamma(n + mp.exp(x)) - mp.digamma(mp.exp(x))) - n


ROWS = {
    "lgamma": ((NUMBERS,), mp.loggamma, 2, 2, 0),
    "trigamma": ((NUMBERS[1:],), lambda x: mp.psi(1, x), 2, 4, 0),
    "digamma_gap": ((NUMBERS, NUMBERS[1:]), lambda x, d: mp.digamma(x + d) - mp.digamma(x), 4, 6, 0),
    "trigamma_gap": ((NUMBERS[2:], NUMBERS[2:]), lambda x, d: mp.psi(1, x + d) - mp.psi(1, x), 5, 6, 0),
    "lgamma_exp": ((LOGARITHMS,), lgamma_exp, 4, 4, 1),
    "exp_digamma": ((LOGARITHMS[abs(LOGARITHMS - 0.38) > 0.1],), lambda x: mp.exp(x) * mp.digamma(mp.exp(x)), 5, 8, 2),
    "log_beta_exp": ((LOGARITHMS, LOGARITHMS), log_beta, 20, 20, 4),
    "exp_digamma_gap": ((LOGARITHMS, LOGARITHMS), beta_slope, 8, 4, 0),
    "lgamma_rise": ((LOGARITHMS, COUNTS), rise, 60, 200, 0),
    "lgamma_rise_slope": ((LOGARITHMS, COUNTS), rise_slope, 20, 60, 0),
    "digamma_rise": ((LOGARITHMS, COUNTS), lambda x, n: mp.digamma(n + mp.exp(x)) - x, 30, 80, 0),
    "gamma_entropy": ((NUMBERS,), lambda x: x + mp.loggamma(x) + (1 - x) * mp.digamma(x), 3, 6, 0),
    "gamma_entropy_slope": ((NUMBERS[1:],), lambda x: 1 + (1 - x) * mp.psi(1, x), 4, 20, 0),
}
"""Each with the numbers it is tried at, in all combinations, the oracle, and the units in the last place that it may be
off, in float32 and in float64; then of 1, where it crosses 0: in float32 only a thousandth of that."""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_rows(name, dtype):
    columns, oracle, *most, of_one = ROWS[name]
    points = [np.ravel(x) for x in np.meshgrid(*columns, indexing="ij")]
    found = getattr(shims, name)(*(ops.convert_to_tensor(x, dtype=dtype) for x in points))
    unit, ulps = (2.0**-23, most[0]) if dtype == "float32" else (2.0**-52, most[1])
    slack = of_one * unit * (1e-3 if dtype == "float32" else 1)
    with mp.workdps(150):
        for value, *point in zip(ops.convert_to_numpy(found).astype(float), *points, strict=True):
            truth = oracle(*(mp.mpf(float(x)) for x in point))
            if not mp.isnan(truth):
                off = abs(mp.mpf(value) - truth)
                assert off <= ulps * unit * abs(truth) + slack + mp.mpf("1e-38"), (
                    f"{name}: {value} instead of {mp.nstr(truth, 12)} at {point}"
                )


def exp_all(x):
    return [mp.exp(v) for v in x]


ONE = {
    "lgamma(exp(y_pred)) + 0 * y_true": lambda t, p: lgamma_exp(p),
    "lgamma(exp(y_pred)) + lgamma(exp(y_true)) - lgamma(exp(y_pred) + exp(y_true))": lambda t, p: log_beta(p, t),
    "lgamma(y_true + exp(y_pred)) - lgamma(exp(y_pred)) - y_true * y_pred": lambda t, p: rise(p, t),
    "a = exp(y_pred)\na + lgamma(a) + (1 - a) * digamma(a) + 0 * y_true": lambda t, p: (
        mp.exp(p) + lgamma_exp(p) + (1 - mp.exp(p)) * mp.digamma(mp.exp(p))
    ),
    "lgamma(abs(y_pred)) + 0 * y_true": lambda t, p: mp.loggamma(abs(p)),
}
"""Of one entry."""


def dirichlet(t, p):
    return mp.fsum(lgamma_exp(v) for v in p) - mp.loggamma(mp.fsum(exp_all(p)))


def digammas(t, p):
    a = [1 + v for v in exp_all(p)]
    return mp.fsum(x * (mp.digamma(mp.fsum(a)) - mp.digamma(v)) for x, v in zip(t, a, strict=True))


MANY = {
    "sum(lgamma(exp(y_pred))) - lgamma(sum(exp(y_pred))) + 0 * sum(y_true)": dirichlet,
    "a = 1 + exp(y_pred)\nsum(y_true * (digamma(sum(a)) - digamma(a)))": digammas,
}
"""Of several."""


def one_entry():
    """Logarithms far and near, and some others."""
    pred = LOGARITHMS[(LOGARITHMS > -10) & (LOGARITHMS != 0) & (abs(LOGARITHMS - 0.38) > 0.1)]
    return np.resize(np.float32([1.3, 2.02, 7.5, 15.5]), (len(pred), 1)), pred[:, np.newaxis]


def several():
    """Alike, and one beside others far below it."""
    pred = [[v, v - 0.25, v + 0.5] for v in (-20, -2, -1.0986, 0, 1, 5, 12)]
    pred += [[v, -3.0, -v] for v in (5, 12, 20)]
    pred = np.array(pred, np.float32)
    return np.tile(np.float32([0.25, 1.0, 2.0]), (len(pred), 1)), pred


TRIED = {1: Tried(ONE, {"": one_entry()}), 3: Tried(MANY, {"": several()})}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", [*ONE, *MANY])
def test_value_and_gradient(formula, mode):
    if formula in ONE:
        TRIED[1].judge(formula, mode, "", lambda t, p: ONE[formula](t[0], p[0]), 64, 64)
    else:
        TRIED[3].judge(formula, mode, "", MANY[formula], 64, 64, rows=True)
