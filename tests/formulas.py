"""Formulas with the shapes of their data, one or more for every way in which code is generated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

B = 4


@dataclass(frozen=True)
class Case:
    """A formula, the shapes that it is run at, and parameters; `classes` makes whole-number labels below it."""

    name: str
    text: str
    true: tuple[int, ...]
    pred: tuple[int, ...]
    classes: int | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Data between 0.05 and 0.95, so that every function is smooth there; float32, as a model gives it."""
        rng = np.random.default_rng(len(self.text))
        pred = rng.uniform(0.05, 0.95, self.pred).astype("float32")
        if self.classes is not None:
            return rng.integers(0, self.classes, self.true).astype("int32"), pred
        return rng.uniform(0.05, 0.95, self.true).astype("float32"), pred


def case(name: str, text: str, true: tuple[int, ...], pred: tuple[int, ...] | None = None, **more: Any) -> Case:
    """A case; the predictions are shaped as the labels unless it says otherwise."""
    return Case(name, text, true, true if pred is None else pred, **more)


ELEMENTWISE = (
    "exp(x) + expm1(x) + log(x) + log1p(x) + log2(x) + log10(x)",
    "sin(x) + cos(x) + tan(x) + arctan(x) + arcsin(x) + arccos(x) + arctan2(x, y)",
    "sinh(x) + cosh(x) + tanh(x) + erf(x) + erfinv(x)",
    "sqrt(x) + rsqrt(x) + reciprocal(x) + square(x) + sign(x - y) + abs(x - y)",
    "sigmoid(x) + log_sigmoid(x) + softplus(x) + softsign(x) + relu(x - y) + leaky_relu(x - y) + elu(x - y)",
    "leaky_relu(x - y, negative_slope=0.3) + elu(x - y, alpha=2) + silu(x) + gelu(x)",
    "maximum(x, y) + minimum(x, 0.5) + clip(x, 0.2, 1 - y / 2) + logaddexp(x, y) + xlogy(x, y) + xdivy(x, y)",
    "lgamma(x) + digamma(x) + power(x, y) + x**2 + x**-1 + 2**x + -x**2 + (-x)**2",
    "floor(3 * x) + ceil(3 * x) + round(3 * x) + x + stop_gradient(y)",
    "where(isfinite(x) and not isnan(y), x, 0) + (x < y) + (x <= y) * 2 - (x > 0.5 or y >= 0.5) + (x != y)",
    "(x if 0.2 < y < 0.8 else 1 - x) + (2 if x > y else 3)",
    "x - (y - (x - y)) - (x + y) / (x * y) / x - (x / y) * -x ** 2 ** y + pi * epsilon",
)
REDUCTIONS = (
    "sum(x) + mean(x * y) + prod(x) + max(x) + min(x)",
    "var(x) + std(x) + norm(x) + logsumexp(x)",
    "sum(x, where=x > y) + mean(x, where=x > y) + prod(x, where=x > y)",
    "max(x, where=x > 0) + min(x, where=x > 0) + logsumexp(x, where=x > 0)",
    "var(x, where=x > 0.1) + std(x, where=x > 0.1) + norm(x, where=x > y)",
    "sum(softmax(x) * y) + sum(log_softmax(x) * y) + sum(normalize(x) * y)",
    "sum(softmax(x, where=x > 0.1) * y) + sum(cumsum(x) * y) + sum(flip(x) * y)",
    "sum(sort(x) * y) + sum(argsort(x) * y) + mean(argmax(x) * x) + sum(index(x) * x)",
    "mean(x - mean(x)) + sum(exp(x) / sum(exp(x), axis=-1) * y) * size(x)",
)

