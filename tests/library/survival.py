"""Oracles and claims of the family: times to an event, some of them censored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Case, Claim, Data, between, case, loss, unchanged
from mpmath import mp
from plain import exp, per_sample, softmax
from samples import Pair

# -- data --------------------------------------------------------------------------------------------------


def times(positions: tuple[int, ...] = (), width: int = 2) -> Pair:
    """Times and events, and columns for each entry."""
    random = np.random.default_rng(31)
    shape = (3, *positions, 4)
    y_true = np.stack([random.uniform(0.3, 5, size=shape), random.integers(0, 2, size=shape) * 1.0], axis=-1)
    return y_true, 0.7 * random.normal(size=(*shape, width))


def hazards(positions: tuple[int, ...] = ()) -> Pair:
    y_true, y_pred = times(positions)
    return y_true, y_pred[..., 0]


def tails(positions: tuple[int, ...] = ()) -> Pair:
    """Censored times from the bulk of the distribution to far out (z of -3 to 2, and of 5 to 30), and events."""
    y_true, _ = times(positions)
    random = np.random.default_rng(32)
    z = np.where(
        random.uniform(size=y_true[..., 0].shape) < 0.5,
        random.uniform(-3, 2, y_true[..., 0].shape),
        random.uniform(5, 30, y_true[..., 0].shape),
    )
    log_variance = 0.5 * random.normal(size=z.shape)
    return y_true, np.stack([np.log(y_true[..., 0]) - z * np.exp(log_variance / 2), log_variance], axis=-1)


def limited(positions: tuple[int, ...] = ()) -> Pair:
    """Numbers that stop at 0.5, with means up to 25 deviations above it."""
    y_true, y_pred = tails(positions)
    z = (np.log(y_true[..., 0]) - y_pred[..., 0]) * np.exp(-y_pred[..., 1] / 2)
    seen = np.where(y_true[..., 1] == 1, 0.5 + y_true[..., 0], 0.5)
    return seen, np.stack([0.5 + z * np.exp(y_pred[..., 1] / 2), y_pred[..., 1]], axis=-1)


def cohort() -> Pair:
    """Samples with times of their own."""
    random = np.random.default_rng(33)
    y_true = np.array([[2.5, 1], [1.25, 1], [4, 0], [3, 1], [0.5, 0], [3.5, 1]])
    return y_true, random.normal(size=6)


def tied() -> Pair:
    """Samples of which some, with and without an event, share a time."""
    random = np.random.default_rng(34)
    y_true = np.array([[2, 1], [1, 1], [2, 0], [2, 1], [0.5, 0], [3, 1], [2, 1], [3, 0]])
    return y_true, random.normal(size=8)


def coded() -> Pair:
    """The number of an interval, and event; a number for each interval."""
    random = np.random.default_rng(35)
    y_true = np.array([[0, 1], [2, 0], [3, 1], [1, 1], [3, 0], [0, 0]]) * 1.0
    return y_true, random.normal(size=(6, 5))


def within() -> Pair:
    y_true, y_pred = coded()
    return np.column_stack([y_true, [0.3, 0.9, 0.2, 0.7, 0.55, 0.1]]), y_pred


def long_times() -> Pair:
    """Times in, at the end of and after intervals of widths 1, 0.5 and 2."""
    random = np.random.default_rng(36)
    return np.array([[0.4, 1], [1.2, 1], [1.5, 1], [3.1, 0], [3.4, 1], [9, 1]]), random.normal(size=(6, 3))


def survival_bits() -> Pair:
    """Rows of bits: survived, failed; and probabilities."""
    random = np.random.default_rng(37)
    number, events = np.array([0, 2, 4, 1]), np.array([1, 0, 0, 1])
    interval = np.arange(5)
    survived = interval < number[:, None]
    failed = (interval == number[:, None]) & (events[:, None] == 1)
    return np.stack([survived, failed], axis=1) * 1.0, random.uniform(0.1, 0.9, size=(4, 5))


# -- oracles -----------------------------------------------------------------------------------------------


def cox(t: Any, p: Any, efron: bool = False) -> Any:
    """Death time by death time, over sets of samples."""
    total, events = mp.mpf(0), [i for i in range(len(t)) if t[i, 1] == 1]
    for time in sorted({t[i, 0] for i in events}):
        died = [i for i in events if t[i, 0] == time]
        at_risk = mp.fsum(mp.exp(p[i]) for i in range(len(t)) if t[i, 0] >= time)
        of_those = mp.fsum(mp.exp(p[i]) for i in died)
        for gone, i in enumerate(died):
            total -= p[i] - mp.log(at_risk - (mp.mpf(gone) / len(died) * of_those if efron else 0))
    return np.array([total / len(events)], object)


def censored(density: Callable[..., Any], survival: Callable[..., Any]) -> Callable[..., Any]:
    """The mean of -log(density) of events and of -log(chance to survive) of the rest, over the entries."""

    def oracle(t: Any, p: Any) -> Any:
        values = np.empty(t.shape[:-1], object)
        for place in np.ndindex(*values.shape):
            time, event = t[place]
            columns = np.ravel(np.array(p[place], object))
            values[place] = -mp.log(density(time, *columns) if event == 1 else survival(time, *columns))
        return per_sample(values)

    return oracle


def by_slope(survival: Callable[..., Any]) -> Callable[..., Any]:
    """The density: how fast those who survive become fewer, by a central difference of higher precision."""

    def density(time: Any, *columns: Any) -> Any:
        with mp.workdps(120):
            step = mp.mpf(10) ** -30
            return (survival(time - step, *columns) - survival(time + step, *columns)) / (2 * step)

    return density


def exponential_survival(time: Any, log_hazard: Any) -> Any:
    return mp.exp(-mp.exp(log_hazard) * time)


def weibull_survival(time: Any, log_scale: Any, log_shape: Any) -> Any:
    return mp.exp(-((time / mp.exp(log_scale)) ** mp.exp(log_shape)))


def log_normal_survival(time: Any, location: Any, log_variance: Any) -> Any:
    return mp.ncdf(-(mp.log(time) - location) / mp.sqrt(mp.exp(log_variance)))


def log_logistic_survival(time: Any, location: Any, log_scale: Any) -> Any:
    return 1 / (1 + (time / mp.exp(location)) ** (1 / mp.exp(log_scale)))


def log_normal_density(time: Any, location: Any, log_variance: Any) -> Any:
    return mp.npdf(mp.log(time), location, mp.sqrt(mp.exp(log_variance))) / time


def tobit(t: Any, p: Any, lower: float) -> Any:
    values, limit = np.empty(t.shape, object), mp.mpf(lower)
    for place in np.ndindex(*t.shape):
        location, deviation = p[place][0], mp.sqrt(mp.exp(p[place][1]))
        free = t[place] > limit
        chance = mp.npdf(t[place], location, deviation) if free else mp.ncdf((limit - location) / deviation)
        values[place] = -mp.log(chance)
    return per_sample(values)


def each(one: Callable[..., Any]) -> Callable[..., Any]:
    """A loss with a value of each sample alone."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        return np.array([one(row, pred, **params) for row, pred in zip(t, p, strict=True)], object)

    return oracle


