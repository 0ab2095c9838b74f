"""Oracles and claims of the family: embeddings, by pairs, triplets, batches and views."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
from case import Claim, between, case, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import acos, cos, exp, log, mean, one_hot, relu, softmax, sqrt, unit
from samples import groups, numbers, one_hot_logits

from lossdsl import evaluate

# -- data --------------------------------------------------------------------------------------------------


def vectors(columns: int, batch: int = 4, features: int = 3) -> Callable[[], Any]:
    """So many vectors for each sample, and no truth."""
    return lambda: (None, np.random.default_rng(21).normal(size=(batch, columns, features)))


def embedded() -> Any:
    return None, np.random.default_rng(22).normal(size=(5, 3))


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


def distances(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(24)
    shape = (3, *positions, 4)
    return random.choice([-1.0, 1.0], size=shape), random.uniform(0.1, 2.5, size=shape)


def bits_distances(positions: tuple[int, ...] = ()) -> Any:
    belongs, apart = distances(positions)
    return (belongs + 1) / 2, apart


def cosines(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(25)
    shape = (3, *positions, 4)
    return random.choice([-1.0, 1.0], size=shape), random.uniform(-0.95, 0.95, size=shape)


def class_cosines(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(26)
    return random.integers(0, 4, size=(3, *positions)), random.uniform(-0.95, 0.95, size=(3, *positions, 4))


def class_distances(positions: tuple[int, ...] = ()) -> Any:
    labels, found = class_cosines(positions)
    return labels, 2 - 2 * found


def proxies() -> Any:
    """Five samples, four classes of which one is not there."""
    return np.array([0, 2, 0, 1, 2]), np.random.default_rng(27).uniform(-0.9, 0.9, size=(5, 4))


def alike() -> Any:
    random = np.random.default_rng(28)
    return np.array([[3.0], [1.0], [1.0], [2.5], [0.0]]), random.uniform(-0.9, 0.9, size=(5, 1))


def centres() -> Any:
    random = np.random.default_rng(29)
    return np.eye(4)[[2, 0, 3]], random.uniform(-0.9, 0.9, size=(3, 4, 2))


def two_samples() -> Any:
    random = np.random.default_rng(30)
    return random.normal(size=(4, 3)), 0.7 * random.normal(size=(4, 3)) + 0.4


def inputs_and_features() -> Any:
    random = np.random.default_rng(31)
    return random.normal(size=(5, 2)), random.normal(size=(5, 3))


# -- oracles -----------------------------------------------------------------------------------------------


def dot(x: Any, y: Any) -> Any:
    return sum(a * b for a, b in zip(x, y, strict=True))


def apart(x: Any, y: Any) -> Any:
    """Squared distance."""
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def cosine(x: Any, y: Any) -> Any:
    return dot(x, y) / mp.sqrt(dot(x, x) * dot(y, y))


def likes(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if j != i and t[j] == t[i]]


def others(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if t[j] != t[i]]


def rest(t: Any, i: int) -> list[int]:
    return [j for j in range(len(t)) if j != i]


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for a sample's own truth and prediction, as one for all samples."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        return np.array([function(None if t is None else t[i], p[i], **params) for i in range(len(p))])

    return oracle


def of_classes(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for one label and its row of classes, as the mean over the positions of each sample."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        rows = [[function(t[at], p[at], **params) for at in np.ndindex(*t.shape) if at[0] == i] for i in range(len(t))]
        return np.array([sum(row) / len(row) for row in rows])

    return oracle


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


def contrastive(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, p**2, np.where(p < margin, (margin - p) ** 2, mp.mpf(0))).reshape(len(p), -1), axis=1)


def info_nce(t: Any, p: Any, temperature: float) -> Any:
    chances = [[mp.exp(cosine(a, b) / temperature) for b in t] for a in p]
    return np.array([-mp.log(row[i] / sum(row)) for i, row in enumerate(chances)])


def supervised_contrastive(t: Any, p: Any, temperature: float) -> Any:
    found = []
    for i in range(len(t)):
        heat = {j: mp.exp(cosine(p[i], p[j]) / temperature) for j in rest(t, i)}
        lost = [-mp.log(heat[j] / sum(heat.values())) for j in likes(t, i)]
        found.append(sum(lost) / len(lost) if lost else mp.mpf(0))
    return np.array(found)


def triplet(_: Any, p: Any, margin: float) -> Any:
    return max(mp.mpf(0), apart(p[0], p[1]) - apart(p[0], p[2]) + margin)


def triplet_soft_margin(_: Any, p: Any) -> Any:
    return mp.log(1 + mp.exp(mp.sqrt(apart(p[0], p[1])) - mp.sqrt(apart(p[0], p[2]))))


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


def nt_xent(_: Any, p: Any, temperature: float, own_below: bool = True) -> Any:
    """The paper's l(i, j), over all 2 N vectors in one row."""
    n = len(p)
    row = [*p[:, 0], *p[:, 1]]

    def lost(i: int, j: int) -> Any:
        below = [k for k in range(2 * n) if k != i and (own_below or k != j)]
        heat = [mp.exp(cosine(row[i], row[k]) / temperature) for k in range(2 * n)]
        return -mp.log(heat[j] / sum(heat[k] for k in below))

    return np.array([(lost(i, n + i) + lost(n + i, i)) / 2 for i in range(n)])


