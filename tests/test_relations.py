"""Values that belong together: what is proved of them, what must not be, and that the intervals hold what floats give."""

from __future__ import annotations

import numpy as np
import pytest

from lossdsl.analysis.finite import Finite
from lossdsl.backends import reference
from lossdsl.checked import analyse
from lossdsl.interval import LARGEST, Interval
from lossdsl.proof import ALARM, OPEN, PROVED, inputs, prove

UNIT = "y_true: float[batch, k] in [0, 1]\ny_pred: prob[batch, k]\nt = y_true\np = y_pred\n"
WIDE = "y_true: float[batch, k] in [0, 2]\ny_pred: float[batch, k] in [-2, 2]\nt = y_true\np = y_pred\n"
LOGITS = "y_pred: logits[batch, c] in [-1e6, 1e6]\np = softmax(y_pred)\n"


def verdict(text: str) -> str:
    return prove(analyse(text, measure=True)).parts[0].verdict


@pytest.mark.parametrize(
    "text",
    [
        # a mean of two values lies between them, not beyond by rounding either
        UNIT + "mean((1 - (t * p + (1 - t) * (1 - p))) ** 1.5)",
        UNIT + "mean(sqrt(1 - ((1 - t) * p + t * (1 - p))))",
        UNIT + "mean(log(1.5 - (t * p + (1 - p) * (1 - t))))",
        # order that rounding keeps
        UNIT + "mean(sqrt(t + p - t * p))",
        UNIT + "mean(sqrt(p - square(p)))",
        UNIT + "mean(sqrt(t + p - minimum(t, p)))",
        UNIT + "mean(log(1 + t - t * p))",
        UNIT + "mean(clip(p, t - 0.2, t + 0.2))",
        WIDE + "mean(clip(p, p - t, p + t))",
        # sums of products, to a rounding error in proportion to their terms
        UNIT + "mean(log(t + p - t * p + 1e-6))",
        UNIT + "mean(1 / (p * (1 - p) + 1e-3))",
        UNIT + "mean(log(p - 2 * t * p + t + 1e-3))",
        UNIT + "i = sum(t * p)\n1 - (i + epsilon) / (sum(t) + sum(p) - i + epsilon)",
        UNIT + "i = sum(t * p)\n1 / (i + 0.7 * (sum(t) - i) + 0.3 * (sum(p) - i) + 1)",
        UNIT + "1 / (sum(t + p - t * p) + epsilon)",
        WIDE + "mean(sqrt(square(t) - 2 * t * p + square(p) + 1e-3))",
        WIDE + "mean(sqrt(mean(square(p), axis=-1) - square(mean(p, axis=-1)) + 1e-2))",
        # shares, and counts of what is largest
        LOGITS + "sqrt(1 - sum(square(p)) + 1e-3)",
        LOGITS + "mean(exp(10 * cumsum(p)))",
        LOGITS + "exp(5 * sum(p * tanh(y_pred)))",
        "y_pred: float[batch, k] in [-9, 9]\nmean(y_pred / sum(y_pred == max(y_pred, axis=-1), axis=-1))",
        "m = where(y_true > 0, y_pred, -1)\nmean(1 / sum(m == min(m, axis=-1), axis=-1))",
        # a sum of three that overflows to one side, which does no harm
        "mean(exp(-(square(y_pred) + square(y_true) + square(y_pred * y_true))))",
        # a scalar product of directions
        "mean(log(1.01 - sum(normalize(y_true) * normalize(y_pred), axis=-1)))",
        "mean(log(1.01 + sum(-normalize(y_true) * stop_gradient(normalize(y_pred)), axis=-1)))",
        "z = normalize(y_pred)\nmean(log(1.01 - sum(z * pairs(z, axis=batch), axis=-1)))",
        # a sum by one that holds it: means under masks or weights, overlaps, cosines
        UNIT + "log(1.01 - mean(p, where=t > 0.5))",
        UNIT + "mean(sqrt(1.01 - mean(1 - p, axis=-1, where=(t > 0.5) and (t <= 0.9))))",
        UNIT + "mean(log(1.01 - sum(t * p, axis=-1) / maximum(sum(t, axis=-1), epsilon)))",
        UNIT + "mean(log(1.01 - 2 * sum(t * p, axis=-1) / (sum(t, axis=-1) + sum(p, axis=-1) + 1e-6)))",
        UNIT + "mean(log(1.01 - 2 * sum(t * p, axis=-1) / (sum(t * t, axis=-1) + sum(p * p, axis=-1) + 1e-6)))",
        UNIT + "i = sum(t * p, axis=-1)\nmean(sqrt(1.01 - (i + 1) / (sum(t, axis=-1) + sum(p, axis=-1) - i + 1)))",
        WIDE + "mean(log(2.01 + sum(t * p, axis=-1) / (sum(t, axis=-1) + 1e-3)))",
        WIDE + "mean(arccos(0.99 * sum(t * p, axis=-1) / (norm(t, axis=-1) * norm(p, axis=-1) + 1e-8)))",
        # 0 where the logarithm or the divisor is
        UNIT + "-sum(p * log(p))",
        UNIT + "sum(t * log(t) - t * log(maximum(p, epsilon)))",
        UNIT + "mean(p ** 0.7)",
    ],
)
def test_proved(text: str) -> None:
    assert verdict(text) == PROVED


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (WIDE + "mean((1 - (t * p + (1 - t) * (1 - p))) ** 1.5)", ALARM),
        (WIDE + "mean(sqrt(t + p - t * p))", ALARM),
        (WIDE + "mean(sqrt(p - square(p)))", ALARM),
        (UNIT + "mean(log(t + p - t * p))", ALARM),
        (UNIT + "mean(log(1 - p + t * p))", ALARM),
        (UNIT + "mean(clip(p, t + 0.2, t - 0.2))", ALARM),
        (WIDE + "mean(clip(p, t - p, t + p))", ALARM),
        (UNIT + "i = sum(t * p)\n1 / (sum(t) + sum(p) - 2 * i)", ALARM),
        (UNIT + "mean(sqrt(square(t) - 3 * t * p + square(p) + 1e-3))", ALARM),
        (LOGITS + "log(1 - sum(square(p)))", ALARM),
        # true of numbers, and of floats only if a product is rounded twice alike
        ("m = y_true * y_pred + y_true\nmean(1 / sum(m == max(m, axis=-1), axis=-1))", OPEN),
        (UNIT + "u = t * p + 0.1 * t\nmean(sqrt(u - u * p))", OPEN),
        (UNIT + "u = t * p\nmean(sqrt(u - u * p))", OPEN),
        (UNIT + "mean(sqrt(1 - t * p - (1 - t) * (1 - p)))", OPEN),
        (UNIT + "mean(sqrt(square(t) - 2 * t * p + square(p)))", OPEN),
        (WIDE + "mean(sqrt(mean(square(p), axis=-1) - square(mean(p, axis=-1))))", OPEN),
        # of directions along other axes, or of one entry each
        (
            "y_pred: float[batch, k, m]\nmean(log(1.01 - sum(normalize(y_pred, axis=k) * normalize(y_pred, axis=k), axis=m)))",
            ALARM,
        ),
        ("y_pred: float[batch, k]\np = normalize(y_pred)\nmean(log(2 - sum(p * pairs(p, axis=k), axis=k)))", ALARM),
        ("mean(log(1 - sum(normalize(y_true) * normalize(y_pred), axis=-1)))", ALARM),
        # by a sum that does not hold it, or not that of the same numbers
        (WIDE + "mean(log(1.01 - sum(t * p, axis=-1) / (sum(t, axis=-1) + 1e-3)))", ALARM),
        (WIDE + "mean(log(2.01 - sum(t * p, axis=-1) / maximum(abs(sum(p, axis=-1)), 1e-3)))", ALARM),
        (UNIT + "mean(log(1.01 - 3 * sum(t * p, axis=-1) / (sum(t, axis=-1) + sum(p, axis=-1) + 1e-6)))", ALARM),
        (UNIT + "mean(log(1.01 - sum(t * p, axis=-1) / (mean(t, axis=-1) + 1e-6)))", ALARM),
        (UNIT + "u = t * p\nlog(1.01 - mean(p, where=u > u * p + 0.1))", OPEN),
        (UNIT + "mean(sqrt(1 - sum(t * p, axis=-1) / (sum(t, axis=-1) + 1e-6)))", OPEN),
        (WIDE + "mean(arccos(sum(t * p, axis=-1) / (norm(t, axis=-1) * norm(p, axis=-1) + 1e-36)))", OPEN),
        (
            "y_pred: float[batch, k, m]\np = y_pred\nmean(log(2 - sum(p * p, axis=k) / (square(norm(p, axis=m)) + 1)))",
            ALARM,
        ),
        # what cancels still counts for its rounding
        (
            "y_true: float[batch, k] in [0, inf)\nt = y_true\nmean(rsqrt((t * exp(-abs(y_pred)) + (1 - t) * exp(-abs(y_pred))) + 1))",
            OPEN,
        ),
    ],
)
def test_not_proved(text: str, wanted: str) -> None:
    found = prove(analyse(text, measure=True, rewrite=False)).parts[0].verdict
    assert found == wanted or (wanted, found) == (OPEN, ALARM)


