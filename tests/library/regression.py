"""Oracles and claims of the family: numbers against numbers, and forecasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import plain as m
from case import Claim, between, case, convex, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from samples import counts, numbers, positive

NODES, WEIGHTS = (m.exact(array) for array in np.polynomial.legendre.leggauss(40))

# -- entry by entry


def by_entry(error: Callable[..., Any]) -> Callable[..., Any]:
    """The mean, over a sample's entries, of a function of the true and the predicted number."""

    def oracle(t: Any, p: Any, **params: float) -> Any:
        each = np.frompyfunc(lambda a, b: error(a, b, **params), 2, 1)
        return m.per_sample(each(t, p))

    return oracle


def root(oracle: Callable[..., Any]) -> Callable[..., Any]:
    return lambda t, p, **params: m.sqrt(oracle(t, p, **params))


def side(t: Any, p: Any, under: Any, over: Any) -> Any:
    return under if p < t else over


squared = by_entry(lambda t, p: (t - p) ** 2)
absolute = by_entry(lambda t, p: max(t - p, p - t))
percentage = by_entry(lambda t, p: 100 * abs(t - p) / max(abs(t), m.EPSILON))
squared_percentage = by_entry(lambda t, p: ((t - p) / t) ** 2)
arctangent_percentage = by_entry(lambda t, p: mp.acot(abs(t / (t - p))))
symmetric_percentage = by_entry(lambda t, p: 100 * abs(t - p) / ((abs(t) + abs(p)) / 2))
logarithmic = by_entry(lambda t, p: mp.log((1 + max(t, m.EPSILON)) / (1 + max(p, m.EPSILON))) ** 2)
log_cosh = by_entry(lambda t, p: mp.log((mp.exp(p - t) + mp.exp(t - p)) / 2))
linex = by_entry(lambda t, p, a: mp.exp(a * (p - t)) - a * (p - t) - 1)
penalised = by_entry(lambda t, p: (abs(t - p) + (t - p) ** 2) / 2)
asymmetric = by_entry(lambda t, p, under, over: side(t, p, under, over) * (t - p) ** 2)
quantile = by_entry(lambda t, p, tau: side(t, p, tau, mp.mpf(1) - tau) * abs(t - p))
expectile = by_entry(lambda t, p, tau: side(t, p, tau, mp.mpf(1) - tau) * (t - p) ** 2)
smooth_quantile = by_entry(lambda t, p, tau, alpha: tau * (t - p) + alpha * mp.log(1 + mp.exp((p - t) / alpha)))
insensitive = by_entry(lambda t, p, margin: max(0, p - (t + margin), (t - margin) - p))
squared_insensitive = by_entry(lambda t, p, margin: max(0, p - (t + margin), (t - margin) - p) ** 2)
berhu = by_entry(lambda t, p, c: abs(t - p) if abs(t - p) < c else ((t - p) ** 2 + mp.mpf(c) ** 2) / (2 * c))
shrinkage = by_entry(lambda t, p, a, c: (t - p) ** 2 / (1 + mp.exp(a * (c - abs(t - p)))))


def focal(t: Any, p: Any, beta: float, gamma: float, squared: bool = False) -> Any:
    error = abs(t - p)
    return m.per_sample((2 * m.sigmoid(beta * error) - 1) ** gamma * error ** (2 if squared else 1))


def rounded(error: Any, tau: Any, kappa: Any) -> Any:
    """The paper's rho: |tau - 1{u < 0}| times Huber's function."""
    kappa = mp.mpf(kappa)
    huber = error**2 / 2 if abs(error) <= kappa else kappa * (abs(error) - kappa / 2)
    return abs(tau - (1 if error < 0 else 0)) * huber


quantile_huber = by_entry(lambda t, p, tau, kappa: rounded(t - p, tau, kappa))


def qr_dqn(t: Any, p: Any, kappa: float) -> Any:
    count = p.shape[1]
    return np.array(
        [
            sum(
                sum(rounded(target - at, mp.mpf(2 * i + 1) / (2 * count), kappa) for target in targets) / len(targets)
                for i, at in enumerate(quantiles)
            )
            for targets, quantiles in zip(t, p, strict=True)
        ]
    )


