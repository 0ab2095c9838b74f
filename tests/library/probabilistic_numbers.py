"""Oracles and claims for distributions: densities of one number, as the textbooks have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, case, equals, loss, ordered
from mpmath import mp
from plain import exp, held, log, per_sample
from probabilistic_shared import LINE, columns, density_sums_to_one, fractions, narrow, nll, normal, related, single
from samples import Pair, numbers, positive

# -- data --------------------------------------------------------------------------------------------------


def angles(positions: tuple[int, ...] = ()) -> Pair:
    """Directions and logarithms of concentrations: small ones, and from 30 on."""
    random = np.random.default_rng(21)
    shape = (3, *positions, 4)
    y_true = random.uniform(-3, 3, size=shape)
    log_k = np.where(
        random.uniform(size=shape) < 0.5, random.uniform(-1, 1.5, size=shape), random.uniform(3.6, 4.5, size=shape)
    )
    return y_true, np.stack([random.uniform(-3, 3, size=shape), log_k], axis=-1)


# -- oracles -----------------------------------------------------------------------------------------------


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


def normal_inverse_gamma(y: Any, gamma: Any, *raw: Any) -> Any:
    """Its evidence is Student's t with 2 * alpha degrees of freedom (the paper's equation 7)."""
    nu, alpha, beta = (mp.log(1 + mp.exp(x)) for x in raw)
    alpha += 1
    return student_t(y, gamma, mp.log(beta * (1 + nu) / (nu * alpha)) / 2, 2 * alpha)


def evidential_regression(t: Any, p: Any, coeff: float = 0.01) -> Any:
    nu, alpha = log(1 + exp(p[..., 1])), 1 + log(1 + exp(p[..., 2]))
    return nll(normal_inverse_gamma)(t, p) + coeff * per_sample(abs(t - p[..., 0]) * (2 * nu + alpha))


def beta_nll(t: Any, p: Any, beta: float) -> Any:
    variance = exp(p[..., 1])
    weight = exp(held(p[..., 1])) ** mp.mpf(beta)
    return per_sample(weight * ((t - p[..., 0]) ** 2 / variance + log(variance)) / 2)


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
    case("evidential_regression", evidential_regression, columns(4, numbers), coeff=0.3),
]

# -- claims ------------------------------------------------------------------------------------------------


def close(name: str, density: Callable[..., Any], y_true: float, columns: Any, rtol: float) -> Claim:
    """A series comes as near to the density as its comment says."""

    def holds() -> None:
        with mp.workdps(40):
            expected = float(-mp.log(density(mp.mpf(y_true), *map(mp.mpf, columns))))
        np.testing.assert_allclose(loss(name, np.array([[y_true]]), np.array([[columns]])), expected, rtol=rtol)

    return Claim(name, f"close at {columns}", holds)


HALF = np.geomspace(1e-9, 400, 400_000)
UNIT = np.linspace(1e-7, 1 - 1e-7, 400_000)

CLAIMS: list[Claim] = [
    *(narrow(name, columns(2, numbers)) for name in ("gaussian_nll", "beta_nll")),
    narrow("lognormal_nll", columns(2, positive)),
    narrow("inverse_gaussian_nll", columns(2, positive), column=0),
    narrow("inverse_gaussian_nll", columns(2, positive), sign=-1.0),
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
    equals("beta_nll", "gaussian_nll(y_true, y_pred) - 0.5 * log(2 * pi)", columns(2, numbers), beta=0.0),
    equals(
        "student_t_nll",
        "mean(log(pi) + y_pred[..., 1] + log1p(square((y_true - y_pred[..., 0]) / exp(y_pred[..., 1]))))",
        columns(2, numbers),
        df=1.0,
    ),
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
    ordered(
        "evidential_regression",
        "evidence beside the truth costs",
        [[3.0]],
        [[[0, -3, 0, 0]]],
        [[[0, 3, 0, 0]]],
        coeff=1.0,
    ),
]
