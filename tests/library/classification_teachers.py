"""Oracles and claims for classes: teachers, and several passes."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import case, equals, loss, unchanged
from classification_shared import FIRST_COLUMN, claim, divergence, of_columns, same, taught
from mpmath import mp
from plain import softmax

# -- oracles


@of_columns
def distillation(k: int, student: Any, teacher: Any, temperature: float, alpha: float) -> Any:
    soft = divergence(softmax(teacher / temperature), softmax(student / temperature))
    return alpha * temperature**2 * soft - (1 - mp.mpf(alpha)) * mp.log(softmax(student)[k])


@of_columns
def decoupled(k: int, student: Any, teacher: Any, temperature: float, alpha: float, beta: float) -> Any:
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    target = divergence([p[k], 1 - p[k]], [q[k], 1 - q[k]])
    others = divergence(np.delete(p, k) / (1 - p[k]), np.delete(q, k) / (1 - q[k]))
    return temperature**2 * (alpha * target + beta * others)


@of_columns
def r_drop(k: int, one: Any, two: Any, alpha: float) -> Any:
    p, q = softmax(one), softmax(two)
    return -mp.log(p[k]) - mp.log(q[k]) + mp.mpf(alpha) / 2 * (divergence(p, q) + divergence(q, p))


@of_columns
def fixmatch(k: int, mild: Any, strong: Any, threshold: float) -> Any:
    p = list(softmax(mild))
    return -mp.log(softmax(strong)[p.index(max(p))]) if max(p) >= threshold else 0 * p[0]


CASES = [
    case("fixmatch", fixmatch, taught, threshold=0.7),
    case("knowledge_distillation", distillation, taught, temperature=3.0, alpha=0.7),
    case("decoupled_distillation", decoupled, taught, temperature=2.0, alpha=0.5, beta=3.0),
    case("r_drop", r_drop, taught, alpha=1.5),
]

# -- claims


def among_others() -> bool:
    """Decoupled distillation with beta = share of the teacher's others, is distillation."""
    t, p = np.eye(4)[[2]], np.random.default_rng(5).normal(size=(1, 4, 2))
    teacher = np.exp(p[0, :, 1] / 4) / np.sum(np.exp(p[0, :, 1] / 4))
    parts = loss("decoupled_distillation", t, p, alpha=1.0, beta=float(1 - teacher[2]))
    return same(parts, loss("knowledge_distillation", t, p, alpha=1.0))


CLAIMS = [
    claim("fixmatch", "nothing learned where unsure", lambda: same(loss("fixmatch", None, taught()[1] / 99), 0)),
    unchanged("fixmatch", "a surer mild view", lambda: (None, 99 * taught()[1]), lambda t, p: (t, p * [2, 1])),
    equals(
        "knowledge_distillation",
        FIRST_COLUMN,
        taught,
        alpha=0.0,
    ),
    claim("decoupled_distillation", "distillation, taken apart", among_others),
    unchanged("r_drop", "an exchange of the passes", taught, lambda t, p: (t, p[..., ::-1]), alpha=1.5),
    claim(
        "r_drop",
        "twice the cross-entropy where both agree",
        lambda: same(loss("r_drop", np.eye(3), np.ones((3, 3, 2))), 2 * np.log(3)),
    ),
]
