"""Oracles and claims of the family: lists, and pairs of what should come first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
from case import Claim, between, case, convex, equals, loss, ordered, unchanged, zero_at_truth
from mpmath import mp
from plain import mean, relu, sigmoid, softmax

# -- data --------------------------------------------------------------------------------------------------


def graded(positions: tuple[int, ...] = ()) -> Any:
    """Relevance from 0 to 3 with ties, and scores."""
    random = np.random.default_rng(41)
    shape = (3, *positions, 5)
    return random.integers(0, 4, size=shape) * 1.0, random.normal(size=shape)


def matches(positions: tuple[int, ...] = ()) -> Any:
    """1 for what matters: one item, two, and three."""
    random = np.random.default_rng(42)
    rows = np.array([[0, 1, 0, 0, 0], [1, 0, 0, 1, 0], [0, 1, 1, 0, 1]]) * 1.0
    shape = (3, *positions, 5)
    return np.broadcast_to(rows.reshape(3, *(1 for _ in positions), 5), shape).copy(), random.normal(size=shape)


def signed_pairs(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(43)
    return random.choice([-1.0, 1.0], size=(4, *positions)) if positions else random.choice(
        [-1.0, 1.0], size=(4, 1)
    ), random.normal(size=(4, *(positions or (1,)), 2))


def pairs_alone(positions: tuple[int, ...] = ()) -> Any:
    return None, np.random.default_rng(44).normal(size=(4, *positions, 2))


def first_and_others(positions: tuple[int, ...] = ()) -> Any:
    return None, np.random.default_rng(45).normal(size=(4, *positions, 5))


def first_and_other_cosines() -> Any:
    return None, np.random.default_rng(46).uniform(-0.9, 0.9, size=(4, 5))


# -- oracles -----------------------------------------------------------------------------------------------


def lists(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for one list, as the mean over the lists of each sample."""

    def oracle(y_true: Any, y_pred: Any, /, **params: Any) -> Any:
        rows = y_pred.reshape(len(y_pred), -1, y_pred.shape[-1])
        true = [[None] * rows.shape[1]] * len(rows) if y_true is None else y_true.reshape(rows.shape)
        return np.array(
            [
                sum(function(a, b, **params) for a, b in zip(x, y, strict=True)) / len(y)
                for x, y in zip(true, rows, strict=True)
            ]
        )

    return oracle


def ordered_pairs(t: Any) -> list[tuple[int, int]]:
    return [(i, j) for i in range(len(t)) for j in range(len(t)) if t[i] > t[j]]


