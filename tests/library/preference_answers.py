"""Oracles and claims for preferences: preferred answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim, between, case, convex, loss, ordered, unchanged
from mpmath import mp
from plain import held, mean, sigmoid
from preference_shared import each, same

# -- data --------------------------------------------------------------------------------------------------


def answers(columns: int = 2, given: int = 2, batch: int = 4) -> Callable[[], Any]:
    """Log-probabilities of the policy, and what is given: those of the reference."""

    def data() -> Any:
        random = np.random.default_rng(51)
        return random.uniform(-9, -1, size=(batch, given)), random.uniform(-9, -1, size=(batch, columns))

    return data


def of_policy(columns: int = 2) -> Callable[[], Any]:
    """Mean log-probabilities of tokens, and no truth."""
    return lambda: (None, np.random.default_rng(52).uniform(-3, -0.1, size=(4, columns)))


def rewards(positions: tuple[int, ...] = ()) -> Any:
    return None, np.random.default_rng(53).normal(size=(4, *positions, 2))


def lengths() -> Any:
    reference, policy = answers()()
    return np.concatenate([reference, np.array([[3.0, 9], [12, 5], [7, 30], [40, 8]])], axis=1), policy


def desirable() -> Any:
    reference, policy = answers(batch=5)()
    misplaced = np.stack([policy[:, 0], reference[:, 1] + np.array([1.0, -0.5, 0.7, 2.0, -0.1])], axis=1)
    return np.concatenate([reference, np.array([[1.0], [0], [0], [1], [1]])], axis=1), misplaced


def far_below() -> Any:
    """The policy finds the misplaced answers less likely: the mean log-ratio is below 0."""
    reference, policy = desirable()
    return reference, policy - np.array([0.0, 5.0])


# -- oracles -----------------------------------------------------------------------------------------------


def preferred(better: Any, worse: Any) -> Any:
    """The chance, by Bradley and Terry, of two positive strengths."""
    return better / (better + worse)


def bradley_terry(_: Any, p: Any, margin: float) -> Any:
    return -mp.log(preferred(mp.exp(p[0]), mp.exp(p[1] + margin)))


def dpo(t: Any, p: Any, beta: float, label_smoothing: float = 0.0, robust: bool = False) -> Any:
    strengths = [(mp.exp(new) / mp.exp(old)) ** beta for new, old in zip(p, t, strict=True)]
    right, wrong = -mp.log(preferred(*strengths)), -mp.log(preferred(*strengths[::-1]))
    e = mp.mpf(label_smoothing)
    return ((1 - e) * right - e * wrong) / (1 - 2 * e) if robust else (1 - e) * right + e * wrong


def ipo(t: Any, p: Any, beta: float) -> Any:
    h = mp.log(mp.exp(p[0]) * mp.exp(t[1]) / (mp.exp(p[1]) * mp.exp(t[0])))
    return (h - 1 / (2 * mp.mpf(beta))) ** 2


def hinge_dpo(t: Any, p: Any, beta: float) -> Any:
    return max(mp.mpf(0), 1 - beta * ((p[0] - p[1]) - (t[0] - t[1])))


def slic_hf(_: Any, p: Any, delta: float, weight: float) -> Any:
    return max(mp.mpf(0), delta - mp.log(mp.exp(p[0]) / mp.exp(p[1]))) - weight * p[2]


def dpo_positive(t: Any, p: Any, beta: float, weight: float) -> Any:
    lost = max(mp.mpf(0), mp.log(mp.exp(t[0]) / mp.exp(p[0])))
    return -mp.log(
        sigmoid(beta * (mp.log(mp.exp(p[0]) / mp.exp(t[0])) - mp.log(mp.exp(p[1]) / mp.exp(t[1])) - weight * lost))
    )


def r_dpo(t: Any, p: Any, beta: float, alpha: float) -> Any:
    """Bradley and Terry's chance of the rewards whose best policy, short of alpha for each token, is this one."""
    rewards = [beta * mp.log(mp.exp(p[k]) / mp.exp(t[k])) + alpha * t[2 + k] for k in (0, 1)]
    return -mp.log(preferred(mp.exp(rewards[0]), mp.exp(rewards[1])))


def sppo(t: Any, p: Any, beta: float) -> Any:
    """The paper's regression of log-ratios on eta * (chance to win - 1 / 2), chances 1 and 0."""
    eta = 1 / mp.mpf(beta)
    return sum((p[k] - t[k] - eta * (mp.mpf(win) - mp.mpf("0.5"))) ** 2 for k, win in ((0, 1), (1, 0)))


def apo(t: Any, p: Any, beta: float, down: bool = False) -> Any:
    """TRL's two terms, one for each answer."""
    r, s = (beta * (p[k] - t[k]) for k in (0, 1))
    return sigmoid(r) + (1 - sigmoid(r - s)) if down else (1 - sigmoid(r)) + sigmoid(s)


