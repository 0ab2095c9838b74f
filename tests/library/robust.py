"""Oracles and claims of the family: numbers with outliers.

Most are M-estimators: what a source defines is the derivative, and the loss is its integral from 0 to the error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import plain as m
from case import Claim, between, case, convex, equals, loss, ordered, symmetric, unchanged, zero_at_truth
from mpmath import mp
from samples import numbers

NODES, WEIGHTS = (m.exact(array) for array in np.polynomial.legendre.leggauss(24))


def integral(slope: Callable[[Any], Any], to: Any, *joints: Any) -> Any:
    """What `slope` adds up to from 0 to each error; `joints` are where its form changes."""
    places = [mp.mpf(0), *(mp.mpf(joint) for joint in joints), mp.inf]

    @cache
    def one(error: Any) -> Any:
        total = mp.mpf(0)
        for low, high in pairwise(places):
            half = (min(error, high) - low) / 2
            if half > 0:
                total += half * sum(w * slope(low + half * (1 + x)) for x, w in zip(NODES, WEIGHTS, strict=True))
        return total

    return m.per_sample(np.frompyfunc(one, 1, 1)(to))


def huber(t: Any, p: Any, delta: float) -> Any:
    return integral(lambda e: min(e, delta), abs(t - p), delta)


def smooth_l1(t: Any, p: Any, beta: float) -> Any:
    return integral(lambda e: min(e / beta, 1), abs(t - p), beta)


def pseudo_huber(t: Any, p: Any, delta: float) -> Any:
    """An arc over a hypotenuse: how far it is longer than one leg, `delta` times over."""
    return m.per_sample(delta * (m.sqrt(delta**2 + (t - p) ** 2) - delta))


def charbonnier(t: Any, p: Any, delta: float) -> Any:
    return m.per_sample(m.sqrt((t - p) ** 2 + mp.mpf(delta) ** 2))


def generalized_charbonnier(t: Any, p: Any, a: float, eps: float) -> Any:
    return m.per_sample(((t - p) ** 2 + mp.mpf(eps) ** 2) ** a)


def tukey_biweight(t: Any, p: Any, c: float) -> Any:
    return integral(lambda e: e * max(1 - (e / c) ** 2, 0) ** 2, abs(t - p), c)


def density_ratio(log_density: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda t, p: m.per_sample(log_density(0 * t) - log_density(t - p))


def cauchy(t: Any, p: Any, scale: float) -> Any:
    """The negative log-likelihood of a Cauchy distribution, less that of the truth."""
    width = mp.sqrt(2) * scale
    return density_ratio(lambda e: -m.log(mp.pi * width * (1 + (e / width) ** 2)))(t, p)


def geman_mcclure(t: Any, p: Any, scale: float) -> Any:
    return m.per_sample(2 * (t - p) ** 2 / ((2 * scale) ** 2 + (t - p) ** 2))


def welsch(t: Any, p: Any, scale: float) -> Any:
    return m.per_sample(1 - m.normal_pdf((t - p) / scale) / m.normal_pdf(0 * t))


def correntropy(t: Any, p: Any, sigma: float) -> Any:
    """How far the similarity by a Gaussian kernel falls, measured by its fall at an error of 1."""
    kernel = lambda e: m.normal_pdf(e / sigma) / sigma  # noqa: E731
    return m.per_sample((kernel(0 * t) - kernel(t - p)) / (kernel(0 * t) - kernel(0 * t + 1)))


def wing(t: Any, p: Any, width: float, curvature: float) -> Any:
    return integral(lambda e: width / (curvature + e) if e < width else 1, abs(t - p), width)


def rectified_wing(t: Any, p: Any, r: float, width: float, curvature: float) -> Any:
    def slope(e: Any) -> Any:
        return 0 if e < r else width / (curvature + e - r) if e < width else 1

    return integral(slope, abs(t - p), r, width)


def adaptive_wing(t: Any, p: Any, alpha: float, omega: float, eps: float, theta: float) -> Any:
    """The curve up to theta, and then its tangent, by a numerical slope."""
    curve = lambda e: omega * m.log(1 + (e / eps) ** (alpha - t))  # noqa: E731
    step = mp.mpf(10) ** -12
    tangent = (curve(theta + step) - curve(theta - step)) / (2 * step)
    error = abs(t - p)
    return m.per_sample(np.where(error < theta, curve(error), curve(mp.mpf(theta)) + tangent * (error - theta)))


def balanced_l1(t: Any, p: Any, alpha: float, gamma: float) -> Any:
    b = mp.exp(mp.mpf(gamma) / alpha) - 1
    return integral(lambda e: alpha * mp.log(b * e + 1) if e < 1 else gamma, abs(t - p), 1)


def truncated_quadratic(t: Any, p: Any, c: float) -> Any:
    return integral(lambda e: e if e < c else 0, abs(t - p), c)


def fair(t: Any, p: Any, c: float) -> Any:
    return integral(lambda e: e / (1 + e / c), abs(t - p), c, 2 * c, 4 * c)


def andrews_sine(t: Any, p: Any, a: float) -> Any:
    return integral(lambda e: a * mp.sin(e / a) if e < a * mp.pi else 0, abs(t - p), a * mp.pi)


def hampel(t: Any, p: Any, a: float, b: float, c: float) -> Any:
    def slope(e: Any) -> Any:
        return max(min(e, a, a * (c - e) / (c - b)), 0)

    return integral(slope, abs(t - p), a, b, c)


def ramsay(t: Any, p: Any, a: float) -> Any:
    return integral(lambda e: e * mp.exp(-a * e), abs(t - p), 1 / a, 3 / a)


def arctangent(t: Any, p: Any, scale: float) -> Any:
    return integral(lambda e: e / (1 + (e / scale) ** 4), abs(t - p), scale / 2, scale, 2 * scale, 4 * scale)


def blake_zisserman(t: Any, p: Any, alpha: float) -> Any:
    return m.per_sample(-m.log(m.exp(-((t - p) ** 2)) + mp.exp(-(mp.mpf(alpha) ** 2))))


def corrupted_gaussian(t: Any, p: Any, alpha: float, w: float) -> Any:
    """A mixture of normal densities of variances 1/2 and w**2/2, but for their common factor."""
    inliers = m.normal_pdf((t - p) * mp.sqrt(2))
    outliers = m.normal_pdf((t - p) * mp.sqrt(2) / w) / w
    return m.per_sample(-m.log(mp.sqrt(2 * mp.pi) * (alpha * inliers + (1 - mp.mpf(alpha)) * outliers)))


def log_l1(t: Any, p: Any, alpha: float) -> Any:
    return m.per_sample(m.log(abs(t - p) + alpha))


def least_trimmed_squares(t: Any, p: Any, keep: float) -> Any:
    def one(errors: Any) -> Any:
        ordered_errors = sorted(e**2 for e in errors)
        count = int(np.ceil(keep * len(errors)))
        return sum(ordered_errors[:count]) / count

    return np.array([one(row) for row in t - p])


def barron(t: Any, p: Any, alpha: float, c: float) -> Any:
    """The paper's general form, with many digits; next to 0 and 2, where only its limit is defined."""
    with mp.workdps(120):
        a = mp.mpf(alpha) + (mp.mpf(10) ** -50 if alpha in (0, 2) else 0)
        return m.per_sample(abs(a - 2) / a * ((((t - p) / c) ** 2 / abs(a - 2) + 1) ** (a / 2) - 1))