def logistic_hazard(t: Any, p: Any) -> Any:
    """By the chance to come through all earlier intervals."""
    number, hazard = int(t[0]), 1 / (1 + exp(-p))
    alive = mp.fprod(1 - h for h in hazard[:number])
    return -mp.log(alive * (hazard[number] if t[1] == 1 else 1 - hazard[number]))


def nnet_survival(t: Any, p: Any) -> Any:
    return -mp.fsum(mp.log(1 + s * (x - 1)) + mp.log(1 - f * x) for s, f, x in zip(t[0], t[1], p, strict=True))


def pc_hazard(t: Any, p: Any) -> Any:
    """The hazard at the time, times the chance to come that far."""
    number, share = int(t[0]), t[2]
    rate = [mp.log(1 + mp.exp(x)) for x in p]
    alive = mp.exp(-mp.fsum(rate[:number]) - share * rate[number])
    return -mp.log(alive * (rate[number] if t[1] == 1 else 1))


def piecewise_exponential(t: Any, p: Any, widths: Any) -> Any:
    time, left = t[0], t[0]
    value, start = mp.mpf(0), mp.mpf(0)
    for width, log_rate in zip(widths, p, strict=True):
        value += mp.exp(log_rate) * min(left, mp.mpf(width))
        if start < time <= start + width and t[1] == 1:
            value -= log_rate
        start, left = start + width, max(left - width, mp.mpf(0))
    return value


def likelihood(t: Any, p: Any) -> Any:
    number, chance = int(t[0]), softmax(p)
    return -mp.log(chance[number] if t[1] == 1 else mp.fsum(chance[number + 1 :]))


def deephit(t: Any, p: Any, alpha: float, sigma: float) -> Any:
    values = each(likelihood)(t, p)
    for i in range(len(t)):
        for j in range(len(t)):
            if t[i, 1] == 1 and t[i, 0] < t[j, 0]:
                own, other = (mp.fsum(softmax(p[k])[: int(t[i, 0]) + 1]) for k in (i, j))
                values[i] += mp.mpf(alpha) * mp.exp(-(own - other) / mp.mpf(sigma))
    return values