def decoupled_contrastive(_: Any, p: Any, temperature: float) -> Any:
    return nt_xent(_, p, temperature, own_below=False)


def debiased_contrastive(_: Any, p: Any, tau_plus: float, temperature: float) -> Any:
    n = len(p)
    row = [*p[:, 0], *p[:, 1]]
    found = []
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        heat = [mp.exp(cosine(row[i], row[k]) / temperature) for k in range(2 * n)]
        size = 2 * n - 2
        rest = sum(heat[k] for k in range(2 * n) if k not in (i, j))
        unlike = max((-tau_plus * size * heat[j] + rest) / (1 - tau_plus), size * mp.exp(-1 / mp.mpf(temperature)))
        found.append(-mp.log(heat[j] / (heat[j] + unlike)))
    return (np.array(found[:n]) + np.array(found[n:])) / 2


def clip_contrastive(_: Any, p: Any, temperature: float) -> Any:
    logits = unit(p[:, 0]) @ unit(p[:, 1]).T / temperature
    return -(np.diag(log(softmax(logits, axis=1))) + np.diag(log(softmax(logits, axis=0)))) / 2


def siglip(_: Any, p: Any, scale: float, bias: float) -> Any:
    logits = scale * (unit(p[:, 0]) @ unit(p[:, 1]).T) + bias
    signs = 2 * np.eye(len(p)) - 1
    return np.sum(log(1 + exp(-signs * logits)), axis=1)


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


def multi_similarity(t: Any, p: Any, alpha: float, beta: float, base: float, epsilon_pairs: float) -> Any:
    found = []
    for i in range(len(t)):
        own, wrong = ([cosine(p[i], p[j]) for j in group(t, i)] for group in (likes, others))
        hard_own = [s for s in own if any(s < w + epsilon_pairs for w in wrong)]
        hard_wrong = [w for w in wrong if any(w > s - epsilon_pairs for s in own)]
        pull = mp.log(1 + sum(mp.exp(-alpha * (s - base)) for s in hard_own)) / alpha
        found.append(pull + mp.log(1 + sum(mp.exp(beta * (w - base)) for w in hard_wrong)) / beta)
    return np.array(found)


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


def cosine_embedding(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, 1 - p, np.maximum(mp.mpf(0), p - margin)).reshape(len(p), -1), axis=1)


def hinge_embedding(t: Any, p: Any, margin: float) -> Any:
    return mean(np.where(t == 1, p, np.maximum(mp.mpf(0), margin - p)).reshape(len(p), -1), axis=1)