def multi_quantile(t: Any, p: Any, tau: list[float]) -> Any:
    return sum(quantile(t, p[..., i], tau=level) for i, level in enumerate(tau)) / len(tau)


def minkowski(t: Any, at: Any, p: float) -> Any:
    return m.per_sample_sum(abs(t - at) ** p) ** (1 / mp.mpf(p))


def cosine(t: Any, p: Any) -> Any:
    return -m.per_sample(np.sum(m.unit(t) * m.unit(p), axis=-1))


# -- sample by sample


def of_sample(score: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the lists of a sample's true and predicted numbers."""
    return lambda t, p, **params: np.array([score(a.ravel(), b.ravel(), **params) for a, b in zip(t, p, strict=True)])


weighted_percentage = of_sample(lambda t, p: mp.fsum(abs(t - p)) / mp.fsum(abs(t)))
relative_energy = of_sample(lambda t, p: mp.fsum((t - p) ** 2) / mp.fsum(t**2))
relative_l2 = of_sample(lambda t, p: mp.norm(list(t - p)) / mp.norm(list(t)))


def scale_invariant_log(t: Any, p: Any, variance_focus: float) -> Any:
    """The paper's second form, with the pairs of entries."""
    d = m.log(p) - m.log(t)
    n = len(d)
    return sum(x * x for x in d) / n - variance_focus * sum(x * y for x in d for y in d) / n**2


def best_line(t: Any, p: Any) -> Any:
    """The scale and shift of least squares by the normal equations, as in the paper."""
    n, x, y = len(p), sum(p), sum(t)
    xx, xy = sum(p * p), sum(p * t)
    scale, shift = (n * xy - x * y) / (n * xx - x * x), (xx * y - x * xy) / (n * xx - x * x)
    return sum((scale * p + shift - t) ** 2) / (2 * n)


def scaled(power: int) -> Callable[..., Any]:
    return lambda t, p: m.per_sample((abs(t[..., 0] - p) ** power) / t[..., 1])


def basin(t: Any, p: Any, eps: float) -> Any:
    return m.per_sample((t[..., 0] - p) ** 2 / (t[..., 1] + eps) ** 2)


# -- deviances: twice what the best likelihood is above that of the prediction


def deviance(log_density: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return by_entry(lambda t, p: 2 * (log_density(t, t) - log_density(t, p)))


def poisson(t: Any, mean: Any) -> Any:
    return mp.log(mean**t * mp.exp(-mean) / mp.factorial(t))


def exponential(t: Any, mean: Any) -> Any:
    """The gamma distribution of shape 1: the deviance is the same for every shape, but for the factor."""
    return mp.log(mp.exp(-t / mean) / mean)


def inverse_gaussian(t: Any, mean: Any) -> Any:
    return mp.log(mp.sqrt(1 / (2 * mp.pi * t**3)) * mp.exp(-((t - mean) ** 2) / (2 * mean**2 * t)))


def tweedie_entry(t: Any, p: Any, power: float) -> Any:
    """Twice the integral of (t - u) / u**power from the prediction to the truth, over log(u)."""
    low, high = mp.log(p), mp.log(t)
    places = [(low + high) / 2 + (high - low) / 2 * x for x in NODES]
    return (high - low) * sum(
        w * (t - mp.exp(s)) * mp.exp(s * (1 - power)) for w, s in zip(WEIGHTS, places, strict=True)
    )


tweedie = by_entry(tweedie_entry)

# -- one number for the batch


def by_output(score: Callable[..., Any]) -> Callable[..., Any]:
    """The mean over the outputs of a function of the lists of an output's true and predicted numbers."""

    def oracle(t: Any, p: Any) -> Any:
        truths, predictions = np.reshape(t, (len(t), -1)).T, np.reshape(p, (len(p), -1)).T
        return np.array([m.mean(np.array([score(a, b) for a, b in zip(truths, predictions, strict=True)]))])

    return oracle


def of_all(score: Callable[..., Any]) -> Callable[..., Any]:
    return lambda t, p: np.array([score(t.ravel(), p.ravel())])


def variance(x: Any) -> Any:
    """By pairs, with no mean in it."""
    return sum((a - b) ** 2 for a in x for b in x) / (2 * len(x) ** 2)


def covariance(x: Any, y: Any) -> Any:
    return sum((x[i] - x[j]) * (y[i] - y[j]) for i in range(len(x)) for j in range(len(x))) / (2 * len(x) ** 2)


def correlation(x: Any, y: Any) -> Any:
    return covariance(x, y) / mp.sqrt(variance(x) * variance(y))


def concordance(t: Any, p: Any) -> Any:
    return 1 - 2 * covariance(t, p) / (variance(t) + variance(p) + (m.mean(t) - m.mean(p)) ** 2)


def kling_gupta(t: Any, p: Any) -> Any:
    parts = correlation(t, p), mp.sqrt(variance(p) / variance(t)), m.mean(p) / m.mean(t)
    return mp.norm([1 - part for part in parts])


def agreement(t: Any, p: Any) -> Any:
    middle = m.mean(t)
    return sum((p - t) ** 2) / sum((abs(a - middle) + abs(b - middle)) ** 2 for a, b in zip(t, p, strict=True))


def balanced_mse(t: Any, p: Any, noise_sigma: float) -> Any:
    """The likelihood of the own truth among those of the batch, by normal densities."""
    sigma = mp.mpf(noise_sigma)

    def density(truth: Any, at: Any) -> Any:
        return mp.fprod(m.normal_pdf((truth - at) / sigma) / sigma)

    found = [mp.log(density(t[i], p[i]) / sum(density(other, p[i]) for other in t)) for i in range(len(p))]
    return -2 * sigma**2 * np.array(found)


def adaptive_berhu(t: Any, p: Any, share: float) -> Any:
    """The threshold takes no gradient."""
    return berhu(t, p, c=share * m.held(np.max(abs(t - p))))


# -- data


def vectors() -> Any:
    random = np.random.default_rng(31)
    return random.normal(size=(5, 3)) + 2, 1.5 * random.normal(size=(5, 3)) + 1.8


def amounts() -> Any:
    random = np.random.default_rng(32)
    return random.uniform(1, 5, size=(5, 3)), random.uniform(0.3, 6, size=(5, 3))


def targets_and_quantiles() -> Any:
    random = np.random.default_rng(33)
    return random.normal(size=(3, 2)), 2 * random.normal(size=(3, 5))


def levels(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(34)
    return random.normal(size=(4, *positions)), 2 * random.normal(size=(4, *positions, 3))


def with_scale(positions: tuple[int, ...] = ()) -> Any:
    random = np.random.default_rng(35)
    shape = (3, *positions, 4)
    return np.stack([random.normal(size=shape), random.uniform(0.4, 3, size=shape)], -1), 2 * random.normal(size=shape)


CASES = [
    case("mean_squared_error", squared, numbers),
    case("mean_absolute_error", absolute, numbers),
    case("mean_absolute_percentage_error", percentage, numbers),
    case("mean_absolute_percentage_error", percentage, counts),
    case("mean_squared_percentage_error", squared_percentage, numbers),
    case("mean_arctangent_absolute_percentage_error", arctangent_percentage, numbers),
    case("symmetric_mean_absolute_percentage_error", symmetric_percentage, numbers),
    case("mean_squared_logarithmic_error", logarithmic, positive),
    case("mean_squared_logarithmic_error", logarithmic, numbers),
    case("root_mean_squared_logarithmic_error", root(logarithmic), positive),
    case("root_mean_squared_error", root(squared), numbers),
    case("log_cosh", log_cosh, numbers),
    case("linex", linex, numbers, a=-0.6),
    case("penalised_error", penalised, numbers),
    case("asymmetric_mse", asymmetric, numbers, under=2.5, over=0.4),
    case("quantile", quantile, numbers, tau=0.9),
    case("multi_quantile", multi_quantile, levels, tau=[0.2, 0.65, 0.9]),
    case("expectile", expectile, numbers, tau=0.9),
    case("smooth_quantile", smooth_quantile, numbers, tau=0.8, alpha=0.7),
    case("quantile_huber", quantile_huber, numbers, tau=0.8, kappa=1.7),
    case("qr_dqn", qr_dqn, targets_and_quantiles, kappa=0.8),
    case("epsilon_insensitive", insensitive, numbers, margin=1.2),
    case("squared_epsilon_insensitive", squared_insensitive, numbers, margin=1.2),
    case("minkowski", minkowski, numbers, p=2.6),
    case("cosine_similarity", cosine, numbers),
    case("weighted_absolute_percentage_error", weighted_percentage, numbers),
    case("normalized_mean_squared_error", relative_energy, numbers),
    case("relative_l2", relative_l2, numbers),
    case("mean_absolute_scaled_error", scaled(1), with_scale),
    case("root_mean_squared_scaled_error", root(scaled(2)), with_scale),
    case("basin_nash_sutcliffe", basin, with_scale, eps=0.3),
    case("scale_invariant_log", of_sample(scale_invariant_log), positive, variance_focus=0.8),
    case("scale_shift_invariant", of_sample(best_line), numbers),
    case("berhu", berhu, numbers, c=1.8),
    case("adaptive_berhu", adaptive_berhu, numbers, share=0.35),
    case("focal_regression", focal, numbers, beta=0.7, gamma=1.6),
    case("focal_regression", focal, numbers, beta=0.7, gamma=0.6, squared=True),
    case("shrinkage", shrinkage, numbers, a=1.7, c=2.1),
    case("poisson_deviance", deviance(poisson), counts),
    case("gamma_deviance", deviance(exponential), positive),
    case("inverse_gaussian_deviance", deviance(inverse_gaussian), positive),
    case("tweedie_deviance", tweedie, positive, power=1.3),
    case("balanced_mse", balanced_mse, vectors, noise_sigma=0.8),
    case("batch_root_mean_squared_error", of_all(lambda t, p: mp.norm(list(t - p)) / mp.sqrt(len(t))), numbers),
    case("normalized_deviation", of_all(lambda t, p: sum(abs(t - p)) / sum(abs(t))), numbers),
    case(
        "normalized_root_mean_squared_error",
        of_all(lambda t, p: mp.norm(list(t - p)) / mp.sqrt(len(t)) / m.mean(abs(t))),
        numbers,
    ),
    case("pearson", by_output(lambda t, p: 1 - correlation(t, p)), vectors),
    case("concordance", by_output(concordance), vectors),
    case("nash_sutcliffe", by_output(lambda t, p: sum((p - t) ** 2) / (len(t) * variance(t))), vectors),
    case("explained_variance", by_output(lambda t, p: variance(t - p) / variance(t)), vectors),
    case("relative_absolute_error", by_output(lambda t, p: sum(abs(p - t)) / sum(abs(m.mean(t) - t))), vectors),
    case("index_of_agreement", by_output(agreement), vectors),
    case("kling_gupta", by_output(kling_gupta), amounts),
]


def scaled_by(factor: float) -> Callable[[Any, Any], Any]:
    return lambda t, p: (factor * t, factor * p)


def least_at(name: str, what: str, quantity: Callable[[np.ndarray], float], **params: float) -> Claim:
    """Over many truths, the one prediction that costs least is such a quantity of them."""

    def holds() -> None:
        truths = np.random.default_rng(36).exponential(size=301)
        places = np.linspace(0.01, 4, 400)
        costs = loss(name, np.tile(truths, (400, 1)), np.tile(places[:, None], (1, 301)), **params)
        assert abs(places[int(np.argmin(costs))] - quantity(truths)) < 0.02

    return Claim(name, f"its minimum is {what}", holds)


def expectile_of(truths: np.ndarray) -> float:
    """Where 0.8 times the misses above is 0.2 times those below."""
    places = np.linspace(0, 4, 2001)
    off = [0.8 * np.maximum(truths - at, 0).sum() - 0.2 * np.maximum(at - truths, 0).sum() for at in places]
    return float(places[int(np.argmin(np.abs(off)))])


ZERO = [
    *(
        zero_at_truth(name, numbers)
        for name in ("mean_squared_error", "mean_absolute_error", "log_cosh", "penalised_error")
    ),
    *(zero_at_truth(name, positive) for name in ("poisson_deviance", "gamma_deviance", "inverse_gaussian_deviance")),
    *(
        zero_at_truth(name, positive)
        for name in ("tweedie_deviance", "scale_invariant_log", "mean_squared_logarithmic_error")
    ),
    *(zero_at_truth(name, vectors) for name in ("nash_sutcliffe", "pearson", "concordance", "index_of_agreement")),
    *(zero_at_truth(name, amounts) for name in ("kling_gupta", "explained_variance", "relative_absolute_error")),
    *(
        zero_at_truth(name, numbers)
        for name in ("linex", "quantile", "expectile", "quantile_huber", "berhu", "shrinkage")
    ),
    *(
        zero_at_truth(name, numbers)
        for name in ("adaptive_berhu", "focal_regression", "asymmetric_mse", "epsilon_insensitive")
    ),
    *(zero_at_truth(name, numbers) for name in ("minkowski", "relative_l2", "normalized_mean_squared_error")),
]
CLAIMS = [
    *ZERO,
    *(symmetric(name, numbers) for name in ("mean_squared_error", "log_cosh", "cosine_similarity", "minkowski")),
    symmetric("symmetric_mean_absolute_percentage_error", numbers),
    symmetric("concordance", vectors),
    symmetric("pearson", vectors),
    *(convex(name, numbers) for name in ("log_cosh", "quantile", "expectile", "linex", "berhu", "quantile_huber")),
    *(convex(name, numbers) for name in ("smooth_quantile", "epsilon_insensitive", "penalised_error", "minkowski")),
    convex("poisson_deviance", counts),
    between("symmetric_mean_absolute_percentage_error", numbers, 0, 200),
    between("mean_arctangent_absolute_percentage_error", numbers, 0, np.pi / 2),
    between("cosine_similarity", numbers, -1, 1),
    between("pearson", vectors, 0, 2),
    between("concordance", vectors, 0, 2),
    between("index_of_agreement", vectors, 0, 1),
    least_at("quantile", "the quantile", lambda t: float(np.quantile(t, 0.8)), tau=0.8),
    least_at("expectile", "the expectile", expectile_of, tau=0.8),
    least_at("mean_absolute_error", "the median", lambda t: float(np.median(t))),
    least_at("mean_squared_error", "the mean", lambda t: float(np.mean(t))),
    least_at("poisson_deviance", "the mean", lambda t: float(np.mean(t))),
    least_at("gamma_deviance", "the mean", lambda t: float(np.mean(t))),
    least_at("tweedie_deviance", "the mean", lambda t: float(np.mean(t)), power=1.6),
    least_at("asymmetric_mse", "the expectile", expectile_of, under=4.0, over=1.0),
    unchanged("scale_invariant_log", "a scale", positive, lambda t, p: (t, 3 * p), variance_focus=1.0),
    unchanged("scale_shift_invariant", "scale and shift of the prediction", numbers, lambda t, p: (t, 3 * p - 2)),
    unchanged("pearson", "scale and shift", vectors, lambda t, p: (5 * t + 1, 3 * p - 2)),
    unchanged("explained_variance", "a shift", vectors, lambda t, p: (t, p + 7)),
    unchanged("nash_sutcliffe", "one scale and shift for both", vectors, lambda t, p: (3 * t + 1, 3 * p + 1)),
    unchanged("gamma_deviance", "one scale for both", positive, scaled_by(7)),
    unchanged("kling_gupta", "one scale for both", amounts, scaled_by(7)),
    unchanged("normalized_deviation", "one scale for both", numbers, scaled_by(7)),
    unchanged("normalized_root_mean_squared_error", "one scale for both", numbers, scaled_by(7)),
    unchanged("weighted_absolute_percentage_error", "one scale for both", numbers, scaled_by(7)),
    unchanged("relative_l2", "one scale for both", numbers, scaled_by(7)),
    unchanged("normalized_mean_squared_error", "one scale for both", numbers, scaled_by(7)),
    unchanged("relative_absolute_error", "one scale for both", vectors, scaled_by(7)),
    unchanged("mean_squared_percentage_error", "one scale for both", numbers, scaled_by(7)),
    unchanged("cosine_similarity", "the lengths", numbers, lambda t, p: (5 * t, 2 * p)),
    equals("quantile", "0.5 * mean_absolute_error(y_true, y_pred)", numbers, tau=0.5),
    equals("expectile", "0.5 * mean_squared_error(y_true, y_pred)", numbers, tau=0.5),
    equals("smooth_quantile", "quantile(y_true, y_pred, tau=0.8)", numbers, tau=0.8, alpha=1e-9),
    equals("quantile_huber", "0.5 * huber(y_true, y_pred, delta=0.7)", numbers, tau=0.5, kappa=0.7),
    equals("quantile_huber", "1e-7 * quantile(y_true, y_pred, tau=0.8)", numbers, tau=0.8, kappa=1e-7),
    equals("asymmetric_mse", "10 * expectile(y_true, y_pred, tau=0.7)", numbers, under=7.0, over=3.0),
    equals("epsilon_insensitive", "mean_absolute_error(y_true, y_pred)", numbers, margin=0.0),
    equals("squared_epsilon_insensitive", "mean_squared_error(y_true, y_pred)", numbers, margin=0.0),
    equals("penalised_error", "(mae(y_true, y_pred) + mse(y_true, y_pred)) / 2", numbers),
    equals("minkowski", "4 * mean_absolute_error(y_true, y_pred)", numbers, p=1.0),
    equals("minkowski", "2 * root_mean_squared_error(y_true, y_pred)", numbers, p=2.0),
    equals("berhu", "mean_absolute_error(y_true, y_pred)", numbers, c=1e3),
    equals("adaptive_berhu", "mean_absolute_error(y_true, y_pred)", numbers, share=1.0),
    equals("focal_regression", "mean_absolute_error(y_true, y_pred)", numbers, gamma=0.0),
    equals("focal_regression", "mean_squared_error(y_true, y_pred)", numbers, gamma=0.0, squared=True),
    equals("shrinkage", "mean_squared_error(y_true, y_pred)", numbers, a=1e9, c=0.0),
    equals("tweedie_deviance", "poisson_deviance(y_true, y_pred)", positive, rtol=1e-4, power=1.00001),
    equals("tweedie_deviance", "gamma_deviance(y_true, y_pred)", positive, rtol=1e-4, power=1.99999),
    equals("tweedie_deviance", "8 * mean(sqrt(y_pred) * square(1 - sqrt(y_true / y_pred)) / 2)", positive, power=1.5),
    equals("tweedie_deviance", "mean(2 * y_pred**0.7 / 0.7)", lambda: (np.zeros((3, 4)), positive()[1]), power=1.3),
    equals("poisson_deviance", "mean(2 * y_pred)", lambda: (np.zeros((3, 4)), positive()[1])),
    equals("scale_invariant_log", "mean(square(log(y_true / y_pred)))", positive, variance_focus=0.0),
    equals("linex", "1e-6 * mean_squared_error(y_true, y_pred) / 2", numbers, rtol=1e-2, a=1e-3),
    ordered(
        "balanced_mse", "nearer to its own is better", [[0.0], [5.0]], [[0.0], [5.0]], [[1.0], [4.0]], [[3.0], [2.0]]
    ),
    ordered("linex", "with a > 0 too high is worse", np.zeros((1, 1)), [[-1.0]], [[1.0]], a=0.5),
]


def _by_sample(function: str, **given: float) -> Callable[..., Any]:
    return lambda torch, t, p: (
        getattr(torch.nn.functional, function)(p, t, reduction="none", **given).flatten(1).mean(1)
    )


def _balanced_mse(torch: Any, t: Any, p: Any) -> Any:
    scores = -(torch.cdist(p, t) ** 2) / (2 * 0.8**2)
    return 2 * 0.8**2 * torch.nn.functional.cross_entropy(scores, torch.arange(len(p)), reduction="none")


TORCH = [
    ("mean_squared_error", _by_sample("mse_loss"), numbers, {}),
    ("mean_absolute_error", _by_sample("l1_loss"), numbers, {}),
    ("cosine_similarity", lambda torch, t, p: -torch.nn.functional.cosine_similarity(p, t, dim=-1), numbers, {}),
    ("minkowski", lambda torch, t, p: torch.linalg.vector_norm(p - t, ord=2.6, dim=-1), numbers, {"p": 2.6}),
    ("balanced_mse", _balanced_mse, vectors, {"noise_sigma": 0.8}),
]