CASES: tuple[Case, ...] = (
    *(
        case(f"elementwise-{i}-rank-{len(shape)}", f"x = y_pred\ny = y_true\nmean({text})", shape)
        for i, text in enumerate(ELEMENTWISE)
        for shape in [((B,), (B, 3), (B, 3, 2), (B, 2, 3, 2))[i % 4]]
    ),
    *(
        case(f"reductions-{i}-rank-{len(shape)}", f"x = y_pred\ny = y_true\n{text}", shape)
        for i, text in enumerate(REDUCTIONS)
        for shape in [((B, 3), (B, 3, 2), (B, 2, 3, 2), (B,))[i % 4]]
    ),
    case("axis-middle", "sum(mean(abs(y_true - y_pred), axis=1) * y_pred, axis=(1, 2))", (B, 3, 2)),
    case("axis-left-standing", "mean(abs(y_true - y_pred), axis=-1)", (B, 3, 2)),
    case("unreduced", "abs(y_true - y_pred)", (B, 3, 2)),
    case("rank-one-labels", "mean(square(y_true - y_pred))", (B,), (B, 1)),
    case("declared-sample", "y_true: float[batch]\nmean(maximum(0.9 * (y_true - y_pred), -0.1))", (B, 1), (B, 3)),
    case("vector-last", "mean([0.5, 1, 2] * square(y_true - y_pred))", (B, 3)),
    case("vector-last-rank-3", "w = [0.5, 1, 2]\nmean(w / sum(w) * square(y_true - y_pred))", (B, 2, 3)),
    case(
        "vector-inner",
        "y_pred: float[batch, time, features]\nw: float[time] = [1, 2, 3]\nmean(w * square(y_true - y_pred))",
        (B, 3, 2),
    ),
    case(
        "vector-inner-share",
        "y_pred: float[batch, time, features]\nw: float[time] = [1, 2, 3]\nv: float[features] = [2, 5]\n"
        "mean(w / sum(w) * softmax(v) * square(y_true - y_pred)) + sum(cumsum(w) * v * mean(y_pred, axis=batch))",
        (B, 3, 2),
    ),
    case("vector-alone", "mean(y_pred) * sum([1, 2] * [3, 4]) / norm([3, 4]) + sum(y_pred * sort(w))", (B, 3), params={"w": [3, 1, 2]}),
    case("vector-matrix", "mean(y_pred * matmul(w, m)) + sum(matmul([1, 2], m))", (B, 2), params={"w": [1, 2], "m": [[1, 2], [3, 4]]}),
    case("vector-pairs", "sum(y_pred * sum(pairs(w, axis=-1) * pairs(y_true, axis=-1), axis=2))", (B, 3), params={"w": [3, 1, 2]}),
    case("table-share", "mean(take(w / sum(w), y_true) * y_pred[..., 0])", (B, 5), (B, 5, 3), classes=3, params={"w": [1, 2, 3]}),
    case("table-on-an-axis", "sum(take(w, y_true) * -take_along_axis(log_softmax(w * y_pred), y_true))", (B,), (B, 3), classes=3, params={"w": [1, 2, 3]}),
    case(
        "table-inner",
        "y_true: label[batch, time]\ny_pred: float[batch, classes, time]\nalpha: float[classes] = [1, 2, 3]\n"
        "mean(take(alpha / mean(alpha), y_true) * mean(alpha * y_pred, axis=classes))",
        (B, 5),
        (B, 3, 5),
        classes=3,
    ),
    case(
        "vector-inner-rank-4",
        "y_pred: float[batch, a, b, c]\nw: float[a]\nv: float[b]\nsum(w * v * (y_true - y_pred))",
        (B, 3, 2, 2),
        params={"w": [1, 2, 3], "v": [0.5, -1.5]},
    ),
    case("matrix", "mean(square(matmul(y_pred, m) - y_true))", (B, 2), (B, 3), params={"m": [[1, 2], [3, 4], [5, 6]]}),
    case("matrix-rank-3", "mean(matmul(y_pred, [[1, -2], [3, 4]]) * y_true)", (B, 3, 2)),
    case("select", "mean(exp(-y_pred[..., 1]) * square(y_true - y_pred[..., 0]) + y_pred[..., 1])", (B, 3), (B, 3, 2)),
    case("select-inner", "sum(square(y_pred[:, 0] - y_pred[:, -1]))", (B, 3, 2)),
    case("select-spread", "mean(y_pred - expand_dims(y_pred[..., -1], -1) * y_true)", (B, 3)),
    case("slices", "mean(square(y_pred[:, 1:] - y_pred[:, :-1])) + mean(abs(y_pred[..., 1:] - y_true[..., :-1]))", (B, 4, 3)),
    case("slice-back", "sum(y_pred[..., -2:] * y_true[..., 1:3] - y_pred[..., -3:-1])", (B, 3)),
    case("total-variation", "mean(abs(y_pred[:, 1:] - y_pred[:, :-1])) + mean(abs(y_pred[:, :, 1:] - y_pred[:, :, :-1]))", (B, 3, 4, 2)),
    case("top-k", "mean(top_k(y_pred, 2)) + sum(top_k(y_pred, 1, axis=1) * 0.5)", (B, 3, 2)),
    case("labels", "-log(take_along_axis(y_pred, y_true))", (B,), (B, 3), classes=3),
    case("labels-column", "-mean(take_along_axis(log_softmax(y_pred), y_true))", (B, 1), (B, 3), classes=3),
    case("labels-rank-3", "mean(take(w, y_true) * -take_along_axis(log_softmax(y_pred), y_true))", (B, 5), (B, 5, 3), classes=3, params={"w": [1, 2, 3]}),
    case("one-hot", "-sum((one_hot(y_true, 3) * 0.9 + 0.1 / 3) * log_softmax(y_pred))", (B,), (B, 3), classes=3),
    case("one-hot-vector", "sum([1, 2, 3] * one_hot(y_true, 3) * square(1 - y_pred))", (B, 5), (B, 5, 3), classes=3),
    case(
        "one-hot-size",
        "y_pred: logits[batch, *, classes]\n-sum(one_hot(y_true, classes) * log_softmax(y_pred)) / classes",
        (B, 5),
        (B, 5, 3),
        classes=3,
    ),
    case(
        "channels-first",
        "y_true: label[batch, time]\ny_pred: float[batch, classes, time]\nalpha: float[classes] = [1, 2, 3]\n"
        "-sum(alpha * one_hot(y_true, 3) * log_softmax(y_pred, axis=classes))",
        (B, 5),
        (B, 3, 5),
        classes=3,
    ),
    case(
        "channels-first-pick",
        "y_true: label[batch, time]\ny_pred: float[batch, classes, time]\n"
        "-mean(take_along_axis(log_softmax(y_pred, axis=classes), y_true, axis=classes))",
        (B, 5),
        (B, 3, 5),
        classes=3,
    ),
    case("other-axes", "y_true: float[batch, a]\ny_pred: float[batch, b]\nmean(y_true * y_pred) + mean(square(y_true - y_pred))", (B, 2), (B, 3)),
    case("label-arithmetic", "y_true: label[batch, *]\ny_pred: float[batch, *]\nmean((y_true * 2 - 1) / 3 - y_pred**y_true)", (B, 3), classes=2),
    case("pairs-rows", "mean(abs(y_pred - pairs(y_pred)))", (B, 3)),
    case("pairs-rank-3", "sum(square(y_pred - pairs(y_pred)) * y_true, axis=(1, 2, 3))", (B, 3, 2)),
    case("pairs-list", "mean(softplus(pairs(y_pred, axis=-1) - y_pred), where=y_true > pairs(y_true, axis=-1))", (B, 3)),
    case(
        "nt-xent",
        "z = normalize(y_pred)\ni = index(z, axis=batch)\ns = sum(z * pairs(z), axis=-1) / 0.1\n"
        "logsumexp(s, axis=pairs, where=i != pairs(i)) - sum(z * normalize(y_true), axis=-1)",
        (B, 3),
    ),
    case("contrast", "supcon(y_true, y_pred)", (B,), (B, 3), classes=2),
    case(
        "barlow",
        "z = y_pred - mean(y_pred, axis=batch)\nc = mean(z * pairs(z, axis=-1), axis=batch)\ni = index(z)\n"
        "sum(square(c - (i == pairs(i, axis=-1))))",
        (B, 3),
    ),
    case("batch-hard", "d = norm(y_pred - pairs(y_pred), axis=-1)\nrelu(max(d, axis=pairs) - min(d, axis=pairs) + 0.2)", (B, 3)),
    case("concordance", "ccc(y_true, y_pred)", (B,)),
    case("correlation", "1 - sum(normalize(y_true - mean(y_true, axis=batch), axis=batch) * normalize(y_pred, axis=batch), axis=all)", (B, 3)),
    case("gram", "g = sum(y_pred * pairs(y_pred, axis=2), axis=1)\nmean(square(g))", (B, 5, 3)),
    case("contraction-mean", "mean(square(mean(y_pred * pairs(y_true), axis=-1)), axis=pairs)", (B, 3)),
    case("spread-sum", "y_true: float[batch, f]\ny_pred: float[batch, rows, f]\nsum(y_pred[:, 1:] * expand_dims(y_true - y_pred[:, 0], 1))", (B, 2), (B, 3, 2)),
    case("picked-meets-indexed", "y_true: label[batch, *]\ny_pred: float[batch, *, classes]\n-mean(log(0.1 + square(take_along_axis(y_pred, y_true) + y_pred[..., -1])))", (B,), (B, 3), classes=3),
    case("sum-times-indexed", "mean(sum(square(y_pred[..., :2]), axis=-1) * y_pred[..., 2])", (B, 3)),
    case(
        "indexed-limit",
        "y_true: float[batch, 2]\ny_pred: float[batch, n]\n"
        "where(y_true[:, 0] > 0, sum(y_pred, where=index(y_pred, axis=n) > expand_dims(y_true[:, 1], -1)), 0)",
        (B, 2),
        (B, 4),
    ),
    case("clip-of-a-number", "mean(clip(0.5, y_pred, 2) + xlogy(y_true, 2) + 2**y_pred)", (B, 3)),
    case("clip-of-a-sum", "mean(clip(sum(y_pred), y_pred, 2 + abs(y_true)))", (B, 3)),
    case("sizes", "y_pred: float[batch, time, f]\nsum(y_pred) / (time * f) + sum(y_pred, axis=batch) / batch / f * y_true", (B, 3, 2)),
    case("terms", "e = y_true - y_pred\nterm fit = mean(square(e))\nterm total = -0.5 * sum(abs(e)) / 3\nterm end = sqrt(mean(square(e)))", (B, 3)),
    case("terms-rank-3", "e = square(y_true - y_pred)\n0.7 * mean(e) - 2 * sum(e) + sqrt(mean(e))", (B, 3, 2)),
    case("weighted-ratio", "sum(y_true * square(y_true - y_pred)) / (1 + sum(y_true))", (B, 3)),
    case("library", "0.7 * mse(y_true, y_pred) + 0.3 * dice(y_true, y_pred)", (B, 3, 2)),
    case("definition", "def f(x, axis=-1, k=2) = sum(x, axis=axis) / k\nmean(f(y_pred)) + f(y_true, axis=(1, 2), k=3)", (B, 3, 2)),
)  # fmt: skip
