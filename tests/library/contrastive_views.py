"""Oracles and claims for embeddings: two views of each sample, without labels."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from case import Claim, case, loss, symmetric, unchanged, zero_at_truth
from contrastive_shared import (
    TWINS,
    apart,
    cosine,
    dot,
    each,
    exchanged,
    rest,
    same,
    shuffled,
    stretched,
    turned,
    two_samples,
    vectors,
    views,
    within,
)
from mpmath import mp
from plain import exp, held, log, mean, relu, softmax, sqrt, unit
from samples import numbers, one_hot_logits

# -- data --------------------------------------------------------------------------------------------------


def embedded() -> Any:
    return None, np.random.default_rng(22).normal(size=(5, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def info_nce(t: Any, p: Any, temperature: float) -> Any:
    chances = [[mp.exp(cosine(a, b) / temperature) for b in t] for a in p]
    return np.array([-mp.log(row[i] / sum(row)) for i, row in enumerate(chances)])


def nt_xent(_: Any, p: Any, temperature: float, own_below: bool = True) -> Any:
    """The paper's l(i, j), over all 2 N vectors in one row."""
    n = len(p)
    row = [*p[:, 0], *p[:, 1]]

    def lost(i: int, j: int) -> Any:
        below = [k for k in range(2 * n) if k != i and (own_below or k != j)]
        heat = [mp.exp(cosine(row[i], row[k]) / temperature) for k in range(2 * n)]
        return -mp.log(heat[j] / sum(heat[k] for k in below))

    return np.array([(lost(i, n + i) + lost(n + i, i)) / 2 for i in range(n)])


def decoupled_contrastive(_: Any, p: Any, temperature: float) -> Any:
    return nt_xent(_, p, temperature, own_below=False)


def debiased_contrastive(_: Any, p: Any, tau_plus: float, temperature: float) -> Any:
    n = len(p)
    row = [*p[:, 0], *p[:, 1]]
    found = []
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        heat = [mp.exp(cosine(row[i], row[k]) / temperature) for k in range(2 * n)]
        size = 2 * n - 2
        rest = sum(heat[k] for k in range(2 * n) if k not in (i, j))
        unlike = max((-tau_plus * size * heat[j] + rest) / (1 - tau_plus), size * mp.exp(-1 / mp.mpf(temperature)))
        found.append(-mp.log(heat[j] / (heat[j] + unlike)))
    return (np.array(found[:n]) + np.array(found[n:])) / 2


def clip_contrastive(_: Any, p: Any, temperature: float) -> Any:
    logits = unit(p[:, 0]) @ unit(p[:, 1]).T / temperature
    return -(np.diag(log(softmax(logits, axis=1))) + np.diag(log(softmax(logits, axis=0)))) / 2


def siglip(_: Any, p: Any, scale: float, bias: float) -> Any:
    logits = scale * (unit(p[:, 0]) @ unit(p[:, 1]).T) + bias
    signs = 2 * np.eye(len(p)) - 1
    return np.sum(log(1 + exp(-signs * logits)), axis=1)


def barlow_twins(_: Any, p: Any, weight: float) -> Any:
    a, b = (p[:, k] - mean(p[:, k], axis=0) for k in (0, 1))
    d = p.shape[2]
    c = [
        [dot(a[:, i], b[:, j]) / mp.sqrt(dot(a[:, i], a[:, i]) * dot(b[:, j], b[:, j])) for j in range(d)]
        for i in range(d)
    ]
    return sum((1 - c[i][i]) ** 2 for i in range(d)) + weight * sum(
        c[i][j] ** 2 for i in range(d) for j in range(d) if i != j
    )


def vicreg(_: Any, p: Any, sim_weight: float, var_weight: float, cov_weight: float, gamma: float) -> Any:
    """The paper's algorithm 1."""
    n, d = len(p), p.shape[2]
    total = sim_weight * mean((p[:, 0] - p[:, 1]) ** 2)
    for z in (p[:, 0], p[:, 1]):
        centred = z - mean(z, axis=0)
        matrix = centred.T @ centred / (n - 1)
        total += var_weight * mean(relu(gamma - sqrt(np.diag(matrix) + mp.mpf(1) / 10000)))
        total += cov_weight * (np.sum(matrix**2) - np.sum(np.diag(matrix) ** 2)) / d
    return total