def margin_based(t: Any, p: Any, alpha: float, beta: float) -> Any:
    pull, push = relu(p - (beta - alpha)), relu(beta + alpha - p)
    return mean(np.where(t == 1, pull, push).reshape(len(p), -1), axis=1)


def cosent(t: Any, p: Any, scale: float) -> Any:
    turned = [mp.exp(scale * (p[j, 0] - p[i, 0])) for i, j in np.ndindex(len(t), len(t)) if t[i, 0] > t[j, 0]]
    return mp.log(1 + sum(turned))


def barlow_twins(_: Any, p: Any, weight: float) -> Any:
    a, b = (p[:, k] - mean(p[:, k], axis=0) for k in (0, 1))
    d = p.shape[2]
    c = [
        [dot(a[:, i], b[:, j]) / mp.sqrt(dot(a[:, i], a[:, i]) * dot(b[:, j], b[:, j])) for j in range(d)]
        for i in range(d)
    ]
    return sum((1 - c[i][i]) ** 2 for i in range(d)) + weight * sum(
        c[i][j] ** 2 for i in range(d) for j in range(d) if i != j
    )


def vicreg(_: Any, p: Any, sim_weight: float, var_weight: float, cov_weight: float, gamma: float) -> Any:
    """The paper's algorithm 1."""
    n, d = len(p), p.shape[2]
    total = sim_weight * mean((p[:, 0] - p[:, 1]) ** 2)
    for z in (p[:, 0], p[:, 1]):
        centred = z - mean(z, axis=0)
        matrix = centred.T @ centred / (n - 1)
        total += var_weight * mean(relu(gamma - sqrt(np.diag(matrix) + mp.mpf(1) / 10000)))
        total += cov_weight * (np.sum(matrix**2) - np.sum(np.diag(matrix) ** 2)) / d
    return total


def byol(t: Any, p: Any) -> Any:
    return mean(np.sum((unit(p) - unit(t)) ** 2, axis=-1).reshape(len(p), -1), axis=1)


def still(x: Any) -> Any:
    """Numbers that take no gradient: the oracle's tiny steps do not show in them."""
    return np.frompyfunc(lambda a: mp.nint(a * mp.mpf(10) ** 12) / mp.mpf(10) ** 12, 1, 1)(x)


def simsiam(_: Any, p: Any) -> Any:
    """The paper's algorithm 1: D(p1, z2) / 2 + D(p2, z1) / 2."""
    z1, z2 = still(p[0]), still(p[1])
    return -dot(unit(p[2]), unit(z2)) / 2 - dot(unit(p[3]), unit(z1)) / 2


def angular(_: Any, p: Any, alpha: float) -> Any:
    middle = [(a + b) / 2 for a, b in zip(p[0], p[1], strict=True)]
    return max(mp.mpf(0), apart(p[0], p[1]) - 4 * mp.tan(mp.radians(alpha)) ** 2 * apart(p[2], middle))


def n_pair_angular(_: Any, p: Any, alpha: float) -> Any:
    t = mp.tan(mp.radians(alpha)) ** 2
    found = []
    for i in range(len(p)):
        f = [4 * t * dot(p[i, 0] + p[i, 1], p[n, 1]) - 2 * (1 + t) * dot(p[i, 0], p[i, 1]) for n in rest(p, i)]
        found.append(mp.log(1 + sum(map(mp.exp, f))))
    return np.array(found)


def alignment(_: Any, p: Any, alpha: float) -> Any:
    return mp.sqrt(2 - 2 * cosine(p[0], p[1])) ** alpha


def uniformity(_: Any, p: Any, t: float) -> Any:
    kernels = [mp.exp(-t * apart(x, y)) for x, y in combinations(unit(p), 2)]
    return mp.log(sum(kernels) / len(kernels))


