"""Data for the oracles: truths and predictions of every kind, small, with no symmetry that could hide an exchange.

Each takes the sizes of the axes between batch and the last, and gives `(y_true, y_pred)`.
"""

from __future__ import annotations

import numpy as np

LAST = 4
"""Size of the last axis: classes, features."""

Pair = tuple[np.ndarray, np.ndarray]


def _start(positions: tuple[int, ...], seed: int) -> tuple[np.random.Generator, tuple[int, ...]]:
    return np.random.default_rng(seed), (3, *positions, LAST)


def numbers(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 1)
    return 3 * random.normal(size=shape) + 1, 3 * random.normal(size=shape)


def positive(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 2)
    return random.uniform(0.3, 5, size=shape), random.uniform(0.3, 5, size=shape)


def counts(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 3)
    return random.poisson(2.0, size=shape) * 1.0, random.uniform(0.2, 4, size=shape)


def signs(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 4)
    return random.choice([-1.0, 1.0], size=shape), random.normal(size=shape)


def bits(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 5)
    return random.integers(0, 2, size=shape) * 1.0, random.uniform(0.02, 0.98, size=shape)


def bits_logits(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 6)
    return random.integers(0, 2, size=shape) * 1.0, 3 * random.normal(size=shape)


def one_hot(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 7)
    classes = random.integers(0, LAST, size=shape[:-1])
    return np.eye(LAST)[classes], random.dirichlet(np.ones(LAST), size=shape[:-1])


def one_hot_logits(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 8)
    return np.eye(LAST)[random.integers(0, LAST, size=shape[:-1])], 3 * random.normal(size=shape)


def classes(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 9)
    return random.integers(0, LAST, size=shape[:-1]), random.dirichlet(np.ones(LAST), size=shape[:-1])


def classes_logits(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 10)
    return random.integers(0, LAST, size=shape[:-1]), 3 * random.normal(size=shape)


def shares(positions: tuple[int, ...] = ()) -> Pair:
    random, shape = _start(positions, 11)
    return (
        random.dirichlet(np.ones(LAST), size=shape[:-1]),
        random.dirichlet(np.ones(LAST), size=shape[:-1]),
    )


def rows(width: int, low: float = -2.0, high: float = 2.0, label_width: int | None = None, batch: int = 4) -> Pair:
    """Rows of so many numbers each, between `low` and `high`; the truth has `label_width` of them."""
    random = np.random.default_rng(12)
    true = random.uniform(low, high, size=(batch, width if label_width is None else label_width))
    return true, random.uniform(low, high, size=(batch, width))


def groups(batch: int = 6, features: int = 3) -> Pair:
    """Class numbers, and a vector for each sample."""
    random = np.random.default_rng(13)
    return np.array([0, 0, 1, 1, 2, 0, 1, 2])[:batch], random.normal(size=(batch, features))
