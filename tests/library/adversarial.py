"""Oracles and claims of the family: generators and discriminators."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Case, Claim, case, convex, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import mean, per_sample
from samples import Pair, bits, bits_logits, numbers

# -- data --------------------------------------------------------------------------------------------------


def scores() -> Pair:
    """Real and generated samples, a score for each."""
    random = np.random.default_rng(31)
    return np.array([[1.0], [0.0], [0.0], [1.0], [1.0]]), 3 * random.normal(size=(5, 1))


def energies(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(32)
    shape = (3, *positions, 4)
    return random.integers(0, 2, size=shape) * 1.0, random.uniform(0.1, 3, size=shape)


def generated(positions: tuple[int, ...] = ()) -> tuple[None, np.ndarray]:
    return None, bits_logits(positions)[1]


def twos(positions: tuple[int, ...] = ()) -> tuple[None, np.ndarray]:
    return None, 2 * np.random.default_rng(33).normal(size=(3, *positions, 2))


def pairs_of_logits(positions: tuple[int, ...] = ()) -> Pair:
    """The truth says nothing."""
    return np.ones((3, *positions)), 2 * np.random.default_rng(33).normal(size=(3, *positions, 2))


# -- oracles -----------------------------------------------------------------------------------------------


def either(real: Any, fake: Any) -> Any:
    """The mean of one function of the scores of real entries, of another one of generated entries."""

    def oracle(t: Any, p: Any, **params: float) -> Any:
        return per_sample(np.frompyfunc(lambda y, d: real(d, **params) if y == 1 else fake(d, **params), 2, 1)(t, p))

    return oracle


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


gan_discriminator = either(lambda d: -mp.log(logistic(d)), lambda d: -mp.log(1 - logistic(d)))
lsgan_discriminator = either(lambda d, a, b: (d - b) ** 2 / 2, lambda d, a, b: (d - a) ** 2 / 2)
wgan_critic = either(lambda d: -d, lambda d: d)
hinge_gan_discriminator = either(lambda d: -min(0, d - 1), lambda d: -min(0, -d - 1))
ebgan_discriminator = either(lambda d, margin: d, lambda d, margin: max(mp.mpf(0), margin - d))


def variational(output: Any, conjugate: Any) -> Any:
    """-T for real ones, f*(T) for generated ones, where T is the output activation."""
    return either(lambda v: -output(v), lambda v: conjugate(output(v)))


fgan_kl = variational(lambda v: v, lambda t: mp.exp(t - 1))
fgan_reverse_kl = variational(lambda v: -mp.exp(-v), lambda t: -1 - mp.log(-t))
fgan_pearson = variational(lambda v: v, lambda t: t**2 / 4 + t)
fgan_hellinger = variational(lambda v: 1 - mp.exp(-v), lambda t: t / (1 - t))


def gan_generator(t: Any, p: Any, saturating: bool = False) -> Any:
    return per_sample(np.frompyfunc(lambda d: mp.log(1 - logistic(d)) if saturating else -mp.log(logistic(d)), 1, 1)(p))


def lsgan_generator(t: Any, p: Any, c: float) -> Any:
    return per_sample((p - c) * (p - c) / 2)


def wgan_generator(t: Any, p: Any) -> Any:
    return per_sample(0 - p)


def relativistic_pairing(t: Any, p: Any) -> Any:
    real, fake = np.moveaxis(p, -1, 0)
    return per_sample(np.frompyfunc(lambda d: -mp.log(logistic(d)), 1, 1)(real - fake))


def relativistic(cost: Any) -> Any:
    """Each sample against the mean of the other kind."""

    def oracle(t: Any, p: Any) -> Any:
        kinds = {y: [d for s, d in zip(t[:, 0], p[:, 0], strict=True) if s == y] for y in (0, 1)}
        means = {y: sum(found) / len(found) for y, found in kinds.items()}
        return np.array([cost(y, d - means[1 - int(y)]) for y, d in zip(t[:, 0], p[:, 0], strict=True)])

    return oracle


relativistic_average = relativistic(lambda y, d: -y * mp.log(logistic(d)) - (1 - y) * mp.log(1 - logistic(d)))
relativistic_average_hinge = relativistic(lambda y, d: max(mp.mpf(0), 1 - d) if y == 1 else max(mp.mpf(0), 1 + d))
relativistic_average_least_squares = relativistic(lambda y, d: (d - 1) ** 2 if y == 1 else (d + 1) ** 2)


def cycle_consistency(t: Any, p: Any, weight: float) -> Any:
    return weight * per_sample(np.maximum(t - p, p - t))


def feature_matching(t: Any, p: Any) -> Any:
    real, fake = t.reshape(len(t), -1), p.reshape(len(p), -1)
    return sum((mean(real[:, k]) - mean(fake[:, k])) ** 2 for k in range(real.shape[1]))


CASES: list[Case] = [
    case("gan_discriminator", gan_discriminator, bits_logits),
    case("gan_generator", gan_generator, generated),
    case("gan_generator", gan_generator, generated, saturating=True),
    case("lsgan_discriminator", lsgan_discriminator, bits_logits, a=-1.5, b=0.75),
    case("lsgan_generator", lsgan_generator, generated, c=0.75),
    case("wgan_critic", wgan_critic, bits_logits),
    case("wgan_generator", wgan_generator, generated),
    case("hinge_gan_discriminator", hinge_gan_discriminator, bits_logits),
    case("ebgan_discriminator", ebgan_discriminator, energies, margin=1.4),
    case("fgan_kl", fgan_kl, bits_logits),
    case("fgan_reverse_kl", fgan_reverse_kl, bits_logits),
    case("fgan_pearson", fgan_pearson, bits_logits),
    case("fgan_hellinger", fgan_hellinger, bits_logits),
    case("relativistic_pairing", relativistic_pairing, twos),
    case("relativistic_average", relativistic_average, scores),
    case("relativistic_average_hinge", relativistic_average_hinge, scores),
    case("relativistic_average_least_squares", relativistic_average_least_squares, scores),
    case("cycle_consistency", cycle_consistency, numbers, weight=3.5),
    case("feature_matching", feature_matching, numbers),
]


# -- claims ------------------------------------------------------------------------------------------------

P, Q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.3, 0.35, 0.1])
"""What is real and what is generated, over four outcomes."""


def bound(name: str, critic: np.ndarray, divergence: float) -> Claim:
    """Minus the sum of both means, at the best critic, is the divergence; any other critic stays below it."""

    def value(outputs: np.ndarray) -> float:
        real = loss(name, np.ones((4, 1)), outputs[:, None])
        fake = loss(name, np.zeros((4, 1)), outputs[:, None])
        return -float(P @ real + Q @ fake)

    def holds() -> None:
        np.testing.assert_allclose(value(critic), divergence, rtol=1e-9)
        for other in (critic + 0.1, critic - 0.1, critic * 0.9, critic + np.array([0.2, 0, -0.1, 0])):
            assert value(other) < divergence

    return Claim(name, "bounds the divergence from below, and meets it", holds)


MIDDLE = (P + Q) / 2
JENSEN_SHANNON = float(P @ np.log(P / MIDDLE) + Q @ np.log(Q / MIDDLE)) / 2


def exchanged(t: Any, p: Any) -> Pair:
    """What is real is called generated, and every score turned round."""
    return 1 - t, -p


def shifted(t: Any, p: Any) -> Pair:
    return t, p + 1.7


RELATIVISTIC = ("relativistic_average", "relativistic_average_hinge", "relativistic_average_least_squares")
CLAIMS: list[Claim] = [
    bound("gan_discriminator", np.log(P / Q), 2 * JENSEN_SHANNON - 2 * np.log(2)),
    bound("fgan_kl", 1 + np.log(P / Q), float(P @ np.log(P / Q))),
    bound("fgan_reverse_kl", np.log(P / Q), float(Q @ np.log(Q / P))),
    bound("fgan_pearson", 2 * (P / Q - 1), float(((P - Q) ** 2 / Q).sum())),
    bound("fgan_hellinger", np.log(P / Q) / 2, float(((np.sqrt(P) - np.sqrt(Q)) ** 2).sum())),
    *(unchanged(name, "a shift of all scores", scores, shifted) for name in RELATIVISTIC),
    *(unchanged(name, "the two kinds in each other's place", scores, exchanged) for name in RELATIVISTIC),
    *(
        unchanged(name, "the two kinds in each other's place", bits_logits, exchanged)
        for name in ("gan_discriminator", "wgan_critic", "hinge_gan_discriminator", "fgan_hellinger")
    ),
    unchanged("relativistic_pairing", "a shift of all scores", pairs_of_logits, shifted),
    equals("gan_discriminator", "binary_crossentropy(y_true, y_pred, from_logits=True)", bits_logits),
    equals("gan_generator", "binary_crossentropy(1 - 0 * y_true, y_pred, from_logits=True)", bits_logits),
    equals("gan_generator", "-binary_crossentropy(0 * y_true, y_pred, from_logits=True)", bits_logits, saturating=True),
    equals("lsgan_discriminator", "mse(y_true, y_pred) / 2", bits_logits),
    equals("lsgan_generator", "mse(1 - 0 * y_true, y_pred) / 2", bits_logits),
    equals("hinge_gan_discriminator", "hinge(2 * y_true - 1, y_pred)", bits_logits),
    equals("wgan_generator", "wgan_critic(1 - 0 * y_true, y_pred)", bits_logits),
    equals("ebgan_discriminator", "mean(y_true * y_pred + (1 - y_true) * relu(1 - y_pred))", energies),
    ordered("gan_generator", "falls as it convinces", np.ones((1, 1)), [[3]], [[0]], [[-3]]),
    ordered(
        "gan_generator", "falls as it convinces, if saturating", np.ones((1, 1)), [[3]], [[0]], [[-3]], saturating=True
    ),
    zero_at_truth("lsgan_discriminator", bits),
    zero_at_truth("cycle_consistency", numbers),
    symmetric("cycle_consistency", numbers),
    zero_at_truth("feature_matching", numbers),
    symmetric("feature_matching", numbers),
    *(
        convex(name, bits_logits)
        for name in ("gan_discriminator", "hinge_gan_discriminator", "fgan_kl", "fgan_pearson")
    ),
]

TORCH = [
    (
        "gan_discriminator",
        lambda torch, t, p: torch.nn.functional.binary_cross_entropy_with_logits(p, t, reduction="none").mean(-1),
        bits_logits,
        {},
    ),
    (
        "lsgan_discriminator",
        lambda torch, t, p: torch.nn.functional.mse_loss(p, t, reduction="none").mean(-1) / 2,
        bits_logits,
        {},
    ),
    (
        "cycle_consistency",
        lambda torch, t, p: 10 * torch.nn.functional.l1_loss(p, t, reduction="none").mean(-1),
        numbers,
        {"weight": 10.0},
    ),
]
