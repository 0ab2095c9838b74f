"""Oracles and claims of the family: distributions, their likelihoods, scores and divergences."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, Data, between, case, convex, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from plain import EPSILON, clip, exp, log, mean, normal_cdf, normal_pdf, per_sample, per_sample_sum, sqrt, xlogy
from samples import Pair, classes_logits, counts, numbers, one_hot, positive, shares

# -- data --------------------------------------------------------------------------------------------------


def columns(width: int, truth: Data, scale: float = 0.7) -> Data:
    """A truth, and so many numbers for each of its entries, on a grid of 1e-6."""

    def data(positions: tuple[int, ...] = ()) -> Pair:
        y_true, _ = truth(positions)
        return y_true, np.round(scale * np.random.default_rng(20).normal(size=(*y_true.shape, width)), 6)

    return data


def single(truth: Data) -> Data:
    """A truth, and one number for each of its entries."""

    def data(positions: tuple[int, ...] = ()) -> Pair:
        y_true, y_pred = columns(1, truth)(positions)
        return y_true, y_pred[..., 0]

    return data


def fractions(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = positive(positions)
    return y_true / 6, y_pred / 6


def angles(positions: tuple[int, ...] = ()) -> Pair:
    """Directions and logarithms of concentrations: small ones, and from 30 on."""
    random = np.random.default_rng(21)
    shape = (3, *positions, 4)
    y_true = random.uniform(-3, 3, size=shape)
    log_k = np.where(
        random.uniform(size=shape) < 0.5, random.uniform(-1, 1.5, size=shape), random.uniform(3.6, 4.5, size=shape)
    )
    return y_true, np.stack([random.uniform(-3, 3, size=shape), log_k], axis=-1)


def ensemble(positions: tuple[int, ...] = ()) -> Pair:
    return columns(5, numbers, 3.0)(positions)


def mixture(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = columns(9, numbers)(positions)
    return y_true, np.reshape(y_pred, (*y_true.shape, 3, 3))


def points(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(22)
    return random.normal(size=(3, *positions, 2)), random.normal(size=(3, *positions, 5))


def vectors() -> Pair:
    random = np.random.default_rng(23)
    return random.normal(size=(4, 3)), random.normal(size=(4, 4, 3))


def normals(positions: tuple[int, ...] = ()) -> Pair:
    random = np.random.default_rng(24)
    return random.normal(size=(3, *positions, 4, 2)), random.normal(size=(3, *positions, 4, 2))


def posterior() -> tuple[None, np.ndarray]:
    return None, normals()[1]


def evidence(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = one_hot(positions)
    return y_true, 5 * y_pred


def concentrations(positions: tuple[int, ...] = ()) -> Pair:
    return shares(positions)[0], classes_logits(positions)[1] / 3


# -- likelihoods: densities of one number, as the textbooks have them --------------------------------------


def nll(density: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of -log(density(entry, *its columns)) over the entries of each sample."""

    def oracle(t: Any, p: Any, **params: float) -> Any:
        values = np.empty(t.shape, object)
        for place in np.ndindex(*t.shape):
            values[place] = -mp.log(density(t[place], *np.ravel(np.array(p[place], object)), **params))
        return per_sample(values)

    return oracle


def normal(x: Any, location: Any, log_variance: Any) -> Any:
    return mp.npdf(x, location, mp.sqrt(mp.exp(log_variance)))


def laplace(x: Any, location: Any, log_scale: Any) -> Any:
    b = mp.exp(log_scale)
    return mp.exp(-abs(x - location) / b) / (2 * b)


def student_t(x: Any, location: Any, log_scale: Any, df: float) -> Any:
    scale = mp.exp(log_scale)
    tail = (1 + ((x - location) / scale) ** 2 / df) ** (-(mp.mpf(df) + 1) / 2)
    return tail / (mp.sqrt(df) * mp.beta(mp.mpf(df) / 2, mp.mpf(1) / 2) * scale)


def gamma(x: Any, log_concentration: Any, log_rate: Any) -> Any:
    a, rate = mp.exp(log_concentration), mp.exp(log_rate)
    return rate**a / mp.gamma(a) * x ** (a - 1) * mp.exp(-rate * x)


def lognormal(x: Any, location: Any, log_variance: Any) -> Any:
    return normal(mp.log(x), location, log_variance) / x


def beta(x: Any, log_alpha: Any, log_beta: Any) -> Any:
    a, b = mp.exp(log_alpha), mp.exp(log_beta)
    return x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)


def exponential(x: Any, log_rate: Any) -> Any:
    return mp.exp(log_rate) * mp.exp(-mp.exp(log_rate) * x)