TEMPLATES = [
    "t * a + (1 - t) * b", "1 - (t * a + (1 - t) * (1 - a))", "a + t - a * t", "a - a * t", "a - square(a)",
    "square(a) - 2 * a * b + square(b)", "sum(t) + sum(a) - sum(a * t)", "sum(a) - sum(a * t)",
    "mean(square(a)) - square(mean(a))", "sum(a == max(a, axis=-1))", "sum(softmax(a) * b)", "sum(square(softmax(a)))",
    "cumsum(softmax(a))", "xlogy(a, a)", "a * b / b", "b * t - 0.5 * b * a * t + a", "0.3 * (a - b) * (a - b) - a * a",
    "sum(normalize(a) * normalize(b))",
]  # fmt: skip
DATA = [(0.0, 1.0), (0.0, 3.0), (-2.0, 0.0), (-1.5, 4.0), (1e-6, 1e-3), (0.25, 0.25), (-1e4, 1e4), (0.5, 1.0)]


@pytest.mark.parametrize("text", TEMPLATES)
def test_intervals_hold_what_floats_give(text: str) -> None:
    """Corners, neighbours of corners, and numbers between, in float32 and in float64."""
    random = np.random.default_rng(len(text))
    for low, high in [(0.0, 1.0), *(DATA[i] for i in random.permutation(len(DATA))[:5])]:
        for share in ((0.0, 1.0), DATA[random.integers(len(DATA))]):
            heads = f"y_true: float[batch, 3] in [{share[0]}, {share[1]}]\ny_pred: float[batch, 6] in [{low}, {high}]\n"
            names = "t = y_true\na = y_pred[..., :3]\nb = y_pred[..., 3:]\n"
            checked = analyse(f"{heads}{names}mean({text})", measure=True, rewrite=False)
            form = checked.display().form
            found = Finite(form.roots, inputs(checked, LARGEST)).interval(form.roots[0].inputs[0])
            data = {"y_true": _numbers(Interval(*share), 3, random), "y_pred": _numbers(Interval(low, high), 6, random)}
            for kind in (np.float32, np.float64):
                values = reference.evaluate(form.roots[0].inputs[0], form.builder.layout.ids, data, kind)
                values = values[np.isfinite(values)]
                assert np.all((values >= found.lo) & (values <= found.hi)), (text, low, high, share, found)


def _numbers(interval: Interval, count: int, random: np.random.Generator) -> np.ndarray:
    corners = np.array([interval.lo, interval.hi, 0.0, 0.5, 1.0], np.float32)
    corners = np.concatenate([corners, *(np.nextafter(corners, np.float32(end)) for end in (-9e9, 9e9))])
    corners = corners[(corners >= interval.lo) & (corners <= interval.hi) & (np.abs(corners) > 1e-30) | (corners == 0)]
    corners = corners[(corners >= interval.lo) & (corners <= interval.hi)]
    between = random.uniform(interval.lo, interval.hi, (500, count)).astype(np.float32)
    return np.where(random.uniform(size=between.shape) < 0.6, random.choice(corners, between.shape), between)
