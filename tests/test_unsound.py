"""Formulas that came out as NaN or infinite though they had been proved, by what was overlooked: none is proved now."""

from __future__ import annotations

import pytest

from lossdsl.checked import analyse
from lossdsl.proof import PROVED, prove

BOTH = "y_true: float[batch, k] in {0}\ny_pred: float[batch, k] in {1}\n"
LABELS = "y_true: label[batch]\ny_pred: float[batch, k] in [0, 1]\n"
UNITS = BOTH.format("[0, 1]", "[0, 1]")


def ints(interval: str) -> str:
    return f"y_true: int[batch, k] in {interval}\ny_pred: float[batch, k] in [0.1, 1]\n"


def sized(entries: int, interval: str) -> str:
    return f"y_pred: float[batch, {entries}] in {interval}\n"


CASES = {
    "whole numbers of 32 bits begin again": [
        LABELS + "mean(sqrt(sum(index(y_pred), axis=-1)) * y_pred)",
        LABELS + "mean(sqrt(index(y_pred) * index(y_pred)) * y_pred)",
        ints("[0, 100000]") + "mean(log(1 + y_true * y_true) * y_pred)",
        ints("[0, 2e9]") + "mean(sqrt(y_true + y_true) * y_pred)",
        ints("[-2147483648, 0]") + "mean(sqrt(abs(y_true)) * y_pred)",
    ],
    "products of sizes begin again as well": [
        "y_pred: float[batch, k] in [0, 1]\nmean(y_pred, axis=-1) / square(size(y_pred, axis=-1))",
        "y_pred: float[batch, k] in [0, 1]\n"
        "sqrt(size(y_pred, axis=-1) * (size(y_pred, axis=-1) - 1) / 2) * mean(tanh(y_pred))",
    ],
    "the mean in a variance is rounded": [
        "y_pred: float[batch, k] in [1e7, 10000001]\nsqrt(0.3 - var(y_pred, axis=-1))",
        "y_pred: float[batch, k] in [1e7, 10000001]\nlog(0.6 - std(y_pred, axis=-1))",
    ],
    "transforms of ones are no counts": [
        sized(173, "[0, 1]") + "mean(sqrt(173 - rfft_real(y_pred)))",
    ],
    "XLA multiplies by the inverse of a power": [
        BOTH.format("[10, 1000]", "[1, 127]") + "mean(log2(y_true / 2 ** y_pred))",
        BOTH.format("[10, 1000]", "[1, 2.2e15]") + "1 / mean(y_true / y_pred ** 2.5, axis=-1)",
    ],
    "whole numbers beyond 2^24 are rounded": [
        ints("[16777217, 16777300]") + "mean(log(y_true - 16777216.0) * y_pred)",
        ints("[0, 33554431]") + "mean(y_pred * log(1.5 + 33554431 - y_true))",
    ],
    "a product is another where it is used than where it was compared": [
        BOTH.format("[0, 1]", "[0, 2]") + "m = mean(y_pred, axis=-1)\nmean(where(m <= 1, sqrt(1 - m), 0) * y_true)",
        BOTH.format("[0.5, 2]", "[0.5, 2]")
        + "m = max(y_true, axis=-1) * max(y_pred, axis=-1)\nmean(where(m >= 1, sqrt(m - 1), 0) * y_true)",
        BOTH.format("[0, 1]", "[0, 9]")
        + "m = max(y_pred, axis=-1) * 0.1 - 0.7\nmean(where(m >= 0, sqrt(m), 0) * y_true)",
    ],
    "sums of different shapes in another order": [
        BOTH.format("[2e38, 3e38]", "[-3e38, -2e38]")
        + "max((max(y_true, axis=-1) + y_pred) + (min(y_true, axis=-1) - 1e38), axis=-1)",
        UNITS + "m = max(y_true, axis=-1)\nn = min(y_pred, axis=-1)\n"
        "mean(sqrt((m * (1 + y_pred) + (1 - m) * (1 + n)) + min(clip(-100 * y_true, -1, 0), axis=-1)))",
    ],
    "a sum of what is no whole number": [
        sized(10, "[0.3, 0.9]") + "sqrt(sum(y_pred, axis=-1) - 3)",
        sized(25, "[0, 0.04]") + "sqrt(1 - sum(y_pred, axis=-1))",
        sized(25, "[0, 0.04]") + "mean(sqrt(1 - cumsum(y_pred)))",
    ],
    "the inverse of a large number is 0": [
        BOTH.format("[0, 1]", "[1e38, 2e38]") + "mean(log(y_pred / 2e38) + y_true)",
        BOTH.format("[0, 1]", "[1e38, 2e38]") + "mean(y_true / (y_pred / 1e38))",
    ],
    "logaddexp that cancels": [
        BOTH.format("[-10, -0.6931472]", "[-10, -0.6931472]") + "mean(log(-logaddexp(y_true, y_pred)))",
    ],
    "a difference of small numbers": [
        BOTH.format("[1.0001e-34, 1.1e-34]", "[0.9e-34, 1e-34]") + "mean(log(log(y_true / y_pred)))",
        BOTH.format("[1.0001e-34, 1.1e-34]", "[0.9e-34, 1e-34]") + "mean(1 / log(y_true / y_pred))",
        BOTH.format("[1.0001e-34, 1.1e-34]", "[0.9e-34, 1e-34]") + "mean(log(y_true / y_pred - 1))",
        BOTH.format("[1e19, 1e20]", "[-88, -87.5]") + "mean(log(exp(y_pred) * softplus(y_true - y_pred)))",
    ],
    "inverses of large numbers are a first guess": [
        BOTH.format("[0, 1]", "[1e36, 3e38]") + "mean(sqrt(1.000001 - 1e36 * (1 / y_pred)) + y_true)",
    ],
    "the end of arctan, as a float, is beyond it": [
        "y_pred: float[batch, k] in [-1e9, 1e9]\nmean(log(1e-7 - (arctan(y_pred) - 1.5707962512969971)))",
    ],
    "XLA multiplies by the inverse of a product of exponentials": [
        BOTH.format("[1e30, 1e31]", "[43.8, 44.3]") + "mean(1 / (y_true / square(exp(y_pred))))",
        BOTH.format("[1e36, 1e37]", "[43.8, 44.3]") + "1 / mean(y_true / (exp(y_pred) * exp(y_pred)), axis=-1)",
    ],
    "digamma functions far out, where inverses are coarse or 0": [
        sized(2, "[1e38, 1.6e38]") + "x = maximum(y_pred, 1)\nmean(log(digamma(sum(x, axis=-1)) - digamma(x)))",
    ],
    "a distance that overflows within a function": [
        BOTH.format("[0, 1]", "[-3.4e38, -3.3e38]") + "mean(exp(y_pred) * softplus(y_true * 1e36 - y_pred))",
    ],
    "a divergence of logits of which one are far out": [
        "y_true: float[batch, k] in {1e19}\ny_pred: float[batch, k] in [-10, 10]\n"
        + "mean(log(0.5 - sum(softmax(y_pred) * (log_softmax(y_pred) - log_softmax(y_true)), axis=-1)))",
    ],
    "cumsum adds one after another": [
        sized(4096, "[0.1, 0.1]") + "mean(log(409.604 - cumsum(y_pred)))",
        "y_pred: float[batch, 100000] in [-1, 1]\nmean(log(1.001 - cumsum(softmax(y_pred))))",
    ],
    "sums over axes of another length are other sums": [
        BOTH.format("[1, 2]", "[0, 1]") + "sqrt(1.1 - sum(y_pred, axis=-1) / sum(y_true[..., 1:], axis=-1))",
        BOTH.format("[1, 2]", "[0, 1]")
        + "sqrt(1.1 - sum(y_pred, axis=-1) / sum(max(windows(y_true, 2), axis=-1), axis=k))",
        UNITS + "sqrt(0.1 + sum(y_true[..., 1:] + 1.2, axis=-1) - sum(y_true, axis=-1) - sum(y_pred, axis=-1)"
        " + sum(y_true * y_pred, axis=-1))",
    ],
    "products among the smallest floats, which torch keeps, are rounded up": [
        BOTH.format("[2e-38, 1]", "[0, 1e-7]")
        + "-log(1.1 - sum(y_true * y_pred * 1e7, axis=-1) / sum(y_true, axis=-1))",
    ],
    "a sum of one entry is left out of a graph": [
        "y_true: float[batch, 1] in [0, inf)\ny_pred: float[batch, 1]\nmean(sqrt(1.01 - 2 * sum((y_pred - y_pred)"
        " * y_true, axis=-1) / (sum(y_pred - y_pred, axis=-1) + sum(y_true, axis=-1) + 2)))",
        BOTH.format("[0, 1e30]", "[0, 1e-30]") + "1e10 * sum(y_true * relu(y_pred - 1e-31), axis=-1)",
    ],
    "axes that nothing says are as long": [
        "y_true: float[batch, *] in [1, 2]\ny_pred: float[batch, *] in [0, 1]\nsqrt(1.1 - sum(y_pred) / sum(y_true))",
        "y_true: float[batch, *] in [1, 2]\ny_pred: float[batch, *] in [0, 1]\nsqrt(0.1 + sum(y_true) - sum(y_pred))",
    ],
    "what is small beside other data is not small where those are 0": [
        BOTH.replace("k", "3").format("[0, 1]", "[0, 1]")
        + "sqrt(1.1 - sum(y_true * y_pred + 1e-13, axis=-1) / maximum(sum(y_true, axis=-1), 1e-20))",
        BOTH.format("[0, 1e6]", "[0, 1]")
        + "sqrt(1.1 - sum(y_true * y_pred + 1e-7, axis=-1) / maximum(sum(y_true, axis=-1), 1e-7))",
        BOTH.format("[0, 1e30]", "[0, 1]")
        + "log(1.1 - (sum(y_true * y_pred, axis=-1) + sum(y_pred, axis=-1)) / maximum(sum(y_true, axis=-1), 1))",
        BOTH.format("[0, 1e13]", "[0, 1]") + "log(1.1 - sum(y_true, axis=-1)"
        " / maximum(sum(y_true, axis=-1) - sum(y_pred, axis=-1), 1e-3))",
    ],
    "what vanishes before it is multiplied by a large number": [
        UNITS + "mean(sqrt(y_pred * y_true * 1e25 - y_pred * 1e25 * y_true * sigmoid(y_true) + 1e-20))",
    ],
}


