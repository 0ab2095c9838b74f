"""Oracles and claims of the family: preferences, rewards and policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim, between, case, convex, loss, ordered, unchanged
from mpmath import mp
from plain import exp, mean, sigmoid, softmax

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


def acted(positions: tuple[int, ...] = ()) -> Any:
    """Old log-probability (or value) and advantage (or return); the new one, moved a little or far, well or badly."""
    random = np.random.default_rng(54)
    shape = (8, *positions)
    sides = np.reshape([1, -1, 1, -1, 1, -1, 1, -1], (8, *(1 for _ in positions)))
    moves = np.reshape([-0.7, -0.6, -0.07, -0.08, 0.06, 0.09, 0.5, 0.8], sides.shape)
    old = random.uniform(-3, -0.5, size=shape)
    goal = sides * random.uniform(0.2, 1.5, size=shape)
    return np.stack([old, goal], axis=-1), (old + moves + random.uniform(-0.03, 0.03, size=shape))[..., None]


def returns(positions: tuple[int, ...] = ()) -> Any:
    """The old value and the return, on either side of the new value."""
    given, new = acted(positions)
    return np.stack([given[..., 0], given[..., 0] + given[..., 1]], axis=-1), new


def advantages(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(55)
    return 2 * random.normal(size=(3, *positions, 4)), random.uniform(-3, -0.1, size=(3, *positions, 4))


def actor(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(56)
    return random.normal(size=(4, *positions, 1)), random.normal(size=(4, *positions, 3))


def group_rewards() -> Any:
    random = np.random.default_rng(57)
    return random.normal(size=(3, 4)), random.uniform(-9, -1, size=(3, 4))


def groups_of_tokens() -> Any:
    """Two prompts, three answers of up to four tokens."""
    random = np.random.default_rng(58)
    shape = (2, 3, 4)
    old = random.uniform(-3, -0.5, size=shape)
    reference = old + random.uniform(-0.5, 0.5, size=shape)
    reward = np.broadcast_to(np.array([[1.0, 0.2, 0.0], [0.3, 2.0, 1.1]])[..., None], shape)
    mask = np.arange(4) < np.array([[4, 2, 3], [1, 4, 2]])[..., None]
    new = old + random.choice([-0.8, -0.05, 0.08, 0.6], size=shape)
    return np.stack([old, reference, reward, mask * 1.0], axis=-1), new[..., None]


def transitions(positions: tuple[int, ...] = ()) -> Any:
    """Reward and end; the values of two states."""
    random = np.random.default_rng(59)
    shape = (4, *positions)
    ended = np.broadcast_to(np.reshape([0.0, 1, 0, 0], (4, *(1 for _ in positions))), shape)
    return np.stack([random.normal(size=shape), ended], axis=-1), random.normal(size=(*shape, 2))


def action_values(positions: tuple[int, ...] = ()) -> Any:
    """Number of the action, reward, end, next value; the values of four actions."""
    random = np.random.default_rng(60)
    shape = (4, *positions)
    ended = np.broadcast_to(np.reshape([0.0, 1, 0, 0], (4, *(1 for _ in positions))), shape)
    action = random.integers(0, 4, size=shape) * 1.0
    return np.stack([action, random.normal(size=shape), ended, 2 * random.normal(size=shape)], axis=-1), random.normal(
        size=(*shape, 4)
    )


def logged_actions(positions: tuple[int, ...] = ()) -> Any:
    given, values = action_values(positions)
    return given[..., [0, 3]], values


def drawn(positions: tuple[int, ...] = ()) -> Any:
    return None, np.random.default_rng(61).normal(size=(4, *positions, 3))


def cloned() -> Any:
    random = np.random.default_rng(62)
    return random.normal(size=(4, 3)), random.normal(size=(4, 3))


def tasks() -> Any:
    random = np.random.default_rng(63)
    return None, np.stack([random.uniform(0.1, 3, size=(4, 3)), random.normal(size=(4, 3))], axis=1)


def routed() -> Any:
    return None, np.random.default_rng(64).normal(size=(7, 3))


def gates() -> Any:
    return None, np.random.default_rng(65).dirichlet(np.ones(3), size=5)


# -- oracles -----------------------------------------------------------------------------------------------


def still(x: Any) -> Any:
    """Numbers that take no gradient: the oracle's tiny steps do not show in them."""
    return np.frompyfunc(lambda a: mp.nint(a * mp.mpf(10) ** 12) / mp.mpf(10) ** 12, 1, 1)(x)


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for one row, as the mean over the rows of each sample."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        found = []
        for i in range(len(p)):
            rows = p[i].reshape(-1, p.shape[-1])
            true = [None] * len(rows) if t is None else t[i].reshape(len(rows), -1)
            lost = [function(a, b, **params) for a, b in zip(true, rows, strict=True)]
            found.append(sum(lost) / len(lost))
        return np.array(found)

    return oracle


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
    shift = still(mean(rewards))
    return np.array([-mp.log(sigmoid(r - shift)) - mp.log(1 - sigmoid(s - shift)) for r, s in rewards])


