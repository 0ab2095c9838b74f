"""Oracles and claims for embeddings: pairs, triplets and quadruplets."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import case, loss, unchanged
from contrastive_shared import apart, cosine, each, same, shuffled, stretched, turned, vectors
from mpmath import mp
from plain import mean, relu

from lossdsl import evaluate

# -- data --------------------------------------------------------------------------------------------------


def distances(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(24)
    shape = (3, *positions, 4)
    return random.choice([-1.0, 1.0], size=shape), random.uniform(0.1, 2.5, size=shape)


def bits_distances(positions: tuple[int, ...] = ()) -> Any:
    belongs, apart = distances(positions)
    return (belongs + 1) / 2, apart


def cosines(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(25)
    shape = (3, *positions, 4)
    return random.choice([-1.0, 1.0], size=shape), random.uniform(-0.95, 0.95, size=shape)


def alike() -> Any:
    random = np.random.default_rng(28)
    return np.array([[3.0], [1.0], [1.0], [2.5], [0.0]]), random.uniform(-0.9, 0.9, size=(5, 1))


# -- oracles -----------------------------------------------------------------------------------------------


def contrastive(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, p**2, np.where(p < margin, (margin - p) ** 2, mp.mpf(0))).reshape(len(p), -1), axis=1)


def triplet(_: Any, p: Any, margin: float) -> Any:
    return max(mp.mpf(0), apart(p[0], p[1]) - apart(p[0], p[2]) + margin)


def triplet_soft_margin(_: Any, p: Any) -> Any:
    return mp.log(1 + mp.exp(mp.sqrt(apart(p[0], p[1])) - mp.sqrt(apart(p[0], p[2]))))


def cosine_embedding(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, 1 - p, np.maximum(mp.mpf(0), p - margin)).reshape(len(p), -1), axis=1)


def hinge_embedding(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, p, np.maximum(mp.mpf(0), margin - p)).reshape(len(p), -1), axis=1)


def margin_based(t: Any, p: Any, alpha: float, beta: float) -> Any:
    pull, push = relu(p - (beta - alpha)), relu(beta + alpha - p)
    return mean(np.where(t == 1, pull, push).reshape(len(p), -1), axis=1)


def cosent(t: Any, p: Any, scale: float) -> Any:
    turned = [mp.exp(scale * (p[j, 0] - p[i, 0])) for i, j in np.ndindex(len(t), len(t)) if t[i, 0] > t[j, 0]]
    return mp.log(1 + sum(turned))


def angular(_: Any, p: Any, alpha: float) -> Any:
    middle = [(a + b) / 2 for a, b in zip(p[0], p[1], strict=True)]
    return max(mp.mpf(0), apart(p[0], p[1]) - 4 * mp.tan(mp.radians(alpha)) ** 2 * apart(p[2], middle))


def quadruplet(_: Any, p: Any, alpha1: float, alpha2: float) -> Any:
    i, j, k, other = p
    first, second = apart(i, j) - apart(i, k) + alpha1, apart(i, j) - apart(other, k) + alpha2
    return max(mp.mpf(0), first) + max(mp.mpf(0), second)


def tuplet_margin(_: Any, p: Any, scale: float, beta: float) -> Any:
    own = mp.cos(mp.acos(cosine(p[0], p[1])) - mp.radians(beta))
    return mp.log(1 + sum(mp.exp(scale * (cosine(p[0], x) - own)) for x in p[2:]))


CASES = [
    case("contrastive", contrastive, bits_distances, margin=1.6),
    case("triplet", each(triplet), vectors(3), margin=2.5),
    case("triplet_soft_margin", each(triplet_soft_margin), vectors(3)),
    case("cosine_embedding", cosine_embedding, cosines, margin=0.3),
    case("hinge_embedding", hinge_embedding, distances, margin=1.7),
    case("margin_based", margin_based, distances, alpha=0.35, beta=1.1),
    case("cosent", cosent, alike, scale=4.0),
    case("angular", each(angular), vectors(3, 8), alpha=25.0),
    case("quadruplet", each(quadruplet), vectors(4, 6), alpha1=2.5, alpha2=1.5),
    case("tuplet_margin", each(tuplet_margin), vectors(4), scale=3.0, beta=20.0),
]

# -- claims ------------------------------------------------------------------------------------------------

CLAIMS = [
    *(turned(name, vectors(3)) for name in ("triplet", "triplet_soft_margin", "angular", "tuplet_margin")),
    turned("quadruplet", vectors(4)),
    shuffled("cosent", alike),
    stretched("tuplet_margin", vectors(4)),
    same(
        "contrastive",
        "0 for twins that belong together, and for others past the margin",
        lambda: loss("contrastive", np.array([[1.0, 0.0]]), np.array([[0.0, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "hinge_embedding",
        "0 past the margin",
        lambda: loss("hinge_embedding", np.array([[1.0, -1.0]]), np.array([[0.0, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "margin_based",
        "0 on the right side of the boundary, past alpha",
        lambda: loss("margin_based", np.array([[1.0, -1.0]]), np.array([[0.9, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "cosine_embedding",
        "0 for the same and for the opposite direction",
        lambda: loss("cosine_embedding", np.array([[1.0, -1.0]]), np.array([[1.0, -1.0]])),
        lambda: 0.0,
    ),
    unchanged("cosent", "any other truth of that order", alike, lambda t, p: (t**3 + 1, p)),
    same("triplet", "0 past the margin", lambda: loss("triplet", None, np.array([[[0.0], [0.1], [2.0]]])), lambda: 0.0),
    same(
        "quadruplet",
        "triplet, where the second margin is met",
        lambda: loss("quadruplet", None, np.array([[[0.0], [1.0], [1.2], [9.0]]]), alpha1=0.2),
        lambda: loss("triplet", None, np.array([[[0.0], [1.0], [1.2]]]), margin=0.2),
    ),
    same(
        "angular",
        "0 where the angle at the other is alpha",
        lambda: loss("angular", None, np.array([[[-1.0, 0], [1, 0], [0, 1.0]]]), alpha=45.0),
        lambda: 0.0,
    ),
    same(
        "tuplet_margin",
        "one other and no margin: a logistic loss",
        lambda: loss("tuplet_margin", None, vectors(3)()[1], beta=0.0, scale=2.0),
        lambda: evaluate(
            "log(1 + exp(2 * (sum(normalize(y_pred[:, 0]) * normalize(y_pred[:, 2])) - sum(normalize(y_pred[:, 0]) * normalize(y_pred[:, 1])))))",
            np.zeros((4, 3, 3)),
            vectors(3)()[1],
        ),
    ),
    same(
        "triplet_soft_margin",
        "log(2) where both are as far",
        lambda: loss("triplet_soft_margin", None, np.zeros((1, 3, 2))),
        lambda: np.log(2),
    ),
]
