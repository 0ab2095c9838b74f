"""What the oracles and claims for distributions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim, Data, loss
from mpmath import mp
from plain import per_sample
from samples import Pair, positive

# -- data --------------------------------------------------------------------------------------------------


def columns(width: int, truth: Data, scale: float = 0.7) -> Data:
    """A truth, and so many numbers for each of its entries, on a grid of 1e-6."""

    def data(positions: tuple[int, ...] = ()) -> Pair:
        y_true, _ = truth(positions)
        return y_true, np.round(scale * np.random.default_rng(20).normal(size=(*y_true.shape, width)), 6)

    return data


def single(truth: Data) -> Data:
    """A truth, and one number for each of its entries."""

    def data(positions: tuple[int, ...] = ()) -> Pair:
        y_true, y_pred = columns(1, truth)(positions)
        return y_true, y_pred[..., 0]

    return data


def fractions(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = positive(positions)
    return y_true / 6, y_pred / 6


def vectors() -> Pair:
    random = np.random.default_rng(23)
    return random.normal(size=(4, 3)), random.normal(size=(4, 4, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def nll(density: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of -log(density(entry, *its columns)) over the entries of each sample."""

    def oracle(t: Any, p: Any, **params: float) -> Any:
        values = np.empty(t.shape, object)
        for place in np.ndindex(*t.shape):
            values[place] = -mp.log(density(t[place], *np.ravel(np.array(p[place], object)), **params))
        return per_sample(values)

    return oracle


def normal(x: Any, location: Any, log_variance: Any) -> Any:
    return mp.npdf(x, location, mp.sqrt(mp.exp(log_variance)))


# -- claims ------------------------------------------------------------------------------------------------


def density_sums_to_one(name: str, grid: Any, y_pred: Any, **params: float) -> Claim:
    """exp(-loss) is a density, or with a grid of whole numbers a probability: over all there is, it sums to 1."""

    def holds() -> None:
        row = np.asarray(y_pred, float)[None, None]
        values = np.exp(-loss(name, grid[:, None], np.repeat(row, len(grid), axis=0), **params))
        whole = np.all(grid == np.round(grid))
        total = np.sum(values) if whole else np.trapezoid(values, grid)
        assert abs(total - 1) < 1e-5, total

    return Claim(name, "a density sums to one", holds)


def related(name: str, what: str, data: Data, function: Callable[[Any, Any], Any], **params: float) -> Claim:
    """It is `function` of the same data, which may call other losses."""

    def holds() -> None:
        t, p = data()
        np.testing.assert_allclose(loss(name, t, p, **params), function(t, p), rtol=1e-6, atol=1e-9)

    return Claim(name, what, holds)


def narrow(name: str, data: Data, column: int = 1, sign: float = 1.0) -> Claim:
    """A scale below its floor counts as the floor."""

    def holds() -> None:
        (t, p), log_floor = data(), np.log(1e-7)
        values = []
        for log_scale in (-80, log_floor, log_floor / 2):
            p[..., column] = sign * log_scale
            values.append(loss(name, t, p))
        np.testing.assert_allclose(values[0], values[1], rtol=1e-6)
        assert not np.allclose(values[1], values[2])

    return Claim(name, "a scale below epsilon counts as epsilon", holds)


LINE = np.linspace(-60, 60, 400_002)
