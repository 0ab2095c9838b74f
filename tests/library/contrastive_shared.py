"""What the oracles and claims for embeddings share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim, between, unchanged
from mpmath import mp

# -- data --------------------------------------------------------------------------------------------------


def vectors(columns: int, batch: int = 4, features: int = 3) -> Callable[[], Any]:
    """So many vectors for each sample, and no truth."""
    return lambda: (None, np.random.default_rng(21).normal(size=(batch, columns, features)))


def two_samples() -> Any:
    random = np.random.default_rng(30)
    return random.normal(size=(4, 3)), 0.7 * random.normal(size=(4, 3)) + 0.4


# -- oracles -----------------------------------------------------------------------------------------------


def dot(x: Any, y: Any) -> Any:
    return sum(a * b for a, b in zip(x, y, strict=True))


def apart(x: Any, y: Any) -> Any:
    """Squared distance."""
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def cosine(x: Any, y: Any) -> Any:
    return dot(x, y) / mp.sqrt(dot(x, x) * dot(y, y))


def rest(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if j != i]


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for a sample's own truth and prediction, as one for all samples."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        return np.array([function(None if t is None else t[i], p[i], **params) for i in range(len(p))])

    return oracle


# -- claims ------------------------------------------------------------------------------------------------


def turned(name: str, data: Callable[[], Any], **params: Any) -> Claim:
    """Only angles and distances count: another base of the space changes nothing."""
    features = np.shape(data()[1])[-1]
    base = np.linalg.qr(np.random.default_rng(32).normal(size=(features, features)))[0]
    return unchanged(name, "a rotation of all vectors", data, lambda t, p: (t, p @ base), **params)


def shuffled(name: str, data: Callable[[], Any], **params: Any) -> Claim:
    """Another order of the samples changes nothing but their order."""

    def move(t: Any, p: Any) -> Any:
        order = np.random.default_rng(33).permutation(len(p))
        return None if t is None else t[order], p[order]

    return unchanged(name, "another order of the samples", data, move, **params)


def stretched(name: str, data: Callable[[], Any], **params: Any) -> Claim:
    """Lengths do not count."""
    return unchanged(
        name,
        "lengths",
        data,
        lambda t, p: (t, p * np.random.default_rng(34).uniform(0.5, 2, (*p.shape[:-1], 1))),
        **params,
    )


def exchanged(name: str, data: Callable[[], Any], **params: Any) -> Claim:
    """The two views may change places."""
    return unchanged(name, "an exchange of the views", data, lambda t, p: (t, p[:, ::-1]), **params)


def same(name: str, what: str, left: Callable[[], Any], right: Callable[[], Any], rtol: float = 1e-7) -> Claim:
    return Claim(name, what, lambda: np.testing.assert_allclose(left(), right(), rtol=rtol, atol=1e-9))


def views() -> Any:
    return vectors(2)()[1]


def within(name: str, data: Callable[[], Any], low: float, high: float, **params: Any) -> Claim:
    return between(name, data, low, high, **params)


TWINS = np.repeat(np.random.default_rng(35).normal(size=(5, 1, 3)), 2, axis=1)