def kto(t: Any, p: Any, beta: float, desirable_weight: float, undesirable_weight: float) -> Any:
    """The paper's equation 8: lambda - value, by prospect theory."""
    z = still(max(mp.mpf(0), mean(p[:, 1] - t[:, 1])))
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


def surrogate(ratio: Any, advantage: Any, low: Any, high: Any) -> Any:
    """Schulman et al. by cases: the objective stops where the ratio has gone far enough the right way."""
    return advantage * (min(ratio, high) if advantage > 0 else max(ratio, low))


def ppo_clip(t: Any, p: Any, clip_range: float) -> Any:
    return -surrogate(mp.exp(p[0]) / mp.exp(t[0]), t[1], 1 - mp.mpf(clip_range), 1 + mp.mpf(clip_range))


def ppo_value(t: Any, p: Any, clip_range: float) -> Any:
    near = t[0] + max(-mp.mpf(clip_range), min(p[0] - t[0], mp.mpf(clip_range)))
    return max((p[0] - t[1]) ** 2, (near - t[1]) ** 2) / 2


def policy_gradient(t: Any, p: Any) -> Any:
    return np.array([-sum((a * b).reshape(-1)) / a.size for a, b in zip(t, p, strict=True)])


def actor_critic(t: Any, p: Any, value_weight: float, entropy_weight: float) -> Any:
    advantage = still(t[0] - p[1])
    return -advantage * p[0] + value_weight * (t[0] - p[1]) ** 2 - entropy_weight * p[2]


def awr(t: Any, p: Any, beta: float, max_weight: float) -> Any:
    weights = np.minimum(exp(t / mp.mpf(beta)), mp.mpf(max_weight))
    return mean((-weights * p).reshape(len(p), -1), axis=1)


def rloo(t: Any, p: Any) -> Any:
    n = range(len(p))
    return -sum((t[i] - sum(t[j] for j in n if j != i) / (len(p) - 1)) * p[i] for i in n) / len(p)


def grpo(t: Any, p: Any, epsilon_low: float, epsilon_high: float, beta: float) -> Any:
    found = []
    for given, new in zip(t, p[..., 0], strict=True):
        reward = [row[0, 2] for row in given]
        middle = sum(reward) / len(reward)
        spread = mp.sqrt(sum((r - middle) ** 2 for r in reward) / len(reward)) + mp.mpf("0.0001")
        lost = []
        for row, tokens, r in zip(given, new, reward, strict=True):
            costs = []
            for (old, reference, _, there), x in zip(row, tokens, strict=True):
                if there:
                    gain = surrogate(
                        mp.exp(x - old), (r - middle) / spread, 1 - mp.mpf(epsilon_low), 1 + mp.mpf(epsilon_high)
                    )
                    ratio = mp.exp(reference) / mp.exp(x)
                    costs.append(beta * (ratio - mp.log(ratio) - 1) - gain)
            lost.append(sum(costs) / len(costs))
        found.append(sum(lost) / len(lost))
    return np.array(found)


def td_error(t: Any, p: Any, gamma: float) -> Any:
    goal = t[0] if t[1] else t[0] + gamma * still(p[1])
    return (goal - p[0]) ** 2 / 2


def dqn(t: Any, p: Any, gamma: float, delta: float) -> Any:
    error = abs(p[int(t[0])] - (t[1] if t[2] else t[1] + gamma * t[3]))
    return error**2 / 2 if error <= delta else delta * error - mp.mpf(delta) ** 2 / 2


def conservative_q(t: Any, p: Any, alpha: float) -> Any:
    """The gap is -log of the chance of the action, by softmax of the values."""
    action = int(t[0])
    return -alpha * mp.log(softmax(p)[action]) + (p[action] - t[1]) ** 2 / 2


def sac_actor(_: Any, p: Any, alpha: float) -> Any:
    return alpha * p[0] - min(p[1:])


