"""Oracles and claims of the family: distributions, their likelihoods, scores and divergences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import probabilistic_counts
import probabilistic_divergences
import probabilistic_numbers
import probabilistic_scores
import probabilistic_vectors
from case import Case, Claim
from probabilistic_divergences import normals
from probabilistic_shared import columns, fractions, single, vectors
from probabilistic_vectors import concentrations, mixture
from samples import counts, numbers, positive, shares

PARTS = (
    probabilistic_numbers,
    probabilistic_counts,
    probabilistic_vectors,
    probabilistic_scores,
    probabilistic_divergences,
)

CASES: list[Case] = [case for part in PARTS for case in part.CASES]
CLAIMS: list[Claim] = [claim for part in PARTS for claim in part.CLAIMS]


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
