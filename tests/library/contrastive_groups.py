"""Oracles and claims for embeddings: a batch of embeddings with class numbers."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
from case import case, loss, ordered
from contrastive_shared import apart, cosine, dot, rest, same, shuffled, stretched, turned, views, within
from mpmath import mp
from plain import log, one_hot, softmax, unit
from samples import groups

# -- data --------------------------------------------------------------------------------------------------


def unit_groups() -> Any:
    labels, points = groups()
    return labels, points / np.linalg.norm(points, axis=-1, keepdims=True)


def lonely() -> Any:
    """Two classes with one sample each."""
    labels, points = groups()
    return np.where(np.arange(6) == 3, 7, labels), points


def clusters() -> Any:
    """Classes that lie apart, some samples closer to another than others: some pairs are easy, some hard."""
    labels, points = groups()
    return labels, 0.8 * points + 1.2 * np.eye(3)[labels]


def far_clusters() -> Any:
    labels, points = groups()
    return labels, points + 4 * np.eye(3)[labels]


def grouped_views() -> Any:
    labels, _ = groups(5)
    return labels, np.random.default_rng(23).normal(size=(5, 2, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def likes(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if j != i and t[j] == t[i]]


def others(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if t[j] != t[i]]


def circle(t: Any, p: Any, gamma: float, margin: float) -> Any:
    """The paper's weights alpha and optima delta, by similarity."""
    found = []
    for i in range(len(t)):
        pull = sum(
            mp.exp(-gamma * max(1 + margin - s, 0) * (s - 1 + margin)) for s in (dot(p[i], p[j]) for j in likes(t, i))
        )
        push = sum(mp.exp(gamma * max(s + margin, 0) * (s - margin)) for s in (dot(p[i], p[j]) for j in others(t, i)))
        found.append(mp.log(1 + pull * push))
    return np.array(found)


def supervised_contrastive(t: Any, p: Any, temperature: float) -> Any:
    found = []
    for i in range(len(t)):
        heat = {j: mp.exp(cosine(p[i], p[j]) / temperature) for j in rest(t, i)}
        lost = [-mp.log(heat[j] / sum(heat.values())) for j in likes(t, i)]
        found.append(sum(lost) / len(lost) if lost else mp.mpf(0))
    return np.array(found)


def triplet_batch_hard(t: Any, p: Any, margin: float = 1.0, soft: bool = False) -> Any:
    """The worst of all triplets with this anchor."""
    found = []
    for i in range(len(t)):
        gaps = [mp.sqrt(apart(p[i], p[a])) - mp.sqrt(apart(p[i], p[n])) for a, n in product(likes(t, i), others(t, i))]
        found.append(
            max((mp.log(1 + mp.exp(d)) if soft else max(margin + d, mp.mpf(0)) for d in gaps), default=mp.mpf(0))
        )
    return np.array(found)


def n_pairs(t: Any, p: Any) -> Any:
    """TensorFlow Addons: cross-entropy of softmax with labels shared by those of a class."""
    same = one_hot(t, 9) @ one_hot(t, 9).T
    share = same / np.sum(same, axis=1, keepdims=True)
    return -np.sum(share * log(softmax(p[:, 0] @ p[:, 1].T)), axis=1)


def lifted_structure(t: Any, p: Any, margin: float) -> Any:
    lost = []
    for i, j in combinations(range(len(t)), 2):
        if t[i] == t[j]:
            near = [mp.exp(margin - mp.sqrt(apart(p[k], p[n]))) for k in (i, j) for n in others(t, k)]
            lost.append(max(mp.mpf(0), mp.sqrt(apart(p[i], p[j])) + mp.log(sum(near))) ** 2)
    return sum(lost) / (2 * len(lost))


def multi_similarity(t: Any, p: Any, alpha: float, beta: float, base: float, epsilon_pairs: float) -> Any:
    found = []
    for i in range(len(t)):
        own, wrong = ([cosine(p[i], p[j]) for j in group(t, i)] for group in (likes, others))
        hard_own = [s for s in own if any(s < w + epsilon_pairs for w in wrong)]
        hard_wrong = [w for w in wrong if any(w > s - epsilon_pairs for s in own)]
        pull = mp.log(1 + sum(mp.exp(-alpha * (s - base)) for s in hard_own)) / alpha
        found.append(pull + mp.log(1 + sum(mp.exp(beta * (w - base)) for w in hard_wrong)) / beta)
    return np.array(found)


def soft_nearest_neighbor(t: Any, p: Any, temperature: float) -> Any:
    found = []
    for i in range(len(t)):
        heat = {j: mp.exp(-apart(p[i], p[j]) / temperature) for j in rest(t, i)}
        own = sum(heat[j] for j in likes(t, i))
        found.append(-mp.log(own / sum(heat.values())) if likes(t, i) else mp.mpf(0))
    return np.array(found)


def nca(t: Any, p: Any) -> Any:
    found = []
    for i in range(len(t)):
        heat = {j: mp.exp(-apart(p[i], p[j])) for j in rest(t, i)}
        found.append(1 - sum(heat[j] for j in likes(t, i)) / sum(heat.values()))
    return np.array(found)


def fast_ap(t: Any, p: Any, bins: int) -> Any:
    """Bin by bin: precision up to there times what is new."""
    z, step = unit(p), mp.mpf(4) / bins
    found = []
    for i in range(len(t)):
        if not likes(t, i):
            found.append(mp.mpf(0))
            continue

        def height(group: list[int], b: int, i: int = i) -> Any:
            return sum(max(mp.mpf(0), 1 - abs(apart(z[i], z[j]) - b * step) / step) for j in group)

        total = hit_total = precise = mp.mpf(0)
        for b in range(bins + 1):
            hits = height(likes(t, i), b)
            hit_total, total = hit_total + hits, total + height(rest(t, i), b)
            precise += hits * hit_total / total if total else 0
        found.append(1 - precise / len(likes(t, i)))
    return np.array(found)


