"""Oracles and claims for distributions: probabilities of counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, case, convex, equals
from mpmath import mp
from plain import EPSILON, exp, log, per_sample
from probabilistic_shared import columns, density_sums_to_one, nll, single
from samples import counts, positive

# -- oracles -----------------------------------------------------------------------------------------------


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


def poisson_nll(t: Any, p: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8) -> Any:
    values = exp(p) - t * p if log_input else p - t * log(p + mp.mpf(eps))
    for place in np.ndindex(*t.shape):
        if full and t[place] > 1:
            values[place] += t[place] * mp.log(t[place]) - t[place] + mp.log(2 * mp.pi * t[place]) / 2
    return per_sample(values)


CASES: list[Case] = [
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
]

# -- claims ------------------------------------------------------------------------------------------------

WHOLE = np.arange(0.0, 400.0)

CLAIMS: list[Claim] = [
    density_sums_to_one("binomial_nll", np.arange(8.0), 0.3, total_count=7.0),
    density_sums_to_one("geometric_nll", WHOLE, -0.3),
    density_sums_to_one("negative_binomial_nll", WHOLE, [1.5, 0.4]),
    density_sums_to_one("zero_inflated_poisson_nll", WHOLE, [1.5, 0.4]),
    density_sums_to_one("zero_inflated_negative_binomial_nll", WHOLE, [1.5, 0.4, -0.6]),
    density_sums_to_one("hurdle_poisson_nll", WHOLE, [1.5, 0.4]),
    equals("poisson_nll", "poisson(y_true, exp(y_pred))", single(counts), rtol=1e-5),
    convex("poisson", positive),
]