def nca_pair(t: Any, p: Any, beta: float) -> Any:
    r, s = (beta * (p[k] - t[k]) for k in (0, 1))
    return -mp.log(sigmoid(r)) - mp.mpf("0.5") * (mp.log(1 - sigmoid(r)) + mp.log(1 - sigmoid(s)))


def bco(t: Any, p: Any, beta: float) -> Any:
    rewards = beta * (p - t)
    shift = held(mean(rewards))
    return np.array([-mp.log(sigmoid(r - shift)) - mp.log(1 - sigmoid(s - shift)) for r, s in rewards])


def kto(t: Any, p: Any, beta: float, desirable_weight: float, undesirable_weight: float) -> Any:
    """The paper's equation 8: lambda - value, by prospect theory."""
    z = held(max(mp.mpf(0), mean(p[:, 1] - t[:, 1])))
    found = []
    for given, ratio in zip(t, p[:, 0] - t[:, 0], strict=True):
        weight = mp.mpf(desirable_weight if given[2] else undesirable_weight)
        found.append(weight - weight * sigmoid(beta * (ratio - z) if given[2] else beta * (z - ratio)))
    return np.array(found)


def orpo(_: Any, p: Any, weight: float) -> Any:
    odds = [mp.exp(x) / (1 - mp.exp(x)) for x in p]
    return -p[0] - weight * mp.log(sigmoid(mp.log(odds[0] / odds[1])))


def simpo(_: Any, p: Any, beta: float, gamma: float) -> Any:
    return -mp.log(preferred(mp.exp(beta * p[0]), mp.exp(beta * p[1] + gamma)))


def cpo(_: Any, p: Any, beta: float, weight: float) -> Any:
    return -mp.log(preferred(mp.exp(p[0]) ** beta, mp.exp(p[1]) ** beta)) - weight * p[0]


CASES = [
    case("bradley_terry", each(bradley_terry), rewards, margin=0.4),
    case("dpo", each(dpo), answers(), beta=0.3),
    case("dpo", each(dpo), answers(), beta=0.3, label_smoothing=0.15),
    case("dpo", each(dpo), answers(), beta=0.3, label_smoothing=0.15, robust=True),
    case("ipo", each(ipo), answers(), beta=0.3),
    case("hinge_dpo", each(hinge_dpo), answers(batch=8), beta=0.9),
    case("slic_hf", each(slic_hf), of_policy(3), delta=0.8, weight=0.3),
    case("dpo_positive", each(dpo_positive), answers(), beta=0.3, weight=1.7),
    case("r_dpo", each(r_dpo), lengths, beta=0.3, alpha=0.04),
    case("sppo", each(sppo), answers(), beta=0.3),
    case("apo", each(apo), answers(), beta=0.3),
    case("apo", each(apo), answers(), beta=0.3, down=True),
    case("nca_pair", each(nca_pair), answers(), beta=0.3),
    case("bco", bco, answers(), beta=0.3),
    case("kto", kto, desirable, beta=0.3, desirable_weight=1.2, undesirable_weight=0.7),
    case("kto", kto, far_below, beta=0.3, desirable_weight=1.2, undesirable_weight=0.7),
    case("orpo", each(orpo), of_policy(), weight=0.3),
    case("simpo", each(simpo), of_policy(), beta=1.7, gamma=0.6),
    case("cpo", each(cpo), of_policy(), beta=0.3, weight=0.6),
]

# -- claims ------------------------------------------------------------------------------------------------

WITH_REFERENCE = ("dpo", "ipo", "hinge_dpo", "dpo_positive", "sppo", "apo", "nca_pair", "bco")
BY_RATIO = ("dpo", "ipo", "hinge_dpo", "r_dpo")


def at_reference(name: str, value: float, **params: Any) -> Claim:
    """The policy is the reference."""
    start = np.array([[-3.0, -5.0], [-2.0, -1.0]])
    return same(name, f"{value:.4g} at the reference", lambda: loss(name, start, start, **params), lambda: value)


def better_worse(name: str, *given: float, **params: Any) -> Claim:
    """The chosen answer gets less likely, the rejected one more."""
    reference = np.array([[-3.0, -3.0, *given]])
    return ordered(
        name,
        "the worse the less the chosen answer leads",
        reference,
        [[-2.0, -4.0]],
        [[-2.5, -3.0]],
        [[-4.0, -2.0]],
        **params,
    )


def middle(name: str, value: float, **params: Any) -> Claim:
    """Both answers are as likely."""
    return same(
        name,
        f"{value:.4g} where both are as likely",
        lambda: loss(name, None, np.full((2, 2), -1.0), **params),
        lambda: value,
    )


LOG2 = float(np.log(2))

