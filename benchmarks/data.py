"""Data that fits a loss: inside its domain, away from kinks and edges, the same in every process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

SIZES: dict[str, Shape] = {"32x10": (32, 10), "4096x1000": (4096, 1000), "16x256x256x1": (16, 256, 256, 1)}
"""Shapes of the predictions; the first is a small call, the second a wide layer, the third a batch of masks."""

CLASSED = ("one_hot", "one_hot_logits", "classes", "class_logits", "shares", "vectors", "moments")
"""Kinds whose last axis is classes or features, which an image of one channel does not have."""


def fits(kind: str, shape: Shape) -> bool:
    """Whether this kind of data makes sense in that shape."""
    return shape[-1] > 1 or kind not in CLASSED


@lru_cache(maxsize=4)
def arrays(kind: str, shape: Shape) -> tuple[Array, Array]:
    """y_true and y_pred of one kind."""
    random = np.random.default_rng(7)
    y_true, y_pred = _MAKERS[kind](random, shape)
    whole = kind in ("classes", "class_logits")
    return y_true.astype("int32" if whole else "float32"), y_pred.astype("float32")


def _normal(random: np.random.Generator, shape: Shape) -> Array:
    return random.standard_normal(shape, dtype="float32")


def _softmax(x: Array) -> Array:
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def _one_hot(random: np.random.Generator, shape: Shape) -> Array:
    return np.eye(shape[-1], dtype="float32")[random.integers(0, shape[-1], size=shape[:-1])]


def _moments(random: np.random.Generator, shape: Shape) -> tuple[Array, Array]:
    """As many predictions as elsewhere: half of them means, half logarithms of variances."""
    half = (*shape[:-1], shape[-1] // 2)
    return _normal(random, half), _normal(random, (*half, 2))


_MAKERS = {
    "numbers": lambda r, s: (_normal(r, s), _normal(r, s)),
    "vectors": lambda r, s: (_normal(r, s), _normal(r, s)),
    "positive": lambda r, s: (r.uniform(0.5, 4, s), r.uniform(0.5, 4, s)),
    "counts": lambda r, s: (r.poisson(3, s), r.uniform(0.5, 5, s)),
    "log_counts": lambda r, s: (r.poisson(3, s), _normal(r, s)),
    "signs": lambda r, s: (r.choice([-1.0, 1.0], s), _normal(r, s)),
    "bits": lambda r, s: (r.integers(0, 2, s), r.uniform(0.05, 0.95, s)),
    "bit_logits": lambda r, s: (r.integers(0, 2, s), _normal(r, s)),
    "one_hot": lambda r, s: (_one_hot(r, s), _softmax(_normal(r, s))),
    "one_hot_logits": lambda r, s: (_one_hot(r, s), _normal(r, s)),
    "classes": lambda r, s: (r.integers(0, s[-1], s[:-1]), _softmax(_normal(r, s))),
    "class_logits": lambda r, s: (r.integers(0, s[-1], s[:-1]), _normal(r, s)),
    "shares": lambda r, s: (_softmax(_normal(r, s)), _softmax(_normal(r, s))),
    "moments": _moments,
}