def pairwise(cost: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of a cost of s_i - s_j over the pairs where i should come before j."""
    return lists(lambda t, p, **params: sum((cost(p[i] - p[j], **params) for i, j in ordered_pairs(t)), mp.mpf(0)))


def pairwise_mse(t: Any, p: Any) -> Any:
    return sum(((p[i] - p[j]) - (t[i] - t[j])) ** 2 for i in range(len(t)) for j in range(len(t)) if i != j)


def margin_ranking(t: Any, p: Any, margin: float) -> Any:
    lead = np.where(t == 1, p[..., 0] - p[..., 1], p[..., 1] - p[..., 0])
    return mean(relu(margin - lead).reshape(len(p), -1), axis=1)


def bpr(_: Any, p: Any) -> Any:
    """A softmax of two."""
    return -mp.log(softmax(p)[0])


def bpr_max(_: Any, p: Any, regularization: float) -> Any:
    share = softmax(p[1:])
    chance = sum(s * sigmoid(p[0] - r) for s, r in zip(share, p[1:], strict=True))
    return -mp.log(chance) + regularization * sum(s * r**2 for s, r in zip(share, p[1:], strict=True))


def top1(_: Any, p: Any) -> Any:
    return sum(sigmoid(r - p[0]) + sigmoid(r**2) for r in p[1:]) / (len(p) - 1)


def climf(t: Any, p: Any) -> Any:
    """The paper's equation 9, times -1: sum_i Y_i (ln g(f_i) + sum_j ln(1 - Y_j g(f_j - f_i))), without j = i."""
    n = range(len(t))
    inner = [sum((mp.log(1 - t[j] * sigmoid(p[j] - p[i])) for j in n if j != i), mp.mpf(0)) for i in n]
    return -sum(t[i] * (mp.log(sigmoid(p[i])) + inner[i]) for i in n)


def p_norm_push(t: Any, scores: Any, p: float) -> Any:
    good, bad = ([s for y, s in zip(t, scores, strict=True) if y == hit] for hit in (1, 0))
    return sum(sum(mp.exp(-(g - b)) for g in good) ** p for b in bad)


def listnet(t: Any, p: Any) -> Any:
    """The cross-entropy of the chances to be first, by counting permutations (Plackett and Luce)."""

    def first(scores: Any) -> list[Any]:
        found = [mp.mpf(0)] * len(scores)
        for order in permutations(range(len(scores))):
            chance = mp.mpf(1)
            for k, i in enumerate(order):
                chance *= mp.exp(scores[i]) / sum(mp.exp(scores[j]) for j in order[k:])
            found[order[0]] += chance
        return found

    return -sum(a * mp.log(b) for a, b in zip(first(t), first(p), strict=True))


def softmax_ranking(t: Any, p: Any) -> Any:
    return -sum(t[i] * mp.log(mp.exp(p[i]) / sum(map(mp.exp, p))) for i in range(len(t)))


def unique_softmax(t: Any, p: Any) -> Any:
    total = mp.mpf(0)
    for i in range(len(t)):
        lower = sum(mp.exp(p[j]) for j in range(len(t)) if t[j] < t[i])
        total -= (2 ** t[i] - 1) * mp.log(mp.exp(p[i]) / (mp.exp(p[i]) + lower))
    return total


def best_order(t: Any) -> list[int]:
    """From the most relevant on; equal ones as they stand."""
    return sorted(range(len(t)), key=lambda i: -t[i])


def list_mle(t: Any, p: Any, weight: Callable[[int, int], Any] = lambda place, n: 1) -> Any:
    """Take the items one by one, each by its chance among those that are left."""
    left = best_order(t)
    total, n = mp.mpf(0), len(t)
    while left:
        total -= weight(n - len(left) + 1, n) * mp.log(mp.exp(p[left[0]]) / sum(mp.exp(p[j]) for j in left))
        left = left[1:]
    return total


def p_list_mle(t: Any, p: Any) -> Any:
    """The paper's weights, 2**(n - place) - 1, over 2**n."""
    return list_mle(t, p, lambda place, n: mp.mpf(2 ** (n - place) - 1) / 2**n)


def soft_ranks(p: Any, temperature: float) -> list[Any]:
    n = range(len(p))
    return [1 + sum(1 / (1 + mp.exp((p[i] - p[j]) / temperature)) for j in n if j != i) for i in n]


def dcg(t: Any, ranks: Any) -> Any:
    return sum((2**y - 1) * mp.log(2) / mp.log(1 + r) for y, r in zip(t, ranks, strict=True))


def highest(t: Any) -> Any:
    """The DCG of the best order."""
    return dcg([t[i] for i in best_order(t)], range(1, len(t) + 1))


def approx_ndcg(t: Any, p: Any, temperature: float) -> Any:
    return 1 - dcg(t, soft_ranks(p, temperature)) / highest(t)


def approx_mrr(t: Any, p: Any, temperature: float) -> Any:
    return 1 - sum(y / r for y, r in zip(t, soft_ranks(p, temperature), strict=True)) / sum(t)


def smooth_ap(t: Any, p: Any, temperature: float) -> Any:
    hits = [i for i in range(len(t)) if t[i] == 1]
    whole = soft_ranks(p, temperature)
    among = soft_ranks([p[i] for i in hits], temperature)
    return 1 - sum(a / whole[i] for i, a in zip(hits, among, strict=True)) / len(hits)


def lambda_rank(t: Any, p: Any, sigma: float) -> Any:
    """Every exchange is done, and NDCG computed anew."""
    order = sorted(range(len(t)), key=lambda i: -p[i])
    ranks = {i: k + 1 for k, i in enumerate(order)}
    total = mp.mpf(0)
    for i, j in ordered_pairs(t):
        moved = {**ranks, i: ranks[j], j: ranks[i]}
        before, after = (dcg(t, [r[k] for k in range(len(t))]) / highest(t) for r in (ranks, moved))
        total += abs(after - before) * mp.log(1 + mp.exp(-sigma * (p[i] - p[j])))
    return total


def rank_cosine(t: Any, p: Any) -> Any:
    return (1 - sum(t * p) / (mp.sqrt(sum(t * t)) * mp.sqrt(sum(p * p)))) / 2


def cosine_contrastive(_: Any, p: Any, margin: float, weight: float) -> Any:
    return (1 - p[0]) + mp.mpf(weight) / (len(p) - 1) * sum(max(mp.mpf(0), r - margin) for r in p[1:])


def short(positions: tuple[int, ...] = ()) -> Any:
    """Lists of three, for counting permutations."""
    t, p = graded(positions)
    return t[..., :3], p[..., :3]


CASES = [
    case("pairwise_logistic", pairwise(lambda d: mp.log(1 + mp.exp(-d))), graded),
    case("pairwise_hinge", pairwise(lambda d, margin: max(mp.mpf(0), margin - d)), graded, margin=0.7),
    case("pairwise_exponential", pairwise(lambda d: mp.exp(-d)), graded),
    case("pairwise_soft_zero_one", pairwise(lambda d: 1 - 1 / (1 + mp.exp(-d))), graded),
    case("pairwise_mse", lists(pairwise_mse), graded),
    case("margin_ranking", margin_ranking, signed_pairs, margin=0.6),
    case("bpr", lists(bpr), pairs_alone),
    case("bpr_max", lists(bpr_max), first_and_others, regularization=0.3),
    case("top1", lists(top1), first_and_others),
    case("climf", lists(climf), lambda: matches()),
    case("p_norm_push", lists(p_norm_push), lambda: matches(), p=2.5),
    case("listnet", lists(listnet), short),
    case("softmax_ranking", lists(softmax_ranking), graded),
    case("unique_softmax", lists(unique_softmax), lambda: graded()),
    case("list_mle", lists(list_mle), lambda: graded()),
    case("p_list_mle", lists(p_list_mle), lambda: graded()),
    case("approx_ndcg", lists(approx_ndcg), lambda: graded(), temperature=0.6),
    case("approx_mrr", lists(approx_mrr), lambda: matches(), temperature=0.6),
    case("approx_mrr", lists(approx_mrr), lambda: graded(), temperature=0.3),
    case("smooth_ap", lists(smooth_ap), lambda: matches(), temperature=0.4),
    case("lambda_rank", lists(lambda_rank), lambda: graded(), sigma=1.3),
    case("rank_cosine", lists(rank_cosine), graded),
    case("cosine_contrastive", lists(cosine_contrastive), first_and_other_cosines, margin=0.2, weight=1.7),
]

# -- claims ------------------------------------------------------------------------------------------------

BY_ORDER = ("pairwise_logistic", "pairwise_hinge", "pairwise_exponential", "pairwise_soft_zero_one", "lambda_rank")
BY_DIFFERENCE = (
    *BY_ORDER,
    "pairwise_mse",
    "listnet",
    "softmax_ranking",
    "unique_softmax",
    "list_mle",
    "p_list_mle",
    "approx_ndcg",
)
OF_LISTS = (*BY_DIFFERENCE, "approx_mrr", "rank_cosine")


def same(name: str, what: str, left: Callable[[], Any], right: Callable[[], Any], rtol: float = 1e-7) -> Claim:
    return Claim(name, what, lambda: np.testing.assert_allclose(left(), right(), rtol=rtol, atol=1e-9))


def shifted(name: str, data: Callable[[], Any]) -> Claim:
    """Only differences of scores count."""
    return unchanged(name, "a shift of all scores", data, lambda t, p: (t, p + 3))


def distinct() -> Any:
    """Lists without ties of relevance."""
    return np.array([[0.0, 3, 1, 2, 4], [4, 2, 3, 0, 1]]), np.random.default_rng(47).normal(size=(2, 5))


def reordered(name: str) -> Claim:
    """The order in which the items stand says nothing."""
    order = [3, 0, 4, 1, 2]
    return unchanged(name, "another order of the items", distinct, lambda t, p: (t[:, order], p[:, order]))


TRUE = np.array([[3.0, 2.0, 1.0, 0.0]])
FAR = np.array([[90.0, 60.0, 30.0, 0.0]])
"""Scores far apart, in the true order of TRUE."""
BEST, SWAPPED, WORST = [[3.0, 2.0, 1.0, 0.0]], [[2.0, 3.0, 1.0, 0.0]], [[0.0, 1.0, 2.0, 3.0]]
HITS = np.array([[1.0, 1.0, 0.0, 0.0]])

CLAIMS = [
    *(shifted(name, lambda: graded()) for name in BY_DIFFERENCE),
    *(shifted(name, lambda: matches()) for name in ("approx_mrr", "smooth_ap", "p_norm_push")),
    shifted("bpr", pairs_alone),
    shifted("margin_ranking", signed_pairs),
    *(reordered(name) for name in OF_LISTS),
    *(
        unchanged(name, "any other relevance of that order", lambda: graded(), lambda t, p: (t**2 + 1, p))
        for name in BY_ORDER[:4]
    ),
    *(
        unchanged(name, "any other relevance of that order", lambda: graded(), lambda t, p: (t**2 + 1, p))
        for name in ("list_mle", "p_list_mle")
    ),
    *(
        convex(name, lambda: graded())
        for name in ("pairwise_logistic", "pairwise_hinge", "pairwise_mse", "list_mle", "softmax_ranking")
    ),
    *(ordered(name, "the worse the more pairs are turned", TRUE, BEST, SWAPPED, WORST) for name in OF_LISTS),
    *(
        ordered(name, "the worse the more comes before the hits", HITS, BEST, [[1.0, 0, 3, 2]])
        for name in ("smooth_ap", "p_norm_push", "climf")
    ),
    *(
        same(name, "0 in the limit of the true order", lambda name=name: loss(name, TRUE, FAR), lambda: 0.0)
        for name in BY_ORDER
    ),
    *(
        same(name, "0 in the limit of the true order", lambda name=name: loss(name, TRUE, FAR), lambda: 0.0)
        for name in ("approx_ndcg", "list_mle", "p_list_mle", "unique_softmax")
    ),
    same(
        "approx_mrr",
        "0 in the limit of a first hit",
        lambda: loss("approx_mrr", np.array([[1.0, 0, 0, 0]]), FAR),
        lambda: 0.0,
    ),
    same(
        "approx_mrr",
        "1 - 1 / rank in the limit",
        lambda: loss("approx_mrr", np.array([[0, 0, 1.0, 0]]), FAR),
        lambda: 2 / 3,
    ),
    same(
        "smooth_ap",
        "1 - average precision in the limit",
        lambda: loss("smooth_ap", np.array([[0, 1.0, 0, 1.0]]), FAR),
        lambda: 1 - (1 / 2 + 2 / 4) / 2,
    ),
    same("list_mle", "log(n!) without a clue", lambda: loss("list_mle", TRUE, np.zeros((1, 4))), lambda: np.log(24)),
    same("bpr_max", "bpr with one other", lambda: loss("bpr_max", *pairs_alone()), lambda: loss("bpr", *pairs_alone())),
    same(
        "bpr",
        "pairwise_logistic of two items",
        lambda: loss("bpr", *pairs_alone()),
        lambda: loss("pairwise_logistic", np.array([[1.0, 0.0]] * 4), pairs_alone()[1]),
    ),
    same(
        "list_mle",
        "bpr for two items",
        lambda: loss("list_mle", np.array([[1.0, 0.0]] * 4), pairs_alone()[1]),
        lambda: loss("bpr", *pairs_alone()),
    ),
    same(
        "unique_softmax",
        "softmax_ranking with one hit",
        lambda: loss("unique_softmax", np.eye(5)[:3], graded()[1]),
        lambda: loss("softmax_ranking", np.eye(5)[:3], graded()[1]),
    ),
    same(
        "margin_ranking",
        "0 past the margin",
        lambda: loss("margin_ranking", np.array([[1.0], [-1.0]]), np.array([[[2.0, 1.0]], [[0.0, 1.0]]]), margin=0.9),
        lambda: 0.0,
    ),
    same(
        "top1",
        "1 / 2 in the limit of a first item and others at 0",
        lambda: loss("top1", None, np.array([[90.0, 0, 0]])),
        lambda: 0.5,
    ),
    same(
        "cosine_contrastive",
        "0 where the item taken is alike and no other is past the margin",
        lambda: loss("cosine_contrastive", None, np.array([[1.0, 0.4, -1.0]])),
        lambda: 0.0,
    ),
    same(
        "climf",
        "the bound on -log of the reciprocal rank: -log(sigmoid) of one hit",
        lambda: loss("climf", np.eye(5)[:3], graded()[1]),
        lambda: -np.log(1 / (1 + np.exp(-np.diag(graded()[1])))),
    ),
    equals("p_norm_push", "pairwise_exponential(y_true, y_pred)", lambda: matches(), p=1.0),
    zero_at_truth("pairwise_mse", lambda: graded()),
    zero_at_truth("rank_cosine", lambda: graded()),
    between("rank_cosine", lambda: graded(), 0, 1),
    between("smooth_ap", lambda: matches(), 0, 1),
    between("approx_ndcg", lambda: graded(), 0, 1),
    between("approx_mrr", lambda: matches(), 0, 1),
    unchanged("rank_cosine", "scale of the scores", lambda: graded(), lambda t, p: (t, 7 * p)),
]

TORCH = [
    (
        "margin_ranking",
        lambda torch, t, p: torch.nn.functional.margin_ranking_loss(
            p[..., 0], p[..., 1], t, margin=0.6, reduction="none"
        ).mean(-1),
        signed_pairs,
        {"margin": 0.6},
    ),
    (
        "listnet",
        lambda torch, t, p: torch.nn.functional.cross_entropy(p, t.softmax(-1), reduction="none"),
        graded,
        {},
    ),
    (
        "bpr",
        lambda torch, t, p: torch.nn.functional.soft_margin_loss(
            p[:, 0] - p[:, 1], torch.ones(len(p)), reduction="none"
        ),
        pairs_alone,
        {},
    ),
]