def heat(positions: tuple[int, ...] = ()) -> Any:
    """Truths of heat maps, from 0 to 1, and predictions about them."""
    random = np.random.default_rng(21)
    shape = (3, *positions, 4)
    return random.uniform(0, 1, size=shape), random.uniform(-0.6, 1.6, size=shape)


def row_of_numbers() -> Any:
    random = np.random.default_rng(22)
    return random.normal(size=(3, 7)), 3 * random.normal(size=(3, 7))


def shifted(t: Any, p: Any) -> Any:
    return t + 2.5, p + 2.5


def within(name: str, high: float, **params: float) -> Claim:
    """No outlier costs more, however far out."""

    def holds() -> None:
        far = np.array([[1e3], [-1e6], [1e9]])
        np.testing.assert_allclose(loss(name, np.zeros((3, 1)), far, **params), high, rtol=1e-5)

    return Claim(name, f"an outlier costs {high}", holds)


CASES = [
    case("huber", huber, numbers, delta=0.7),
    case("smooth_l1", smooth_l1, numbers, beta=0.5),
    case("pseudo_huber", pseudo_huber, numbers, delta=2.0),
    case("charbonnier", charbonnier, numbers, delta=0.3),
    case("generalized_charbonnier", generalized_charbonnier, numbers, a=0.3, eps=0.2),
    case("tukey_biweight", tukey_biweight, numbers, c=2.5),
    case("cauchy", cauchy, numbers, scale=2.0),
    case("geman_mcclure", geman_mcclure, numbers, scale=2.0),
    case("welsch", welsch, numbers, scale=2.0),
    case("correntropy", correntropy, numbers, sigma=1.5),
    case("wing", wing, numbers, width=4.0, curvature=1.5),
    case("rectified_wing", rectified_wing, numbers, r=0.75, width=3.0, curvature=1.25),
    case("adaptive_wing", adaptive_wing, heat, alpha=2.3, omega=5.0, eps=0.8, theta=0.4),
    case("balanced_l1", balanced_l1, numbers, alpha=0.6, gamma=1.1),
    case("truncated_quadratic", truncated_quadratic, numbers, c=2.5),
    case("fair", fair, numbers, c=1.7),
    case("andrews_sine", andrews_sine, numbers, a=0.9),
    case("hampel", hampel, numbers, a=0.8, b=2.0, c=4.5),
    case("ramsay", ramsay, numbers, a=0.4),
    case("arctangent", arctangent, numbers, scale=1.6),
    case("blake_zisserman", blake_zisserman, numbers, alpha=1.3),
    case("corrupted_gaussian", corrupted_gaussian, numbers, alpha=0.7, w=3.0),
    case("log_l1", log_l1, numbers, alpha=0.8),
    case("least_trimmed_squares", least_trimmed_squares, row_of_numbers, keep=0.6),
    *(case("barron", barron, numbers, alpha=alpha, c=1.7) for alpha in (1.3, -1.5, 3.5, 0.0, 2.0, 1e-9, -1e7)),
]