def td3_bc(t: Any, p: Any, alpha: float) -> Any:
    weight = alpha / still(mean(abs(p[:, 0])))
    return -weight * p[:, 0] + mean((p[:, 1:] - t[:, 1:]) ** 2, axis=1)


def uncertainty_weighting(_: Any, p: Any) -> Any:
    """The paper's 1 / (2 * sigma**2) * loss + log(sigma)."""
    found = []
    for losses, logs in p:
        sigmas = [mp.sqrt(mp.exp(s)) for s in logs]
        found.append(sum(lost / (2 * sigma**2) + mp.log(sigma) for lost, sigma in zip(losses, sigmas, strict=True)))
    return np.array(found)


def moe_load_balance(_: Any, p: Any) -> Any:
    tokens, experts = p.shape
    sent = [max(range(experts), key=lambda e, row=row: row[e]) for row in p]
    shares = [mp.mpf(sent.count(e)) / tokens for e in range(experts)]
    return experts * sum(shares[e] * sum(softmax(row)[e] for row in p) / tokens for e in range(experts))


def moe_importance(_: Any, p: Any) -> Any:
    importance = [sum(column) for column in p.T]
    middle = sum(importance) / len(importance)
    deviation = mp.sqrt(sum((x - middle) ** 2 for x in importance) / len(importance))
    return (deviation / middle) ** 2


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
    case("ppo_clip", each(ppo_clip), acted, clip_range=0.15),
    case("ppo_value", each(ppo_value), returns, clip_range=0.15),
    case("policy_gradient", policy_gradient, advantages),
    case("actor_critic", each(actor_critic), actor, value_weight=0.4, entropy_weight=0.2),
    case("awr", awr, advantages, beta=0.8, max_weight=4.0),
    case("rloo", each(rloo), group_rewards),
    case("grpo", grpo, groups_of_tokens, epsilon_low=0.15, epsilon_high=0.3, beta=0.2),
    case("td_error", each(td_error), transitions, gamma=0.8),
    case("dqn", each(dqn), action_values, gamma=0.8, delta=0.7),
    case("conservative_q", each(conservative_q), logged_actions, alpha=0.6),
    case("sac_actor", each(sac_actor), drawn, alpha=0.3),
    case("td3_bc", td3_bc, cloned, alpha=1.4),
    case("uncertainty_weighting", uncertainty_weighting, tasks),
    case("moe_load_balance", moe_load_balance, routed),
    case("moe_importance", moe_importance, gates),
]

# -- claims ------------------------------------------------------------------------------------------------

WITH_REFERENCE = ("dpo", "ipo", "hinge_dpo", "dpo_positive", "sppo", "apo", "nca_pair", "bco")
BY_RATIO = ("dpo", "ipo", "hinge_dpo", "r_dpo")


def same(name: str, what: str, left: Callable[[], Any], right: Callable[[], Any], rtol: float = 1e-7) -> Claim:
    return Claim(name, what, lambda: np.testing.assert_allclose(left(), right(), rtol=rtol, atol=1e-9))


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