def spectral_contrastive(_: Any, p: Any) -> Any:
    product = p[:, 0] @ p[:, 1].T
    off = product - np.diag(np.diag(product))
    return np.sum(off**2, axis=1) / (len(p) - 1) - 2 * np.diag(product)


def gaussian(x: Any, y: Any, sigma: float) -> Any:
    return np.array([[mp.exp(-apart(a, b) / (2 * mp.mpf(sigma) ** 2)) for b in y] for a in x])


def mmd_rbf(t: Any, p: Any, sigma: float) -> Any:
    """The squared distance of the mean embeddings, by one Gram matrix of all points."""
    gram = gaussian([*p, *t], [*p, *t], sigma)
    weights = np.array([mp.mpf(1) / len(p)] * len(p) + [-mp.mpf(1) / len(t)] * len(t))
    return weights @ gram @ weights


def deep_coral(_: Any, p: Any) -> Any:
    """The paper's covariance: (D.T D - (1.T D).T (1.T D) / n) / (n - 1)."""
    n, _, d = p.shape
    found = [(x.T @ x - np.outer(np.sum(x, axis=0), np.sum(x, axis=0)) / n) / (n - 1) for x in (p[:, 0], p[:, 1])]
    return np.sum((found[0] - found[1]) ** 2) / (4 * d * d)


def hsic(t: Any, p: Any, sigma: float) -> Any:
    n = len(p)
    h = np.array([[mp.mpf(i == j) - mp.mpf(1) / n for j in range(n)] for i in range(n)])
    return np.trace(gaussian(p, p, sigma) @ h @ gaussian(t, t, sigma) @ h) / (n - 1) ** 2


def quadruplet(_: Any, p: Any, alpha1: float, alpha2: float) -> Any:
    i, j, k, other = p
    first, second = apart(i, j) - apart(i, k) + alpha1, apart(i, j) - apart(other, k) + alpha2
    return max(mp.mpf(0), first) + max(mp.mpf(0), second)


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


def tuplet_margin(_: Any, p: Any, scale: float, beta: float) -> Any:
    own = mp.cos(mp.acos(cosine(p[0], p[1])) - mp.radians(beta))
    return mp.log(1 + sum(mp.exp(scale * (cosine(p[0], x) - own)) for x in p[2:]))


def soft_triple(t: Any, p: Any, scale: float, gamma: float, delta: float) -> Any:
    label = list(t).index(1)
    near = [sum(mp.exp(s / gamma) * s for s in row) / sum(mp.exp(s / gamma) for s in row) for row in p]
    own = mp.exp(scale * (near[label] - delta))
    return -mp.log(own / (own + sum(mp.exp(scale * s) for c, s in enumerate(near) if c != label)))


