"""Oracles and claims for preferences: policies, actors and values."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import case, loss, unchanged
from mpmath import mp
from plain import exp, held, mean, softmax
from preference_shared import each, same

# -- data --------------------------------------------------------------------------------------------------


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


# -- oracles -----------------------------------------------------------------------------------------------


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
    advantage = held(t[0] - p[1])
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
    goal = t[0] if t[1] else t[0] + gamma * held(p[1])
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
    weight = alpha / held(mean(abs(p[:, 0])))
    return -weight * p[:, 0] + mean((p[:, 1:] - t[:, 1:]) ** 2, axis=1)


CASES = [
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
]

# -- claims ------------------------------------------------------------------------------------------------


def ratio_moved() -> Any:
    given, new = acted()
    return np.stack([new[..., 0], given[..., 1]], axis=-1), new


def starting() -> Any:
    """The policy is the old one, and the reference."""
    given, new = groups_of_tokens()
    old = np.concatenate([new, new, given[..., 2:3], np.ones_like(new)], axis=-1)
    return old, new


CLAIMS = [
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
]