def mtlr(t: Any, p: Any) -> Any:
    """By sequences of bits, 0 up to the event and 1 from there on: each has the score of its ones."""
    scores = [mp.exp(mp.fsum(x * (i >= k) for i, x in enumerate(p))) for k in range(len(p))]
    number = int(t[0])
    return -mp.log((scores[number] if t[1] == 1 else mp.fsum(scores[number + 1 :])) / mp.fsum(scores))


def concordance_ranking(t: Any, p: Any) -> Any:
    found = [
        mp.log(1 + mp.exp(p[i] - p[j]), 2)
        for i in range(len(t))
        for j in range(len(t))
        if t[i, 1] == 1 and t[i, 0] < t[j, 0]
    ]
    return np.array([mp.fsum(found) / len(found)], object)


CASES: list[Case] = [
    case("cox", cox, cohort),
    case("cox", cox, tied),
    case("cox", cox, tied, efron=True),
    case("exponential_censored", censored(by_slope(exponential_survival), exponential_survival), hazards),
    case("weibull_censored", censored(by_slope(weibull_survival), weibull_survival), times),
    case("log_normal_censored", censored(log_normal_density, log_normal_survival), tails),
    case("log_logistic_censored", censored(by_slope(log_logistic_survival), log_logistic_survival), times),
    case("tobit", tobit, limited, lower=0.5),
    case("logistic_hazard", each(logistic_hazard), coded),
    case("nnet_survival", each(nnet_survival), survival_bits),
    case("pc_hazard", each(pc_hazard), within),
    case("piecewise_exponential", each(piecewise_exponential), long_times, widths=[1, 0.5, 2]),
    case("deephit_likelihood", each(likelihood), coded),
    case("deephit", deephit, coded, alpha=0.4, sigma=0.3),
    case("mtlr", each(mtlr), coded),
    case("concordance_ranking", concordance_ranking, tied),
]

# -- claims ------------------------------------------------------------------------------------------------


def related(name: str, what: str, data: Data, function: Callable[[Any, Any], Any], **params: Any) -> Claim:
    """It is `function` of the same data, which may call other losses."""

    def holds() -> None:
        t, p = data()
        np.testing.assert_allclose(loss(name, t, p, **params), function(t, p), rtol=1e-6, atol=1e-9)

    return Claim(name, what, holds)


def someone_is_last(name: str, y_pred: Any, **params: Any) -> Claim:
    """The chances of an event in each interval, and to survive the last but one, sum to 1."""

    def holds() -> None:
        p = np.asarray(y_pred, float)
        rows = np.array([[k, 1.0] for k in range(len(p) - 1)] + [[len(p) - 2, 0.0]])
        values = loss(name, rows, np.tile(p, (len(rows), 1)), **params)
        assert abs(np.sum(np.exp(-values)) - 1) < 1e-9

    return Claim(name, "the chances sum to one", holds)


def events_and_survivors(name: str, columns: Any, **params: Any) -> Claim:
    """The density up to a time and the chance to survive it sum to 1."""

    def holds() -> None:
        grid = np.geomspace(1e-9, 2.5, 200_000)
        shaped = np.ndim(columns) == 1 and name not in ("piecewise_exponential",)
        true = np.stack([grid, np.ones_like(grid)], axis=-1)
        true[-1, 1] = 0
        pred = np.tile(np.asarray(columns, float), (len(grid), 1))
        values = loss(name, true[:, None], pred[:, None], **params) if shaped else loss(name, true, pred, **params)
        density, survived = np.exp(-values[:-1]), np.exp(-values[-1])
        assert abs(np.trapezoid(density, grid[:-1]) + survived - 1) < 1e-4

    return Claim(name, "events and survivors are all", holds)


def below_concordance(seed: int) -> Claim:
    """1 - loss is at most the concordance index."""

    def holds() -> None:
        y_true, _ = cohort()
        y_pred = 3 * np.random.default_rng(seed).normal(size=len(y_true))
        pairs = [(i, j) for i in range(6) for j in range(6) if y_true[i, 1] == 1 and y_true[i, 0] < y_true[j, 0]]
        index = np.mean([y_pred[i] < y_pred[j] for i, j in pairs])
        assert 1 - loss("concordance_ranking", y_true, y_pred)[0] <= index

    return Claim("concordance_ranking", f"a bound of the concordance index ({seed})", holds)


