"""Oracles and claims for classes: margins between the true class and the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Claim, between, case, convex, equals, loss
from classification_shared import (
    BINARY_LOGITS,
    BIT,
    Oracle,
    claim,
    each_entry,
    each_position,
    hot,
    right,
    same,
    shifted,
    slope,
)
from mpmath import mp
from samples import bits, bits_logits, classes_logits, one_hot_logits, signs

# -- oracles


@each_position
def categorical_hinge(y: Any, p: Any) -> Any:
    positive = p[list(y).index(1)]
    negative = max(b if a == 0 else mp.mpf(0) for a, b in zip(y, p, strict=True))
    return max(negative - positive + 1, mp.mpf(0))


def of_margin(function: Oracle) -> Oracle:
    """A function of label * prediction, with labels -1 and 1."""
    return each_entry(lambda y, p, **params: function(p if y == 1 else -p, **params))


hinge = of_margin(lambda m: 1 - m if m < 1 else 0 * m)
squared_hinge = of_margin(lambda m: (1 - m) ** 2 if m < 1 else 0 * m)


@of_margin
def smooth_hinge(m: Any) -> Any:
    return 0.5 - m if m <= 0 else (1 - m) ** 2 / 2 if m < 1 else 0 * m


def logistic_at(m: Any) -> Any:
    return -mp.log(1 / (1 + mp.exp(-m)))


def tangent_at(m: Any) -> Any:
    """4 eta (1 - eta) and its slope, with eta = arctan(m) + 1 / 2: the form in which the paper derives it."""
    eta = mp.atan(m) + mp.mpf(1) / 2
    return 4 * eta * (1 - eta) + (1 - eta) * (4 - 8 * eta)


def savage_at(m: Any) -> Any:
    """eta (1 - eta) and its slope, with eta = e^m / (1 + e^m)."""
    eta = mp.exp(m) / (1 + mp.exp(m))
    return eta * (1 - eta) + (1 - eta) * (1 - 2 * eta)


@each_position
def multi_margin(y: Any, z: Any, /, p: int, margin: float) -> Any:
    return sum(max(mp.mpf(0), margin - z[y] + z[j]) ** p for j in range(len(z)) if j != y) / len(z)


@each_position
def crammer_singer(y: Any, z: Any, margin: float) -> Any:
    return max([mp.mpf(0)] + [margin + z[j] - z[y] for j in range(len(z)) if j != y])


@each_position
def multilabel_margin(y: Any, z: Any) -> Any:
    there, absent = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    return sum((max(mp.mpf(0), 1 - (z[j] - z[i])) for j in there for i in absent), mp.mpf(0)) / len(z)


CASES = [
    case("categorical_hinge", categorical_hinge, one_hot_logits),
    case("hinge", hinge, signs),
    case("hinge", hinge, bits_logits),
    case("squared_hinge", squared_hinge, signs),
    case("squared_hinge", squared_hinge, bits_logits),
    case("smooth_hinge", smooth_hinge, signs),
    case("exponential", of_margin(lambda m: mp.e ** (-m)), signs),
    case("logistic", of_margin(logistic_at), signs),
    case("logistic", of_margin(logistic_at), bits_logits),
    case("modified_huber", of_margin(lambda m: max(mp.mpf(0), 1 - m) ** 2 if m >= -1 else -4 * m), bits_logits),
    case("perceptron", of_margin(lambda m: -m if m < 0 else 0 * m), signs),
    case("ramp", of_margin(lambda m, s: max(mp.mpf(0), 1 - m) - max(mp.mpf(0), s - m)), bits_logits, s=-1.5),
    case("savage", of_margin(savage_at), bits_logits),
    case("tangent", of_margin(tangent_at), bits_logits),
    case("multi_margin", multi_margin, classes_logits, p=1, margin=0.7),
    case("multi_margin", multi_margin, classes_logits, p=2, margin=1.5),
    case("crammer_singer", crammer_singer, classes_logits, margin=1.7),
    case("multilabel_margin", multilabel_margin, bits_logits),
]

# -- claims


def smooth_at(name: str, margin: float) -> Claim:
    """Value and slope go on where the pieces meet."""

    def holds() -> bool:
        t = np.ones((1, 1))
        left, right_ = (loss(name, t, np.array([[margin + way]])) for way in (-1e-7, 1e-7))
        slopes = [slope(name, t, np.array([[margin + way]]), (0, 0)) for way in (-2e-5, 2e-5)]
        return same(left, right_, 1e-5) and abs(slopes[0] - slopes[1]) < 1e-3

    return claim(name, f"smooth at {margin}", holds)


CLAIMS = [
    right("categorical_hinge", hot, 1.0),
    *(
        right(name, bits, 40.0)
        for name in ("hinge", "squared_hinge", "smooth_hinge", "perceptron", "ramp", "modified_huber", "logistic")
    ),
    *(right(name, bits, 40.0) for name in ("exponential", "savage")),
    *(
        convex(name, bits_logits)
        for name in ("hinge", "squared_hinge", "smooth_hinge", "perceptron", "modified_huber", "logistic")
    ),
    convex("exponential", bits_logits),
    equals("logistic", BINARY_LOGITS, bits_logits),
    between("ramp", bits_logits, 0, 2.5, s=-1.5),
    equals("ramp", "hinge(y_true, y_pred)", bits_logits, s=-1e6),
    between("savage", bits_logits, 0, 1),
    equals("savage", "mean(square(y_true - sigmoid(y_pred)))", bits_logits),
    between("tangent", bits_logits, 0, (np.pi + 1) ** 2),
    claim("tangent", "0 at tan(1 / 2)", lambda: same(loss("tangent", BIT, [[np.tan(0.5), -np.tan(0.5)]]), 0)),
    smooth_at("modified_huber", -1.0),
    smooth_at("smooth_hinge", 0.0),
    smooth_at("smooth_hinge", 1.0),
    shifted("multi_margin", classes_logits, p=2, margin=0.7),
    shifted("crammer_singer", classes_logits),
    shifted("multilabel_margin", bits_logits),
    convex("multi_margin", classes_logits),
    convex("crammer_singer", classes_logits),
    right("multilabel_margin", bits, 0.5),
]
