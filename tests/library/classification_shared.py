"""What the oracles and claims for classes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import samples
from case import Claim, loss, unchanged
from mpmath import mp
from plain import mean, softmax
from samples import one_hot_logits, shares

# -- data


def hot(positions: tuple[int, ...] = ()) -> samples.Pair:
    """One-hot labels that are never the largest alone, and probabilities."""
    random, shape = np.random.default_rng(21), (3, *positions, 4)
    return np.eye(4)[random.integers(0, 4, size=shape[:-1])], random.dirichlet(2 * np.ones(4), size=shape[:-1])


def taught(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Labels; the logits of a student and of a teacher."""
    random, shape = np.random.default_rng(27), (3, *positions)
    return np.eye(4)[random.integers(0, 4, size=shape)], 3 * random.normal(size=(*shape, 4, 2))


def soft_logits(positions: tuple[int, ...] = ()) -> samples.Pair:
    return shares(positions)[0], one_hot_logits(positions)[1]


COUNTS = [50, 8, 3, 21]
WEIGHTS = [0.5, 2.0, 1.25, 3.0]

# -- oracles

Oracle = Callable[..., Any]


def each_position(function: Oracle) -> Oracle:
    """The mean over positions of what the function gives for one: its label or labels, and its predictions."""
    known: dict[Any, Any] = {}

    def once(y: Any, p: Any, params: Any) -> Any:
        key = str(np.ravel(y)), tuple(p), str(params)
        if key not in known:
            known[key] = function(y, p, **params)
        return known[key]

    def oracle(t: Any, p: Any, /, **params: Any) -> Any:
        rows = np.reshape(p, (len(p), -1, p.shape[-1]))
        labels = np.reshape(t, rows.shape if np.ndim(t) == np.ndim(p) else rows.shape[:-1])
        places = [zip(*sample, strict=True) for sample in zip(labels, rows, strict=True)]
        return np.array([mean(np.array([once(y, row, params) for y, row in sample])) for sample in places])

    return oracle


def each_entry(function: Oracle) -> Oracle:
    """The mean over all entries of a sample."""

    def oracle(t: Any, p: Any, /, **params: Any) -> Any:
        pairs = [zip(np.ravel(a), np.ravel(b), strict=True) for a, b in zip(t, p, strict=True)]
        return np.array([mean(np.array([function(a, b, **params) for a, b in sample])) for sample in pairs])

    return oracle


def shares_of(p: Any, from_logits: bool) -> Any:
    return softmax(p) if from_logits else p


def chance_of(p: Any, from_logits: bool) -> Any:
    return 1 / (1 + mp.exp(-p)) if from_logits else p


def entropy(p: Any) -> Any:
    return -sum(x * mp.log(x) for x in p if x > 0)


def divergence(p: Any, q: Any) -> Any:
    """Kullback-Leibler's."""
    return sum(a * mp.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def of_columns(function: Oracle) -> Oracle:
    """The mean over positions; the function gets a label and the two columns of the predictions."""

    def oracle(t: Any, p: Any, /, **params: Any) -> Any:
        rows, labels = np.reshape(p, (len(p), -1, *p.shape[-2:])), np.reshape(t, (len(t), -1, t.shape[-1]))
        places = [zip(*sample, strict=True) for sample in zip(labels, rows, strict=True)]
        return np.array(
            [mean(np.array([function(list(y).index(1), *row.T, **params) for y, row in sample])) for sample in places]
        )

    return oracle


# -- claims


def claim(name: str, what: str, holds: Callable[[], bool]) -> Claim:
    def asserted() -> None:
        assert holds(), what

    return Claim(name, what, asserted)


def same(left: Any, right: Any, tolerance: float = 1e-6) -> bool:
    return bool(np.allclose(left, right, rtol=tolerance, atol=1e-9))


def right(name: str, data: Any, sure: float, **params: Any) -> Claim:
    """Nothing, or next to it, is lost where the truth is predicted with certainty: logits `sure` and `-sure`."""

    def holds() -> bool:
        t, _ = data()
        return same(loss(name, t, sure * (2 * t - 1), **params), 0)

    return claim(name, "nothing lost where sure and right", holds)


def shifted(name: str, data: Any, **params: Any) -> Claim:
    """Logits mean the same with any number added to all of them."""
    return unchanged(name, "a number added to all logits", data, lambda t, z: (t, z + 3.7), **params)


def in_another_order(name: str, data: Any, **params: Any) -> Claim:
    return unchanged(name, "another order of the samples", data, lambda t, p: (t[::-1], p[::-1]), **params)


def slope(name: str, t: Any, z: Any, place: tuple[int, ...], **params: Any) -> float:
    """The derivative of the mean loss by one prediction."""
    step = np.zeros(np.shape(z))
    step[place] = 1e-5
    return float(np.mean(loss(name, t, z + step, **params)) - np.mean(loss(name, t, z - step, **params))) / 2e-5


CROSS = "categorical_crossentropy(y_true, y_pred)"
CROSS_LOGITS = "categorical_crossentropy(y_true, y_pred, from_logits=True)"
BINARY = "binary_crossentropy(y_true, y_pred)"
BINARY_LOGITS = "binary_crossentropy(y_true, y_pred, from_logits=True)"
FIRST_COLUMN = (
    "y_true: float[batch, classes]\ny_pred: float[batch, classes, 2]\n"
    "-sum(y_true * log_softmax(y_pred[..., 0], axis=classes), axis=classes)"
)
BIT = [[1.0, 0.0]]
