"""Oracles and claims of the family: classes, one or several, ordered, imbalanced, wrongly labelled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import samples
from case import Claim, between, case, convex, equals, loss, ordered, unchanged, zero_at_truth
from mpmath import mp
from plain import exp, mean, sigmoid, softmax
from samples import bits, bits_logits, classes, classes_logits, one_hot_logits, shares, signs

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


def root(function: Callable[[Any], Any], low: Any, high: Any) -> Any:
    """Where a function crosses 0 between two points."""
    return mp.findroot(function, (low, high), solver="illinois", tol=mp.mpf(10) ** -72, verify=False)


# -- data


def hot(positions: tuple[int, ...] = ()) -> samples.Pair:
    """One-hot labels that are never the largest alone, and probabilities."""
    random, shape = np.random.default_rng(21), (3, *positions, 4)
    return np.eye(4)[random.integers(0, 4, size=shape[:-1])], random.dirichlet(2 * np.ones(4), size=shape[:-1])


def background(positions: tuple[int, ...] = ()) -> samples.Pair:
    """One-hot labels, some of them of nothing, and logits."""
    t, p = one_hot_logits(positions)
    t[1] = 0
    return t, p


def ordinal(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Classes 0 to 4, and four logits."""
    random, shape = np.random.default_rng(22), (4, *positions)
    labels = random.integers(0, 5, size=shape)
    labels[:3] = np.reshape([0, 4, 2], (3, *[1] * len(positions)))
    return labels, 2 * random.normal(size=(*shape, 4))


