"""Oracles and claims for classes: cross-entropies, their focal, polynomial and smoothed kin, and entropy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import between, case, convex, equals, loss, unchanged, zero_at_truth
from classification_shared import (
    BINARY,
    CROSS,
    CROSS_LOGITS,
    WEIGHTS,
    chance_of,
    claim,
    divergence,
    each_entry,
    each_position,
    entropy,
    hot,
    right,
    same,
    shares_of,
    shifted,
)
from mpmath import mp
from plain import exp, softmax
from samples import bits, bits_logits, classes, classes_logits, one_hot_logits

# -- oracles


@each_entry
def binary_crossentropy(y: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    y, p = y + (0.5 - y) * mp.mpf(label_smoothing), chance_of(p, from_logits)
    return -mp.log(p**y * (1 - p) ** (1 - y))


@each_entry
def binary_focal(
    y: Any,
    p: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    y, p = y + (0.5 - y) * mp.mpf(label_smoothing), chance_of(p, from_logits)
    p_t = y * p + (1 - y) * (1 - p)
    weight = y * alpha + (1 - y) * (1 - mp.mpf(alpha)) if apply_class_balancing else 1
    return -weight * (1 - p_t) ** gamma * mp.log(p**y * (1 - p) ** (1 - y))


@each_position
def categorical_crossentropy(y: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    p = shares_of(p, from_logits)
    p = p / sum(p)
    return -sum((a + (mp.mpf(1) / len(y) - a) * label_smoothing) * mp.log(b) for a, b in zip(y, p, strict=True))


@each_position
def categorical_focal(
    y: Any, p: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0
) -> Any:
    p = shares_of(p, from_logits)
    p = p / sum(p)
    y = [a + (mp.mpf(1) / len(y) - a) * label_smoothing for a in y]
    return sum(
        w * (1 - b) ** gamma * a * -mp.log(b) for w, a, b in zip(np.broadcast_to(alpha, len(y)), y, p, strict=True)
    )


@each_position
def generalized_crossentropy(y: Any, p: Any, q: float) -> Any:
    return (1 - p[y] ** q) / q


@each_position
def sparse_crossentropy(y: Any, p: Any, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -mp.log(p[y] / sum(p))


@each_position
def poly1(y: Any, p: Any, weight: float) -> Any:
    k = list(y).index(1)
    return -mp.log(p[k]) + weight * (1 - p[k])


@each_entry
def poly1_focal(y: Any, p: Any, weight: float, gamma: float, from_logits: bool = False) -> Any:
    p = chance_of(p, from_logits)
    q = p if y == 1 else 1 - p
    return -((1 - q) ** gamma) * mp.log(q) + weight * (1 - q) ** (gamma + 1)


@each_position
def soft_crossentropy(y: Any, p: Any, smoothing: float) -> Any:
    mixed = [(1 - mp.mpf(smoothing)) * a + mp.mpf(smoothing) / len(y) for a in y]
    return divergence(mixed, p) + entropy(mixed)


@each_position
def confidence_penalty(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -mp.log(p[list(y).index(1)]) - beta * entropy(p)


@each_position
def entropy_minimisation(y: Any, p: Any, from_logits: bool = False) -> Any:
    return entropy(shares_of(p, from_logits))


@each_position
def maximum_squares(y: Any, p: Any, from_logits: bool = False) -> Any:
    return -sum(x * x for x in shares_of(p, from_logits)) / 2


@each_position
def z_loss(y: Any, z: Any) -> Any:
    return mp.log(sum(exp(z))) ** 2


@each_position
def logit_norm(y: Any, z: Any, temperature: float) -> Any:
    return -mp.log(softmax(z / mp.sqrt(sum(x * x for x in z)) / temperature)[y])


@each_position
def squentropy(y: Any, z: Any) -> Any:
    k = list(y).index(1)
    return -mp.log(softmax(z)[k]) + sum(z[j] ** 2 for j in range(len(z)) if j != k) / (len(z) - 1)


CASES = [
    case("binary_crossentropy", binary_crossentropy, bits, label_smoothing=0.2),
    case("binary_crossentropy", binary_crossentropy, bits_logits, from_logits=True, label_smoothing=0.3),
    case("binary_focal_crossentropy", binary_focal, bits, gamma=1.5, label_smoothing=0.1),
    case(
        "binary_focal_crossentropy", binary_focal, bits_logits, apply_class_balancing=True, alpha=0.3, from_logits=True
    ),
    case("categorical_crossentropy", categorical_crossentropy, hot, label_smoothing=0.2),
    case("categorical_crossentropy", categorical_crossentropy, one_hot_logits, from_logits=True),
    case("categorical_crossentropy", categorical_crossentropy, samples.positive),
    case("categorical_focal_crossentropy", categorical_focal, hot, alpha=0.3, gamma=1.5, label_smoothing=0.1),
    case(
        "categorical_focal_crossentropy", categorical_focal, one_hot_logits, alpha=WEIGHTS, gamma=1.5, from_logits=True
    ),
    case("categorical_generalized_cross_entropy", generalized_crossentropy, classes, q=0.7),
    case("sparse_categorical_crossentropy", sparse_crossentropy, classes),
    case("sparse_categorical_crossentropy", sparse_crossentropy, classes_logits, from_logits=True),
    case("poly1_crossentropy", poly1, hot, weight=2.5),
    case("poly1_focal", poly1_focal, bits, weight=2.5, gamma=1.5),
    case("poly1_focal", poly1_focal, bits_logits, weight=-0.5, gamma=3.0, from_logits=True),
    case("soft_crossentropy", soft_crossentropy, hot, smoothing=0.2),
    case("confidence_penalty", confidence_penalty, hot, beta=0.3),
    case("confidence_penalty", confidence_penalty, one_hot_logits, beta=0.3, from_logits=True),
    case("entropy_minimisation", entropy_minimisation, hot),
    case("entropy_minimisation", entropy_minimisation, one_hot_logits, from_logits=True),
    case("logit_norm", logit_norm, classes_logits, temperature=0.3),
    case("maximum_squares", maximum_squares, hot),
    case("maximum_squares", maximum_squares, one_hot_logits, from_logits=True),
    case("z_loss", z_loss, one_hot_logits),
    case("squentropy", squentropy, one_hot_logits),
]

# -- claims

CLAIMS = [
    zero_at_truth("binary_crossentropy", bits),
    zero_at_truth("categorical_crossentropy", hot),
    right("binary_crossentropy", bits, 40.0, from_logits=True),
    right("categorical_crossentropy", hot, 40.0, from_logits=True),
    shifted("categorical_crossentropy", one_hot_logits, from_logits=True),
    shifted("sparse_categorical_crossentropy", classes_logits, from_logits=True),
    convex("binary_crossentropy", bits_logits, from_logits=True),
    equals("binary_focal_crossentropy", BINARY, bits, gamma=0.0),
    equals("categorical_focal_crossentropy", CROSS, hot, alpha=1.0, gamma=0.0),
    equals(
        "categorical_generalized_cross_entropy",
        "sparse_categorical_crossentropy(y_true, y_pred)",
        classes,
        rtol=1e-4,
        q=1e-6,
    ),
    equals(
        "categorical_generalized_cross_entropy",
        "y_true: label[batch]\n1 - take_along_axis(y_pred, y_true)",
        classes,
        q=1.0,
    ),
    between("categorical_generalized_cross_entropy", classes, 0, 1 / 0.7, q=0.7),
    equals("poly1_crossentropy", CROSS, hot, weight=0.0),
    equals("poly1_focal", "binary_focal_crossentropy(y_true, y_pred, gamma=1.5)", bits, weight=0.0, gamma=1.5),
    equals("poly1_focal", BINARY, bits, weight=0.0, gamma=0.0),
    equals("soft_crossentropy", "categorical_crossentropy(y_true, y_pred, label_smoothing=0.2)", hot, smoothing=0.2),
    equals("confidence_penalty", CROSS, hot, beta=0.0),
    between("entropy_minimisation", hot, 0, np.log(4)),
    claim("entropy_minimisation", "0 where sure", lambda: same(loss("entropy_minimisation", None, np.eye(4)), 0)),
    claim("z_loss", "0 where the exponentials add up to 1", lambda: same(loss("z_loss", None, np.log(hot()[1])), 0)),
    unchanged("logit_norm", "longer logits", classes_logits, lambda t, z: (t, 3.7 * z), temperature=0.3),
    between("maximum_squares", hot, -0.5, -1 / 8),
    equals("squentropy", CROSS_LOGITS + " + sum((1 - y_true) * y_pred**2) / 3", one_hot_logits),
]
