"""Oracles and claims for distributions: scores of forecasts, and evidence for classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, between, case, equals, loss, ordered, unchanged, zero_at_truth
from mpmath import mp
from plain import exp, log, mean, normal_cdf, normal_pdf, per_sample, sqrt
from probabilistic_shared import columns, fractions, related, vectors
from samples import Pair, numbers, one_hot, shares

# -- data --------------------------------------------------------------------------------------------------


def ensemble(positions: tuple[int, ...] = ()) -> Pair:
    return columns(5, numbers, 3.0)(positions)


def evidence(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = one_hot(positions)
    return y_true, 5 * y_pred


# -- oracles -----------------------------------------------------------------------------------------------


def crps_gaussian(t: Any, p: Any) -> Any:
    s = sqrt(exp(p[..., 1]))
    z = (t - p[..., 0]) / s
    return per_sample(s * (z * (2 * normal_cdf(z) - 1) + 2 * normal_pdf(z) - 1 / mp.sqrt(mp.pi)))


def crps_logistic(t: Any, p: Any) -> Any:
    s = exp(p[..., 1])
    z = (t - p[..., 0]) / s
    return per_sample(s * (z - 2 * log(1 / (1 + exp(-z))) - 1))


def crps_laplace(t: Any, p: Any) -> Any:
    s = exp(p[..., 1])
    z = abs((t - p[..., 0]) / s)
    return per_sample(s * (z + exp(-z) - mp.mpf(3) / 4))


def ensemble_score(t: Any, members: Any, fair: bool = False) -> Any:
    """With every pair of members, one by one; `t` and each member are vectors."""

    def distance(a: Any, b: Any) -> Any:
        return mp.sqrt(mp.fsum((a - b) ** 2)) if np.ndim(a) else abs(a - b)

    n = len(members)
    spread = mp.fsum(distance(a, b) for i, a in enumerate(members) for j, b in enumerate(members) if i != j)
    return mp.fsum(distance(a, t) for a in members) / n - spread / (2 * n * (n - 1 if fair else n))


def crps_ensemble(t: Any, p: Any, fair: bool = False) -> Any:
    values = np.empty(t.shape, object)
    for place in np.ndindex(*t.shape):
        values[place] = ensemble_score(t[place], p[place], fair)
    return per_sample(values)


def energy_score(t: Any, p: Any) -> Any:
    return np.array([ensemble_score(x, members) for x, members in zip(t, p, strict=True)], object)


def crps_quantile(t: Any, p: Any, tau: Any) -> Any:
    values = np.empty(p.shape, object)
    for place in np.ndindex(*p.shape):
        error, level = t[place[:-1]] - p[place], mp.mpf(tau[place[-1]])
        values[place] = 2 * error * level if error > 0 else -2 * error * (1 - level)
    return per_sample(values)


def winkler_interval(t: Any, p: Any, alpha: float) -> Any:
    low, high = p[..., 0], p[..., 1]
    below, above = np.where(t < low, low - t, mp.mpf(0)), np.where(t > high, t - high, mp.mpf(0))
    return per_sample(high - low + 2 * (below + above) / mp.mpf(alpha))


def running(p: Any) -> Any:
    """Running sums, each summed anew."""
    return np.stack([np.sum(p[..., : k + 1], axis=-1) for k in range(p.shape[-1])], axis=-1)


def ranked_probability_score(t: Any, p: Any) -> Any:
    return per_sample(np.sum((running(t) - running(p)) ** 2, axis=-1))


def earth_mover(t: Any, p: Any, r: float = 2.0) -> Any:
    return per_sample(mean(abs(running(t) - running(p)) ** mp.mpf(r), axis=-1) ** (1 / mp.mpf(r)))


def brier(t: Any, p: Any) -> Any:
    """1 - 2 * (chance of what was true) + sum of squares: its textbook form for one-hot labels."""
    return per_sample(np.sum(t * t, axis=-1) - 2 * np.sum(t * p, axis=-1) + np.sum(p * p, axis=-1))


def spherical(t: Any, p: Any) -> Any:
    return per_sample(-np.sum(np.where(t == 1, p, mp.mpf(0)), axis=-1) / sqrt(np.sum(p * p, axis=-1)))


def dirichlet_kl(a: Any, b: Any) -> Any:
    """KL of two Dirichlet distributions, by expectations of logarithms."""
    norm = mp.log(mp.gammaprod([sum(a)], list(a))) - mp.log(mp.gammaprod([sum(b)], list(b)))
    return norm + mp.fsum((x - y) * (mp.digamma(x) - mp.digamma(sum(a))) for x, y in zip(a, b, strict=True))


def evidential_dirichlet(t: Any, p: Any, annealing: float) -> Any:
    """The expected squared error from the moments of the Dirichlet distribution."""
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        y, a = t[place], 1 + p[place]
        total = sum(a)
        first = a / total
        second = a * (a + 1) / (total * (total + 1))
        expected = sum(y**2 - 2 * y * first + second)
        wrong = [mp.mpf(1) if label == 1 else x for label, x in zip(y, a, strict=True)]
        values[place] = expected + mp.mpf(annealing) * dirichlet_kl(wrong, [mp.mpf(1)] * len(wrong))
    return per_sample(values)


def evidential_crossentropy(t: Any, p: Any) -> Any:
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        a = 1 + p[place]
        values[place] = mp.digamma(sum(a)) - mp.digamma(a[list(t[place]).index(1)])
    return per_sample(values)


CASES: list[Case] = [
    case("evidential_dirichlet", evidential_dirichlet, evidence, annealing=0.4),
    case("evidential_crossentropy", evidential_crossentropy, evidence),
    case("crps_gaussian", crps_gaussian, columns(2, numbers)),
    case("crps_logistic", crps_logistic, columns(2, numbers)),
    case("crps_laplace", crps_laplace, columns(2, numbers)),
    case("crps_ensemble", crps_ensemble, ensemble),
    case("crps_ensemble", crps_ensemble, ensemble, fair=True),
    case("energy_score", energy_score, vectors),
    case("crps_quantile", crps_quantile, ensemble, tau=[0.1, 0.3, 0.5, 0.8, 0.95]),
    case("winkler_interval", winkler_interval, columns(2, numbers), alpha=0.3),
    case("ranked_probability_score", ranked_probability_score, one_hot),
    case("earth_mover", earth_mover, shares),
    case("earth_mover", earth_mover, fractions, r=1.5),
    case("brier", brier, one_hot),
    case("spherical_score", spherical, one_hot),
]

# -- claims ------------------------------------------------------------------------------------------------


def is_the_integral(name: str, cdf: Callable[[Any], Any], y_pred: Any, y_true: float) -> Claim:
    """The definition of the CRPS: the integral of (distribution function - step at the truth)**2."""

    def holds() -> None:
        low, high = np.linspace(-60, y_true, 200_001), np.linspace(y_true, 60, 200_001)
        expected = np.trapezoid(cdf(low) ** 2, low) + np.trapezoid((1 - cdf(high)) ** 2, high)
        found = loss(name, np.array([[y_true]]), np.asarray(y_pred, float)[None, None])
        np.testing.assert_allclose(found, expected, rtol=1e-4)

    return Claim(name, "the integral that defines it", holds)


def proper(name: str) -> Claim:
    """Nobody gains by a forecast other than the chances themselves."""

    def holds() -> None:
        truth = np.array([0.15, 0.25, 0.6])

        def expected(forecast: Any) -> Any:
            return truth @ loss(name, np.eye(3), np.tile(forecast, (3, 1)))

        others = np.random.default_rng(0).dirichlet(np.ones(3), size=50)
        assert all(expected(truth) < expected(other) for other in others)

    return Claim(name, "proper", holds)


def normal_function(location: float, deviation: float) -> Callable[[Any], Any]:
    return lambda x: 0.5 + 0.5 * np.vectorize(math.erf)((x - location) / (deviation * math.sqrt(2)))


def intervals() -> Pair:
    t, p = columns(2, numbers)()
    return t, np.sort(p, axis=-1)


CLAIMS: list[Claim] = [
    is_the_integral("crps_gaussian", normal_function(0.7, np.exp(0.4)), [0.7, 0.8], 1.9),
    is_the_integral("crps_logistic", lambda x: 1 / (1 + np.exp(-(x - 0.7) / np.exp(0.4))), [0.7, 0.4], 1.9),
    is_the_integral(
        "crps_laplace",
        lambda x: np.where(
            x < 0.7, 0.5 * np.exp(-abs(x - 0.7) / np.exp(0.4)), 1 - 0.5 * np.exp(-abs(x - 0.7) / np.exp(0.4))
        ),
        [0.7, 0.4],
        1.9,
    ),
    is_the_integral(
        "crps_ensemble",
        lambda x: np.mean(x[:, None] >= np.array([0.7, -1.0, 2.5, 3.0]), axis=1),
        [0.7, -1.0, 2.5, 3.0],
        1.9,
    ),
    unchanged("crps_ensemble", "another order of the members", ensemble, lambda t, p: (t, np.flip(p, axis=-1))),
    unchanged("energy_score", "another order of the members", vectors, lambda t, p: (t, np.flip(p, axis=1))),
    related(
        "energy_score",
        "the CRPS of one feature",
        lambda: (vectors()[0][:, :1], vectors()[1][:, :, :1]),
        lambda t, p: loss("crps_ensemble", t, np.swapaxes(p, 1, 2)),
    ),
    related(
        "crps_quantile",
        "absolute errors from the median",
        ensemble,
        lambda t, p: np.mean(abs(t[..., None] - p), axis=(1, 2)),
        tau=[0.5] * 5,
    ),
    related(
        "winkler_interval",
        "quantile losses of its bounds",
        intervals,
        lambda t, p: 10 * loss("crps_quantile", t, p, tau=[0.1, 0.9]),
        alpha=0.2,
    ),
    ordered(
        "winkler_interval",
        "a wide interval costs more than a narrow one",
        [[1.0]],
        [[[0.9, 1.1]]],
        [[[0, 2]]],
        [[[-5, 5]]],
    ),
    proper("brier"),
    proper("spherical_score"),
    proper("ranked_probability_score"),
    zero_at_truth("brier", one_hot),
    zero_at_truth("ranked_probability_score", one_hot),
    ordered("ranked_probability_score", "farther classes cost more", [[1, 0, 0]], [[0.8, 0.2, 0]], [[0.8, 0, 0.2]]),
    between("brier", one_hot, 0, 2),
    between("spherical_score", one_hot, -1, 0),
    zero_at_truth("earth_mover", shares),
    equals("earth_mover", "sqrt(ranked_probability_score(y_true, y_pred) / 4)", shares),
    ordered("earth_mover", "farther classes cost more", [[1, 0, 0]], [[0.8, 0.2, 0]], [[0.8, 0, 0.2]], r=1.0),
    ordered(
        "evidential_dirichlet", "evidence for the wrong class costs", [[1, 0, 0]], [[9, 0, 0]], [[0, 0, 0]], [[0, 9, 0]]
    ),
    ordered(
        "evidential_crossentropy",
        "evidence for the wrong class costs",
        [[1, 0, 0]],
        [[9, 0, 0]],
        [[0, 0, 0]],
        [[0, 9, 0]],
    ),
]
