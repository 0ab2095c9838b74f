"""Oracles and claims for preferences: weights of tasks and of experts."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import case, loss, unchanged
from mpmath import mp
from plain import softmax
from preference_shared import same

# -- data --------------------------------------------------------------------------------------------------


def tasks() -> Any:
    random = np.random.default_rng(63)
    return None, np.stack([random.uniform(0.1, 3, size=(4, 3)), random.normal(size=(4, 3))], axis=1)


def routed() -> Any:
    return None, np.random.default_rng(64).normal(size=(7, 3))


def gates() -> Any:
    return None, np.random.default_rng(65).dirichlet(np.ones(3), size=5)


# -- oracles -----------------------------------------------------------------------------------------------


def uncertainty_weighting(_: Any, p: Any) -> Any:
    """The paper's 1 / (2 * sigma**2) * loss + log(sigma)."""
    found = []
    for losses, logs in p:
        sigmas = [mp.sqrt(mp.exp(s)) for s in logs]
        found.append(sum(lost / (2 * sigma**2) + mp.log(sigma) for lost, sigma in zip(losses, sigmas, strict=True)))
    return np.array(found)


def moe_load_balance(_: Any, p: Any) -> Any:
    tokens, experts = p.shape
    sent = [max(range(experts), key=lambda e, row=row: row[e]) for row in p]
    shares = [mp.mpf(sent.count(e)) / tokens for e in range(experts)]
    return experts * sum(shares[e] * sum(softmax(row)[e] for row in p) / tokens for e in range(experts))


def moe_importance(_: Any, p: Any) -> Any:
    importance = [sum(column) for column in p.T]
    middle = sum(importance) / len(importance)
    deviation = mp.sqrt(sum((x - middle) ** 2 for x in importance) / len(importance))
    return (deviation / middle) ** 2


CASES = [
    case("uncertainty_weighting", uncertainty_weighting, tasks),
    case("moe_load_balance", moe_load_balance, routed),
    case("moe_importance", moe_importance, gates),
]

# -- claims ------------------------------------------------------------------------------------------------


def at_best(moved: float) -> Any:
    losses = tasks()[1][:, 0]
    return np.stack([losses, np.log(losses) + moved], axis=1)


CLAIMS = [
    same(
        "uncertainty_weighting",
        "half the sum at variance 1",
        lambda: loss("uncertainty_weighting", None, tasks()[1] * np.array([[1.0], [0.0]])),
        lambda: tasks()[1][:, 0].sum(-1) / 2,
    ),
    same(
        "uncertainty_weighting",
        "least where each variance is the loss",
        lambda: (
            loss("uncertainty_weighting", None, at_best(0.0))
            <= np.minimum(
                loss("uncertainty_weighting", None, at_best(0.1)), loss("uncertainty_weighting", None, at_best(-0.1))
            )
        ),
        lambda: True,
    ),
    same(
        "moe_load_balance",
        "1 where all experts get the same",
        lambda: loss("moe_load_balance", None, 3 * np.eye(4)),
        lambda: 1.0,
    ),
    same(
        "moe_load_balance",
        "as many as there are experts, where one gets all",
        lambda: loss("moe_load_balance", None, np.array([[60.0, 0, 0]] * 5)),
        lambda: 3.0,
    ),
    same(
        "moe_importance",
        "0 where all experts count the same",
        lambda: loss("moe_importance", None, np.eye(4)),
        lambda: 0.0,
    ),
    unchanged("moe_importance", "scale of the gates", gates, lambda t, p: (t, 5 * p)),
]