CLAIMS = [
    at_reference("dpo", LOG2, beta=0.3),
    at_reference("dpo", LOG2, beta=0.3, label_smoothing=0.2),
    at_reference("dpo", LOG2, beta=0.3, label_smoothing=0.2, robust=True),
    at_reference("ipo", 1 / 0.36, beta=0.3),
    at_reference("hinge_dpo", 1.0),
    at_reference("dpo_positive", LOG2),
    at_reference("sppo", 2 / 0.36, beta=0.3),
    at_reference("apo", 1.0),
    at_reference("apo", 1.0, down=True),
    at_reference("nca_pair", 2 * LOG2),
    at_reference("bco", 2 * LOG2),
    *(better_worse(name, beta=0.1) for name in WITH_REFERENCE),
    better_worse("r_dpo", 7.0, 9.0),
    same(
        "slic_hf",
        "0 past delta, without a weight",
        lambda: loss("slic_hf", None, np.array([[-1.0, -3.0, -2.0]]), weight=0.0),
        lambda: 0.0,
    ),
    *(unchanged(name, "a shift of both log-ratios", answers(), lambda t, p: (t, p + 2)) for name in BY_RATIO[:3]),
    unchanged(
        "r_dpo",
        "a shift of both log-ratios and of both lengths",
        lengths,
        lambda t, p: (t + np.array([0, 0, 5.0, 5.0]), p + 2),
    ),
    unchanged("bco", "a shift of all log-ratios", answers(), lambda t, p: (t, p + 2)),
    *(unchanged(name, "a shift of both", of_policy(), lambda t, p: (t, p + 2)) for name in ("bradley_terry", "simpo")),
    same(
        "dpo",
        "bradley_terry of beta * log-ratios",
        lambda: loss("dpo", *answers()(), beta=0.3),
        lambda: loss("bradley_terry", None, 0.3 * (answers()()[1] - answers()()[0])),
    ),
    same(
        "dpo",
        "without bias: robust, over labels that are wrong with that chance, is dpo",
        lambda: (
            0.8 * loss("dpo", *answers()(), label_smoothing=0.2, robust=True)
            + 0.2 * loss("dpo", *(x[:, ::-1] for x in answers()()), label_smoothing=0.2, robust=True)
        ),
        lambda: loss("dpo", *answers()()),
    ),
    same(
        "dpo_positive",
        "dpo without the penalty",
        lambda: loss("dpo_positive", *answers()(), weight=0.0),
        lambda: loss("dpo", *answers()(), beta=0.3),
    ),
    same(
        "r_dpo",
        "dpo without regularisation",
        lambda: loss("r_dpo", *lengths(), alpha=0.0),
        lambda: loss("dpo", *answers()()),
    ),
    same(
        "ipo",
        "0 where the log-ratios are 1 / (2 * beta) apart",
        lambda: loss("ipo", np.zeros((1, 2)), np.array([[-1.0, -3.0]]), beta=0.25),
        lambda: 0.0,
    ),
    same(
        "sppo",
        "0 where the log-ratios are the goals",
        lambda: loss("sppo", np.zeros((1, 2)), np.array([[2.0, -2.0]]), beta=0.25),
        lambda: 0.0,
    ),
    same(
        "hinge_dpo",
        "0 past the margin",
        lambda: loss("hinge_dpo", np.zeros((1, 2)), np.array([[2.0, -2.0]]), beta=0.3),
        lambda: 0.0,
    ),
    *(convex(name, answers()) for name in ("dpo", "ipo", "hinge_dpo", "sppo", "nca_pair")),
    between("apo", answers(), 0, 2),
    between("kto", desirable, 0, 1),
    same(
        "kto",
        "1 / 2 at the reference",
        lambda: loss("kto", np.array([[-1.0, -2, 1], [-3, -1, 0]]), np.array([[-1.0, -2], [-3, -1]])),
        lambda: 0.5,
    ),
    ordered(
        "kto",
        "the worse the less likely the desirable, the more likely the undesirable",
        np.array([[-1.0, -2, 1], [-3, -1, 0]]),
        [[-0.5, -2], [-4, -1]],
        [[-1, -2], [-3, -1]],
        [[-3, -2], [-2, -1]],
    ),
    middle("bradley_terry", LOG2),
    middle("simpo", LOG2, gamma=0.0),
    middle("orpo", 1 + 0.1 * LOG2),
    middle("cpo", 1 + LOG2),
    same(
        "cpo",
        "above dpo with a flat reference by -chosen",
        lambda: loss("cpo", None, of_policy()()[1], beta=0.3),
        lambda: loss("dpo", np.zeros((4, 2)), of_policy()()[1], beta=0.3) - of_policy()()[1][:, 0],
    ),
    same(
        "simpo",
        "dpo with a flat reference, without a margin",
        lambda: loss("simpo", None, of_policy()()[1], beta=0.3, gamma=0.0),
        lambda: loss("dpo", np.zeros((4, 2)), of_policy()()[1], beta=0.3),
    ),
    same(
        "orpo",
        "likelihood alone without a weight",
        lambda: loss("orpo", None, of_policy()()[1], weight=0.0),
        lambda: -of_policy()()[1][:, 0],
    ),
]