def bits(t: Any) -> Any:
    """The same times as rows of bits."""
    interval, number, event = np.arange(5), t[:, :1], t[:, 1:]
    return (
        np.stack(
            [(interval < number) | ((interval == number) & (event == 0)), (interval == number) & (event == 1)], axis=1
        )
        * 1.0
    )


def as_likelihood(p: Any) -> Any:
    """Logits of the hazards as logits of a softmax; the last interval takes who is left."""
    hazard = 1 / (1 + np.exp(-p))
    hazard[:, -1] = 1
    alive = np.cumprod(np.concatenate([np.ones((len(p), 1)), 1 - hazard[:, :-1]], axis=1), axis=1)
    return np.log(alive * hazard)


def shape_one() -> Pair:
    y_true, y_pred = times()
    y_pred[..., 1] = 0
    return y_true, y_pred


def above() -> Pair:
    y_true, y_pred = limited()
    return y_true, y_pred * 0.01


def near_the_tail(z: float, tolerance: float) -> list[Claim]:
    """The chance to lie more than `z` deviations above, where the continued fraction begins."""

    def off(name: str, y_true: Any, y_pred: Any, **params: Any) -> Callable[[], None]:
        def holds() -> None:
            expected = float(-mp.log(mp.ncdf(-mp.mpf(z))))
            assert abs(loss(name, np.array([y_true]), np.array([y_pred]), **params)[0] - expected) < tolerance

        return holds

    return [
        Claim("tobit", f"the tail from {z}", off("tobit", [0.0], [[z, 0.0]])),
        Claim("log_normal_censored", f"the tail from {z}", off("log_normal_censored", [[1.0, 0.0]], [[-z, 0.0]])),
    ]


CLAIMS: list[Claim] = [
    *near_the_tail(2.4, 1e-12),
    *near_the_tail(2.6, 1e-6),
    *near_the_tail(4.0, 2e-9),
    unchanged("cox", "adding a number to all risks", cohort, lambda t, p: (t, p + 3)),
    unchanged("cox", "another scale of time", cohort, lambda t, p: (t * [7, 1], p)),
    unchanged("cox", "another order of the samples", tied, lambda t, p: (t[::-1], p[::-1])),
    related("cox", "the same for Efron where nobody shares a time", cohort, lambda t, p: loss("cox", t, p), efron=True),
    related("cox", "zero without events", lambda: (cohort()[0] * [1, 0], cohort()[1]), lambda *_: [0.0]),
    events_and_survivors("weibull_censored", [0.2, 0.3]),
    events_and_survivors("log_normal_censored", [0.2, 0.3]),
    events_and_survivors("log_logistic_censored", [0.2, 0.3]),
    events_and_survivors("piecewise_exponential", [0.2, -0.3, 0.1], widths=[0.5, 1, 2]),
    related(
        "weibull_censored",
        "exponential at shape 1",
        shape_one,
        lambda t, p: loss("exponential_censored", t, -p[..., 0]),
    ),
    related(
        "tobit", "the normal likelihood above the limit", above, lambda t, p: loss("gaussian_nll", t, p), lower=-9.0
    ),
    related(
        "nnet_survival",
        "logistic_hazard, coded otherwise",
        lambda: (bits(coded()[0]), 1 / (1 + np.exp(coded()[1]))),
        lambda *_: loss("logistic_hazard", *coded()),
    ),
    someone_is_last("logistic_hazard", [0.3, -0.4, 1.2, 0.5]),
    someone_is_last("deephit_likelihood", [0.3, -0.4, 1.2, 0.5]),
    someone_is_last("mtlr", [0.3, -0.4, 1.2, 0.5]),
    related(
        "deephit_likelihood",
        "logistic_hazard, by probabilities",
        lambda: (coded()[0], as_likelihood(coded()[1])),
        lambda *_: loss("logistic_hazard", *coded()),
    ),
    related(
        "deephit",
        "the likelihood alone without ranking",
        coded,
        lambda t, p: loss("deephit_likelihood", t, p),
        alpha=0.0,
    ),
    unchanged("mtlr", "the score of the last interval", coded, lambda t, p: (t, p + np.array([0, 0, 0, 0, 3]))),
    related(
        "pc_hazard",
        "piecewise_exponential",
        within,
        lambda t, p: loss(
            "piecewise_exponential",
            np.stack([t[:, 0] + t[:, 2], t[:, 1]], axis=1),
            np.log(np.log1p(np.exp(p))),
            widths=[1] * 5,
        ),
    ),
    *map(below_concordance, range(4)),
    unchanged("concordance_ranking", "another start of the scale", tied, lambda t, p: (t, p + 3)),
    between("concordance_ranking", lambda: (cohort()[0], 20 * cohort()[0][:, 0]), 0, 0.1),
]