@pytest.mark.parametrize("text", [text for texts in CASES.values() for text in texts])
def test_not_proved(text: str) -> None:
    assert prove(analyse(text), search=False).parts[0].verdict != PROVED


@pytest.mark.parametrize(
    "body",
    [
        "mean((square(y_pred)*1e200*1e200*y_true + y_true) - square(y_pred)*y_true*1e200*1e200 + y_true*y_pred)",
        "mean(sum(softmax(y_pred)*1e200*1e200*y_true - softmax(y_pred)*y_true*1e200*1e200, axis=-1))",
        "mean(cumsum(softmax(y_pred)*1e200*1e200*y_true - softmax(y_pred)*1e200*1e200*y_pred))",
        "mean(sum(y_pred * 1e200 * 1e200 * y_true, axis=-1) / sum(y_pred * 1e200 * 1e200, axis=-1))",
        "mean(std(exp(1000 * y_pred)))",
    ],
)
def test_factors_beyond_floats(body: str) -> None:
    """Nothing is proved of them, and nothing breaks down."""
    assert prove(analyse(BOTH.format("[1, 2]", "[1, 2]") + body), search=False).parts[0].verdict != PROVED


def test_the_square_of_one_length_is_not_the_product_of_two() -> None:
    text = BOTH.format("[-10, 10]", "[-10, 10]") + (
        "sqrt(1.1 - sum(y_pred * y_pred, axis=-1) / maximum(norm(y_pred, axis=-1) * norm(y_true, axis=-1), 1e-6))"
    )
    assert prove(analyse(text, rewrite=False), search=False).parts[0].verdict != PROVED