CLAIMS = [
    *(zero_at_truth(name, numbers) for name in ("huber", "smooth_l1", "pseudo_huber", "tukey_biweight", "cauchy")),
    *(zero_at_truth(name, numbers) for name in ("geman_mcclure", "welsch", "correntropy", "wing", "rectified_wing")),
    *(
        zero_at_truth(name, numbers)
        for name in ("balanced_l1", "truncated_quadratic", "fair", "andrews_sine", "hampel")
    ),
    *(zero_at_truth(name, numbers) for name in ("ramsay", "arctangent", "barron")),
    zero_at_truth("adaptive_wing", heat),
    zero_at_truth("least_trimmed_squares", row_of_numbers),
    *(symmetric(name, numbers) for name in ("huber", "charbonnier", "wing", "hampel", "barron", "blake_zisserman")),
    *(convex(name, numbers) for name in ("huber", "smooth_l1", "pseudo_huber", "charbonnier", "fair")),
    convex("balanced_l1", numbers),
    between("geman_mcclure", numbers, 0, 2, scale=0.1),
    between("welsch", numbers, 0, 1, scale=0.1),
    within("geman_mcclure", 2.0, scale=1.5),
    within("welsch", 1.0, scale=1.5),
    within("tukey_biweight", 3.0**2 / 6, c=3.0),
    within("truncated_quadratic", 4.5, c=3.0),
    within("andrews_sine", 8.0, a=2.0),
    within("hampel", 2.0 * (4 - 2 + 8) / 2),
    within("ramsay", 4.0, a=0.5),
    within("arctangent", np.pi, scale=2.0),
    within("correntropy", 1 / (1 - np.exp(-0.5 / 0.7**2)), sigma=0.7),
    within("blake_zisserman", 1.3**2, alpha=1.3),
    equals("smooth_l1", "huber(y_true, y_pred, delta=0.7) / 0.7", numbers, beta=0.7),
    equals("barron", "0.5 * mean_squared_error(y_true, y_pred)", numbers, alpha=2.0),
    equals("barron", "pseudo_huber(y_true, y_pred)", numbers, alpha=1.0),
    equals("barron", "cauchy(y_true, y_pred, scale=1.5)", numbers, alpha=0.0, c=1.5),
    equals("barron", "geman_mcclure(y_true, y_pred, scale=1.5)", numbers, alpha=-2.0, c=1.5),
    equals("barron", "welsch(y_true, y_pred, scale=1.5)", numbers, alpha=-1e9, c=1.5),
    equals("generalized_charbonnier", "charbonnier(y_true, y_pred, delta=0.2)", numbers, a=0.5, eps=0.2),
    equals("charbonnier", "mean_absolute_error(y_true, y_pred)", numbers, delta=1e-6),
    equals("huber", "0.5 * mean_squared_error(y_true, y_pred)", numbers, delta=1e3),
    equals("hampel", "huber(y_true, y_pred, delta=1.2)", numbers, a=1.2, b=1e3, c=2e3),
    equals("tukey_biweight", "0.5 * mean_squared_error(y_true, y_pred)", numbers, rtol=1e-4, c=1e4),
    equals("truncated_quadratic", "0.5 * mean_squared_error(y_true, y_pred)", numbers, c=1e3),
    equals("rectified_wing", "wing(y_true, y_pred, width=4, curvature=1.5)", numbers, r=0.0, width=4.0, curvature=1.5),
    equals("correntropy", "mean_squared_error(y_true, y_pred)", numbers, rtol=1e-3, sigma=1e3),
    equals("blake_zisserman", "mean_squared_error(y_true, y_pred)", numbers, alpha=30.0),
    equals("least_trimmed_squares", "mean_squared_error(y_true, y_pred)", row_of_numbers, keep=1.0),
    unchanged("cauchy", "a shift", numbers, shifted),
    unchanged("barron", "a shift", numbers, shifted, alpha=0.5),
    ordered("log_l1", "farther is worse", np.zeros((2, 1)), [[0.0], [1.0]], [[0.5], [-2.0]], [[2.0], [-9.0]]),
    ordered(
        "corrupted_gaussian", "farther is worse", np.zeros((2, 1)), [[0.0], [1.0]], [[0.5], [-2.0]], [[2.0], [-90.0]]
    ),
    ordered("fair", "farther is worse", np.zeros((1, 1)), [[0.0]], [[0.1]], [[-3.0]]),
]


def _by_sample(function: str, **given: float) -> Callable[..., Any]:
    return lambda torch, t, p: (
        getattr(torch.nn.functional, function)(p, t, reduction="none", **given).flatten(1).mean(1)
    )


TORCH = [
    ("huber", _by_sample("huber_loss", delta=0.7), numbers, {"delta": 0.7}),
    ("smooth_l1", _by_sample("smooth_l1_loss", beta=0.5), numbers, {"beta": 0.5}),
]
