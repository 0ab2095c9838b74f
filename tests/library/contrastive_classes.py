"""Oracles and claims for embeddings: embeddings against classes, their proxies and centres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim, case, equals, loss, symmetric, zero_at_truth
from contrastive_shared import each, same, shuffled
from mpmath import mp
from plain import acos, cos, mean, softmax, sqrt
from samples import numbers

# -- data --------------------------------------------------------------------------------------------------


def class_cosines(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(26)
    return random.integers(0, 4, size=(3, *positions)), random.uniform(-0.95, 0.95, size=(3, *positions, 4))


def class_distances(positions: tuple[int, ...] = ()) -> Any:
    labels, found = class_cosines(positions)
    return labels, 2 - 2 * found


def proxies() -> Any:
    """Five samples, four classes of which one is not there."""
    return np.array([0, 2, 0, 1, 2]), np.random.default_rng(27).uniform(-0.9, 0.9, size=(5, 4))


def centres() -> Any:
    random = np.random.default_rng(29)
    return np.eye(4)[[2, 0, 3]], random.uniform(-0.9, 0.9, size=(3, 4, 2))


# -- oracles -----------------------------------------------------------------------------------------------


def of_classes(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for one label and its row of classes, as the mean over the positions of each sample."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        rows = [[function(t[at], p[at], **params) for at in np.ndindex(*t.shape) if at[0] == i] for i in range(len(t))]
        return np.array([sum(row) / len(row) for row in rows])

    return oracle


def chosen(logits: Any, label: Any) -> Any:
    return -mp.log(softmax(logits)[label])


def arcface(label: Any, p: Any, scale: float, margin: float) -> Any:
    angles = acos(p)
    angles[label] = angles[label] + margin
    return chosen(scale * cos(angles), label)


def cosface(label: Any, p: Any, scale: float, margin: float) -> Any:
    own, below = mp.exp(scale * (p[label] - margin)), [mp.exp(scale * p[j]) for j in range(len(p)) if j != label]
    return -mp.log(own / (own + sum(below)))


def sphereface(label: Any, p: Any, scale: float, margin: float) -> Any:
    angle = mp.acos(p[label])
    k = next(k for k in range(99) if k * mp.pi <= margin * angle <= (k + 1) * mp.pi)
    logits = scale * p
    logits[label] = scale * ((-1) ** k * mp.cos(margin * angle) - 2 * k)
    return chosen(logits, label)


def proxy_nca(label: Any, p: Any) -> Any:
    return -mp.log(mp.exp(-p[label]) / sum(mp.exp(-p[j]) for j in range(len(p)) if j != label))


def proxy_anchor(t: Any, p: Any, alpha: float, delta: float) -> Any:
    pull = [
        mp.log(1 + sum(mp.exp(-alpha * (p[i, c] - delta)) for i in range(len(t)) if t[i] == c)) for c in sorted(set(t))
    ]
    push = [
        mp.log(1 + sum(mp.exp(alpha * (p[i, c] + delta)) for i in range(len(t)) if t[i] != c))
        for c in range(p.shape[1])
    ]
    return sum(pull) / len(pull) + sum(push) / len(push)


def center(t: Any, p: Any) -> Any:
    lengths = sqrt(np.sum((p - t) ** 2, axis=-1))
    return mean((lengths**2 / 2).reshape(len(p), -1), axis=1)


def soft_triple(t: Any, p: Any, scale: float, gamma: float, delta: float) -> Any:
    label = list(t).index(1)
    near = [sum(mp.exp(s / gamma) * s for s in row) / sum(mp.exp(s / gamma) for s in row) for row in p]
    own = mp.exp(scale * (near[label] - delta))
    return -mp.log(own / (own + sum(mp.exp(scale * s) for c, s in enumerate(near) if c != label)))


CASES = [
    case("arcface", of_classes(arcface), class_cosines, scale=3.0, margin=0.4),
    case("cosface", of_classes(cosface), class_cosines, scale=3.0, margin=0.25),
    case("sphereface", of_classes(sphereface), class_cosines, scale=3.0, margin=3.0),
    case("proxy_nca", of_classes(proxy_nca), class_distances),
    case("proxy_anchor", proxy_anchor, proxies, alpha=3.0, delta=0.2),
    case("center", center, numbers),
    case("soft_triple", each(soft_triple), centres, scale=3.0, gamma=0.4, delta=0.2),
]

# -- claims ------------------------------------------------------------------------------------------------


def margins_gone(name: str, **params: Any) -> Claim:
    """Without a margin it is softmax cross-entropy of scaled cosines."""
    formula = "sparse_categorical_crossentropy(y_true, 3 * y_pred, from_logits=True)"
    return equals(name, formula, class_cosines, scale=3.0, **params)


def limit_of_proxies() -> float:
    labels, found = proxies()
    pull = [max(0.0, max(0.1 - found[i, c] for i in range(5) if labels[i] == c)) for c in sorted(set(labels))]
    push = [max(0.0, max(found[i, c] + 0.1 for i in range(5) if labels[i] != c)) for c in range(4)]
    return float(np.mean(pull) + np.mean(push))


CLAIMS = [
    shuffled("proxy_anchor", proxies),
    symmetric("center", numbers),
    zero_at_truth("center", numbers),
    equals("center", "2 * mean_squared_error(y_true, y_pred)", numbers),
    margins_gone("arcface", margin=0.0),
    margins_gone("cosface", margin=0.0),
    margins_gone("sphereface", margin=1.0),
    same(
        "soft_triple",
        "with one centre it is cosface",
        lambda: loss("soft_triple", *(lambda t, p: (t, p[..., :1]))(*centres()), scale=3.0, delta=0.2),
        lambda: loss("cosface", np.array([2, 0, 3]), centres()[1][..., 0], scale=3.0, margin=0.2),
    ),
    same(
        "proxy_nca",
        "unchanged by a shift of all distances",
        lambda: loss("proxy_nca", *class_distances()),
        lambda: loss("proxy_nca", class_distances()[0], class_distances()[1] + 3),
    ),
    same(
        "proxy_anchor",
        "hardest pairs alone count in the limit",
        lambda: loss("proxy_anchor", *proxies(), alpha=2000.0, delta=0.1) / 2000,
        lambda: limit_of_proxies(),
        rtol=1e-2,
    ),
]
