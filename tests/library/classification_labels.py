"""Oracles and claims for classes: many labels at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import case, equals, loss
from classification_shared import (
    BINARY,
    BINARY_LOGITS,
    BIT,
    COUNTS,
    WEIGHTS,
    chance_of,
    claim,
    each_entry,
    each_position,
    right,
    same,
    slope,
    soft_logits,
)
from mpmath import mp
from plain import sigmoid
from samples import bits, bits_logits, one_hot_logits, shares

# -- data


def background(positions: tuple[int, ...] = ()) -> samples.Pair:
    """One-hot labels, some of them of nothing, and logits."""
    t, p = one_hot_logits(positions)
    t[1] = 0
    return t, p


def wide_positives(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Several labels, one at least, and logits."""
    t, p = bits_logits(positions)
    t[..., 2] = 1
    return t, p


BALANCED = {"counts": COUNTS, "total": 60.0, "alpha": 0.2, "beta": 4.0, "mu": 0.4, "kappa": 0.3, "lambda_": 1.7}

# -- oracles


@each_position
def zlpr(y: Any, z: Any) -> Any:
    """The paper's: all pairs against a class 0 with logit 0 on either side; with shares, each entry by its share."""
    negative = 1 + sum((1 - a) * mp.exp(b) for a, b in zip(y, z, strict=True))
    positive = 1 + sum(a / mp.exp(b) for a, b in zip(y, z, strict=True))
    return mp.log(negative * positive)


def step(x: Any) -> Any:
    return 1 if x > 0 else 0 if x < 0 else mp.mpf(1) / 2


@each_entry
def hard_truncated(y: Any, p: Any, margin: float, from_logits: bool = False) -> Any:
    p, m = chance_of(p, from_logits), mp.mpf(margin)
    weight = 1 - step(y - m) * step(p - m) - step(1 - m - y) * step(1 - m - p)
    return -weight * (y * mp.log(p) + (1 - y) * mp.log(1 - p))


@each_entry
def soft_truncated(y: Any, x: Any, K: float) -> Any:
    if y == 1:
        return -sigmoid(-K * x) * mp.log(sigmoid(x))
    return -sigmoid(K * x) * mp.log(sigmoid(-x))


def asymmetric(t: Any, p: Any, gamma_neg: float, gamma_pos: float, clip_at: float, from_logits: bool = False) -> Any:
    p = sigmoid(p) if from_logits else p
    total = [mp.mpf(0)] * len(p)
    for place in np.ndindex(*p.shape):
        q, shifted = p[place], max(p[place] - clip_at, mp.mpf(0))
        total[place[0]] -= (
            (1 - q) ** gamma_pos * mp.log(q) if t[place] == 1 else shifted**gamma_neg * mp.log(1 - shifted)
        )
    return np.array(total)


@each_entry
def weighted_binary(y: Any, p: Any, pos_weight: float, from_logits: bool = False) -> Any:
    p = chance_of(p, from_logits)
    return -(pos_weight * y * mp.log(p) + (1 - y) * mp.log(1 - p))


@each_position
def weighted_binary_by_class(y: Any, p: Any, pos_weight: Any, from_logits: bool = False) -> Any:
    terms = [
        -w * mp.log(chance_of(b, from_logits)) if a == 1 else -mp.log(1 - chance_of(b, from_logits))
        for w, a, b in zip(pos_weight, y, p, strict=True)
    ]
    return sum(terms) / len(terms)


@each_position
def equalization(y: Any, z: Any, rare: Any) -> Any:
    total = mp.mpf(0)
    for k, logit in enumerate(z):
        p = sigmoid(logit)
        exists = 1 if 1 in list(y) else 0
        weight = 1 - exists * rare[k] * (1 - y[k])
        total -= weight * mp.log(p if y[k] == 1 else 1 - p)
    return total


@each_position
def distribution_balanced(
    y: Any, z: Any, counts: Any, total: float, alpha: float, beta: float, mu: float, kappa: float, lambda_: float
) -> Any:
    size = len(z)
    by_label = mp.mpf(1) / size * sum(1 / mp.mpf(n) for n, a in zip(counts, y, strict=True) if a == 1)
    result = mp.mpf(0)
    for k in range(size):
        by_class = mp.mpf(1) / size / counts[k]
        weight = alpha + 1 / (1 + mp.exp(-beta * (by_class / by_label - mu)))
        bias = -mp.log(total / mp.mpf(counts[k]) - 1)
        nu = -kappa * bias
        if y[k] == 1:
            result += weight * mp.log(1 + mp.exp(-(z[k] - nu)))
        else:
            result += weight / lambda_ * mp.log(1 + mp.exp(lambda_ * (z[k] - nu)))
    return result / size