def dino(t: Any, p: Any, student_temp: float, teacher_temp: float, centre: Any = 0.0) -> Any:
    lost = -np.sum(softmax((t - np.asarray(centre)) / teacher_temp) * log(softmax(p / student_temp)), axis=-1)
    return mean(lost.reshape(len(p), -1), axis=1)


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
    case("contrastive", contrastive, bits_distances, margin=1.6),
    case("info_nce", info_nce, two_samples, temperature=0.4),
    case("supervised_contrastive", supervised_contrastive, groups, temperature=0.4),
    case("supervised_contrastive", supervised_contrastive, lonely, temperature=0.7),
    case("triplet", each(triplet), vectors(3), margin=2.5),
    case("triplet_soft_margin", each(triplet_soft_margin), vectors(3)),
    case("triplet_batch_hard", triplet_batch_hard, groups, margin=0.6),
    case("triplet_batch_hard", triplet_batch_hard, lonely, soft=True),
    case("n_pairs", n_pairs, grouped_views),
    case("lifted_structure", lifted_structure, groups, margin=0.7),
    case("lifted_structure", lifted_structure, far_clusters, margin=0.1),
    case("nt_xent", nt_xent, vectors(2), temperature=0.4),
    case("clip_contrastive", clip_contrastive, vectors(2), temperature=0.4),
    case("siglip", siglip, vectors(2), scale=3.0, bias=-0.7),
    case("arcface", of_classes(arcface), class_cosines, scale=3.0, margin=0.4),
    case("cosface", of_classes(cosface), class_cosines, scale=3.0, margin=0.25),
    case("sphereface", of_classes(sphereface), class_cosines, scale=3.0, margin=3.0),
    case("multi_similarity", multi_similarity, groups, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.05),
    case("multi_similarity", multi_similarity, lonely, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.3),
    case("multi_similarity", multi_similarity, clusters, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.3),
    case("multi_similarity", multi_similarity, clusters, alpha=1.5, beta=4.0, base=0.4, epsilon_pairs=0.0),
    case("proxy_nca", of_classes(proxy_nca), class_distances),
    case("proxy_anchor", proxy_anchor, proxies, alpha=3.0, delta=0.2),
    case("center", center, numbers),
    case("cosine_embedding", cosine_embedding, cosines, margin=0.3),
    case("hinge_embedding", hinge_embedding, distances, margin=1.7),
    case("margin_based", margin_based, distances, alpha=0.35, beta=1.1),
    case("cosent", cosent, alike, scale=4.0),
    case("barlow_twins", barlow_twins, vectors(2), weight=0.3),
    case("vicreg", vicreg, vectors(2), sim_weight=2.0, var_weight=3.0, cov_weight=0.7, gamma=1.3),
    case("byol", byol, numbers),
    case("simsiam", each(simsiam), vectors(4)),
    case("angular", each(angular), vectors(3, 8), alpha=25.0),
    case("n_pair_angular", n_pair_angular, vectors(2), alpha=25.0),
    case("alignment", each(alignment), vectors(2), alpha=1.4),
    case("uniformity", uniformity, embedded, t=1.3),
    case("decoupled_contrastive", decoupled_contrastive, vectors(2), temperature=0.4),
    case("debiased_contrastive", debiased_contrastive, vectors(2), tau_plus=0.05, temperature=0.8),
    case("debiased_contrastive", debiased_contrastive, vectors(2), tau_plus=0.6, temperature=0.8),
    case("spectral_contrastive", spectral_contrastive, vectors(2)),
    case("mmd_rbf", mmd_rbf, two_samples, sigma=1.4),
    case("deep_coral", deep_coral, vectors(2)),
    case("hsic", hsic, inputs_and_features, sigma=1.4),
    case("quadruplet", each(quadruplet), vectors(4, 6), alpha1=2.5, alpha2=1.5),
    case("soft_nearest_neighbor", soft_nearest_neighbor, groups, temperature=1.7),
    case("soft_nearest_neighbor", soft_nearest_neighbor, lonely, temperature=0.7),
    case("nca", nca, groups),
    case("tuplet_margin", each(tuplet_margin), vectors(4), scale=3.0, beta=20.0),
    case("soft_triple", each(soft_triple), centres, scale=3.0, gamma=0.4, delta=0.2),
    case("dino", dino, one_hot_logits, student_temp=0.8, teacher_temp=0.5, centre=[0.3, -0.2, 0.1, 0.5]),
    case("fast_ap", fast_ap, groups, bins=7),
    case("fast_ap", fast_ap, lonely, bins=4),
    case("histogram", histogram, groups, nodes=6),
]


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


def collapsed(name: str, value: float, **params: Any) -> Claim:
    """All vectors are one and the same."""
    return same(
        name,
        f"{value:.4g} where all vectors are one",
        lambda: loss(name, None, np.ones((4, 2, 3)), **params),
        lambda: value,
    )


def within(name: str, data: Callable[[], Any], low: float, high: float, **params: Any) -> Claim:
    return between(name, data, low, high, **params)


