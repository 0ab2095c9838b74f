"""Oracles and claims for embeddings: two samples of vectors, as distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import case, loss, symmetric, unchanged, zero_at_truth
from contrastive_shared import TWINS, apart, exchanged, same, shuffled, turned, two_samples, vectors, within
from mpmath import mp

# -- data --------------------------------------------------------------------------------------------------


def inputs_and_features() -> Any:
    random = np.random.default_rng(31)
    return random.normal(size=(5, 2)), random.normal(size=(5, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def gaussian(x: Any, y: Any, sigma: float) -> Any:
    return np.array([[mp.exp(-apart(a, b) / (2 * mp.mpf(sigma) ** 2)) for b in y] for a in x])


def mmd_rbf(t: Any, p: Any, sigma: float) -> Any:
    """The squared distance of the mean embeddings, by one Gram matrix of all points."""
    gram = gaussian([*p, *t], [*p, *t], sigma)
    weights = np.array([mp.mpf(1) / len(p)] * len(p) + [-mp.mpf(1) / len(t)] * len(t))
    return weights @ gram @ weights


def deep_coral(_: Any, p: Any) -> Any:
    """The paper's covariance: (D.T D - (1.T D).T (1.T D) / n) / (n - 1)."""
    n, _, d = p.shape
    found = [(x.T @ x - np.outer(np.sum(x, axis=0), np.sum(x, axis=0)) / n) / (n - 1) for x in (p[:, 0], p[:, 1])]
    return np.sum((found[0] - found[1]) ** 2) / (4 * d * d)


def hsic(t: Any, p: Any, sigma: float) -> Any:
    n = len(p)
    h = np.array([[mp.mpf(i == j) - mp.mpf(1) / n for j in range(n)] for i in range(n)])
    return np.trace(gaussian(p, p, sigma) @ h @ gaussian(t, t, sigma) @ h) / (n - 1) ** 2


CASES = [
    case("mmd_rbf", mmd_rbf, two_samples, sigma=1.4),
    case("deep_coral", deep_coral, vectors(2)),
    case("hsic", hsic, inputs_and_features, sigma=1.4),
]

# -- claims ------------------------------------------------------------------------------------------------

CLAIMS = [
    turned("deep_coral", vectors(2)),
    turned("hsic", inputs_and_features),
    shuffled("hsic", inputs_and_features),
    exchanged("deep_coral", vectors(2)),
    within("hsic", inputs_and_features, 0, 1),
    within("mmd_rbf", two_samples, 0, 2),
    symmetric("mmd_rbf", two_samples),
    symmetric("hsic", two_samples),
    zero_at_truth("mmd_rbf", two_samples),
    unchanged("deep_coral", "a shift of a domain", vectors(2), lambda t, p: (t, p + np.array([[1.0], [-2.0]]))),
    same("deep_coral", "0 for the same features", lambda: loss("deep_coral", None, TWINS), lambda: 0.0),
]
