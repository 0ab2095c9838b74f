"""Oracles and claims for classes: what is computed over the batch, or over those that are chosen from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import samples
from case import Claim, between, case, equals, loss, unchanged
from classification_shared import claim, in_another_order, same
from mpmath import mp
from plain import exp, mean, sigmoid, softmax
from samples import bits, bits_logits

# -- data


def two_networks() -> samples.Pair:
    random = np.random.default_rng(25)
    return np.eye(4)[random.integers(0, 4, size=7)], 2 * random.normal(size=(7, 4, 2))


def many_positions() -> samples.Pair:
    random = np.random.default_rng(29)
    return random.integers(0, 4, size=(3, 5)), 2 * random.normal(size=(3, 5, 4))


def many_samples() -> samples.Pair:
    random = np.random.default_rng(30)
    return random.integers(0, 4, size=9), 2 * random.normal(size=(9, 4))


def with_positives(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = bits(positions)
    t[0], t[1] = 1.0, 0.0
    return t, p


def with_positive_logits(positions: tuple[int, ...] = ()) -> samples.Pair:
    t, p = bits_logits(positions)
    t[0], t[1] = 1.0, 0.0
    return t, p


# -- oracles


def f1(t: Any, p: Any) -> Any:
    """1 - the harmonic mean of precision and recall, output by output."""
    t, p = np.reshape(t, (len(t), -1)), np.reshape(p, (len(p), -1))
    scores = []
    for k in range(t.shape[1]):
        hits = sum(t[:, k] * p[:, k])
        precision, recall = hits / sum(p[:, k]), hits / sum(t[:, k])
        scores.append(0 * hits if hits == 0 else 2 * precision * recall / (precision + recall))
    return 1 - sum(scores) / len(scores)


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


CASES = [
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
]

# -- claims


def perfect(name: str) -> Claim:
    t = np.array([[1.0, 0], [0, 1], [1, 1], [0, 0]])
    return claim(name, "0 where perfect", lambda: same(loss(name, t, t), 0, 1e-6))


def best_for_batch() -> bool:
    """Scores two levels apart by the margin lose nothing."""
    t = np.array([[1.0], [1], [0], [0], [0]])
    return same(loss("aucm", t, 0.7 * t - 3, margin=0.7), 0)


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


CLAIMS = [
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
]
