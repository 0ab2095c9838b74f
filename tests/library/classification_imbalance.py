"""Oracles and claims for classes: classes that are not equally common."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import between, case, equals, loss
from classification_shared import (
    COUNTS,
    CROSS,
    CROSS_LOGITS,
    WEIGHTS,
    claim,
    each_entry,
    each_position,
    hot,
    in_another_order,
    same,
    shares_of,
    shifted,
    slope,
)
from mpmath import mp
from plain import sigmoid, softmax
from samples import bits, one_hot_logits

# -- data


def single() -> samples.Pair:
    random = np.random.default_rng(24)
    return np.array([1.0, 0, 0, 1, 0, 0, 0, 1, 0])[:, None], 1.5 * random.normal(size=(9, 1))


SHARES = [0.5, 0.1, 0.05, 0.35]

# -- oracles


@each_position
def logit_adjustment(y: Any, z: Any, prior: Any, tau: float = 1.0) -> Any:
    """The paper's pairwise form: log(1 + sum (prior of the other / of the true)^tau e^(difference))."""
    k = list(y).index(1)
    return mp.log(1 + sum((mp.mpf(prior[j]) / prior[k]) ** tau * mp.exp(z[j] - z[k]) for j in range(len(z)) if j != k))


@each_position
def vector_scaling(y: Any, z: Any, delta: Any, iota: Any, weight: Any) -> Any:
    k = list(y).index(1)
    scores = [mp.exp(d * x + i) for d, x, i in zip(delta, z, iota, strict=True)]
    return -weight[k] * mp.log(scores[k] / sum(scores))


@each_position
def ldam(y: Any, z: Any, counts: Any, max_margin: float, scale: float) -> Any:
    margins = [1 / mp.sqrt(mp.sqrt(n)) for n in counts]
    margins = [m * max_margin / max(margins) for m in margins]
    k = list(y).index(1)
    own = mp.exp(scale * (z[k] - margins[k]))
    return -mp.log(own / (own + sum(mp.exp(scale * z[j]) for j in range(len(z)) if j != k)))


@each_position
def class_balanced(y: Any, z: Any, counts: Any, beta: float) -> Any:
    effective = [sum(mp.mpf(beta) ** i for i in range(n)) for n in counts]
    alphas = [1 / e for e in effective]
    k = list(y).index(1)
    return -alphas[k] * len(alphas) / sum(alphas) * mp.log(softmax(z)[k])


@each_position
def weighted_categorical(y: Any, p: Any, weight: Any, from_logits: bool = False) -> Any:
    k = list(y).index(1)
    return -weight[k] * mp.log(shares_of(p, from_logits)[k])


def ghm_c(t: Any, z: Any, bins: int) -> Any:
    t, p = t[:, 0], sigmoid(z[:, 0])
    lengths = abs(p - t)
    width = mp.mpf(1) / bins
    density = [sum(1 for g in lengths if mp.floor(g / width) == mp.floor(own / width)) / width for own in lengths]
    return np.array([-len(t) / d * mp.log(q if y == 1 else 1 - q) for y, q, d in zip(t, p, density, strict=True)])


@each_entry
def self_adjusting_dice(y: Any, p: Any, alpha: float, smooth: float) -> Any:
    q = (1 - p) ** alpha * p
    return 1 - (2 * q * y + smooth) / (q + y + smooth)


CASES = [
    case("logit_adjustment", logit_adjustment, one_hot_logits, prior=SHARES, tau=1.5),
    case("balanced_softmax", lambda t, z, counts: logit_adjustment(t, z, prior=counts), one_hot_logits, counts=COUNTS),
    case(
        "vector_scaling",
        vector_scaling,
        one_hot_logits,
        delta=[0.9, 0.5, 1.2, 0.7],
        iota=[0.3, -1.0, 0.5, -0.2],
        weight=WEIGHTS,
    ),
    case("ldam", ldam, one_hot_logits, counts=COUNTS, max_margin=0.7, scale=2.5),
    case("class_balanced", class_balanced, one_hot_logits, counts=COUNTS, beta=0.9),
    case("weighted_categorical_crossentropy", weighted_categorical, hot, weight=WEIGHTS),
    case("weighted_categorical_crossentropy", weighted_categorical, one_hot_logits, weight=WEIGHTS, from_logits=True),
    case("ghm_c", ghm_c, single, bins=5),
    case("self_adjusting_dice", self_adjusting_dice, bits, alpha=0.7, smooth=0.4),
]

# -- claims


def odds_of_prior() -> bool:
    """Logit adjustment at a constant model is least where nothing is left to learn: logits all equal."""
    z = np.zeros((1, 4))
    return all(abs(slope("logit_adjustment", np.array([SHARES]), z, (0, k), prior=SHARES)) < 1e-6 for k in range(4))


def equal_parts() -> bool:
    """All bins that are filled weigh the same in the gradient's norm: samples of one bin share what one alone has."""
    t, z = np.zeros((4, 1)), np.array([[-1.0], [-1.0], [-1.0], [2.0]])
    values = loss("ghm_c", t, z, bins=4)
    alone = np.logaddexp(0, z[:, 0])
    return same(values * 4 / alone, [4 / 3, 4 / 3, 4 / 3, 4])


def saturated() -> bool:
    """A gradient of length 1 falls into the last bin, with those just below."""
    z = np.array([[50.0], [3.0]])
    return same(loss("ghm_c", 0 * z, z, bins=4), z[:, 0] / 4, 0.02)


CLAIMS = [
    equals("weighted_categorical_crossentropy", CROSS, hot),
    equals("logit_adjustment", CROSS_LOGITS, one_hot_logits, prior=SHARES, tau=0.0),
    claim("logit_adjustment", "labels as common as the prior leave nothing to learn", odds_of_prior),
    equals("balanced_softmax", "logit_adjustment(y_true, y_pred, prior=[50, 8, 3, 21])", one_hot_logits, counts=COUNTS),
    equals(
        "vector_scaling",
        "logit_adjustment(y_true, y_pred, prior=[0.5, 0.1, 0.05, 0.35])",
        one_hot_logits,
        iota=np.log(SHARES).tolist(),
    ),
    equals("ldam", CROSS_LOGITS, one_hot_logits, counts=COUNTS, max_margin=0.0, scale=1.0),
    equals("class_balanced", CROSS_LOGITS, one_hot_logits, counts=COUNTS, beta=0.0),
    shifted("class_balanced", one_hot_logits, counts=COUNTS),
    claim("ghm_c", "samples of a bin share its weight", equal_parts),
    claim("ghm_c", "the last bin holds its upper end", saturated),
    in_another_order("ghm_c", single, bins=5),
    between("self_adjusting_dice", bits, 0, 1, alpha=0.7, smooth=0.4),
]