def histogram(t: Any, p: Any, nodes: int) -> Any:
    """The paper's equations 2 to 4."""
    z, step = unit(p), mp.mpf(2) / (nodes - 1)

    def heights(same: bool) -> list[Any]:
        found = [dot(z[i], z[j]) for i, j in combinations(range(len(t)), 2) if (t[i] == t[j]) == same]
        rows = []
        for r in range(nodes):
            node = -1 + r * step
            rise = sum((s - node + step) / step for s in found if node - step <= s <= node)
            rows.append((rise + sum((node + step - s) / step for s in found if node < s <= node + step)) / len(found))
        return rows

    own, wrong = heights(True), heights(False)
    return sum(wrong[r] * sum(own[: r + 1]) for r in range(nodes))


CASES = [
    case("circle", circle, unit_groups, gamma=6.0, margin=0.3),
    case("circle", circle, unit_groups, gamma=0.5, margin=0.3),
    case("supervised_contrastive", supervised_contrastive, groups, temperature=0.4),
    case("supervised_contrastive", supervised_contrastive, lonely, temperature=0.7),
    case("triplet_batch_hard", triplet_batch_hard, groups, margin=0.6),
    case("triplet_batch_hard", triplet_batch_hard, lonely, soft=True),
    case("n_pairs", n_pairs, grouped_views),
    case("lifted_structure", lifted_structure, groups, margin=0.7),
    case("lifted_structure", lifted_structure, far_clusters, margin=0.1),
    case("multi_similarity", multi_similarity, groups, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.05),
    case("multi_similarity", multi_similarity, lonely, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.3),
    case("multi_similarity", multi_similarity, clusters, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.3),
    case("multi_similarity", multi_similarity, clusters, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.0),
    case("soft_nearest_neighbor", soft_nearest_neighbor, groups, temperature=1.7),
    case("soft_nearest_neighbor", soft_nearest_neighbor, lonely, temperature=0.7),
    case("nca", nca, groups),
    case("fast_ap", fast_ap, groups, bins=7),
    case("fast_ap", fast_ap, lonely, bins=4),
    case("histogram", histogram, groups, nodes=6),
]

# -- claims ------------------------------------------------------------------------------------------------


def easy_batch() -> Any:
    """Classes far from each other."""
    labels, points = groups()
    return labels, points / 9 + 9 * np.eye(3)[labels]


CLASSES = np.array([0, 0, 1, 1])
TOGETHER = np.array([[1.0, 0.1], [1.0, -0.1], [-0.1, 1.0], [0.1, 1.0]])
MIXED = np.array([[1.0, 0.1], [0.5, 0.6], [0.4, 0.5], [0.1, 1.0]])

CLAIMS = [
    *(
        same(
            name, "0 for a batch of one class", lambda name=name: loss(name, np.zeros(6, int), groups()[1]), lambda: 0.0
        )
        for name in ("triplet_batch_hard", "multi_similarity")
    ),
    *(
        turned(name, groups)
        for name in ("triplet_batch_hard", "lifted_structure", "multi_similarity", "fast_ap", "nca")
    ),
    *(turned(name, groups) for name in ("soft_nearest_neighbor", "supervised_contrastive", "histogram")),
    turned("circle", unit_groups, gamma=3.0),
    *(
        shuffled(name, groups)
        for name in ("supervised_contrastive", "lifted_structure", "multi_similarity", "histogram", "fast_ap")
    ),
    *(shuffled(name, groups) for name in ("triplet_batch_hard", "soft_nearest_neighbor", "nca")),
    shuffled("n_pairs", grouped_views),
    *(stretched(name, groups) for name in ("supervised_contrastive", "multi_similarity", "fast_ap", "histogram")),
    same(
        "n_pairs",
        "log(1 + sum exp(others - own)) with one pair for each class",
        lambda: loss("n_pairs", np.arange(4), views()),
        lambda: [
            np.log(1 + sum(np.exp(a @ b - a @ own) for j, b in enumerate(views()[:, 1]) if j != i))
            for i, (a, own) in enumerate(views())
        ],
    ),
    *(
        same(name, "0 for classes far from each other", lambda name=name: loss(name, *easy_batch()), lambda: 0.0)
        for name in ("triplet_batch_hard", "lifted_structure")
    ),
    *(
        same(name, "0 for classes far from each other", lambda name=name: loss(name, *easy_batch()), lambda: 0.0)
        for name in ("fast_ap", "histogram", "soft_nearest_neighbor")
    ),
    same(
        "nca",
        "0 for classes far from each other, 1 for a sample alone",
        lambda: loss("nca", *easy_batch()),
        lambda: [0, 0, 0, 0, 1, 0],
    ),
    within("fast_ap", groups, 0, 1),
    within("histogram", groups, 0, 1),
    within("nca", groups, 0, 1),
    *(
        ordered(name, "the worse the more the classes mix", CLASSES, TOGETHER, MIXED)
        for name in ("multi_similarity", "nca")
    ),
    *(
        ordered(name, "the worse the more the classes mix", CLASSES, TOGETHER, MIXED)
        for name in ("circle", "supervised_contrastive")
    ),
    same(
        "soft_nearest_neighbor",
        "-log(1 - nca) at temperature 1",
        lambda: loss("soft_nearest_neighbor", *groups(4)),
        lambda: -np.log(1 - loss("nca", *groups(4))),
    ),
]