def weibull(x: Any, log_scale: Any, log_shape: Any) -> Any:
    scale, k = mp.exp(log_scale), mp.exp(log_shape)
    return k / scale * (x / scale) ** (k - 1) * mp.exp(-((x / scale) ** k))


def logistic(x: Any, location: Any, log_scale: Any) -> Any:
    s = mp.exp(log_scale)
    return mp.sech((x - location) / (2 * s)) ** 2 / (4 * s)


def gumbel(x: Any, location: Any, log_scale: Any) -> Any:
    s = mp.exp(log_scale)
    z = (x - location) / s
    return mp.exp(-z) * mp.exp(-mp.exp(-z)) / s


def inverse_gaussian(x: Any, log_mean: Any, log_shape: Any) -> Any:
    m, shape = mp.exp(log_mean), mp.exp(log_shape)
    return mp.sqrt(shape / (2 * mp.pi * x**3)) * mp.exp(-shape * (x - m) ** 2 / (2 * m**2 * x))


def von_mises(x: Any, direction: Any, log_concentration: Any) -> Any:
    k = mp.exp(log_concentration)
    return mp.exp(k * mp.cos(x - direction)) / (2 * mp.pi * mp.besseli(0, k))


def chance(logit: Any) -> Any:
    return 1 / (1 + mp.exp(-logit))


def binomial(k: Any, logit: Any, total_count: float) -> Any:
    p = chance(logit)
    return mp.binomial(total_count, k) * p**k * (1 - p) ** (total_count - k)


def geometric(k: Any, logit: Any) -> Any:
    return chance(logit) * (1 - chance(logit)) ** k


def poisson_pmf(k: Any, log_rate: Any) -> Any:
    rate = mp.exp(log_rate)
    return rate**k * mp.exp(-rate) / mp.factorial(k)


def negative_binomial(k: Any, log_mean: Any, log_theta: Any) -> Any:
    m, theta = mp.exp(log_mean), mp.exp(log_theta)
    return mp.binomial(k + theta - 1, k) * (m / (m + theta)) ** k * (theta / (m + theta)) ** theta


def inflated(pmf: Callable[..., Any]) -> Callable[..., Any]:
    """A count is zero for some other reason, with the chance that the last column says."""

    def density(k: Any, *p: Any) -> Any:
        q = chance(p[-1])
        return q * (k == 0) + (1 - q) * pmf(k, *p[:-1])

    return density


def hurdle(k: Any, log_rate: Any, logit: Any) -> Any:
    q = chance(logit)
    return q if k == 0 else (1 - q) * poisson_pmf(k, log_rate) / (1 - poisson_pmf(0, log_rate))


def normal_inverse_gamma(y: Any, gamma: Any, *raw: Any) -> Any:
    """Its evidence is Student's t with 2 * alpha degrees of freedom (the paper's equation 7)."""
    nu, alpha, beta = (mp.log(1 + mp.exp(x)) for x in raw)
    alpha += 1
    return student_t(y, gamma, mp.log(beta * (1 + nu) / (nu * alpha)) / 2, 2 * alpha)


def evidential_regression(t: Any, p: Any, coeff: float = 0.01) -> Any:
    nu, alpha = log(1 + exp(p[..., 1])), 1 + log(1 + exp(p[..., 2]))
    return nll(normal_inverse_gamma)(t, p) + coeff * per_sample(abs(t - p[..., 0]) * (2 * nu + alpha))


def held(x: Any) -> Any:
    """A value that no gradient flows through: it does not notice the oracle's tiny steps."""
    return np.frompyfunc(lambda v: mp.nint(v * 10**9) / 10**9, 1, 1)(x)


def beta_nll(t: Any, p: Any, beta: float) -> Any:
    variance = exp(p[..., 1])
    weight = exp(held(p[..., 1])) ** mp.mpf(beta)
    return per_sample(weight * ((t - p[..., 0]) ** 2 / variance + log(variance)) / 2)