CASES = [
    case("multilabel_categorical_crossentropy", zlpr, bits_logits),
    case("multilabel_categorical_crossentropy", zlpr, soft_logits),
    case("hard_truncated_crossentropy", hard_truncated, bits, margin=0.7),
    case("hard_truncated_crossentropy", hard_truncated, bits_logits, margin=0.8, from_logits=True),
    case("soft_truncated_crossentropy", soft_truncated, bits_logits, K=1.7),
    case("asymmetric", asymmetric, bits, gamma_neg=3.0, gamma_pos=1.5, clip_at=0.1),
    case("asymmetric", asymmetric, bits_logits, gamma_neg=2.0, gamma_pos=0.5, clip_at=0.2, from_logits=True),
    case("weighted_binary_crossentropy", weighted_binary, bits, pos_weight=2.5),
    case("weighted_binary_crossentropy", weighted_binary, bits_logits, pos_weight=0.3, from_logits=True),
    case("weighted_binary_crossentropy", weighted_binary_by_class, bits_logits, pos_weight=WEIGHTS, from_logits=True),
    case("equalization", equalization, background, rare=[0, 1, 1, 0]),
    case("distribution_balanced", distribution_balanced, wide_positives, **BALANCED),
]

# -- claims


def at_half_the_log_odds() -> bool:
    """With shares for labels, ZLPR is least where 2 * logit is the log-odds."""
    t = shares()[0]
    z = np.log(t / (1 - t)) / 2
    return all(abs(slope("multilabel_categorical_crossentropy", t, z, (0, k))) < 1e-6 for k in range(4))


def kept_out() -> bool:
    """A rare class gets no slope from the sample of another class, and one from the background."""
    t, z = np.array([[1.0, 0, 0]]), np.array([[0.3, -0.2, 0.8]])
    quiet = abs(slope("equalization", t, z, (0, 1), rare=[0, 1, 0])) < 1e-9
    return quiet and slope("equalization", 0 * t, z, (0, 1), rare=[0, 1, 0]) > 0.1


CLAIMS = [
    right("multilabel_categorical_crossentropy", bits, 40.0),
    equals(
        "multilabel_categorical_crossentropy",
        "softplus(y_pred[..., 0] - 2 * y_true[..., 0] * y_pred[..., 0])",
        lambda: tuple(x[:, :1] for x in bits_logits()),
    ),
    claim("multilabel_categorical_crossentropy", "shares are met at half the log-odds", at_half_the_log_odds),
    claim(
        "hard_truncated_crossentropy",
        "0 where right by the margin",
        lambda: same(loss("hard_truncated_crossentropy", BIT, [[0.61, 0.39]]), 0),
    ),
    equals("hard_truncated_crossentropy", BINARY, bits, margin=1.0),
    equals(
        "soft_truncated_crossentropy", "0.5 * binary_crossentropy(y_true, y_pred, from_logits=True)", bits_logits, K=0.0
    ),
    equals(
        "soft_truncated_crossentropy",
        "binary_focal_crossentropy(y_true, y_pred, gamma=1, from_logits=True)",
        bits_logits,
        K=1.0,
    ),
    equals(
        "soft_truncated_crossentropy",
        "hard_truncated_crossentropy(y_true, y_pred, margin=0.5, from_logits=True)",
        bits_logits,
        K=500.0,
    ),
    equals("asymmetric", "4 * binary_crossentropy(y_true, y_pred)", bits, gamma_neg=0.0, gamma_pos=0.0, clip_at=0.0),
    equals(
        "asymmetric",
        "4 * binary_focal_crossentropy(y_true, y_pred, gamma=1.5)",
        bits,
        gamma_neg=1.5,
        gamma_pos=1.5,
        clip_at=0.0,
    ),
    claim(
        "asymmetric",
        "what is absent below the shift costs nothing",
        lambda: same(loss("asymmetric", [[0.0]], [[0.04]]), 0),
    ),
    equals("weighted_binary_crossentropy", BINARY, bits),
    equals("equalization", "4 * binary_crossentropy(y_true, y_pred, from_logits=True)", background),
    claim("equalization", "rare classes are not pushed down by others", kept_out),
    equals("distribution_balanced", BINARY_LOGITS, bits_logits, alpha=0.5, beta=0.0, kappa=0.0, lambda_=1.0),
]