def margins_gone(name: str, **params: Any) -> Claim:
    """Without a margin it is softmax cross-entropy of scaled cosines."""
    formula = "sparse_categorical_crossentropy(y_true, 3 * y_pred, from_logits=True)"
    return equals(name, formula, class_cosines, scale=3.0, **params)


def easy_batch() -> Any:
    """Classes far from each other."""
    labels, points = groups()
    return labels, points / 9 + 9 * np.eye(3)[labels]


TWINS = np.repeat(np.random.default_rng(35).normal(size=(5, 1, 3)), 2, axis=1)
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
        turned(name, vectors(2))
        for name in ("nt_xent", "clip_contrastive", "siglip", "alignment", "spectral_contrastive")
    ),
    *(
        turned(name, vectors(2))
        for name in ("decoupled_contrastive", "debiased_contrastive", "deep_coral", "n_pair_angular")
    ),
    *(turned(name, vectors(3)) for name in ("triplet", "triplet_soft_margin", "angular", "tuplet_margin")),
    turned("quadruplet", vectors(4)),
    turned("simsiam", vectors(4)),
    turned("hsic", inputs_and_features),
    turned("uniformity", embedded),
    *(
        shuffled(name, groups)
        for name in ("supervised_contrastive", "lifted_structure", "multi_similarity", "histogram", "fast_ap")
    ),
    *(shuffled(name, groups) for name in ("triplet_batch_hard", "soft_nearest_neighbor", "nca")),
    *(shuffled(name, vectors(2)) for name in ("nt_xent", "siglip", "barlow_twins", "vicreg", "spectral_contrastive")),
    shuffled("n_pairs", grouped_views),
    shuffled("proxy_anchor", proxies),
    shuffled("cosent", alike),
    shuffled("hsic", inputs_and_features),
    shuffled("info_nce", two_samples),
    *(stretched(name, groups) for name in ("supervised_contrastive", "multi_similarity", "fast_ap", "histogram")),
    *(
        stretched(name, vectors(2))
        for name in ("nt_xent", "clip_contrastive", "siglip", "alignment", "debiased_contrastive")
    ),
    stretched("simsiam", vectors(4)),
    stretched("tuplet_margin", vectors(4)),
    stretched("uniformity", embedded),
    stretched("info_nce", two_samples),
    stretched("byol", numbers),
    *(exchanged(name, vectors(2)) for name in ("nt_xent", "clip_contrastive", "alignment", "vicreg", "deep_coral")),
    *(exchanged(name, vectors(2)) for name in ("decoupled_contrastive", "debiased_contrastive")),
    exchanged("barlow_twins", vectors(2)),
    collapsed("nt_xent", float(np.log(7)), temperature=0.3),
    collapsed("clip_contrastive", float(np.log(4)), temperature=0.3),
    collapsed("decoupled_contrastive", float(np.log(6)), temperature=0.3),
    collapsed("spectral_contrastive", 9.0 - 6.0),
    collapsed("alignment", 0.0),
    same(
        "debiased_contrastive",
        "nt_xent where nothing is corrected",
        lambda: loss("debiased_contrastive", None, views(), tau_plus=0.0),
        lambda: loss("nt_xent", None, views(), temperature=0.5),
    ),
    same("nt_xent", "0 for a batch of one", lambda: loss("nt_xent", None, views()[:1]), lambda: 0.0),
    same(
        "info_nce",
        "at least 0, and log(batch) without a clue",
        lambda: loss("info_nce", np.eye(4), np.ones((4, 4))),
        lambda: np.log(4),
    ),
    same(
        "clip_contrastive",
        "the mean of two info_nce",
        lambda: loss("clip_contrastive", None, views(), temperature=0.2),
        lambda: (
            (
                loss("info_nce", views()[:, 0], views()[:, 1], temperature=0.2)
                + loss("info_nce", views()[:, 1], views()[:, 0], temperature=0.2)
            )
            / 2
        ),
    ),
    same(
        "n_pairs",
        "log(1 + sum exp(others - own)) with one pair for each class",
        lambda: loss("n_pairs", np.arange(4), views()),
        lambda: [
            np.log(1 + sum(np.exp(a @ b - a @ own) for j, b in enumerate(views()[:, 1]) if j != i))
            for i, (a, own) in enumerate(views())
        ],
    ),
    same(
        "contrastive",
        "0 for twins that belong together, and for others past the margin",
        lambda: loss("contrastive", np.array([[1.0, 0.0]]), np.array([[0.0, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "hinge_embedding",
        "0 past the margin",
        lambda: loss("hinge_embedding", np.array([[1.0, -1.0]]), np.array([[0.0, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "margin_based",
        "0 on the right side of the boundary, past alpha",
        lambda: loss("margin_based", np.array([[1.0, -1.0]]), np.array([[0.9, 1.5]])),
        lambda: 0.0,
    ),
    same(
        "cosine_embedding",
        "0 for the same and for the opposite direction",
        lambda: loss("cosine_embedding", np.array([[1.0, -1.0]]), np.array([[1.0, -1.0]])),
        lambda: 0.0,
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
    within("byol", numbers, 0, 4),
    within("simsiam", vectors(4), -1, 1),
    within("uniformity", embedded, -8, 0),
    within("hsic", inputs_and_features, 0, 1),
    within("mmd_rbf", two_samples, 0, 2),
    symmetric("mmd_rbf", two_samples),
    symmetric("byol", numbers),
    symmetric("center", numbers),
    symmetric("hsic", two_samples),
    zero_at_truth("mmd_rbf", two_samples),
    zero_at_truth("byol", numbers),
    zero_at_truth("center", numbers),
    equals("center", "2 * mean_squared_error(y_true, y_pred)", numbers),
    *(
        ordered(name, "the worse the more the classes mix", CLASSES, TOGETHER, MIXED)
        for name in ("multi_similarity", "nca")
    ),
    *(
        ordered(name, "the worse the more the classes mix", CLASSES, TOGETHER, MIXED)
        for name in ("circle", "supervised_contrastive")
    ),
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
    unchanged("cosent", "any other truth of that order", alike, lambda t, p: (t**3 + 1, p)),
    unchanged(
        "barlow_twins", "scale and shift of a feature", vectors(2), lambda t, p: (t, p * [2, 0.5, 3] + [1, -1, 0])
    ),
    unchanged("deep_coral", "a shift of a domain", vectors(2), lambda t, p: (t, p + np.array([[1.0], [-2.0]]))),
    unchanged("vicreg", "a shift of both views", vectors(2), lambda t, p: (t, p + np.array([1.0, -2.0, 3.0]))),
    unchanged("dino", "a shift of either's outputs", one_hot_logits, lambda t, p: (t + 1, p - 2)),
    same(
        "barlow_twins",
        "0 at twins with features that are not correlated",
        lambda: loss(
            "barlow_twins", None, np.repeat(np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]])[:, None], 2, axis=1)
        ),
        lambda: 0.0,
    ),
    same("deep_coral", "0 for the same features", lambda: loss("deep_coral", None, TWINS), lambda: 0.0),
    same("alignment", "0 for twins", lambda: loss("alignment", None, TWINS), lambda: 0.0),
    same("simsiam", "-1 where predictions are right", lambda: loss("simsiam", None, np.ones((2, 4, 3))), lambda: -1.0),
    same(
        "alignment",
        "byol, for alpha = 2",
        lambda: loss("alignment", None, views()),
        lambda: loss("byol", views()[:, 0], views()[:, 1]),
    ),
    same("triplet", "0 past the margin", lambda: loss("triplet", None, np.array([[[0.0], [0.1], [2.0]]])), lambda: 0.0),
    same(
        "quadruplet",
        "triplet, where the second margin is met",
        lambda: loss("quadruplet", None, np.array([[[0.0], [1.0], [1.2], [9.0]]]), alpha1=0.2),
        lambda: loss("triplet", None, np.array([[[0.0], [1.0], [1.2]]]), margin=0.2),
    ),
    same(
        "angular",
        "0 where the angle at the other is alpha",
        lambda: loss("angular", None, np.array([[[-1.0, 0], [1, 0], [0, 1.0]]]), alpha=45.0),
        lambda: 0.0,
    ),
    same(
        "tuplet_margin",
        "one other and no margin: a logistic loss",
        lambda: loss("tuplet_margin", None, vectors(3)()[1], beta=0.0, scale=2.0),
        lambda: evaluate(
            "log(1 + exp(2 * (sum(normalize(y_pred[:, 0]) * normalize(y_pred[:, 2])) - sum(normalize(y_pred[:, 0]) * normalize(y_pred[:, 1])))))",
            np.zeros((4, 3, 3)),
            vectors(3)()[1],
        ),
    ),
    same(
        "soft_nearest_neighbor",
        "-log(1 - nca) at temperature 1",
        lambda: loss("soft_nearest_neighbor", *groups(4)),
        lambda: -np.log(1 - loss("nca", *groups(4))),
    ),
    same(
        "siglip",
        "2 * log(2) for two samples without a clue",
        lambda: loss("siglip", None, np.ones((2, 2, 3)), scale=1e-9, bias=0.0),
        lambda: 2 * np.log(2),
    ),
    same(
        "n_pair_angular",
        "log(batch) where all vectors are 0",
        lambda: loss("n_pair_angular", None, np.zeros((4, 2, 3))),
        lambda: np.log(4),
    ),
    same(
        "triplet_soft_margin",
        "log(2) where both are as far",
        lambda: loss("triplet_soft_margin", None, np.zeros((1, 3, 2))),
        lambda: np.log(2),
    ),
]


def limit_of_proxies() -> float:
    labels, found = proxies()
    pull = [max(0.0, max(0.1 - found[i, c] for i in range(5) if labels[i] == c)) for c in sorted(set(labels))]
    push = [max(0.0, max(found[i, c] + 0.1 for i in range(5) if labels[i] != c)) for c in range(4)]
    return float(np.mean(pull) + np.mean(push))


TORCH = [
    (
        "triplet",
        lambda torch, t, p: torch.nn.functional.triplet_margin_with_distance_loss(
            p[:, 0],
            p[:, 1],
            p[:, 2],
            distance_function=lambda x, y: ((x - y) ** 2).sum(-1),
            margin=2.5,
            reduction="none",
        ),
        vectors(3),
        {"margin": 2.5},
    ),
    (
        "hinge_embedding",
        lambda torch, t, p: torch.nn.functional.hinge_embedding_loss(p, t, margin=1.7, reduction="none").mean(-1),
        distances,
        {"margin": 1.7},
    ),
    (
        "cosine_embedding",
        lambda torch, t, p: (
            torch.nn.functional.cosine_embedding_loss(
                torch.stack([p, (1 - p * p).sqrt()], -1).reshape(-1, 2),
                torch.tensor([[1.0, 0.0]], dtype=p.dtype).expand(p.numel(), 2),
                t.reshape(-1),
                margin=0.3,
                reduction="none",
            )
            .reshape(p.shape)
            .mean(-1)
        ),
        cosines,
        {"margin": 0.3},
    ),
    (
        "clip_contrastive",
        lambda torch, t, p: (
            (
                torch.nn.functional.cross_entropy(scores(torch, p, 0.4), torch.arange(len(p)), reduction="none")
                + torch.nn.functional.cross_entropy(scores(torch, p, 0.4).T, torch.arange(len(p)), reduction="none")
            )
            / 2
        ),
        vectors(2),
        {"temperature": 0.4},
    ),
]


def scores(torch: Any, p: Any, temperature: float) -> Any:
    a, b = (torch.nn.functional.normalize(p[:, k], dim=-1) for k in (0, 1))
    return a @ b.T / temperature
