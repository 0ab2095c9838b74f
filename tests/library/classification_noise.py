"""Oracles and claims for classes: wrong labels, and answers that are ruled out or declined."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import Claim, between, case, equals, loss, ordered
from classification_shared import (
    BIT,
    CROSS,
    FIRST_COLUMN,
    claim,
    divergence,
    each_position,
    entropy,
    hot,
    of_columns,
    same,
    shares_of,
    taught,
)
from mpmath import mp
from plain import softmax
from samples import classes, classes_logits, one_hot_logits, shares

# -- data


def two_views() -> samples.Pair:
    random = np.random.default_rng(26)
    return np.eye(4)[[2, 0, 1]], np.moveaxis(random.dirichlet(np.ones(4), size=(3, 2)), 1, 2)


def remembered(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Labels; logits and an average of probabilities."""
    t, p = taught(positions)
    p[..., 1] = np.random.default_rng(28).dirichlet(np.ones(4), size=p.shape[:-2])
    return t, p


NOISE = [[0.7, 0.1, 0.15, 0.05], [0.2, 0.6, 0.1, 0.1], [0.05, 0.15, 0.8, 0.0], [0.1, 0.0, 0.3, 0.6]]
UNNOISE = [[1.5, -0.25, -0.3, 0.05], [-0.5, 1.75, -0.15, -0.1], [0.0, -0.3, 1.3, 0.0], [-0.2, 0.1, -0.7, 1.8]]

# -- oracles


@each_position
def symmetric(y: Any, p: Any, alpha: float, beta: float, log_zero: float) -> Any:
    k = list(y).index(1)
    return -alpha * mp.log(p[k]) - beta * sum(p[j] * log_zero for j in range(len(p)) if j != k)


@each_position
def taylor(y: Any, p: Any, order: int, from_logits: bool = False) -> Any:
    miss = 1 - shares_of(p, from_logits)[list(y).index(1)]
    return sum(miss**k / k for k in range(1, order + 1))


