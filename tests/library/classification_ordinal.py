"""Oracles and claims for classes: ordered classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import case, equals, loss, ordered
from classification_shared import WEIGHTS, claim, each_position, same, shares_of
from mpmath import mp
from plain import sigmoid, softmax
from samples import classes, classes_logits

# -- data


def ordinal(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Classes 0 to 4, and four logits."""
    random, shape = np.random.default_rng(22), (4, *positions)
    labels = random.integers(0, 5, size=shape)
    labels[:3] = np.reshape([0, 4, 2], (3, *[1] * len(positions)))
    return labels, 2 * random.normal(size=(*shape, 4))


def rising(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = ordinal(positions)
    return t, np.sort(p, axis=-1)


def graded() -> samples.Pair:
    random = np.random.default_rng(23)
    return np.array([0, 3, 1, 3, 2]), random.dirichlet(np.ones(4), size=5)


# -- oracles


@each_position
def coral(y: Any, z: Any, importance: Any) -> Any:
    return -sum(
        w * mp.log(sigmoid(x) if y > k else 1 - sigmoid(x)) for k, (w, x) in enumerate(zip(importance, z, strict=True))
    )


def corn(t: Any, z: Any) -> Any:
    """Question by question: the samples that reach it, and their labels there."""
    t, z = np.ravel(t), np.reshape(z, (-1, z.shape[-1]))
    total, asked = mp.mpf(0), 0
    for k in range(z.shape[1]):
        subset = [i for i in range(len(t)) if t[i] > k - 1]
        asked += len(subset)
        total -= sum(mp.log(sigmoid(z[i, k]) if t[i] > k else 1 - sigmoid(z[i, k])) for i in subset)
    return total / asked


def kappa(t: Any, p: Any, power: float) -> Any:
    """Seen and expected tables of true against predicted classes."""
    size = p.shape[1]
    seen = [[sum(p[i, b] for i in range(len(t)) if t[i] == a) for b in range(size)] for a in range(size)]
    of_true = [sum(1 for i in range(len(t)) if t[i] == a) for a in range(size)]
    of_predicted = [sum(seen[a][b] for a in range(size)) for b in range(size)]
    cost = [[mp.mpf(abs(a - b)) ** power / (size - 1) ** power for b in range(size)] for a in range(size)]
    places = [(a, b) for a in range(size) for b in range(size)]
    weighted = sum(cost[a][b] * seen[a][b] for a, b in places)
    chance = sum(cost[a][b] * of_true[a] * of_predicted[b] / len(t) for a, b in places)
    return mp.log(weighted / chance)


@each_position
def ordinal_log_loss(y: Any, p: Any, alpha: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -sum(mp.log(1 - p[i]) * mp.mpf(abs(int(y) - i)) ** alpha for i in range(len(p)))


@each_position
def cumulative_link(y: Any, z: Any) -> Any:
    at_most = [mp.mpf(0), *(1 / (1 + mp.exp(-x)) for x in z), mp.mpf(1)]
    return -mp.log(at_most[y + 1] - at_most[y])


@each_position
def soft_ordinal(y: Any, p: Any, scale: float, power: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    weights = [mp.exp(-scale * mp.mpf(abs(k - int(y))) ** power) for k in range(len(p))]
    return sum(w * -mp.log(x) for w, x in zip(weights, p, strict=True)) / sum(weights)


@each_position
def mean_variance(y: Any, z: Any, lambda_1: float, lambda_2: float) -> Any:
    p = softmax(z)
    first, second = (sum(k**n * x for k, x in enumerate(p)) for n in (1, 2))
    return -mp.log(p[y]) + mp.mpf(lambda_1) / 2 * (first - int(y)) ** 2 + lambda_2 * (second - first**2)


CASES = [
    case("soft_ordinal", soft_ordinal, classes, scale=0.7, power=1.5),
    case("soft_ordinal", soft_ordinal, classes_logits, scale=1.3, power=2.0, from_logits=True),
    case("mean_variance", mean_variance, classes_logits, lambda_1=0.7, lambda_2=0.3),
    case("coral_ordinal", coral, ordinal, importance=WEIGHTS),
    case("corn_ordinal", corn, ordinal),
    case("weighted_kappa", kappa, graded, power=2.0),
    case("weighted_kappa", kappa, graded, power=1.5),
    case("ordinal_log_loss", ordinal_log_loss, classes, alpha=1.5),
    case("ordinal_log_loss", ordinal_log_loss, classes_logits, alpha=2.0, from_logits=True),
    case("cumulative_link", cumulative_link, rising),
]

# -- claims


def as_ranked() -> bool:
    """A cutoff between sorted logits gives the classes' probabilities, which add up to 1."""
    z = np.array([[-1.0, 0.5, 2.0]])
    chances = [np.exp(-loss("cumulative_link", np.array([k]), z)) for k in range(4)]
    return same(sum(chances), 1)


def answers() -> bool:
    """The binary questions answer one by one: without the others' samples."""
    return same(
        loss("corn_ordinal", np.array([0]), np.array([[1.0, 5, 5]])),
        loss("binary_crossentropy", [[0.0]], [[1.0]], from_logits=True),
    )


def chance_level() -> bool:
    """A prediction that knows nothing has kappa 0: the loss is log(1)."""
    t, _ = graded()
    return same(loss("weighted_kappa", t, np.tile([[0.1, 0.4, 0.2, 0.3]], (5, 1))), 0)


SPARSE_LOGITS = "sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)"

CLAIMS = [
    equals(
        "coral_ordinal",
        "y_true: label[batch]\n4 * binary_crossentropy(y_true > index(y_pred), y_pred, from_logits=True)",
        ordinal,
    ),
    claim("corn_ordinal", "a sample of class 0 has one question", answers),
    claim("weighted_kappa", "0 by chance", chance_level),
    ordered("ordinal_log_loss", "farther is worse", [0], [[0.6, 0.4, 0]], [[0.6, 0, 0.4]], alpha=1.0),
    ordered(
        "weighted_kappa", "farther is worse", [0, 2], [[0.6, 0.4, 0], [0, 0.4, 0.6]], [[0.6, 0, 0.4], [0.4, 0, 0.6]]
    ),
    claim("cumulative_link", "the classes' probabilities add up to 1", as_ranked),
    equals("soft_ordinal", "sparse_categorical_crossentropy(y_true, y_pred)", classes, scale=60.0),
    equals("soft_ordinal", "y_true: label[batch]\n-mean(log(y_pred))", classes, scale=0.0),
    ordered("soft_ordinal", "farther is worse", [0], [[0.6, 0.3, 0.1]], [[0.6, 0.1, 0.3]]),
    equals("mean_variance", SPARSE_LOGITS, classes_logits, lambda_1=0.0, lambda_2=0.0),
    ordered("mean_variance", "farther is worse", [0], [[2.0, 1, -1]], [[2.0, -1, 1]]),
]