def byol(t: Any, p: Any) -> Any:
    return mean(np.sum((unit(p) - unit(t)) ** 2, axis=-1).reshape(len(p), -1), axis=1)


def simsiam(_: Any, p: Any) -> Any:
    """The paper's algorithm 1: D(p1, z2) / 2 + D(p2, z1) / 2."""
    z1, z2 = held(p[0]), held(p[1])
    return -dot(unit(p[2]), unit(z2)) / 2 - dot(unit(p[3]), unit(z1)) / 2


def n_pair_angular(_: Any, p: Any, alpha: float) -> Any:
    t = mp.tan(mp.radians(alpha)) ** 2
    found = []
    for i in range(len(p)):
        f = [4 * t * dot(p[i, 0] + p[i, 1], p[n, 1]) - 2 * (1 + t) * dot(p[i, 0], p[i, 1]) for n in rest(p, i)]
        found.append(mp.log(1 + sum(map(mp.exp, f))))
    return np.array(found)


def alignment(_: Any, p: Any, alpha: float) -> Any:
    return mp.sqrt(2 - 2 * cosine(p[0], p[1])) ** alpha


def uniformity(_: Any, p: Any, t: float) -> Any:
    kernels = [mp.exp(-t * apart(x, y)) for x, y in combinations(unit(p), 2)]
    return mp.log(sum(kernels) / len(kernels))


def spectral_contrastive(_: Any, p: Any) -> Any:
    product = p[:, 0] @ p[:, 1].T
    off = product - np.diag(np.diag(product))
    return np.sum(off**2, axis=1) / (len(p) - 1) - 2 * np.diag(product)


def dino(t: Any, p: Any, student_temp: float, teacher_temp: float, centre: Any = 0.0) -> Any:
    lost = -np.sum(softmax((t - np.asarray(centre)) / teacher_temp) * log(softmax(p / student_temp)), axis=-1)
    return mean(lost.reshape(len(p), -1), axis=1)


CASES = [
    case("info_nce", info_nce, two_samples, temperature=0.4),
    case("nt_xent", nt_xent, vectors(2), temperature=0.4),
    case("clip_contrastive", clip_contrastive, vectors(2), temperature=0.4),
    case("siglip", siglip, vectors(2), scale=3.0, bias=-0.7),
    case("barlow_twins", barlow_twins, vectors(2), weight=0.3),
    case("vicreg", vicreg, vectors(2), sim_weight=2.0, var_weight=3.0, cov_weight=0.7, gamma=1.3),
    case("byol", byol, numbers),
    case("simsiam", each(simsiam), vectors(4)),
    case("n_pair_angular", n_pair_angular, vectors(2), alpha=25.0),
    case("alignment", each(alignment), vectors(2), alpha=1.4),
    case("uniformity", uniformity, embedded, t=1.3),
    case("decoupled_contrastive", decoupled_contrastive, vectors(2), temperature=0.4),
    case("debiased_contrastive", debiased_contrastive, vectors(2), tau_plus=0.05, temperature=0.8),
    case("debiased_contrastive", debiased_contrastive, vectors(2), tau_plus=0.6, temperature=0.8),
    case("spectral_contrastive", spectral_contrastive, vectors(2)),
    case("dino", dino, one_hot_logits, student_temp=0.8, teacher_temp=0.5, centre=[0.3, -0.2, 0.1, 0.5]),
]

# -- claims ------------------------------------------------------------------------------------------------


def collapsed(name: str, value: float, **params: Any) -> Claim:
    """All vectors are one and the same."""
    return same(
        name,
        f"{value:.4g} where all vectors are one",
        lambda: loss(name, None, np.ones((4, 2, 3)), **params),
        lambda: value,
    )