def ratio_moved() -> Any:
    given, new = acted()
    return np.stack([new[..., 0], given[..., 1]], axis=-1), new


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
    same(
        "ppo_clip",
        "-advantage at the old policy",
        lambda: loss("ppo_clip", *ratio_moved()),
        lambda: -ratio_moved()[0][:, 1],
    ),
    same(
        "ppo_clip",
        "a lower bound of the objective without clipping",
        lambda: loss("ppo_clip", *acted()) >= -np.exp(acted()[1][:, 0] - acted()[0][:, 0]) * acted()[0][:, 1] - 1e-12,
        lambda: True,
    ),
    same(
        "ppo_value",
        "half the squared error near the old value",
        lambda: loss("ppo_value", *acted(), clip_range=9.0),
        lambda: (acted()[1][:, 0] - acted()[0][:, 1]) ** 2 / 2,
    ),
    same(
        "ppo_value",
        "never below half the squared error",
        lambda: loss("ppo_value", *acted()) >= (acted()[1][:, 0] - acted()[0][:, 1]) ** 2 / 2 - 1e-12,
        lambda: True,
    ),
    same(
        "policy_gradient",
        "likelihood where all that was done is worth 1",
        lambda: loss("policy_gradient", np.ones((3, 4)), advantages()[1]),
        lambda: -advantages()[1].mean(-1),
    ),
    same(
        "awr",
        "policy_gradient with weights exp(advantage / beta)",
        lambda: loss("awr", *advantages(), beta=2.0, max_weight=1e6),
        lambda: loss("policy_gradient", np.exp(advantages()[0] / 2), advantages()[1]),
    ),
    same(
        "rloo",
        "0 where all rewards are the same",
        lambda: loss("rloo", np.full((2, 4), 0.7), group_rewards()[1][:2]),
        lambda: 0.0,
    ),
    unchanged("rloo", "a shift of a prompt's rewards", group_rewards, lambda t, p: (t + 3, p)),
    unchanged(
        "grpo", "a shift of a prompt's rewards", groups_of_tokens, lambda t, p: (t + np.array([0, 0, 3.0, 0]), p)
    ),
    same("grpo", "0 at the start, where all answers have one length", lambda: loss("grpo", *starting()), lambda: 0.0),
    same(
        "actor_critic",
        "policy_gradient of the advantage",
        lambda: loss("actor_critic", *actor(), value_weight=0.0, entropy_weight=0.0),
        lambda: loss("policy_gradient", actor()[0] - actor()[1][:, 1:2], actor()[1][:, :1]),
    ),
    same(
        "td_error",
        "0 at a value that agrees with the next",
        lambda: loss("td_error", np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[3.0, 4.0], [2.0, 9.0]]), gamma=0.5),
        lambda: 0.0,
    ),
    same(
        "dqn",
        "0 at the goal",
        lambda: loss("dqn", np.array([[1.0, 1.0, 0.0, 4.0]]), np.array([[9.0, 3.0]]), gamma=0.5),
        lambda: 0.0,
    ),
    same(
        "dqn",
        "half the squared error for a wide delta",
        lambda: loss("dqn", *action_values(), delta=99.0, gamma=0.0),
        lambda: [(row[int(a)] - r) ** 2 / 2 for (a, r, *_), row in zip(*action_values(), strict=True)],
    ),
    same(
        "conservative_q",
        "cross-entropy of the action, where the target is met",
        lambda: loss("conservative_q", np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])),
        lambda: np.log(1 + np.exp(-1)),
    ),
    unchanged("sac_actor", "an exchange of the critics", drawn, lambda t, p: (t, p[:, [0, 2, 1]])),
    unchanged("td3_bc", "scale of the values", cloned, lambda t, p: (t, p * np.array([7.0, 1, 1]))),
    same(
        "uncertainty_weighting",
        "half the sum at variance 1",
        lambda: loss("uncertainty_weighting", None, tasks()[1] * np.array([[1.0], [0.0]])),
        lambda: tasks()[1][:, 0].sum(-1) / 2,
    ),
    same(
        "uncertainty_weighting",
        "least where each variance is the loss",
        lambda: (
            loss("uncertainty_weighting", None, at_best(0.0))
            <= np.minimum(
                loss("uncertainty_weighting", None, at_best(0.1)), loss("uncertainty_weighting", None, at_best(-0.1))
            )
        ),
        lambda: True,
    ),
    same(
        "moe_load_balance",
        "1 where all experts get the same",
        lambda: loss("moe_load_balance", None, 3 * np.eye(4)),
        lambda: 1.0,
    ),
    same(
        "moe_load_balance",
        "as many as there are experts, where one gets all",
        lambda: loss("moe_load_balance", None, np.array([[60.0, 0, 0]] * 5)),
        lambda: 3.0,
    ),
    same(
        "moe_importance",
        "0 where all experts count the same",
        lambda: loss("moe_importance", None, np.eye(4)),
        lambda: 0.0,
    ),
    unchanged("moe_importance", "scale of the gates", gates, lambda t, p: (t, 5 * p)),
]


def starting() -> Any:
    """The policy is the old one, and the reference."""
    given, new = groups_of_tokens()
    old = np.concatenate([new, new, given[..., 2:3], np.ones_like(new)], axis=-1)
    return old, new


def at_best(moved: float) -> Any:
    losses = tasks()[1][:, 0]
    return np.stack([losses, np.log(losses) + moved], axis=1)


TORCH = [
    (
        "dpo",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy_with_logits(
            0.3 * ((p - t)[:, 0] - (p - t)[:, 1]), torch.full((len(p),), 0.85, dtype=p.dtype), reduction="none"
        ),
        answers(),
        {"beta": 0.3, "label_smoothing": 0.15},
    ),
    (
        "dqn",
        lambda torch, t, p: torch.nn.functional.huber_loss(
            p.gather(1, t[:, :1].long())[:, 0], t[:, 1] + 0.8 * (1 - t[:, 2]) * t[:, 3], delta=0.7, reduction="none"
        ),
        action_values,
        {"gamma": 0.8, "delta": 0.7},
    ),
]