def rising(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = ordinal(positions)
    return t, np.sort(p, axis=-1)


def graded() -> samples.Pair:
    random = np.random.default_rng(23)
    return np.array([0, 3, 1, 3, 2]), random.dirichlet(np.ones(4), size=5)


def single() -> samples.Pair:
    random = np.random.default_rng(24)
    return np.array([1.0, 0, 0, 1, 0, 0, 0, 1, 0])[:, None], 1.5 * random.normal(size=(9, 1))


def two_networks() -> samples.Pair:
    random = np.random.default_rng(25)
    return np.eye(4)[random.integers(0, 4, size=7)], 2 * random.normal(size=(7, 4, 2))


def two_views() -> samples.Pair:
    random = np.random.default_rng(26)
    return np.eye(4)[[2, 0, 1]], np.moveaxis(random.dirichlet(np.ones(4), size=(3, 2)), 1, 2)


def taught(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Labels; the logits of a student and of a teacher."""
    random, shape = np.random.default_rng(27), (3, *positions)
    return np.eye(4)[random.integers(0, 4, size=shape)], 3 * random.normal(size=(*shape, 4, 2))


def remembered(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Labels; logits and an average of probabilities."""
    t, p = taught(positions)
    p[..., 1] = np.random.default_rng(28).dirichlet(np.ones(4), size=p.shape[:-2])
    return t, p


def wide_positives(positions: tuple[int, ...] = ()) -> samples.Pair:
    """Several labels, one at least, and logits."""
    t, p = bits_logits(positions)
    t[..., 2] = 1
    return t, p


def many_positions() -> samples.Pair:
    random = np.random.default_rng(29)
    return random.integers(0, 4, size=(3, 5)), 2 * random.normal(size=(3, 5, 4))


def many_samples() -> samples.Pair:
    random = np.random.default_rng(30)
    return random.integers(0, 4, size=9), 2 * random.normal(size=(9, 4))


def soft_logits(positions: tuple[int, ...] = ()) -> samples.Pair:
    return shares(positions)[0], one_hot_logits(positions)[1]


# -- Keras'


@each_entry
def binary_crossentropy(y: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    y, p = y + (0.5 - y) * mp.mpf(label_smoothing), chance_of(p, from_logits)
    return -mp.log(p**y * (1 - p) ** (1 - y))


@each_entry
def binary_focal(
    y: Any,
    p: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    y, p = y + (0.5 - y) * mp.mpf(label_smoothing), chance_of(p, from_logits)
    p_t = y * p + (1 - y) * (1 - p)
    weight = y * alpha + (1 - y) * (1 - mp.mpf(alpha)) if apply_class_balancing else 1
    return -weight * (1 - p_t) ** gamma * mp.log(p**y * (1 - p) ** (1 - y))


@each_position
def categorical_crossentropy(y: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    p = shares_of(p, from_logits)
    p = p / sum(p)
    return -sum((a + (mp.mpf(1) / len(y) - a) * label_smoothing) * mp.log(b) for a, b in zip(y, p, strict=True))


@each_position
def categorical_focal(
    y: Any, p: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0
) -> Any:
    p = shares_of(p, from_logits)
    p = p / sum(p)
    y = [a + (mp.mpf(1) / len(y) - a) * label_smoothing for a in y]
    return sum(
        w * (1 - b) ** gamma * a * -mp.log(b) for w, a, b in zip(np.broadcast_to(alpha, len(y)), y, p, strict=True)
    )


@each_position
def generalized_crossentropy(y: Any, p: Any, q: float) -> Any:
    return (1 - p[y] ** q) / q


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


@each_position
def sparse_crossentropy(y: Any, p: Any, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -mp.log(p[y] / sum(p))


# -- margins


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


# -- many labels


@each_position
def zlpr(y: Any, z: Any) -> Any:
    """The paper's: all pairs against a class 0 with logit 0 on either side; with shares, each entry by its share."""
    negative = 1 + sum((1 - a) * mp.exp(b) for a, b in zip(y, z, strict=True))
    positive = 1 + sum(a / mp.exp(b) for a, b in zip(y, z, strict=True))
    return mp.log(negative * positive)


def step(x: Any) -> Any:
    return 1 if x > 0 else 0 if x < 0 else mp.mpf(1) / 2


@each_entry
def hard_truncated(y: Any, p: Any, margin: float, from_logits: bool = False) -> Any:
    p, m = chance_of(p, from_logits), mp.mpf(margin)
    weight = 1 - step(y - m) * step(p - m) - step(1 - m - y) * step(1 - m - p)
    return -weight * (y * mp.log(p) + (1 - y) * mp.log(1 - p))


@each_entry
def soft_truncated(y: Any, x: Any, K: float) -> Any:
    if y == 1:
        return -sigmoid(-K * x) * mp.log(sigmoid(x))
    return -sigmoid(K * x) * mp.log(sigmoid(-x))


def asymmetric(t: Any, p: Any, gamma_neg: float, gamma_pos: float, clip_at: float, from_logits: bool = False) -> Any:
    p = sigmoid(p) if from_logits else p
    total = [mp.mpf(0)] * len(p)
    for place in np.ndindex(*p.shape):
        q, shifted = p[place], max(p[place] - clip_at, mp.mpf(0))
        total[place[0]] -= (
            (1 - q) ** gamma_pos * mp.log(q) if t[place] == 1 else shifted**gamma_neg * mp.log(1 - shifted)
        )
    return np.array(total)


@each_entry
def weighted_binary(y: Any, p: Any, pos_weight: float, from_logits: bool = False) -> Any:
    p = chance_of(p, from_logits)
    return -(pos_weight * y * mp.log(p) + (1 - y) * mp.log(1 - p))


@each_position
def weighted_binary_by_class(y: Any, p: Any, pos_weight: Any, from_logits: bool = False) -> Any:
    terms = [
        -w * mp.log(chance_of(b, from_logits)) if a == 1 else -mp.log(1 - chance_of(b, from_logits))
        for w, a, b in zip(pos_weight, y, p, strict=True)
    ]
    return sum(terms) / len(terms)


@each_position
def equalization(y: Any, z: Any, rare: Any) -> Any:
    total = mp.mpf(0)
    for k, logit in enumerate(z):
        p = sigmoid(logit)
        exists = 1 if 1 in list(y) else 0
        weight = 1 - exists * rare[k] * (1 - y[k])
        total -= weight * mp.log(p if y[k] == 1 else 1 - p)
    return total


@each_position
def distribution_balanced(
    y: Any, z: Any, counts: Any, total: float, alpha: float, beta: float, mu: float, kappa: float, lambda_: float
) -> Any:
    size = len(z)
    by_label = mp.mpf(1) / size * sum(1 / mp.mpf(n) for n, a in zip(counts, y, strict=True) if a == 1)
    result = mp.mpf(0)
    for k in range(size):
        by_class = mp.mpf(1) / size / counts[k]
        weight = alpha + 1 / (1 + mp.exp(-beta * (by_class / by_label - mu)))
        bias = -mp.log(total / mp.mpf(counts[k]) - 1)
        nu = -kappa * bias
        if y[k] == 1:
            result += weight * mp.log(1 + mp.exp(-(z[k] - nu)))
        else:
            result += weight / lambda_ * mp.log(1 + mp.exp(lambda_ * (z[k] - nu)))
    return result / size


# -- unequal classes


@each_position
def logit_adjustment(y: Any, z: Any, prior: Any, tau: float = 1.0) -> Any:
    """The paper's pairwise form: log(1 + sum (prior of the other / of the true)^tau e^(difference))."""
    k = list(y).index(1)
    return mp.log(1 + sum((mp.mpf(prior[j]) / prior[k]) ** tau * mp.exp(z[j] - z[k]) for j in range(len(z)) if j != k))


@each_position
def vector_scaling(y: Any, z: Any, delta: Any, iota: Any, weight: Any) -> Any:
    k = list(y).index(1)
    scores = [mp.exp(d * x + i) for d, x, i in zip(delta, z, iota, strict=True)]
    return -weight[k] * mp.log(scores[k] / sum(scores))


@each_position
def ldam(y: Any, z: Any, counts: Any, max_margin: float, scale: float) -> Any:
    margins = [1 / mp.sqrt(mp.sqrt(n)) for n in counts]
    margins = [m * max_margin / max(margins) for m in margins]
    k = list(y).index(1)
    own = mp.exp(scale * (z[k] - margins[k]))
    return -mp.log(own / (own + sum(mp.exp(scale * z[j]) for j in range(len(z)) if j != k)))


@each_position
def class_balanced(y: Any, z: Any, counts: Any, beta: float) -> Any:
    effective = [sum(mp.mpf(beta) ** i for i in range(n)) for n in counts]
    alphas = [1 / e for e in effective]
    k = list(y).index(1)
    return -alphas[k] * len(alphas) / sum(alphas) * mp.log(softmax(z)[k])


@each_position
def weighted_categorical(y: Any, p: Any, weight: Any, from_logits: bool = False) -> Any:
    k = list(y).index(1)
    return -weight[k] * mp.log(shares_of(p, from_logits)[k])


def ghm_c(t: Any, z: Any, bins: int) -> Any:
    t, p = t[:, 0], sigmoid(z[:, 0])
    lengths = abs(p - t)
    width = mp.mpf(1) / bins
    density = [sum(1 for g in lengths if mp.floor(g / width) == mp.floor(own / width)) / width for own in lengths]
    return np.array([-len(t) / d * mp.log(q if y == 1 else 1 - q) for y, q, d in zip(t, p, density, strict=True)])


@each_entry
def self_adjusting_dice(y: Any, p: Any, alpha: float, smooth: float) -> Any:
    q = (1 - p) ** alpha * p
    return 1 - (2 * q * y + smooth) / (q + y + smooth)


# -- poly, smoothing, entropy


@each_position
def poly1(y: Any, p: Any, weight: float) -> Any:
    k = list(y).index(1)
    return -mp.log(p[k]) + weight * (1 - p[k])


@each_entry
def poly1_focal(y: Any, p: Any, weight: float, gamma: float, from_logits: bool = False) -> Any:
    p = chance_of(p, from_logits)
    q = p if y == 1 else 1 - p
    return -((1 - q) ** gamma) * mp.log(q) + weight * (1 - q) ** (gamma + 1)


@each_position
def soft_crossentropy(y: Any, p: Any, smoothing: float) -> Any:
    mixed = [(1 - mp.mpf(smoothing)) * a + mp.mpf(smoothing) / len(y) for a in y]
    return divergence(mixed, p) + entropy(mixed)


@each_position
def symmetric(y: Any, p: Any, alpha: float, beta: float, log_zero: float) -> Any:
    k = list(y).index(1)
    return -alpha * mp.log(p[k]) - beta * sum(p[j] * log_zero for j in range(len(p)) if j != k)


@each_position
def confidence_penalty(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -mp.log(p[list(y).index(1)]) - beta * entropy(p)


@each_position
def entropy_minimisation(y: Any, p: Any, from_logits: bool = False) -> Any:
    return entropy(shares_of(p, from_logits))


@each_position
def maximum_squares(y: Any, p: Any, from_logits: bool = False) -> Any:
    return -sum(x * x for x in shares_of(p, from_logits)) / 2


@each_position
def z_loss(y: Any, z: Any) -> Any:
    return mp.log(sum(exp(z))) ** 2


# -- over the batch


def f1(t: Any, p: Any) -> Any:
    """1 - the harmonic mean of precision and recall, output by output."""
    t, p = np.reshape(t, (len(t), -1)), np.reshape(p, (len(p), -1))
    scores = []
    for k in range(t.shape[1]):
        hits = sum(t[:, k] * p[:, k])
        precision, recall = hits / sum(p[:, k]), hits / sum(t[:, k])
        scores.append(0 * hits if hits == 0 else 2 * precision * recall / (precision + recall))
    return 1 - sum(scores) / len(scores)


def with_positives(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = bits(positions)
    t[0], t[1] = 1.0, 0.0
    return t, p


def with_positive_logits(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = bits_logits(positions)
    t[0], t[1] = 1.0, 0.0
    return t, p


def sigmoid_f1(t: Any, z: Any, beta: float, eta: float) -> Any:
    return f1(t, 1 / (1 + exp(-beta * (z + eta))))


def soft_mcc(t: Any, p: Any) -> Any:
    """By means and covariance: the correlation of a label with a coin of that probability."""
    label, chance = mean(t), mean(p)
    return 1 - (mean(t * p) - label * chance) / mp.sqrt(label * (1 - label) * chance * (1 - chance))


def aucm(t: Any, h: Any, margin: float) -> Any:
    """The paper's min-max with a, b and alpha put in: alpha * (2 * (m - a + b) - alpha)."""
    positive, negative = h[t == 1], h[t == 0]
    a, b = mean(positive), mean(negative)
    alpha = max(mp.mpf(0), margin + b - a)
    return mean((positive - a) ** 2) + mean((negative - b) ** 2) + 2 * alpha * (margin - a + b) - alpha**2


def nnpu(t: Any, g: Any, prior: float, beta: float = 0.0) -> Any:
    positive, unlabelled = g[t == 1], g[t == 0]
    risk = mean(sigmoid(unlabelled)) - prior * mean(sigmoid(positive))
    return prior * mean(sigmoid(-positive)) + max(-mp.mpf(beta), risk)


def ohem(t: Any, z: Any, keep: float) -> Any:
    hardest = sorted((-mp.log(softmax(row)[k]) for k, row in zip(t, z, strict=True)), reverse=True)
    return mean(np.array(hardest[: max(int(keep * len(t)), 1)]))


def top_k(t: Any, z: Any, k: int) -> Any:
    values = [[-mp.log(softmax(row)[c]) for c, row in zip(*sample, strict=True)] for sample in zip(t, z, strict=True)]
    return np.array([mean(np.array(sorted(row, reverse=True)[:k])) for row in values])


def co_teaching(t: Any, z: Any, keep: float) -> Any:
    losses = [[-mp.log(softmax(z[i, :, net])[list(t[i]).index(1)]) for i in range(len(t))] for net in (0, 1)]
    number = max(int(keep * len(t)), 1)
    chosen = [sorted(range(len(t)), key=lambda i: losses[net][i])[:number] for net in (0, 1)]
    return sum(losses[0][i] for i in chosen[1]) / number + sum(losses[1][i] for i in chosen[0]) / number


# -- ordered classes


@each_position
def coral(y: Any, z: Any, importance: Any) -> Any:
    return -sum(
        w * mp.log(sigmoid(x) if y > k else 1 - sigmoid(x)) for k, (w, x) in enumerate(zip(importance, z, strict=True))
    )


def corn(t: Any, z: Any) -> Any:
    """Question by question: the samples that reach it, and their labels there."""
    t, z = np.ravel(t), np.reshape(z, (-1, z.shape[-1]))
    total, asked = mp.mpf(0), 0
    for k in range(z.shape[1]):
        subset = [i for i in range(len(t)) if t[i] > k - 1]
        asked += len(subset)
        total -= sum(mp.log(sigmoid(z[i, k]) if t[i] > k else 1 - sigmoid(z[i, k])) for i in subset)
    return total / asked


def kappa(t: Any, p: Any, power: float) -> Any:
    """Seen and expected tables of true against predicted classes."""
    size = p.shape[1]
    seen = [[sum(p[i, b] for i in range(len(t)) if t[i] == a) for b in range(size)] for a in range(size)]
    of_true = [sum(1 for i in range(len(t)) if t[i] == a) for a in range(size)]
    of_predicted = [sum(seen[a][b] for a in range(size)) for b in range(size)]
    cost = [[mp.mpf(abs(a - b)) ** power / (size - 1) ** power for b in range(size)] for a in range(size)]
    places = [(a, b) for a in range(size) for b in range(size)]
    weighted = sum(cost[a][b] * seen[a][b] for a, b in places)
    chance = sum(cost[a][b] * of_true[a] * of_predicted[b] / len(t) for a, b in places)
    return mp.log(weighted / chance)


@each_position
def ordinal_log_loss(y: Any, p: Any, alpha: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -sum(mp.log(1 - p[i]) * mp.mpf(abs(int(y) - i)) ** alpha for i in range(len(p)))


@each_position
def cumulative_link(y: Any, z: Any) -> Any:
    at_most = [mp.mpf(0), *(1 / (1 + mp.exp(-x)) for x in z), mp.mpf(1)]
    return -mp.log(at_most[y + 1] - at_most[y])


@each_position
def soft_ordinal(y: Any, p: Any, scale: float, power: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    weights = [mp.exp(-scale * mp.mpf(abs(k - int(y))) ** power) for k in range(len(p))]
    return sum(w * -mp.log(x) for w, x in zip(weights, p, strict=True)) / sum(weights)


@each_position
def mean_variance(y: Any, z: Any, lambda_1: float, lambda_2: float) -> Any:
    p = softmax(z)
    first, second = (sum(k**n * x for k, x in enumerate(p)) for n in (1, 2))
    return -mp.log(p[y]) + mp.mpf(lambda_1) / 2 * (first - int(y)) ** 2 + lambda_2 * (second - first**2)


# -- other links


@each_position
def sparsemax(y: Any, z: Any) -> Any:
    """The projection by trying every support; the paper's form with the threshold."""
    for size in range(1, len(z) + 1):
        for support in combinations(range(len(z)), size):
            tau = (sum(z[j] for j in support) - 1) / size
            if all((z[j] > tau) == (j in support) for j in range(len(z))):
                return -sum(y * z) + sum(z[j] ** 2 - tau**2 for j in support) / 2 + sum(y * y) / 2
    raise AssertionError


@each_position
def entmax15(y: Any, z: Any) -> Any:
    """The Fenchel-Young loss of Tsallis' entropy with alpha = 1.5; the threshold is searched."""
    alpha = mp.mpf(3) / 2
    weights = lambda tau: [max((alpha - 1) * x - tau, mp.mpf(0)) ** (1 / (alpha - 1)) for x in z]  # noqa: E731
    p = weights(root(lambda tau: 1 - sum(weights(tau)), max(z) / 2 - 1, max(z) / 2))
    tsallis = lambda q: sum(x - x**alpha for x in q) / (alpha * (alpha - 1))  # noqa: E731
    return sum(p * z) + tsallis(p) - sum(y * z) - tsallis(y)


@each_position
def bi_tempered(y: Any, z: Any, t1: float, t2: float) -> Any:
    """Tempered logarithm and exponential; the normaliser is searched."""
    s, t = mp.mpf(t1), mp.mpf(t2)
    log_t = lambda x: (x ** (1 - s) - 1) / (1 - s)  # noqa: E731
    exp_t = lambda x: max(1 + (1 - t) * x, mp.mpf(0)) ** (1 / (1 - t))  # noqa: E731
    high = max(z) + (mp.mpf(len(z)) ** (t - 1) - 1) / (t - 1)
    normaliser = root(lambda x: 1 - sum(exp_t(a - x) for a in z), max(z), high)
    p = [exp_t(a - normaliser) for a in z]
    return sum(
        (a * (log_t(a) - log_t(b)) if a > 0 else 0) - (a ** (2 - s) - b ** (2 - s)) / (2 - s)
        for a, b in zip(y, p, strict=True)
    )


# -- wrong labels


@each_position
def taylor(y: Any, p: Any, order: int, from_logits: bool = False) -> Any:
    miss = 1 - shares_of(p, from_logits)[list(y).index(1)]
    return sum(miss**k / k for k in range(1, order + 1))


@each_position
def bootstrap_soft(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -beta * mp.log(p[list(y).index(1)]) + (1 - mp.mpf(beta)) * entropy(p)


@each_position
def bootstrap_hard(y: Any, p: Any, beta: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    return -beta * mp.log(p[list(y).index(1)]) - (1 - mp.mpf(beta)) * mp.log(max(p))


@each_position
def normalized(y: Any, p: Any, from_logits: bool = False) -> Any:
    """The logarithm of the true class's probability, to the base of the product of all."""
    p = shares_of(p, from_logits)
    return mp.log(p[list(y).index(1)], mp.fprod(p))


@each_position
def active_passive(y: Any, p: Any, alpha: float, beta: float, log_zero: float, from_logits: bool = False) -> Any:
    p = shares_of(p, from_logits)
    logs = [mp.mpf(0) if a == 1 else mp.mpf(log_zero) for a in y]
    return alpha * mp.log(p[list(y).index(1)], mp.fprod(p)) - beta * sum(a * b for a, b in zip(p, logs, strict=True))


def generalized_js(t: Any, p: Any, pi_1: float) -> Any:
    """The weighted divergences to the mean, over the paper's Z."""
    first, views = mp.mpf(pi_1), p.shape[2]
    values = []
    for label, predictions in zip(t, p, strict=True):
        weights = [first] + [(1 - first) / views] * views
        parts = [label, *predictions.T]
        middle = sum(w * q for w, q in zip(weights, parts, strict=True))
        values.append(sum(w * divergence(q, middle) for w, q in zip(weights, parts, strict=True)))
    return np.array(values) / (-(1 - first) * mp.log(1 - first))


@each_position
def forward_correction(y: Any, p: Any, transition: Any, from_logits: bool = False) -> Any:
    p, k = shares_of(p, from_logits), list(y).index(1)
    return -mp.log(sum(p[i] * transition[i][k] for i in range(len(p))))


@each_position
def backward_correction(y: Any, p: Any, inverse: Any, from_logits: bool = False) -> Any:
    losses = [-mp.log(x) for x in shares_of(p, from_logits)]
    return sum(a * b for a, b in zip(inverse[list(y).index(1)], losses, strict=True))


def of_columns(function: Oracle) -> Oracle:
    """The mean over positions; the function gets a label and the two columns of the predictions."""

    def oracle(t: Any, p: Any, /, **params: Any) -> Any:
        rows, labels = np.reshape(p, (len(p), -1, *p.shape[-2:])), np.reshape(t, (len(t), -1, t.shape[-1]))
        places = [zip(*sample, strict=True) for sample in zip(labels, rows, strict=True)]
        return np.array(
            [mean(np.array([function(list(y).index(1), *row.T, **params) for y, row in sample])) for sample in places]
        )

    return oracle


@of_columns
def elr(k: int, z: Any, average: Any, lambda_: float) -> Any:
    p = softmax(z)
    return -mp.log(p[k]) + lambda_ * mp.log(1 - sum(p * average))


@each_position
def label_relaxation(y: Any, p: Any, alpha: float, from_logits: bool = False) -> Any:
    """The nearest distribution of the set, and the divergence from it."""
    p, k, share = shares_of(p, from_logits), list(y).index(1), mp.mpf(alpha)
    if p[k] >= 1 - share:
        return mp.mpf(0)
    rest = sum(p[j] for j in range(len(p)) if j != k)
    return divergence(
        [1 - share if j == k else share * p[j] / rest for j in range(len(p))], [*p[:k], 1 - rest, *p[k + 1 :]]
    )


def label_relaxation_alone(t: Any, p: Any, **params: Any) -> Any:
    """Probabilities of the other classes do not enter, only their sum does, which is 1 - p."""
    return label_relaxation(
        t, np.where(t == 1, p, (1 - np.sum(t * p, axis=-1, keepdims=True)) / (p.shape[-1] - 1)), **params
    )


@each_position
def agce(y: Any, p: Any, a: float, q: float, from_logits: bool = False) -> Any:
    """The slope (a + u)**(q - 1) that the paper gives, added up from p to 1."""
    return mp.quad(lambda u: (a + u) ** (mp.mpf(q) - 1), [shares_of(p, from_logits)[y], 1])


@each_position
def unhinged(y: Any, p: Any, a: float, q: float, from_logits: bool = False) -> Any:
    return mp.quad(lambda u: (a - u) ** (mp.mpf(q) - 1), [shares_of(p, from_logits)[y], 1])


@each_position
def asymmetric_exponential(y: Any, p: Any, a: float, from_logits: bool = False) -> Any:
    return mp.e ** (-shares_of(p, from_logits)[y] / a)


@each_position
def logit_norm(y: Any, z: Any, temperature: float) -> Any:
    return -mp.log(softmax(z / mp.sqrt(sum(x * x for x in z)) / temperature)[y])


@each_position
def complementary(y: Any, p: Any, from_logits: bool = False) -> Any:
    return -mp.log(1 - shares_of(p, from_logits)[y])


@each_position
def deep_abstaining(y: Any, z: Any, alpha: float) -> Any:
    p = softmax(z)
    return -(1 - p[-1]) * mp.log(p[y] / (1 - p[-1])) + alpha * mp.log(1 / (1 - p[-1]))


@each_position
def gamblers(y: Any, p: Any, reward: float) -> Any:
    return -mp.log(p[y] + p[-1] / mp.mpf(reward))


@each_position
def squentropy(y: Any, z: Any) -> Any:
    k = list(y).index(1)
    return -mp.log(softmax(z)[k]) + sum(z[j] ** 2 for j in range(len(z)) if j != k) / (len(z) - 1)


# -- teachers and passes


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


COUNTS = [50, 8, 3, 21]
SHARES = [0.5, 0.1, 0.05, 0.35]
WEIGHTS = [0.5, 2.0, 1.25, 3.0]
NOISE = [[0.7, 0.1, 0.15, 0.05], [0.2, 0.6, 0.1, 0.1], [0.05, 0.15, 0.8, 0.0], [0.1, 0.0, 0.3, 0.6]]
UNNOISE = [[1.5, -0.25, -0.3, 0.05], [-0.5, 1.75, -0.15, -0.1], [0.0, -0.3, 1.3, 0.0], [-0.2, 0.1, -0.7, 1.8]]
BALANCED = {"counts": COUNTS, "total": 60.0, "alpha": 0.2, "beta": 4.0, "mu": 0.4, "kappa": 0.3, "lambda_": 1.7}

CASES = [
    case("binary_crossentropy", binary_crossentropy, bits, label_smoothing=0.2),
    case("binary_crossentropy", binary_crossentropy, bits_logits, from_logits=True, label_smoothing=0.3),
    case("binary_focal_crossentropy", binary_focal, bits, gamma=1.5, label_smoothing=0.1),
    case(
        "binary_focal_crossentropy", binary_focal, bits_logits, apply_class_balancing=True, alpha=0.3, from_logits=True
    ),
    case("categorical_crossentropy", categorical_crossentropy, hot, label_smoothing=0.2),
    case("categorical_crossentropy", categorical_crossentropy, one_hot_logits, from_logits=True),
    case("categorical_crossentropy", categorical_crossentropy, samples.positive),
    case("categorical_focal_crossentropy", categorical_focal, hot, alpha=0.3, gamma=1.5, label_smoothing=0.1),
    case(
        "categorical_focal_crossentropy", categorical_focal, one_hot_logits, alpha=WEIGHTS, gamma=1.5, from_logits=True
    ),
    case("categorical_generalized_cross_entropy", generalized_crossentropy, classes, q=0.7),
    case("categorical_hinge", categorical_hinge, one_hot_logits),
    case("hinge", hinge, signs),
    case("hinge", hinge, bits_logits),
    case("squared_hinge", squared_hinge, signs),
    case("squared_hinge", squared_hinge, bits_logits),
    case("sparse_categorical_crossentropy", sparse_crossentropy, classes),
    case("sparse_categorical_crossentropy", sparse_crossentropy, classes_logits, from_logits=True),
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
    case("multilabel_categorical_crossentropy", zlpr, bits_logits),
    case("multilabel_categorical_crossentropy", zlpr, soft_logits),
    case("hard_truncated_crossentropy", hard_truncated, bits, margin=0.7),
    case("hard_truncated_crossentropy", hard_truncated, bits_logits, margin=0.8, from_logits=True),
    case("soft_truncated_crossentropy", soft_truncated, bits_logits, K=1.7),
    case("asymmetric", asymmetric, bits, gamma_neg=3.0, gamma_pos=1.5, clip_at=0.1),
    case("asymmetric", asymmetric, bits_logits, gamma_neg=2.0, gamma_pos=0.5, clip_at=0.2, from_logits=True),
    case("weighted_binary_crossentropy", weighted_binary, bits, pos_weight=2.5),
    case("weighted_binary_crossentropy", weighted_binary, bits_logits, pos_weight=0.3, from_logits=True),
    case("weighted_binary_crossentropy", weighted_binary_by_class, bits_logits, pos_weight=WEIGHTS, from_logits=True),
    case("equalization", equalization, background, rare=[0, 1, 1, 0]),
    case("distribution_balanced", distribution_balanced, wide_positives, **BALANCED),
    case("logit_adjustment", logit_adjustment, one_hot_logits, prior=SHARES, tau=1.5),
    case("balanced_softmax", lambda t, z, counts: logit_adjustment(t, z, prior=counts), one_hot_logits, counts=COUNTS),
    case(
        "vector_scaling",
        vector_scaling,
        one_hot_logits,
        delta=[0.9, 0.5, 1.2, 0.7],
        iota=[0.3, -1.0, 0.5, -0.2],
        weight=WEIGHTS,
    ),
    case("ldam", ldam, one_hot_logits, counts=COUNTS, max_margin=0.7, scale=2.5),
    case("class_balanced", class_balanced, one_hot_logits, counts=COUNTS, beta=0.9),
    case("weighted_categorical_crossentropy", weighted_categorical, hot, weight=WEIGHTS),
    case("weighted_categorical_crossentropy", weighted_categorical, one_hot_logits, weight=WEIGHTS, from_logits=True),
    case("ghm_c", ghm_c, single, bins=5),
    case("self_adjusting_dice", self_adjusting_dice, bits, alpha=0.7, smooth=0.4),
    case("poly1_crossentropy", poly1, hot, weight=2.5),
    case("poly1_focal", poly1_focal, bits, weight=2.5, gamma=1.5),
    case("poly1_focal", poly1_focal, bits_logits, weight=-0.5, gamma=3.0, from_logits=True),
    case("soft_crossentropy", soft_crossentropy, hot, smoothing=0.2),
    case("symmetric_crossentropy", symmetric, hot, alpha=0.2, beta=0.7, log_zero=-3.0),
    case("confidence_penalty", confidence_penalty, hot, beta=0.3),
    case("confidence_penalty", confidence_penalty, one_hot_logits, beta=0.3, from_logits=True),
    case("entropy_minimisation", entropy_minimisation, hot),
    case("entropy_minimisation", entropy_minimisation, one_hot_logits, from_logits=True),
    case("asymmetric_generalized_crossentropy", agce, classes, a=0.6, q=0.7),
    case("asymmetric_generalized_crossentropy", agce, classes_logits, a=2.0, q=2.5, from_logits=True),
    case("asymmetric_unhinged", unhinged, classes, a=1.7, q=1.5),
    case("asymmetric_unhinged", unhinged, classes_logits, a=3.0, q=0.6, from_logits=True),
    case("asymmetric_exponential", asymmetric_exponential, classes, a=0.7),
    case("asymmetric_exponential", asymmetric_exponential, classes_logits, a=1.7, from_logits=True),
    case("logit_norm", logit_norm, classes_logits, temperature=0.3),
    case("soft_ordinal", soft_ordinal, classes, scale=0.7, power=1.5),
    case("soft_ordinal", soft_ordinal, classes_logits, scale=1.3, power=2.0, from_logits=True),
    case("mean_variance", mean_variance, classes_logits, lambda_1=0.7, lambda_2=0.3),
    case("fixmatch", fixmatch, taught, threshold=0.7),
    case("maximum_squares", maximum_squares, hot),
    case("maximum_squares", maximum_squares, one_hot_logits, from_logits=True),
    case("z_loss", z_loss, one_hot_logits),
    case("soft_f1", f1, with_positives),
    case("sigmoid_f1", sigmoid_f1, with_positive_logits, beta=1.7, eta=-0.4),
    case("soft_mcc", soft_mcc, bits),
    case("aucm", aucm, bits_logits, margin=0.8),
    case("aucm", aucm, bits_logits, margin=8.0),
    case("nnpu", nnpu, bits_logits, prior=0.3),
    case("nnpu", nnpu, bits_logits, prior=0.95, beta=0.01),
    case("ohem", ohem, many_samples, keep=0.5),
    case("ohem", ohem, many_samples, keep=0.1),
    case("top_k_crossentropy", top_k, many_positions, k=2),
    case("co_teaching", co_teaching, two_networks, keep=0.6),
    case("coral_ordinal", coral, ordinal, importance=WEIGHTS),
    case("corn_ordinal", corn, ordinal),
    case("weighted_kappa", kappa, graded, power=2.0),
    case("weighted_kappa", kappa, graded, power=1.5),
    case("ordinal_log_loss", ordinal_log_loss, classes, alpha=1.5),
    case("ordinal_log_loss", ordinal_log_loss, classes_logits, alpha=2.0, from_logits=True),
    case("cumulative_link", cumulative_link, rising),
    case("sparsemax", sparsemax, one_hot_logits),
    case("sparsemax", sparsemax, soft_logits),
    case("entmax15", entmax15, one_hot_logits),
    case("entmax15", entmax15, soft_logits),
    case("bi_tempered_logistic", bi_tempered, one_hot_logits, t1=0.7, t2=1.3),
    case("bi_tempered_logistic", bi_tempered, one_hot_logits, t1=0.2, t2=4.0),
    case("bi_tempered_logistic", bi_tempered, soft_logits, t1=0.5, t2=2.0),
    case("taylor_crossentropy", taylor, hot, order=3),
    case("taylor_crossentropy", taylor, one_hot_logits, order=6, from_logits=True),
    case("bootstrap_soft", bootstrap_soft, hot, beta=0.7),
    case("bootstrap_soft", bootstrap_soft, one_hot_logits, beta=0.6, from_logits=True),
    case("bootstrap_hard", bootstrap_hard, hot, beta=0.7),
    case("bootstrap_hard", bootstrap_hard, one_hot_logits, beta=0.6, from_logits=True),
    case("normalized_crossentropy", normalized, hot),
    case("normalized_crossentropy", normalized, one_hot_logits, from_logits=True),
    case("active_passive", active_passive, hot, alpha=1.5, beta=0.7, log_zero=-3.0),
    case("active_passive", active_passive, one_hot_logits, alpha=0.5, beta=1.2, log_zero=-5.0, from_logits=True),
    case("generalized_jensen_shannon", generalized_js, two_views, pi_1=0.3),
    case("forward_correction", forward_correction, hot, transition=NOISE),
    case("forward_correction", forward_correction, one_hot_logits, transition=NOISE, from_logits=True),
    case("backward_correction", backward_correction, hot, inverse=UNNOISE),
    case("backward_correction", backward_correction, one_hot_logits, inverse=UNNOISE, from_logits=True),
    case("elr", elr, remembered, lambda_=1.7),
    case("label_relaxation", label_relaxation_alone, hot, alpha=0.25),
    case("label_relaxation", label_relaxation, one_hot_logits, alpha=0.25, from_logits=True),
    case("complementary_crossentropy", complementary, classes),
    case("complementary_crossentropy", complementary, classes_logits, from_logits=True),
    case("deep_abstaining", deep_abstaining, classes_logits, alpha=0.4),
    case("gamblers", gamblers, classes, reward=2.6),
    case("squentropy", squentropy, one_hot_logits),
    case("knowledge_distillation", distillation, taught, temperature=3.0, alpha=0.7),
    case("decoupled_distillation", decoupled, taught, temperature=2.0, alpha=0.5, beta=3.0),
    case("r_drop", r_drop, taught, alpha=1.5),
]


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


def symmetric_over_classes(name: str, bound: float, **params: Any) -> Claim:
    """The losses of one prediction under all labels add up to a constant: what makes a loss robust to noise."""

    def holds() -> bool:
        p = hot()[1]
        return same(sum(loss(name, np.tile(np.eye(4)[k], (3, 1)), p, **params) for k in range(4)), bound)

    return claim(name, "the losses under all labels add up to a constant", holds)


def unbiased() -> bool:
    """Backward correction: the expectation under noisy labels is the clean loss."""
    t, p = hot()
    inverse = np.linalg.inv(NOISE).tolist()
    noisy = [loss("backward_correction", np.tile(np.eye(4)[j], (3, 1)), p, inverse=inverse) for j in range(4)]
    expected = sum((t @ np.array(NOISE))[:, j] * noisy[j] for j in range(4))
    return same(expected, loss("categorical_crossentropy", t, p))


def consistent() -> bool:
    """Forward correction is least where the clean probabilities are predicted, though labels are noisy."""
    clean = np.array([[0.1, 0.5, 0.15, 0.25]])
    labels = clean @ np.array(NOISE)
    here = loss("forward_correction", labels, clean, transition=NOISE)
    moves = [[0.01, -0.01, 0, 0], [0, 0.01, -0.01, 0], [-0.01, 0, 0, 0.01], [0, -0.02, 0.01, 0.01]]
    return all(loss("forward_correction", labels, clean + np.array(m), transition=NOISE) > here for m in moves)


def odds_of_prior() -> bool:
    """Logit adjustment at a constant model is least where nothing is left to learn: logits all equal."""
    z = np.zeros((1, 4))
    return all(abs(slope("logit_adjustment", np.array([SHARES]), z, (0, k), prior=SHARES)) < 1e-6 for k in range(4))


def at_half_the_log_odds() -> bool:
    """With shares for labels, ZLPR is least where 2 * logit is the log-odds."""
    t = shares()[0]
    z = np.log(t / (1 - t)) / 2
    return all(abs(slope("multilabel_categorical_crossentropy", t, z, (0, k))) < 1e-6 for k in range(4))


def smooth_at(name: str, margin: float) -> Claim:
    """Value and slope go on where the pieces meet."""

    def holds() -> bool:
        t = np.ones((1, 1))
        left, right_ = (loss(name, t, np.array([[margin + way]])) for way in (-1e-7, 1e-7))
        slopes = [slope(name, t, np.array([[margin + way]]), (0, 0)) for way in (-2e-5, 2e-5)]
        return same(left, right_, 1e-5) and abs(slopes[0] - slopes[1]) < 1e-3

    return claim(name, f"smooth at {margin}", holds)


def perfect(name: str) -> Claim:
    t = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])
    return claim(name, "0 where perfect", lambda: same(loss(name, t, t), 0, 1e-6))


def sparse() -> bool:
    """Sparsemax' margin: nothing is lost where the true class leads by 1."""
    t, z = np.eye(3)[[1]], np.array([[0.5, 1.5, -2.0]])
    return same(loss("sparsemax", t, z), 0) and loss("sparsemax", t, z - [[0, 0.01, 0]])[0] > 0


def kept_out() -> bool:
    """A rare class gets no slope from the sample of another class, and one from the background."""
    t, z = np.array([[1.0, 0, 0]]), np.array([[0.3, -0.2, 0.8]])
    quiet = abs(slope("equalization", t, z, (0, 1), rare=[0, 1, 0])) < 1e-9
    return quiet and slope("equalization", 0 * t, z, (0, 1), rare=[0, 1, 0]) > 0.1


def equal_parts() -> bool:
    """All bins that are filled weigh the same in the gradient's norm: samples of one bin share what one alone has."""
    t, z = np.zeros((4, 1)), np.array([[-1.0], [-1.0], [-1.0], [2.0]])
    values = loss("ghm_c", t, z, bins=4)
    alone = np.logaddexp(0, z[:, 0])
    return same(values * 4 / alone, [4 / 3, 4 / 3, 4 / 3, 4])


def saturated() -> bool:
    """A gradient of length 1 falls into the last bin, with those just below."""
    z = np.array([[50.0], [3.0]])
    return same(loss("ghm_c", 0 * z, z, bins=4), z[:, 0] / 4, 0.02)


def as_ranked() -> bool:
    """A cutoff between sorted logits gives the classes' probabilities, which add up to 1."""
    z = np.array([[-1.0, 0.5, 2.0]])
    chances = [np.exp(-loss("cumulative_link", np.array([k]), z)) for k in range(4)]
    return same(sum(chances), 1)


def answers() -> bool:
    """The binary questions answer one by one: without the others' samples."""
    return same(
        loss("corn_ordinal", np.array([0]), np.array([[1.0, 5, 5]])),
        loss("binary_crossentropy", [[0.0]], [[1.0]], from_logits=True),
    )


def chance_level() -> bool:
    """A prediction that knows nothing has kappa 0: the loss is log(1)."""
    t, _ = graded()
    return same(loss("weighted_kappa", t, np.tile([[0.1, 0.4, 0.2, 0.3]], (5, 1))), 0)


def declined() -> bool:
    """Where nothing is declined, it is cross-entropy among the classes."""
    t, z = classes_logits()
    wide = np.concatenate([z, np.full((3, 1), -60.0)], axis=-1)
    return same(
        loss("deep_abstaining", t, wide, alpha=0.7), loss("sparse_categorical_crossentropy", t, z, from_logits=True)
    )


def among_others() -> bool:
    """Decoupled distillation with beta = share of the teacher's others, is distillation."""
    t, p = np.eye(4)[[2]], np.random.default_rng(5).normal(size=(1, 4, 2))
    teacher = np.exp(p[0, :, 1] / 4) / np.sum(np.exp(p[0, :, 1] / 4))
    parts = loss("decoupled_distillation", t, p, alpha=1.0, beta=float(1 - teacher[2]))
    return same(parts, loss("knowledge_distillation", t, p, alpha=1.0))


def best_for_batch() -> bool:
    """Scores two levels apart by the margin lose nothing."""
    t = np.array([[1.0], [1], [0], [0], [0]])
    return same(loss("aucm", t, 0.7 * t - 3, margin=0.7), 0)


def one_view() -> bool:
    t, p = shares()
    return same(loss("generalized_jensen_shannon", t, p[..., None]), loss("jensen_shannon", t, p) / (0.5 * np.log(2)))


def all_of_them() -> bool:
    t, z = many_samples()
    return same(loss("ohem", t, z, keep=1.0), np.mean(loss("sparse_categorical_crossentropy", t, z, from_logits=True)))


def all_positions() -> bool:
    t, z = many_positions()
    return same(loss("top_k_crossentropy", t, z, k=5), loss("sparse_categorical_crossentropy", t, z, from_logits=True))


def both_keep_all() -> bool:
    t, z = two_networks()
    each = [np.mean(loss("categorical_crossentropy", t, z[..., net], from_logits=True)) for net in (0, 1)]
    return same(loss("co_teaching", t, z, keep=1.0), sum(each))


def no_less_than_positives() -> bool:
    """The estimate of what the unlabelled lose does not go below 0."""
    t = np.array([[1.0], [1], [0]])
    z = np.array([[-2.0], [3], [-9]])
    return loss("nnpu", t, z, prior=0.9)[0] == np.float64(0.9 * np.mean(1 / (1 + np.exp([-2.0, 3.0]))))


CROSS = "categorical_crossentropy(y_true, y_pred)"
CROSS_LOGITS = "categorical_crossentropy(y_true, y_pred, from_logits=True)"
BINARY = "binary_crossentropy(y_true, y_pred)"
BINARY_LOGITS = "binary_crossentropy(y_true, y_pred, from_logits=True)"
MISS = "y_true: label[batch]\n1 - take_along_axis(y_pred, y_true)"
SPARSE_LOGITS = "sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)"
FIRST_COLUMN = (
    "y_true: float[batch, classes]\ny_pred: float[batch, classes, 2]\n"
    "-sum(y_true * log_softmax(y_pred[..., 0], axis=classes), axis=classes)"
)
BIT = [[1.0, 0.0]]

CLAIMS = [
    zero_at_truth("binary_crossentropy", bits),
    zero_at_truth("categorical_crossentropy", hot),
    right("binary_crossentropy", bits, 40.0, from_logits=True),
    right("categorical_crossentropy", hot, 40.0, from_logits=True),
    shifted("categorical_crossentropy", one_hot_logits, from_logits=True),
    shifted("sparse_categorical_crossentropy", classes_logits, from_logits=True),
    convex("binary_crossentropy", bits_logits, from_logits=True),
    equals("binary_focal_crossentropy", BINARY, bits, gamma=0.0),
    equals("categorical_focal_crossentropy", CROSS, hot, alpha=1.0, gamma=0.0),
    equals(
        "categorical_generalized_cross_entropy",
        "sparse_categorical_crossentropy(y_true, y_pred)",
        classes,
        rtol=1e-4,
        q=1e-6,
    ),
    equals(
        "categorical_generalized_cross_entropy",
        "y_true: label[batch]\n1 - take_along_axis(y_pred, y_true)",
        classes,
        q=1.0,
    ),
    between("categorical_generalized_cross_entropy", classes, 0, 1 / 0.7, q=0.7),
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
    right("multilabel_categorical_crossentropy", bits, 40.0),
    equals(
        "multilabel_categorical_crossentropy",
        "softplus(y_pred[..., 0] - 2 * y_true[..., 0] * y_pred[..., 0])",
        lambda: tuple(x[:, :1] for x in bits_logits()),
    ),
    claim("multilabel_categorical_crossentropy", "shares are met at half the log-odds", at_half_the_log_odds),
    claim(
        "hard_truncated_crossentropy",
        "0 where right by the margin",
        lambda: same(loss("hard_truncated_crossentropy", BIT, [[0.61, 0.39]]), 0),
    ),
    equals("hard_truncated_crossentropy", BINARY, bits, margin=1.0),
    equals(
        "soft_truncated_crossentropy", "0.5 * binary_crossentropy(y_true, y_pred, from_logits=True)", bits_logits, K=0.0
    ),
    equals(
        "soft_truncated_crossentropy",
        "binary_focal_crossentropy(y_true, y_pred, gamma=1, from_logits=True)",
        bits_logits,
        K=1.0,
    ),
    equals(
        "soft_truncated_crossentropy",
        "hard_truncated_crossentropy(y_true, y_pred, margin=0.5, from_logits=True)",
        bits_logits,
        K=500.0,
    ),
    equals("asymmetric", "4 * binary_crossentropy(y_true, y_pred)", bits, gamma_neg=0.0, gamma_pos=0.0, clip_at=0.0),
    equals(
        "asymmetric",
        "4 * binary_focal_crossentropy(y_true, y_pred, gamma=1.5)",
        bits,
        gamma_neg=1.5,
        gamma_pos=1.5,
        clip_at=0.0,
    ),
    claim(
        "asymmetric",
        "what is absent below the shift costs nothing",
        lambda: same(loss("asymmetric", [[0.0]], [[0.04]]), 0),
    ),
    equals("weighted_binary_crossentropy", BINARY, bits),
    equals("weighted_categorical_crossentropy", CROSS, hot),
    equals("equalization", "4 * binary_crossentropy(y_true, y_pred, from_logits=True)", background),
    claim("equalization", "rare classes are not pushed down by others", kept_out),
    equals("distribution_balanced", BINARY_LOGITS, bits_logits, alpha=0.5, beta=0.0, kappa=0.0, lambda_=1.0),
    equals("logit_adjustment", CROSS_LOGITS, one_hot_logits, prior=SHARES, tau=0.0),
    claim("logit_adjustment", "labels as common as the prior leave nothing to learn", odds_of_prior),
    equals("balanced_softmax", "logit_adjustment(y_true, y_pred, prior=[50, 8, 3, 21])", one_hot_logits, counts=COUNTS),
    equals(
        "vector_scaling",
        "logit_adjustment(y_true, y_pred, prior=[0.5, 0.1, 0.05, 0.35])",
        one_hot_logits,
        iota=np.log(SHARES).tolist(),
    ),
    equals("ldam", CROSS_LOGITS, one_hot_logits, counts=COUNTS, max_margin=0.0, scale=1.0),
    equals("class_balanced", CROSS_LOGITS, one_hot_logits, counts=COUNTS, beta=0.0),
    shifted("class_balanced", one_hot_logits, counts=COUNTS),
    claim("ghm_c", "samples of a bin share its weight", equal_parts),
    claim("ghm_c", "the last bin holds its upper end", saturated),
    in_another_order("ghm_c", single, bins=5),
    between("self_adjusting_dice", bits, 0, 1, alpha=0.7, smooth=0.4),
    equals("poly1_crossentropy", CROSS, hot, weight=0.0),
    equals("poly1_focal", "binary_focal_crossentropy(y_true, y_pred, gamma=1.5)", bits, weight=0.0, gamma=1.5),
    equals("poly1_focal", BINARY, bits, weight=0.0, gamma=0.0),
    equals("soft_crossentropy", "categorical_crossentropy(y_true, y_pred, label_smoothing=0.2)", hot, smoothing=0.2),
    equals("symmetric_crossentropy", CROSS, hot, alpha=1.0, beta=0.0),
    symmetric_over_classes("symmetric_crossentropy", 12.0, alpha=0.0, beta=1.0),
    symmetric_over_classes("normalized_crossentropy", 1.0),
    symmetric_over_classes("active_passive", 1.0 + 3 * 4.0),
    symmetric_over_classes("taylor_crossentropy", 3.0, order=1),
    equals("confidence_penalty", CROSS, hot, beta=0.0),
    between("entropy_minimisation", hot, 0, np.log(4)),
    claim("entropy_minimisation", "0 where sure", lambda: same(loss("entropy_minimisation", None, np.eye(4)), 0)),
    claim("z_loss", "0 where the exponentials add up to 1", lambda: same(loss("z_loss", None, np.log(hot()[1])), 0)),
    perfect("soft_f1"),
    perfect("soft_mcc"),
    between("soft_f1", with_positives, 0, 1),
    between("soft_mcc", bits, 0, 2),
    in_another_order("soft_f1", with_positives),
    unchanged("soft_mcc", "ones and zeros exchanged", bits, lambda t, p: (1 - t, 1 - p)),
    equals("sigmoid_f1", "soft_f1(y_true, sigmoid(y_pred))", with_positive_logits),
    claim("aucm", "0 where two levels lie a margin apart", best_for_batch),
    unchanged("aucm", "a number added to all scores", bits_logits, lambda t, z: (t, z + 1.5)),
    claim("nnpu", "what the unlabelled lose is not below 0", no_less_than_positives),
    claim("ohem", "cross-entropy where all are kept", all_of_them),
    claim("top_k_crossentropy", "cross-entropy where all are kept", all_positions),
    claim("co_teaching", "both cross-entropies where all are kept", both_keep_all),
    equals(
        "coral_ordinal",
        "y_true: label[batch]\n4 * binary_crossentropy(y_true > index(y_pred), y_pred, from_logits=True)",
        ordinal,
    ),
    claim("corn_ordinal", "a sample of class 0 has one question", answers),
    claim("weighted_kappa", "0 by chance", chance_level),
    ordered("ordinal_log_loss", "farther is worse", [0], [[0.6, 0.4, 0]], [[0.6, 0, 0.4]], alpha=1.0),
    ordered(
        "weighted_kappa", "farther is worse", [0, 2], [[0.6, 0.4, 0], [0, 0.4, 0.6]], [[0.6, 0, 0.4], [0.4, 0, 0.6]]
    ),
    claim("cumulative_link", "the classes' probabilities add up to 1", as_ranked),
    claim("sparsemax", "0 where the true class leads by 1", sparse),
    *(shifted(name, one_hot_logits) for name in ("sparsemax", "entmax15", "bi_tempered_logistic")),
    *(convex(name, one_hot_logits) for name in ("sparsemax", "entmax15")),
    claim(
        "entmax15",
        "0 where the true class leads by 2",
        lambda: same(loss("entmax15", np.eye(3)[[1]], np.array([[0.5, 2.5, -1]])), 0),
    ),
    equals("bi_tempered_logistic", CROSS_LOGITS, one_hot_logits, rtol=0.15, t1=0.99999, t2=1.01),
    between("bi_tempered_logistic", one_hot_logits, 0, 1 / (1 - 0.4), t1=0.4, t2=1.5),
    equals("taylor_crossentropy", "1 - sum(y_true * y_pred)", hot, order=1),
    ordered("taylor_crossentropy", "below cross-entropy", [[1.0, 0]], [[0.9, 0.1]], [[0.5, 0.5]]),
    equals("bootstrap_soft", CROSS, hot, beta=1.0),
    equals("bootstrap_soft", "entropy_minimisation(y_pred)", hot, beta=0.0),
    equals("bootstrap_hard", CROSS, hot, beta=1.0),
    equals("bootstrap_hard", "-log(max(y_pred))", hot, beta=0.0),
    between("normalized_crossentropy", hot, 0, 1),
    between(
        "generalized_jensen_shannon",
        two_views,
        0,
        (0.3 * np.log(0.3) + 0.7 * np.log(0.35)) / (0.7 * np.log(0.7)),
        pi_1=0.3,
    ),
    claim(
        "generalized_jensen_shannon",
        "0 where all agree",
        lambda: same(loss("generalized_jensen_shannon", np.eye(3), np.repeat(np.eye(3)[..., None], 2, -1)), 0),
    ),
    claim("generalized_jensen_shannon", "the scaled Jensen-Shannon divergence of one view", one_view),
    claim("forward_correction", "least at the clean probabilities", consistent),
    equals("forward_correction", CROSS, hot, transition=np.eye(4).tolist()),
    claim("backward_correction", "its expectation is the clean loss", unbiased),
    equals("elr", FIRST_COLUMN, remembered, lambda_=0.0),
    claim("label_relaxation", "0 from 1 - alpha on", lambda: same(loss("label_relaxation", BIT, [[0.91, 0.09]]), 0)),
    equals("label_relaxation", CROSS, hot, rtol=1e-3, alpha=1e-6),
    claim(
        "complementary_crossentropy",
        "0 where it is ruled out",
        lambda: same(loss("complementary_crossentropy", [0], [[0.0, 1.0]]), 0),
    ),
    equals("asymmetric_generalized_crossentropy", MISS, classes, a=0.3, q=1.0),
    equals(
        "asymmetric_generalized_crossentropy",
        "categorical_generalized_cross_entropy(y_true, y_pred, q=0.4)",
        classes,
        rtol=1e-4,
        a=1e-7,
        q=0.4,
    ),
    equals("asymmetric_unhinged", MISS, classes, a=1.3, q=1.0),
    between("asymmetric_exponential", classes, np.exp(-1 / 0.7), 1, a=0.7),
    unchanged("logit_norm", "longer logits", classes_logits, lambda t, z: (t, 3.7 * z), temperature=0.3),
    equals("soft_ordinal", "sparse_categorical_crossentropy(y_true, y_pred)", classes, scale=60.0),
    equals("soft_ordinal", "y_true: label[batch]\n-mean(log(y_pred))", classes, scale=0.0),
    ordered("soft_ordinal", "farther is worse", [0], [[0.6, 0.3, 0.1]], [[0.6, 0.1, 0.3]]),
    equals("mean_variance", SPARSE_LOGITS, classes_logits, lambda_1=0.0, lambda_2=0.0),
    ordered("mean_variance", "farther is worse", [0], [[2.0, 1, -1]], [[2.0, -1, 1]]),
    claim("fixmatch", "nothing learned where unsure", lambda: same(loss("fixmatch", None, taught()[1] / 99), 0)),
    unchanged("fixmatch", "a surer mild view", lambda: (None, 99 * taught()[1]), lambda t, p: (t, p * [2, 1])),
    between("maximum_squares", hot, -0.5, -1 / 8),
    claim("deep_abstaining", "cross-entropy where it answers", declined),
    equals(
        "gamblers",
        "-log(take_along_axis(y_pred, y_true))",
        lambda: (np.array([0, 1, 2]), np.pad(classes()[1], ((0, 0), (0, 1)))),
        reward=2.6,
    ),
    equals("squentropy", CROSS_LOGITS + " + sum((1 - y_true) * y_pred**2) / 3", one_hot_logits),
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

TORCH = [
    (
        "multi_margin",
        lambda torch, t, p: torch.nn.functional.multi_margin_loss(p, t, p=2, margin=0.7, reduction="none"),
        classes_logits,
        {"p": 2, "margin": 0.7},
    ),
    (
        "multi_margin",
        lambda torch, t, p: torch.nn.functional.multi_margin_loss(p, t, reduction="none"),
        classes_logits,
        {},
    ),
    (
        "multilabel_margin",
        lambda torch, t, p: torch.nn.functional.multilabel_margin_loss(
            p, torch.tensor([[*np.flatnonzero(row), *[-1] * int(4 - row.sum())] for row in t.numpy()]), reduction="none"
        ),
        bits_logits,
        {},
    ),
    ("logistic", lambda torch, t, p: torch.nn.functional.soft_margin_loss(p, t, reduction="none").mean(-1), signs, {}),
    (
        "binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy(p, t, reduction="none").mean(-1),
        bits,
        {},
    ),
    (
        "binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.multilabel_soft_margin_loss(p, t, reduction="none"),
        bits_logits,
        {"from_logits": True},
    ),
    (
        "weighted_binary_crossentropy",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy_with_logits(
            p, t, pos_weight=torch.tensor(WEIGHTS), reduction="none"
        ).mean(-1),
        bits_logits,
        {"from_logits": True, "pos_weight": WEIGHTS},
    ),
    (
        "weighted_categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(
            p, t.argmax(-1), weight=torch.tensor(WEIGHTS, dtype=p.dtype), reduction="none"
        ),
        one_hot_logits,
        {"from_logits": True, "weight": WEIGHTS},
    ),
    (
        "categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(p, t, label_smoothing=0.2, reduction="none"),
        one_hot_logits,
        {"from_logits": True, "label_smoothing": 0.2},
    ),
    (
        "sparse_categorical_crossentropy",
        lambda torch, t, p: torch.nn.functional.cross_entropy(p, t, reduction="none"),
        classes_logits,
        {"from_logits": True},
    ),
]
"""Losses that PyTorch has: its values, one per sample."""
