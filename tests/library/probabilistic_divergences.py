"""Oracles and claims for distributions: divergences of distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, Data, between, case, convex, equals, loss, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import EPSILON, clip, exp, log, mean, per_sample, per_sample_sum, sqrt, xlogy
from probabilistic_shared import narrow, related
from samples import Pair, one_hot, positive, shares

# -- data --------------------------------------------------------------------------------------------------


def normals(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(24)
    return random.normal(size=(3, *positions, 4, 2)), random.normal(size=(3, *positions, 4, 2))


def posterior() -> tuple[None, np.ndarray]:
    return None, normals()[1]


# -- oracles -----------------------------------------------------------------------------------------------


def guarded(x: Any) -> Any:
    return clip(x, EPSILON, mp.mpf(1))


def kl(t: Any, p: Any) -> Any:
    return np.sum(xlogy(t, t) - xlogy(t, p), axis=-1)


def kl_divergence(t: Any, p: Any) -> Any:
    return per_sample(kl(guarded(t), guarded(p)))


def jensen_shannon(t: Any, p: Any) -> Any:
    """The entropy of the mixture, less the mean of the entropies."""

    def entropy(q: Any) -> Any:
        return -np.sum(xlogy(q, q), axis=-1)

    return per_sample(entropy((t + p) / 2) - (entropy(t) + entropy(p)) / 2)


def jeffreys(t: Any, p: Any) -> Any:
    return per_sample(kl(t, p) + kl(p, t))


def generalized_kl(t: Any, p: Any) -> Any:
    return per_sample(t * log(t) - t * log(p) - (t - p))


def itakura_saito(t: Any, p: Any) -> Any:
    return per_sample(t / p - log(t) + log(p) - 1)


def beta_divergence(t: Any, p: Any, beta: float) -> Any:
    """The gap between a convex function and its tangent (Bregman), which it is."""
    if beta in (0, 1):
        return itakura_saito(t, p) if beta == 0 else generalized_kl(t, p)
    b = mp.mpf(beta)
    return per_sample((t**b - p**b - b * p ** (b - 1) * (t - p)) / (b * (b - 1)))


def alpha_divergence(t: Any, p: Any, alpha: float) -> Any:
    """As an f-divergence: sum of p * f(t / p)."""
    u, a = t / p, mp.mpf(alpha)
    f = u * log(u) - u + 1 if alpha == 1 else (u**a - a * u + a - 1) / (a * (a - 1))
    return per_sample(np.sum(p * f, axis=-1))


def renyi(t: Any, p: Any, alpha: float) -> Any:
    a = mp.mpf(alpha)
    return per_sample(kl(t, p) if alpha == 1 else log(np.sum((t / p) ** a * p, axis=-1)) / (a - 1))


def hellinger(t: Any, p: Any) -> Any:
    return per_sample(sqrt((np.sum(t, axis=-1) + np.sum(p, axis=-1)) / 2 - np.sum(sqrt(t * p), axis=-1)))


def total_variation(t: Any, p: Any) -> Any:
    """Half of what is above both less what is below both."""
    return per_sample(np.sum(np.maximum(t, p), axis=-1) - np.sum(np.minimum(t, p), axis=-1)) / 2


def bhattacharyya(t: Any, p: Any) -> Any:
    return per_sample(-log(np.sum(sqrt(t * p), axis=-1)))


def chi_square(t: Any, p: Any) -> Any:
    return per_sample(np.sum(t * t / p, axis=-1) - 2 * np.sum(t, axis=-1) + np.sum(p, axis=-1))


def gaussian_kl(t: Any, p: Any) -> Any:
    """The expectation of the difference of the two log-densities under the first."""
    v, w = exp(t[..., 1]), exp(p[..., 1])
    expected = (
        -log(2 * mp.pi * v) / 2 - mp.mpf(1) / 2 + log(2 * mp.pi * w) / 2 + (v + (t[..., 0] - p[..., 0]) ** 2) / (2 * w)
    )
    return per_sample_sum(expected)


def latent_kl(p: Any) -> Any:
    return -(1 + p[..., 1] - p[..., 0] ** 2 - exp(p[..., 1])) / 2


def vae_kl(_: Any, p: Any) -> Any:
    return per_sample_sum(latent_kl(p))


def free_bits(_: Any, p: Any, free_bits: float) -> Any:
    means = [mean(column) for column in np.reshape(latent_kl(p), (len(p), -1)).T]
    return np.array([mp.fsum(max(m, mp.mpf(free_bits)) for m in means)], object)


def gaussian_wasserstein(t: Any, p: Any) -> Any:
    s, r = sqrt(exp(t[..., 1])), sqrt(exp(p[..., 1]))
    return per_sample_sum((t[..., 0] - p[..., 0]) ** 2 + s**2 + r**2 - 2 * s * r)


CASES: list[Case] = [
    case("kl_divergence", kl_divergence, shares),
    case("kl_divergence", kl_divergence, one_hot),
    case("jensen_shannon", jensen_shannon, shares),
    case("jeffreys_divergence", jeffreys, shares),
    case("generalized_kl", generalized_kl, positive),
    case("itakura_saito", itakura_saito, positive),
    case("beta_divergence", beta_divergence, positive, beta=1.6),
    case("beta_divergence", beta_divergence, positive, beta=0.0),
    case("beta_divergence", beta_divergence, positive, beta=1.0),
    case("alpha_divergence", alpha_divergence, positive, alpha=0.3),
    case("alpha_divergence", alpha_divergence, positive, alpha=1.0),
    case("renyi_divergence", renyi, shares, alpha=0.3),
    case("renyi_divergence", renyi, shares, alpha=2.5),
    case("renyi_divergence", renyi, shares, alpha=1.0),
    case("hellinger", hellinger, shares),
    case("total_variation_distance", total_variation, shares),
    case("bhattacharyya", bhattacharyya, shares),
    case("chi_square_divergence", chi_square, shares),
    case("diagonal_gaussian_kl", gaussian_kl, normals),
    case("diagonal_gaussian_wasserstein", gaussian_wasserstein, normals),
    case("vae_kl", vae_kl, posterior),
    case("free_bits_kl", free_bits, posterior, free_bits=0.6),
]

# -- claims ------------------------------------------------------------------------------------------------


def exchanged(name: str, data: Data, how: Callable[[float], float], **params: float) -> Claim:
    """With truth and prediction exchanged, it is the divergence of another order."""

    def holds() -> None:
        (t, p), key = data(), next(iter(params))
        np.testing.assert_allclose(loss(name, t, p, **params), loss(name, p, t, **{key: how(params[key])}), rtol=1e-9)

    return Claim(name, "its own dual", holds)


def permuted(t: Any, p: Any) -> tuple[Any, Any]:
    return np.roll(t, 1, axis=-1), np.roll(p, 1, axis=-1)


def floored(name: str, data: Data, low: float = 0.0, floor: float = 1e-7, **params: float) -> Claim:
    """What is below its floor counts as the floor, in truth and prediction, and so stays finite."""

    def holds() -> None:
        t, p = data()
        t, p = np.where(t > np.median(t), t, low), np.where(p > np.median(p), p, low)
        raised = np.maximum(t, floor), np.maximum(p, floor)
        np.testing.assert_allclose(loss(name, t, p, **params), loss(name, *raised, **params), rtol=1e-6, atol=1e-12)
        assert not np.allclose(
            loss(name, *raised, **params),
            loss(name, np.maximum(t, 2 * floor), np.maximum(p, 2 * floor), **params),
            rtol=1e-9,
        )

    return Claim(name, "what is below epsilon counts as epsilon", holds)


CLAIMS: list[Claim] = [
    *(
        floored(name, shares)
        for name in ("jensen_shannon", "jeffreys_divergence", "alpha_divergence", "renyi_divergence")
    ),
    *(floored(name, shares) for name in ("kl_divergence", "hellinger", "bhattacharyya", "beta_divergence")),
    *(floored(name, positive) for name in ("generalized_kl", "itakura_saito")),
    narrow("diagonal_gaussian_kl", normals),
    *(
        zero_at_truth(name, shares)
        for name in ("kl_divergence", "jensen_shannon", "jeffreys_divergence", "alpha_divergence")
    ),
    *(
        zero_at_truth(name, shares)
        for name in ("renyi_divergence", "hellinger", "total_variation_distance", "bhattacharyya")
    ),
    zero_at_truth("chi_square_divergence", shares),
    *(zero_at_truth(name, positive) for name in ("generalized_kl", "itakura_saito", "beta_divergence")),
    zero_at_truth("diagonal_gaussian_kl", normals),
    zero_at_truth("diagonal_gaussian_wasserstein", normals),
    *(symmetric(name, shares) for name in ("jensen_shannon", "jeffreys_divergence", "hellinger", "bhattacharyya")),
    symmetric("total_variation_distance", shares),
    symmetric("diagonal_gaussian_wasserstein", normals),
    between("jensen_shannon", one_hot, 0, float(np.log(2))),
    between("hellinger", one_hot, 0, 1),
    between("total_variation_distance", one_hot, 0, 1),
    *(convex(name, positive) for name in ("generalized_kl", "alpha_divergence", "chi_square_divergence")),
    *(
        unchanged(name, "another order of the classes", shares, permuted)
        for name in ("kl_divergence", "renyi_divergence")
    ),
    unchanged("itakura_saito", "another scale", positive, lambda t, p: (7 * t, 7 * p)),
    equals("beta_divergence", "0.5 * mean_squared_error(y_true, y_pred)", positive, beta=2.0),
    equals("beta_divergence", "itakura_saito(y_true, y_pred)", positive, rtol=1e-4, beta=1e-6),
    equals("beta_divergence", "generalized_kl(y_true, y_pred)", positive, rtol=1e-4, beta=1 + 1e-6),
    equals("alpha_divergence", "kl_divergence(y_true, y_pred)", shares, rtol=1e-4, alpha=1 + 1e-6),
    equals("alpha_divergence", "0.5 * chi_square_divergence(y_true, y_pred)", shares, alpha=2.0),
    equals("alpha_divergence", "4 * square(hellinger(y_true, y_pred))", shares, alpha=0.5),
    exchanged("alpha_divergence", shares, lambda alpha: 1 - alpha, alpha=0.3),
    equals("renyi_divergence", "kl_divergence(y_true, y_pred)", shares, rtol=1e-4, alpha=1 + 1e-6),
    equals("renyi_divergence", "2 * bhattacharyya(y_true, y_pred)", shares, alpha=0.5),
    equals("renyi_divergence", "log1p(chi_square_divergence(y_true, y_pred))", shares, alpha=2.0),
    equals("hellinger", "sqrt(1 - exp(-bhattacharyya(y_true, y_pred)))", shares),
    related(
        "diagonal_gaussian_kl",
        "vae_kl against a standard normal",
        lambda: (normals()[0], 0 * normals()[1]),
        lambda t, _: loss("vae_kl", None, t),
    ),
    related(
        "free_bits_kl",
        "the mean vae_kl without free bits",
        posterior,
        lambda _, p: np.mean(loss("vae_kl", None, p), keepdims=True),
        free_bits=0.0,
    ),
    related("vae_kl", "zero for a standard normal", lambda: (None, np.zeros((3, 4, 2))), lambda *_: np.zeros(3)),
]