CLAIMS = [
    *(
        turned(name, vectors(2))
        for name in ("nt_xent", "clip_contrastive", "siglip", "alignment", "spectral_contrastive")
    ),
    *(turned(name, vectors(2)) for name in ("decoupled_contrastive", "debiased_contrastive", "n_pair_angular")),
    turned("simsiam", vectors(4)),
    turned("uniformity", embedded),
    *(shuffled(name, vectors(2)) for name in ("nt_xent", "siglip", "barlow_twins", "vicreg", "spectral_contrastive")),
    shuffled("info_nce", two_samples),
    *(
        stretched(name, vectors(2))
        for name in ("nt_xent", "clip_contrastive", "siglip", "alignment", "debiased_contrastive")
    ),
    stretched("simsiam", vectors(4)),
    stretched("uniformity", embedded),
    stretched("info_nce", two_samples),
    stretched("byol", numbers),
    *(exchanged(name, vectors(2)) for name in ("nt_xent", "clip_contrastive", "alignment", "vicreg")),
    *(exchanged(name, vectors(2)) for name in ("decoupled_contrastive", "debiased_contrastive")),
    exchanged("barlow_twins", vectors(2)),
    collapsed("nt_xent", float(np.log(7)), temperature=0.3),
    collapsed("clip_contrastive", float(np.log(4)), temperature=0.3),
    collapsed("decoupled_contrastive", float(np.log(6)), temperature=0.3),
    collapsed("spectral_contrastive", 9.0 - 6.0),
    collapsed("alignment", 0.0),
    same(
        "debiased_contrastive",
        "nt_xent where nothing is corrected",
        lambda: loss("debiased_contrastive", None, views(), tau_plus=0.0),
        lambda: loss("nt_xent", None, views(), temperature=0.5),
    ),
    same("nt_xent", "0 for a batch of one", lambda: loss("nt_xent", None, views()[:1]), lambda: 0.0),
    same(
        "info_nce",
        "at least 0, and log(batch) without a clue",
        lambda: loss("info_nce", np.eye(4), np.ones((4, 4))),
        lambda: np.log(4),
    ),
    same(
        "clip_contrastive",
        "the mean of two info_nce",
        lambda: loss("clip_contrastive", None, views(), temperature=0.2),
        lambda: (
            (
                loss("info_nce", views()[:, 0], views()[:, 1], temperature=0.2)
                + loss("info_nce", views()[:, 1], views()[:, 0], temperature=0.2)
            )
            / 2
        ),
    ),
    within("byol", numbers, 0, 4),
    within("simsiam", vectors(4), -1, 1),
    within("uniformity", embedded, -8, 0),
    symmetric("byol", numbers),
    zero_at_truth("byol", numbers),
    unchanged(
        "barlow_twins", "scale and shift of a feature", vectors(2), lambda t, p: (t, p * [2, 0.5, 3] + [1, -1, 0])
    ),
    unchanged("vicreg", "a shift of both views", vectors(2), lambda t, p: (t, p + np.array([1.0, -2.0, 3.0]))),
    unchanged("dino", "a shift of either's outputs", one_hot_logits, lambda t, p: (t + 1, p - 2)),
    same(
        "barlow_twins",
        "0 at twins with features that are not correlated",
        lambda: loss(
            "barlow_twins", None, np.repeat(np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])[:, None], 2, axis=1)
        ),
        lambda: 0.0,
    ),
    same("alignment", "0 for twins", lambda: loss("alignment", None, TWINS), lambda: 0.0),
    same("simsiam", "-1 where predictions are right", lambda: loss("simsiam", None, np.ones((2, 4, 3))), lambda: -1.0),
    same(
        "alignment",
        "byol, for alpha = 2",
        lambda: loss("alignment", None, views()),
        lambda: loss("byol", views()[:, 0], views()[:, 1]),
    ),
    same(
        "siglip",
        "2 * log(2) for two samples without a clue",
        lambda: loss("siglip", None, np.ones((2, 2, 3)), scale=1e-9, bias=0.0),
        lambda: 2 * np.log(2),
    ),
    same(
        "n_pair_angular",
        "log(batch) where all vectors are 0",
        lambda: loss("n_pair_angular", None, np.zeros((4, 2, 3))),
        lambda: np.log(4),
    ),
]