def poisson_nll(t: Any, p: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Any:
    values = exp(p) - t * p if log_input else p - t * log(p + mp.mpf(eps))
    for place in np.ndindex(*t.shape):
        if full and t[place] > 1:
            values[place] += t[place] * mp.log(t[place]) - t[place] + mp.log(2 * mp.pi * t[place]) / 2
    return per_sample(values)


def dirichlet(t: Any, p: Any) -> Any:
    rows, logs = np.reshape(t, (-1, t.shape[-1])), np.reshape(p, (-1, t.shape[-1]))
    values = []
    for x, a in zip(rows, exp(logs), strict=True):
        norm = mp.gammaprod([sum(a)], list(a))
        values.append(-mp.log(norm * mp.fprod(xi ** (ai - 1) for xi, ai in zip(x, a, strict=True))))
    return per_sample(np.reshape(np.array(values, object), t.shape[:-1]))


def mixture_density(x: Any, *flat: Any) -> Any:
    parts = np.reshape(flat, (-1, 3))
    weights = exp(parts[:, 0]) / sum(exp(parts[:, 0]))
    return sum(w * normal(x, *part[1:]) for w, part in zip(weights, parts, strict=True))


def correlated(point: Any, p: Any) -> Any:
    """-log(density) by covariance matrix, determinant and inverse."""
    sx, sy, r = mp.exp(p[2]), mp.exp(p[3]), mp.tanh(p[4])
    return by_covariance(point - p[:2], mp.matrix([[sx**2, r * sx * sy], [r * sx * sy, sy**2]]))


def by_covariance(error: Any, covariance: Any) -> Any:
    e = mp.matrix(list(error))
    distance = (e.T * mp.inverse(covariance) * e)[0]
    return (len(error) * mp.log(2 * mp.pi) + mp.log(mp.det(covariance)) + distance) / 2


def bivariate_gaussian(t: Any, p: Any) -> Any:
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        values[place] = correlated(t[place], p[place])
    return per_sample(values)


def multivariate_gaussian(t: Any, p: Any) -> Any:
    values = []
    for x, rows in zip(t, p, strict=True):
        size = len(x)
        factor = mp.matrix(size)
        for i in range(size):
            for j in range(i + 1):
                factor[i, j] = mp.exp(rows[1 + i, j]) if i == j else rows[1 + i, j]
        cholesky = mp.inverse(factor)
        values.append(by_covariance(x - rows[0], cholesky * cholesky.T))
    return np.array(values, object)


# -- scores ------------------------------------------------------------------------------------------------


def crps_gaussian(t: Any, p: Any) -> Any:
    s = sqrt(exp(p[..., 1]))
    z = (t - p[..., 0]) / s
    return per_sample(s * (z * (2 * normal_cdf(z) - 1) + 2 * normal_pdf(z) - 1 / mp.sqrt(mp.pi)))


def crps_logistic(t: Any, p: Any) -> Any:
    s = exp(p[..., 1])
    z = (t - p[..., 0]) / s
    return per_sample(s * (z - 2 * log(1 / (1 + exp(-z))) - 1))


def crps_laplace(t: Any, p: Any) -> Any:
    s = exp(p[..., 1])
    z = abs((t - p[..., 0]) / s)
    return per_sample(s * (z + exp(-z) - mp.mpf(3) / 4))


def ensemble_score(t: Any, members: Any, fair: bool = False) -> Any:
    """With every pair of members, one by one; `t` and each member are vectors."""

    def distance(a: Any, b: Any) -> Any:
        return mp.sqrt(mp.fsum((a - b) ** 2)) if np.ndim(a) else abs(a - b)

    n = len(members)
    spread = mp.fsum(distance(a, b) for i, a in enumerate(members) for j, b in enumerate(members) if i != j)
    return mp.fsum(distance(a, t) for a in members) / n - spread / (2 * n * (n - 1 if fair else n))


def crps_ensemble(t: Any, p: Any, fair: bool = False) -> Any:
    values = np.empty(t.shape, object)
    for place in np.ndindex(*t.shape):
        values[place] = ensemble_score(t[place], p[place], fair)
    return per_sample(values)


def energy_score(t: Any, p: Any) -> Any:
    return np.array([ensemble_score(x, members) for x, members in zip(t, p, strict=True)], object)


def crps_quantile(t: Any, p: Any, tau: Any) -> Any:
    values = np.empty(p.shape, object)
    for place in np.ndindex(*p.shape):
        error, level = t[place[:-1]] - p[place], mp.mpf(tau[place[-1]])
        values[place] = 2 * error * level if error > 0 else -2 * error * (1 - level)
    return per_sample(values)


def winkler_interval(t: Any, p: Any, alpha: float) -> Any:
    low, high = p[..., 0], p[..., 1]
    below, above = np.where(t < low, low - t, mp.mpf(0)), np.where(t > high, t - high, mp.mpf(0))
    return per_sample(high - low + 2 * (below + above) / mp.mpf(alpha))


def running(p: Any) -> Any:
    """Running sums, each summed anew."""
    return np.stack([np.sum(p[..., : k + 1], axis=-1) for k in range(p.shape[-1])], axis=-1)


def ranked_probability_score(t: Any, p: Any) -> Any:
    return per_sample(np.sum((running(t) - running(p)) ** 2, axis=-1))


def earth_mover(t: Any, p: Any, r: float = 2.0) -> Any:
    return per_sample(mean(abs(running(t) - running(p)) ** mp.mpf(r), axis=-1) ** (1 / mp.mpf(r)))


def brier(t: Any, p: Any) -> Any:
    """1 - 2 * (chance of what was true) + sum of squares: its textbook form for one-hot labels."""
    return per_sample(np.sum(t * t, axis=-1) - 2 * np.sum(t * p, axis=-1) + np.sum(p * p, axis=-1))


def spherical(t: Any, p: Any) -> Any:
    return per_sample(-np.sum(np.where(t == 1, p, mp.mpf(0)), axis=-1) / sqrt(np.sum(p * p, axis=-1)))


def dirichlet_kl(a: Any, b: Any) -> Any:
    """KL of two Dirichlet distributions, by expectations of logarithms."""
    norm = mp.log(mp.gammaprod([sum(a)], list(a))) - mp.log(mp.gammaprod([sum(b)], list(b)))
    return norm + mp.fsum((x - y) * (mp.digamma(x) - mp.digamma(sum(a))) for x, y in zip(a, b, strict=True))


def evidential_dirichlet(t: Any, p: Any, annealing: float) -> Any:
    """The expected squared error from the moments of the Dirichlet distribution."""
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        y, a = t[place], 1 + p[place]
        total = sum(a)
        first = a / total
        second = a * (a + 1) / (total * (total + 1))
        expected = sum(y**2 - 2 * y * first + second)
        wrong = [mp.mpf(1) if label == 1 else x for label, x in zip(y, a, strict=True)]
        values[place] = expected + mp.mpf(annealing) * dirichlet_kl(wrong, [mp.mpf(1)] * len(wrong))
    return per_sample(values)


def evidential_crossentropy(t: Any, p: Any) -> Any:
    values = np.empty(t.shape[:-1], object)
    for place in np.ndindex(*values.shape):
        a = 1 + p[place]
        values[place] = mp.digamma(sum(a)) - mp.digamma(a[list(t[place]).index(1)])
    return per_sample(values)


# -- divergences -------------------------------------------------------------------------------------------


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
    case("gaussian_nll", nll(normal), columns(2, numbers)),
    case("beta_nll", beta_nll, columns(2, numbers), beta=0.8),
    case("beta_nll", beta_nll, columns(2, numbers), beta=0.0),
    case("laplace_nll", nll(laplace), columns(2, numbers)),
    case("student_t_nll", nll(student_t), columns(2, numbers), df=2.5),
    case("gamma_nll", nll(gamma), columns(2, positive)),
    case("lognormal_nll", nll(lognormal), columns(2, positive)),
    case("beta_distribution_nll", nll(beta), columns(2, fractions)),
    case("exponential_nll", nll(exponential), single(positive)),
    case("weibull_nll", nll(weibull), columns(2, positive)),
    case("logistic_nll", nll(logistic), columns(2, numbers)),
    case("gumbel_nll", nll(gumbel), columns(2, numbers)),
    case("inverse_gaussian_nll", nll(inverse_gaussian), columns(2, positive)),
    case("von_mises_nll", nll(von_mises), angles),
    case("binomial_nll", nll(binomial), single(counts), total_count=9.0),
    case("geometric_nll", nll(geometric), single(counts)),
    case("negative_binomial_nll", nll(negative_binomial), columns(2, counts)),
    case("zero_inflated_poisson_nll", nll(inflated(poisson_pmf)), columns(2, counts)),
    case("zero_inflated_negative_binomial_nll", nll(inflated(negative_binomial)), columns(3, counts)),
    case("hurdle_poisson_nll", nll(hurdle), columns(2, counts)),
    case("poisson_nll", poisson_nll, single(counts)),
    case("poisson_nll", poisson_nll, single(counts), full=True),
    case("poisson_nll", poisson_nll, counts, log_input=False, full=True, eps=0.01),
    case("poisson", lambda t, p: per_sample(p - t * log(p + EPSILON)), counts),
    case("dirichlet_nll", dirichlet, concentrations),
    case("mixture_density_nll", nll(mixture_density), mixture),
    case("bivariate_gaussian_nll", bivariate_gaussian, points),
    case("multivariate_gaussian_nll", multivariate_gaussian, vectors),
    case("evidential_regression", evidential_regression, columns(4, numbers), coeff=0.3),
    case("evidential_dirichlet", evidential_dirichlet, evidence, annealing=0.4),
    case("evidential_crossentropy", evidential_crossentropy, evidence),
    case("crps_gaussian", crps_gaussian, columns(2, numbers)),
    case("crps_logistic", crps_logistic, columns(2, numbers)),
    case("crps_laplace", crps_laplace, columns(2, numbers)),
    case("crps_ensemble", crps_ensemble, ensemble),
    case("crps_ensemble", crps_ensemble, ensemble, fair=True),
    case("energy_score", energy_score, vectors),
    case("crps_quantile", crps_quantile, ensemble, tau=[0.1, 0.3, 0.5, 0.8, 0.95]),
    case("winkler_interval", winkler_interval, columns(2, numbers), alpha=0.3),
    case("ranked_probability_score", ranked_probability_score, one_hot),
    case("earth_mover", earth_mover, shares),
    case("earth_mover", earth_mover, fractions, r=1.5),
    case("brier", brier, one_hot),
    case("spherical_score", spherical, one_hot),
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


def density_sums_to_one(name: str, grid: Any, y_pred: Any, **params: float) -> Claim:
    """exp(-loss) is a density, or with a grid of whole numbers a probability: over all there is, it sums to 1."""

    def holds() -> None:
        row = np.asarray(y_pred, float)[None, None]
        values = np.exp(-loss(name, grid[:, None], np.repeat(row, len(grid), axis=0), **params))
        whole = np.all(grid == np.round(grid))
        total = np.sum(values) if whole else np.trapezoid(values, grid)
        assert abs(total - 1) < 1e-5, total

    return Claim(name, "a density sums to one", holds)


def is_the_integral(name: str, cdf: Callable[[Any], Any], y_pred: Any, y_true: float) -> Claim:
    """The definition of the CRPS: the integral of (distribution function - step at the truth)**2."""

    def holds() -> None:
        low, high = np.linspace(-60, y_true, 200_001), np.linspace(y_true, 60, 200_001)
        expected = np.trapezoid(cdf(low) ** 2, low) + np.trapezoid((1 - cdf(high)) ** 2, high)
        found = loss(name, np.array([[y_true]]), np.asarray(y_pred, float)[None, None])
        np.testing.assert_allclose(found, expected, rtol=1e-4)

    return Claim(name, "the integral that defines it", holds)


def proper(name: str) -> Claim:
    """Nobody gains by a forecast other than the chances themselves."""

    def holds() -> None:
        truth = np.array([0.15, 0.25, 0.6])

        def expected(forecast: Any) -> Any:
            return truth @ loss(name, np.eye(3), np.tile(forecast, (3, 1)))

        others = np.random.default_rng(0).dirichlet(np.ones(3), size=50)
        assert all(expected(truth) < expected(other) for other in others)

    return Claim(name, "proper", holds)


def normal_function(location: float, deviation: float) -> Callable[[Any], Any]:
    return lambda x: 0.5 + 0.5 * np.vectorize(math.erf)((x - location) / (deviation * math.sqrt(2)))


def exchanged(name: str, data: Data, how: Callable[[float], float], **params: float) -> Claim:
    """With truth and prediction exchanged, it is the divergence of another order."""

    def holds() -> None:
        (t, p), key = data(), next(iter(params))
        np.testing.assert_allclose(loss(name, t, p, **params), loss(name, p, t, **{key: how(params[key])}), rtol=1e-9)

    return Claim(name, "its own dual", holds)


def related(name: str, what: str, data: Data, function: Callable[[Any, Any], Any], **params: float) -> Claim:
    """It is `function` of the same data, which may call other losses."""

    def holds() -> None:
        t, p = data()
        np.testing.assert_allclose(loss(name, t, p, **params), function(t, p), rtol=1e-6, atol=1e-9)

    return Claim(name, what, holds)


def permuted(t: Any, p: Any) -> tuple[Any, Any]:
    return np.roll(t, 1, axis=-1), np.roll(p, 1, axis=-1)


def diagonal() -> Any:
    """A mean and deviations, as the loss over vectors takes them, and the value with one number at a time."""
    t, p = vectors()
    p[:, 1:] *= np.eye(3)
    one_by_one = np.stack([p[:, 0], -2 * np.diagonal(p[:, 1:], axis1=1, axis2=2)], axis=-1)
    return t, p, 3 * loss("gaussian_nll", t, one_by_one)


def flat() -> Any:
    t, p = points()
    p[..., 4] = 0
    return t, p, 2 * loss("gaussian_nll", t, np.stack([p[:, :2], 2 * p[:, 2:4]], axis=-1))


def intervals() -> Pair:
    t, p = columns(2, numbers)()
    return t, np.sort(p, axis=-1)


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


def narrow(name: str, data: Data, column: int = 1, sign: float = 1.0) -> Claim:
    """A scale below its floor counts as the floor."""

    def holds() -> None:
        (t, p), log_floor = data(), np.log(1e-7)
        values = []
        for log_scale in (-80, log_floor, log_floor / 2):
            p[..., column] = sign * log_scale
            values.append(loss(name, t, p))
        np.testing.assert_allclose(values[0], values[1], rtol=1e-6)
        assert not np.allclose(values[1], values[2])

    return Claim(name, "a scale below epsilon counts as epsilon", holds)


def close(name: str, density: Callable[..., Any], y_true: float, columns: Any, rtol: float) -> Claim:
    """A series comes as near to the density as its comment says."""

    def holds() -> None:
        with mp.workdps(40):
            expected = float(-mp.log(density(mp.mpf(y_true), *map(mp.mpf, columns))))
        np.testing.assert_allclose(loss(name, np.array([[y_true]]), np.array([[columns]])), expected, rtol=rtol)

    return Claim(name, f"close at {columns}", holds)


LINE = np.linspace(-60, 60, 400_002)
HALF = np.geomspace(1e-9, 400, 400_000)
UNIT = np.linspace(1e-7, 1 - 1e-7, 400_000)
WHOLE = np.arange(0.0, 400.0)

CLAIMS: list[Claim] = [
    *(
        floored(name, shares)
        for name in ("jensen_shannon", "jeffreys_divergence", "alpha_divergence", "renyi_divergence")
    ),
    *(floored(name, shares) for name in ("kl_divergence", "hellinger", "bhattacharyya", "beta_divergence")),
    *(floored(name, positive) for name in ("generalized_kl", "itakura_saito")),
    *(narrow(name, columns(2, numbers)) for name in ("gaussian_nll", "beta_nll")),
    narrow("lognormal_nll", columns(2, positive)),
    narrow("inverse_gaussian_nll", columns(2, positive), column=0),
    narrow("inverse_gaussian_nll", columns(2, positive), sign=-1.0),
    narrow("bivariate_gaussian_nll", points, column=2),
    narrow("bivariate_gaussian_nll", points, column=3),
    narrow("diagonal_gaussian_kl", normals),
    *(
        close("von_mises_nll", von_mises, 1.0, [0.2, float(np.log(k))], rtol)
        for k, rtol in ((7.9, 1e-10), (8.1, 5e-7), (14.0, 1e-8))
    ),
    density_sums_to_one("gaussian_nll", LINE, [0.4, 0.7]),
    density_sums_to_one("laplace_nll", LINE, [0.4, 0.7]),
    density_sums_to_one("student_t_nll", 40 * LINE, [0.4, 0.7], df=4.0),
    density_sums_to_one("logistic_nll", LINE, [0.4, 0.3]),
    density_sums_to_one("gumbel_nll", LINE, [0.4, 0.3]),
    density_sums_to_one("gamma_nll", HALF, [0.4, -0.3]),
    density_sums_to_one("lognormal_nll", HALF, [0.4, -0.3]),
    density_sums_to_one("weibull_nll", HALF, [0.4, 0.3]),
    density_sums_to_one("inverse_gaussian_nll", HALF, [0.4, 0.3]),
    density_sums_to_one("exponential_nll", HALF, -0.3),
    density_sums_to_one("beta_distribution_nll", UNIT, [0.4, 0.7]),
    density_sums_to_one("von_mises_nll", np.linspace(-np.pi, np.pi, 10_001), [0.4, 0.7]),
    density_sums_to_one("von_mises_nll", np.linspace(-np.pi, np.pi, 10_001), [0.4, 3.0]),
    density_sums_to_one("mixture_density_nll", LINE, [[0.5, -3, 0.2], [-1, 2, 1]]),
    density_sums_to_one("binomial_nll", np.arange(8.0), 0.3, total_count=7.0),
    density_sums_to_one("geometric_nll", WHOLE, -0.3),
    density_sums_to_one("negative_binomial_nll", WHOLE, [1.5, 0.4]),
    density_sums_to_one("zero_inflated_poisson_nll", WHOLE, [1.5, 0.4]),
    density_sums_to_one("zero_inflated_negative_binomial_nll", WHOLE, [1.5, 0.4, -0.6]),
    density_sums_to_one("hurdle_poisson_nll", WHOLE, [1.5, 0.4]),
    equals("beta_nll", "gaussian_nll(y_true, y_pred) - 0.5 * log(2 * pi)", columns(2, numbers), beta=0.0),
    equals(
        "student_t_nll",
        "mean(log(pi) + y_pred[..., 1] + log1p(square((y_true - y_pred[..., 0]) / exp(y_pred[..., 1]))))",
        columns(2, numbers),
        df=1.0,
    ),
    equals("poisson_nll", "poisson(y_true, exp(y_pred))", single(counts), rtol=1e-5),
    related(
        "weibull_nll",
        "exponential at shape 1",
        lambda: (positive()[0], np.stack([columns(2, positive)()[1][..., 0], np.zeros((3, 4))], axis=-1)),
        lambda t, p: loss("exponential_nll", t, -p[..., 0]),
    ),
    related(
        "lognormal_nll",
        "the normal one for log(y_true)",
        columns(2, positive),
        lambda t, p: loss("gaussian_nll", np.log(t), p) + np.mean(np.log(t), axis=1),
    ),
    related(
        "multivariate_gaussian_nll",
        "a sum of normal ones where nothing correlates",
        lambda: diagonal()[:2],
        lambda *_: diagonal()[2],
    ),
    related(
        "bivariate_gaussian_nll", "two normal ones where nothing correlates", lambda: flat()[:2], lambda *_: flat()[2]
    ),
    is_the_integral("crps_gaussian", normal_function(0.7, np.exp(0.4)), [0.7, 0.8], 1.9),
    is_the_integral("crps_logistic", lambda x: 1 / (1 + np.exp(-(x - 0.7) / np.exp(0.4))), [0.7, 0.4], 1.9),
    is_the_integral(
        "crps_laplace",
        lambda x: np.where(
            x < 0.7, 0.5 * np.exp(-abs(x - 0.7) / np.exp(0.4)), 1 - 0.5 * np.exp(-abs(x - 0.7) / np.exp(0.4))
        ),
        [0.7, 0.4],
        1.9,
    ),
    is_the_integral(
        "crps_ensemble",
        lambda x: np.mean(x[:, None] >= np.array([0.7, -1.0, 2.5, 3.0]), axis=1),
        [0.7, -1.0, 2.5, 3.0],
        1.9,
    ),
    unchanged("crps_ensemble", "another order of the members", ensemble, lambda t, p: (t, np.flip(p, axis=-1))),
    unchanged("energy_score", "another order of the members", vectors, lambda t, p: (t, np.flip(p, axis=1))),
    related(
        "energy_score",
        "the CRPS of one feature",
        lambda: (vectors()[0][:, :1], vectors()[1][:, :, :1]),
        lambda t, p: loss("crps_ensemble", t, np.swapaxes(p, 1, 2)),
    ),
    related(
        "crps_quantile",
        "absolute errors from the median",
        ensemble,
        lambda t, p: np.mean(abs(t[..., None] - p), axis=(1, 2)),
        tau=[0.5] * 5,
    ),
    related(
        "winkler_interval",
        "quantile losses of its bounds",
        intervals,
        lambda t, p: 10 * loss("crps_quantile", t, p, tau=[0.1, 0.9]),
        alpha=0.2,
    ),
    ordered(
        "winkler_interval",
        "a wide interval costs more than a narrow one",
        [[1.0]],
        [[[0.9, 1.1]]],
        [[[0, 2]]],
        [[[-5, 5]]],
    ),
    proper("brier"),
    proper("spherical_score"),
    proper("ranked_probability_score"),
    zero_at_truth("brier", one_hot),
    zero_at_truth("ranked_probability_score", one_hot),
    ordered("ranked_probability_score", "farther classes cost more", [[1, 0, 0]], [[0.8, 0.2, 0]], [[0.8, 0, 0.2]]),
    between("brier", one_hot, 0, 2),
    between("spherical_score", one_hot, -1, 0),
    zero_at_truth("earth_mover", shares),
    equals("earth_mover", "sqrt(ranked_probability_score(y_true, y_pred) / 4)", shares),
    ordered("earth_mover", "farther classes cost more", [[1, 0, 0]], [[0.8, 0.2, 0]], [[0.8, 0, 0.2]], r=1.0),
    ordered(
        "evidential_dirichlet", "evidence for the wrong class costs", [[1, 0, 0]], [[9, 0, 0]], [[0, 0, 0]], [[0, 9, 0]]
    ),
    ordered(
        "evidential_crossentropy",
        "evidence for the wrong class costs",
        [[1, 0, 0]],
        [[9, 0, 0]],
        [[0, 0, 0]],
        [[0, 9, 0]],
    ),
    ordered(
        "evidential_regression",
        "evidence beside the truth costs",
        [[3.0]],
        [[[0, -3, 0, 0]]],
        [[[0, 3, 0, 0]]],
        coeff=1.0,
    ),
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
    *(convex(name, positive) for name in ("generalized_kl", "poisson", "alpha_divergence", "chi_square_divergence")),
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


# -- torch -------------------------------------------------------------------------------------------------


def by_distribution(make: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of -log_prob of a torch distribution, made from the columns of the prediction."""

    def value(torch: Any, t: Any, p: Any) -> Any:
        return -make(torch.distributions, *torch.unbind(p, dim=-1)).log_prob(t).mean(dim=-1)

    return value


def rates(torch: Any, t: Any, p: Any, **params: bool) -> Any:
    return torch.nn.functional.poisson_nll_loss(p, t, reduction="none", **params).mean(dim=-1)


def mixed(torch: Any, p: Any) -> Any:
    parts = torch.distributions.Normal(p[..., 1], torch.exp(p[..., 2] / 2))
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=p[..., 0]), parts)


def full(torch: Any, p: Any) -> Any:
    w = torch.tril(p[:, 1:], -1) + torch.diag_embed(torch.exp(torch.diagonal(p[:, 1:], dim1=1, dim2=2)))
    return torch.distributions.MultivariateNormal(p[:, 0], precision_matrix=w.mT @ w)


def latent(torch: Any, p: Any) -> Any:
    return torch.distributions.Normal(p[..., 0], torch.exp(p[..., 1] / 2))


TORCH = [
    (
        "gaussian_nll",
        lambda torch, t, p: torch.nn.functional.gaussian_nll_loss(
            p[..., 0], t, p[..., 1].exp(), full=True, reduction="none"
        ).mean(dim=-1),
        columns(2, numbers),
        {},
    ),
    ("laplace_nll", by_distribution(lambda d, m, s: d.Laplace(m, s.exp())), columns(2, numbers), {}),
    ("student_t_nll", by_distribution(lambda d, m, s: d.StudentT(2.5, m, s.exp())), columns(2, numbers), {"df": 2.5}),
    ("gamma_nll", by_distribution(lambda d, a, b: d.Gamma(a.exp(), b.exp())), columns(2, positive), {}),
    ("lognormal_nll", by_distribution(lambda d, m, v: d.LogNormal(m, (v / 2).exp())), columns(2, positive), {}),
    ("beta_distribution_nll", by_distribution(lambda d, a, b: d.Beta(a.exp(), b.exp())), columns(2, fractions), {}),
    (
        "exponential_nll",
        lambda torch, t, p: -torch.distributions.Exponential(p.exp()).log_prob(t).mean(dim=-1),
        single(positive),
        {},
    ),
    ("weibull_nll", by_distribution(lambda d, a, k: d.Weibull(a.exp(), k.exp())), columns(2, positive), {}),
    ("gumbel_nll", by_distribution(lambda d, m, s: d.Gumbel(m, s.exp())), columns(2, numbers), {}),
    (
        "binomial_nll",
        lambda torch, t, p: -torch.distributions.Binomial(9, logits=p).log_prob(t).mean(dim=-1),
        single(counts),
        {"total_count": 9.0},
    ),
    (
        "geometric_nll",
        lambda torch, t, p: -torch.distributions.Geometric(logits=p).log_prob(t).mean(dim=-1),
        single(counts),
        {},
    ),
    (
        "negative_binomial_nll",
        by_distribution(lambda d, m, theta: d.NegativeBinomial(theta.exp(), logits=m - theta)),
        columns(2, counts),
        {},
    ),
    ("poisson_nll", lambda torch, t, p: rates(torch, t, p, full=True), single(counts), {"full": True}),
    ("poisson_nll", lambda torch, t, p: rates(torch, t, p, log_input=False), counts, {"log_input": False}),
    ("dirichlet_nll", lambda torch, t, p: -torch.distributions.Dirichlet(p.exp()).log_prob(t), concentrations, {}),
    ("mixture_density_nll", lambda torch, t, p: -mixed(torch, p).log_prob(t).mean(dim=-1), mixture, {}),
    ("multivariate_gaussian_nll", lambda torch, t, p: -full(torch, p).log_prob(t), vectors, {}),
    (
        "kl_divergence",
        lambda torch, t, p: torch.nn.functional.kl_div(p.log(), t, reduction="none").sum(dim=-1),
        shares,
        {},
    ),
    (
        "diagonal_gaussian_kl",
        lambda torch, t, p: torch.distributions.kl_divergence(latent(torch, t), latent(torch, p)).sum(dim=-1),
        normals,
        {},
    ),
]
