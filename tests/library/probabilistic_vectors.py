"""Oracles and claims for distributions: densities of several numbers together, and mixtures."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Case, Claim, case, loss
from mpmath import mp
from plain import exp, per_sample
from probabilistic_shared import LINE, columns, density_sums_to_one, narrow, nll, normal, related, vectors
from samples import Pair, classes_logits, numbers, shares

# -- data --------------------------------------------------------------------------------------------------


def mixture(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = columns(9, numbers)(positions)
    return y_true, np.reshape(y_pred, (*y_true.shape, 3, 3))


def points(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(22)
    return random.normal(size=(3, *positions, 2)), random.normal(size=(3, *positions, 5))


def concentrations(positions: tuple[int, ...] = ()) -> Pair:
    return shares(positions)[0], classes_logits(positions)[1] / 3


# -- oracles -----------------------------------------------------------------------------------------------


def dirichlet(t: Any, p: Any) -> Any:
    rows, logs = np.reshape(t, (-1, t.shape[-1])), np.reshape(p, (-1, t.shape[-1]))
    values = []
    for x, a in zip(rows, exp(logs), strict=True):
        norm = mp.gammaprod([sum(a)], list(a))
        values.append(-mp.log(norm * mp.fprod(xi ** (ai - 1) for xi, ai in zip(x, a, strict=True))))
    return per_sample(np.reshape(np.array(values, object), t.shape[:-1]))


def mixture_density(x: Any, *flat: Any) -> Any:
    parts = np.reshape(flat, (-1, 3))
    weights = exp(parts[:, 0]) / sum(exp(parts[:, 0]))
    return sum(w * normal(x, *part[1:]) for w, part in zip(weights, parts, strict=True))


def correlated(point: Any, p: Any) -> Any:
    """-log(density) by covariance matrix, determinant and inverse."""
    sx, sy, r = mp.exp(p[2]), mp.exp(p[3]), mp.tanh(p[4])
    return by_covariance(point - p[:2], mp.matrix([[sx**2, r * sx * sy], [r * sx * sy, sy**2]]))


def by_covariance(error: Any, covariance: Any) -> Any:
    e = mp.matrix(list(error))
    distance = (e.T * mp.inverse(covariance) * e)[0]
    return (len(error) * mp.log(2 * mp.pi) + mp.log(mp.det(covariance)) + distance) / 2


def bivariate_gaussian(t: Any, p: Any) -> Any:
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        values[place] = correlated(t[place], p[place])
    return per_sample(values)


def multivariate_gaussian(t: Any, p: Any) -> Any:
    values = []
    for x, rows in zip(t, p, strict=True):
        size = len(x)
        factor = mp.matrix(size)
        for i in range(size):
            for j in range(i + 1):
                factor[i, j] = mp.exp(rows[1 + i, j]) if i == j else rows[1 + i, j]
        cholesky = mp.inverse(factor)
        values.append(by_covariance(x - rows[0], cholesky * cholesky.T))
    return np.array(values, object)


CASES: list[Case] = [
    case("dirichlet_nll", dirichlet, concentrations),
    case("mixture_density_nll", nll(mixture_density), mixture),
    case("bivariate_gaussian_nll", bivariate_gaussian, points),
    case("multivariate_gaussian_nll", multivariate_gaussian, vectors),
]

# -- claims ------------------------------------------------------------------------------------------------


def diagonal() -> Any:
    """A mean and deviations, as the loss over vectors takes them, and the value with one number at a time."""
    t, p = vectors()
    p[:, 1:] *= np.eye(3)
    one_by_one = np.stack([p[:, 0], -2 * np.diagonal(p[:, 1:], axis1=1, axis2=2)], axis=-1)
    return t, p, 3 * loss("gaussian_nll", t, one_by_one)


def flat() -> Any:
    t, p = points()
    p[..., 4] = 0
    return t, p, 2 * loss("gaussian_nll", t, np.stack([p[:, :2], 2 * p[:, 2:4]], axis=-1))


CLAIMS: list[Claim] = [
    narrow("bivariate_gaussian_nll", points, column=2),
    narrow("bivariate_gaussian_nll", points, column=3),
    density_sums_to_one("mixture_density_nll", LINE, [[0.5, -3, 0.2], [-1, 2, 1]]),
    related(
        "multivariate_gaussian_nll",
        "a sum of normal ones where nothing correlates",
        lambda: diagonal()[:2],
        lambda *_: diagonal()[2],
    ),
    related(
        "bivariate_gaussian_nll", "two normal ones where nothing correlates", lambda: flat()[:2], lambda *_: flat()[2]
    ),
]