@each_position
def bootstrap_soft(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -beta * mp.log(p[list(y).index(1)]) + (1 - mp.mpf(beta)) * entropy(p)


@each_position
def bootstrap_hard(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -beta * mp.log(p[list(y).index(1)]) - (1 - mp.mpf(beta)) * mp.log(max(p))


@each_position
def normalized(y: Any, p: Any, from_logits: bool = False) -> Any:
    """The logarithm of the true class's probability, to the base of the product of all."""
    p = shares_of(p, from_logits)
    return mp.log(p[list(y).index(1)], mp.fprod(p))


@each_position
def active_passive(y: Any, p: Any, alpha: float, beta: float, log_zero: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    logs = [mp.mpf(0) if a == 1 else mp.mpf(log_zero) for a in y]
    return alpha * mp.log(p[list(y).index(1)], mp.fprod(p)) - beta * sum(a * b for a, b in zip(p, logs, strict=True))


def generalized_js(t: Any, p: Any, pi_1: float) -> Any:
    """The weighted divergences to the mean, over the paper's Z."""
    first, views = mp.mpf(pi_1), p.shape[2]
    values = []
    for label, predictions in zip(t, p, strict=True):
        weights = [first] + [(1 - first) / views] * views
        parts = [label, *predictions.T]
        middle = sum(w * q for w, q in zip(weights, parts, strict=True))
        values.append(sum(w * divergence(q, middle) for w, q in zip(weights, parts, strict=True)))
    return np.array(values) / (-(1 - first) * mp.log(1 - first))


@each_position
def forward_correction(y: Any, p: Any, transition: Any, from_logits: bool = False) -> Any:
    p, k = shares_of(p, from_logits), list(y).index(1)
    return -mp.log(sum(p[i] * transition[i][k] for i in range(len(p))))


@each_position
def backward_correction(y: Any, p: Any, inverse: Any, from_logits: bool = False) -> Any:
    losses = [-mp.log(x) for x in shares_of(p, from_logits)]
    return sum(a * b for a, b in zip(inverse[list(y).index(1)], losses, strict=True))


@of_columns
def elr(k: int, z: Any, average: Any, lambda_: float) -> Any:
    p = softmax(z)
    return -mp.log(p[k]) + lambda_ * mp.log(1 - sum(p * average))


@each_position
def label_relaxation(y: Any, p: Any, alpha: float, from_logits: bool = False) -> Any:
    """The nearest distribution of the set, and the divergence from it."""
    p, k, share = shares_of(p, from_logits), list(y).index(1), mp.mpf(alpha)
    if p[k] >= 1 - share:
        return mp.mpf(0)
    rest = sum(p[j] for j in range(len(p)) if j != k)
    return divergence(
        [1 - share if j == k else share * p[j] / rest for j in range(len(p))], [*p[:k], 1 - rest, *p[k + 1 :]]
    )


def label_relaxation_alone(t: Any, p: Any, **params: Any) -> Any:
    """Probabilities of the other classes do not enter, only their sum does, which is 1 - p."""
    return label_relaxation(
        t, np.where(t == 1, p, (1 - np.sum(t * p, axis=-1, keepdims=True)) / (p.shape[-1] - 1)), **params
    )


@each_position
def agce(y: Any, p: Any, a: float, q: float, from_logits: bool = False) -> Any:
    """The slope (a + u)**(q - 1) that the paper gives, added up from p to 1."""
    return mp.quad(lambda u: (a + u) ** (mp.mpf(q) - 1), [shares_of(p, from_logits)[y], 1])


@each_position
def unhinged(y: Any, p: Any, a: float, q: float, from_logits: bool = False) -> Any:
    return mp.quad(lambda u: (a - u) ** (mp.mpf(q) - 1), [shares_of(p, from_logits)[y], 1])


@each_position
def asymmetric_exponential(y: Any, p: Any, a: float, from_logits: bool = False) -> Any:
    return mp.e ** (-shares_of(p, from_logits)[y] / a)


@each_position
def complementary(y: Any, p: Any, from_logits: bool = False) -> Any:
    return -mp.log(1 - shares_of(p, from_logits)[y])


@each_position
def deep_abstaining(y: Any, z: Any, alpha: float) -> Any:
    p = softmax(z)
    return -(1 - p[-1]) * mp.log(p[y] / (1 - p[-1])) + alpha * mp.log(1 / (1 - p[-1]))


@each_position
def gamblers(y: Any, p: Any, reward: float) -> Any:
    return -mp.log(p[y] + p[-1] / mp.mpf(reward))


CASES = [
    case("symmetric_crossentropy", symmetric, hot, alpha=0.2, beta=0.7, log_zero=-3.0),
    case("asymmetric_generalized_crossentropy", agce, classes, a=0.6, q=0.7),
    case("asymmetric_generalized_crossentropy", agce, classes_logits, a=2.0, q=2.5, from_logits=True),
    case("asymmetric_unhinged", unhinged, classes, a=1.7, q=1.5),
    case("asymmetric_unhinged", unhinged, classes_logits, a=3.0, q=0.6, from_logits=True),
    case("asymmetric_exponential", asymmetric_exponential, classes, a=0.7),
    case("asymmetric_exponential", asymmetric_exponential, classes_logits, a=1.7, from_logits=True),
    case("taylor_crossentropy", taylor, hot, order=3),
    case("taylor_crossentropy", taylor, one_hot_logits, order=6, from_logits=True),
    case("bootstrap_soft", bootstrap_soft, hot, beta=0.7),
    case("bootstrap_soft", bootstrap_soft, one_hot_logits, beta=0.6, from_logits=True),
    case("bootstrap_hard", bootstrap_hard, hot, beta=0.7),
    case("bootstrap_hard", bootstrap_hard, one_hot_logits, beta=0.6, from_logits=True),
    case("normalized_crossentropy", normalized, hot),
    case("normalized_crossentropy", normalized, one_hot_logits, from_logits=True),
    case("active_passive", active_passive, hot, alpha=1.5, beta=0.7, log_zero=-3.0),
    case("active_passive", active_passive, one_hot_logits, alpha=0.5, beta=1.2, log_zero=-5.0, from_logits=True),
    case("generalized_jensen_shannon", generalized_js, two_views, pi_1=0.3),
    case("forward_correction", forward_correction, hot, transition=NOISE),
    case("forward_correction", forward_correction, one_hot_logits, transition=NOISE, from_logits=True),
    case("backward_correction", backward_correction, hot, inverse=UNNOISE),
    case("backward_correction", backward_correction, one_hot_logits, inverse=UNNOISE, from_logits=True),
    case("elr", elr, remembered, lambda_=1.7),
    case("label_relaxation", label_relaxation_alone, hot, alpha=0.25),
    case("label_relaxation", label_relaxation, one_hot_logits, alpha=0.25, from_logits=True),
    case("complementary_crossentropy", complementary, classes),
    case("complementary_crossentropy", complementary, classes_logits, from_logits=True),
    case("deep_abstaining", deep_abstaining, classes_logits, alpha=0.4),
    case("gamblers", gamblers, classes, reward=2.6),
]

# -- claims


def symmetric_over_classes(name: str, bound: float, **params: Any) -> Claim:
    """The losses of one prediction under all labels add up to a constant: what makes a loss robust to noise."""

    def holds() -> bool:
        p = hot()[1]
        return same(sum(loss(name, np.tile(np.eye(4)[k], (3, 1)), p, **params) for k in range(4)), bound)

    return claim(name, "the losses under all labels add up to a constant", holds)


def unbiased() -> bool:
    """Backward correction: the expectation under noisy labels is the clean loss."""
    t, p = hot()
    inverse = np.linalg.inv(NOISE).tolist()
    noisy = [loss("backward_correction", np.tile(np.eye(4)[j], (3, 1)), p, inverse=inverse) for j in range(4)]
    expected = sum((t @ np.array(NOISE))[:, j] * noisy[j] for j in range(4))
    return same(expected, loss("categorical_crossentropy", t, p))


def consistent() -> bool:
    """Forward correction is least where the clean probabilities are predicted, though labels are noisy."""
    clean = np.array([[0.1, 0.5, 0.15, 0.25]])
    labels = clean @ np.array(NOISE)
    here = loss("forward_correction", labels, clean, transition=NOISE)
    moves = [[0.01, -0.01, 0, 0], [0, 0.01, -0.01, 0], [-0.01, 0, 0, 0.01], [0, -0.02, 0.01, 0.01]]
    return all(loss("forward_correction", labels, clean + np.array(m), transition=NOISE) > here for m in moves)


def declined() -> bool:
    """Where nothing is declined, it is cross-entropy among the classes."""
    t, z = classes_logits()
    wide = np.concatenate([z, np.full((3, 1), -60.0)], axis=-1)
    return same(
        loss("deep_abstaining", t, wide, alpha=0.7), loss("sparse_categorical_crossentropy", t, z, from_logits=True)
    )


def one_view() -> bool:
    t, p = shares()
    return same(loss("generalized_jensen_shannon", t, p[..., None]), loss("jensen_shannon", t, p) / (0.5 * np.log(2)))


MISS = "y_true: label[batch]\n1 - take_along_axis(y_pred, y_true)"

CLAIMS = [
    equals("symmetric_crossentropy", CROSS, hot, alpha=1.0, beta=0.0),
    symmetric_over_classes("symmetric_crossentropy", 12.0, alpha=0.0, beta=1.0),
    symmetric_over_classes("normalized_crossentropy", 1.0),
    symmetric_over_classes("active_passive", 1.0 + 3 * 4.0),
    symmetric_over_classes("taylor_crossentropy", 3.0, order=1),
    equals("taylor_crossentropy", "1 - sum(y_true * y_pred)", hot, order=1),
    ordered("taylor_crossentropy", "below cross-entropy", [[1.0, 0]], [[0.9, 0.1]], [[0.5, 0.5]]),
    equals("bootstrap_soft", CROSS, hot, beta=1.0),
    equals("bootstrap_soft", "entropy_minimisation(y_pred)", hot, beta=0.0),
    equals("bootstrap_hard", CROSS, hot, beta=1.0),
    equals("bootstrap_hard", "-log(max(y_pred))", hot, beta=0.0),
    between("normalized_crossentropy", hot, 0, 1),
    between(
        "generalized_jensen_shannon",
        two_views,
        0,
        (0.3 * np.log(0.3) + 0.7 * np.log(0.35)) / (0.7 * np.log(0.7)),
        pi_1=0.3,
    ),
    claim(
        "generalized_jensen_shannon",
        "0 where all agree",
        lambda: same(loss("generalized_jensen_shannon", np.eye(3), np.repeat(np.eye(3)[..., None], 2, -1)), 0),
    ),
    claim("generalized_jensen_shannon", "the scaled Jensen-Shannon divergence of one view", one_view),
    claim("forward_correction", "least at the clean probabilities", consistent),
    equals("forward_correction", CROSS, hot, transition=np.eye(4).tolist()),
    claim("backward_correction", "its expectation is the clean loss", unbiased),
    equals("elr", FIRST_COLUMN, remembered, lambda_=0.0),
    claim("label_relaxation", "0 from 1 - alpha on", lambda: same(loss("label_relaxation", BIT, [[0.91, 0.09]]), 0)),
    equals("label_relaxation", CROSS, hot, rtol=1e-3, alpha=1e-6),
    claim(
        "complementary_crossentropy",
        "0 where it is ruled out",
        lambda: same(loss("complementary_crossentropy", [0], [[0.0, 1.0]]), 0),
    ),
    equals("asymmetric_generalized_crossentropy", MISS, classes, a=0.3, q=1.0),
    equals(
        "asymmetric_generalized_crossentropy",
        "categorical_generalized_cross_entropy(y_true, y_pred, q=0.4)",
        classes,
        rtol=1e-4,
        a=1e-7,
        q=0.4,
    ),
    equals("asymmetric_unhinged", MISS, classes, a=1.3, q=1.0),
    between("asymmetric_exponential", classes, np.exp(-1 / 0.7), 1, a=0.7),
    claim("deep_abstaining", "cross-entropy where it answers", declined),
    equals(
        "gamblers",
        "-log(take_along_axis(y_pred, y_true))",
        lambda: (np.array([0, 1, 2]), np.pad(classes()[1], ((0, 0), (0, 1)))),
        reward=2.6,
    ),
]
