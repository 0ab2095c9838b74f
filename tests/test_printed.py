"""The form that is printed: the same value with more digits, by what is there anyhow, and constants kept apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from graph_oracle import Driven
from mpmath import mp

from lossdsl.backends import reference
from lossdsl.checked import analyse
from lossdsl.ir.node import Node, reachable
from lossdsl.rewrite.printed import for_print

NEAR = ([[1.0, 2.0, -3.0], [0.3, -0.2, 0.5]], [[1.0 + 1e-9, 2.0, -3.0], [0.3, -0.2 - 2e-10, 0.5]])
FAR = ([[1e200, 1e-200, 1e150], [1e-120, 1e130, 2.0]], [[1e-190, 1e170, 1e-140], [1e160, 1e-170, -0.5]])
FAR_BELOW = (1 / np.array(FAR[0]), FAR[1])
PLAIN = ([[0.25, 1.0, 2.0], [1.5, 0.5, 0.75]], [[1.0, -2.0, 3.0], [0.5, 0.25, -1.0]])

PRINTED = {
    # a difference, from that of what is squared
    "sum(square(y_pred)) - sum(square(y_true))": (NEAR, ["y_pred - y_true", "y_pred + y_true"]),
    "mean(square(y_pred)) - mean(square(y_true))": (NEAR, ["y_pred - y_true", "y_pred + y_true"]),
    "sum(square(3 - y_pred)) - sum(square(3 - y_true))": (NEAR, ["y_true - y_pred"]),
    "sum(square(y_pred - 3)) - sum(square(y_true - 3))": (NEAR, ["y_pred - y_true"]),
    "norm(y_pred) - norm(y_true)": (NEAR, ["y_pred - y_true", "shims.nonzero("]),
    # a square that is weighed, one factor after the other
    "sum(y_true * square(y_pred))": (FAR, ["y_true * y_pred * y_pred"]),
    "sum(square(y_pred) * y_true)": (FAR, ["y_true * y_pred * y_pred"]),
    "sum(square(y_pred) / y_true)": (FAR_BELOW, ["y_pred / y_true * y_pred"]),
    # by a length that is there anyhow
    "norm(y_pred) + sum(normalize(y_pred) * y_true)": (PLAIN, ["y_pred / shims.nonzero("]),
    "1 - sum(normalize(y_true) * normalize(y_pred)) + norm(y_pred)": (PLAIN, ["y_pred / shims.nonzero("]),
    "sqrt(mean(square(y_pred))) * sum(y_true) / 9 + 0 * sum(y_pred)": (PLAIN, ["ops.mean"]),
    # a deviation, from distances
    "mean(y_true) * sqrt(var(y_pred))": (PLAIN, ["shims.norm(", "ops.mean"]),
}
"""Data at which it matters, if any, and what stands in the text."""
AS_IT_IS = {
    "e = square(y_pred)\nsum(y_true * e)": "e = ops.square(y_pred)",
    "sum(y_true * square(y_pred) + square(y_pred))": "y_true * square_1 + square_1",
    "sum(3 * square(y_pred) + 0 * y_true)": "ops.square(y_pred)",
    "sum(normalize(y_pred) * y_true)": "shims.normalize(",
    "1 - sum(normalize(y_true) * normalize(y_pred))": "shims.cosine_distance(",
    "sum(square(y_pred)) - sum(square(y_true), axis=all)": "ops.square(",
    "norm(y_pred) - norm(y_true, axis=all)": "shims.norm(",
}
"""What has a name, is used twice, is weighed by a number, has no length beside it, or is not alike, is left alone."""


def printed(driven: Driven) -> tuple[Node, Node]:
    """A root before and after."""
    form = driven.program.form
    return form.roots[0], for_print(form.builder, form.roots[:1], form.names)[form.roots[0]]


@pytest.mark.parametrize("text", PRINTED)
def test_printed_form(text: str) -> None:
    data, shown = PRINTED[text]
    driven = Driven(text, *data)
    assert all(part in driven.program.source for part in shown), driven.program.source
    exact = driven.exact()
    before, after = (np.ravel(reference.evaluate(x, driven.layout, driven.data)) for x in printed(driven))
    errors = [
        max(
            abs(mp.mpf(float(x)) - truth) / abs(truth) if np.isfinite(x) else mp.inf
            for x, truth in zip(side, exact, strict=True)
        )
        for side in (before, after)
    ]
    assert errors[1] <= 1e-6 if data is NEAR else errors[1] <= 1e-14
    assert data is PLAIN or errors[0] > 100 * errors[1]


@pytest.mark.parametrize("text", AS_IT_IS)
def test_as_it_is(text: str) -> None:
    driven = Driven(text, *PLAIN)
    assert AS_IT_IS[text] in driven.program.source
    np.testing.assert_allclose(driven.value(), driven.exact().astype(float), rtol=1e-14)


def test_what_is_differentiated_is_the_plain_form() -> None:
    driven = Driven("sum(y_true * square(y_pred))", *PLAIN)
    assert {"square"} <= {node.op for node in reachable(driven.program.form.rewritten)}
    np.testing.assert_allclose(driven.gradient(ones=True), 2 * driven.y_true * driven.y_pred, rtol=1e-14)


# -- kept apart

KEPT = {
    # quotients of quotients, of which XLA makes one with a product that may leave the range of floats
    "mean(y_true / y_pred / (1 + exp(y_pred)))": 1,
    "mean(y_true / (y_pred / y_true))": 1,
    "mean(y_true / y_pred / 1e-30)": 1,
    "mean(y_true / y_pred * y_true / (2 + y_pred))": 1,
    "mean(y_true / sigmoid(y_pred) / 2)": 0,
    "mean(y_true / (1 + sigmoid(y_pred)) / (2 + tanh(y_true)))": 0,
    "mean(y_true / (y_pred / 3))": 0,
    "mean(sum(y_pred) / sum(y_true) / size(y_true, axis=all))": 0,
    # constants that would vanish in others
    "mean(sqrt(1e-12 + (3 - y_pred)))": 1,
    "mean(sqrt(1e-3 + (3 - y_pred)))": 0,
    # a domain that rests on a constant, which would meet one part of a sum instead of the whole
    "mean(log(maximum(y_pred - y_true, 0) + 1e-7))": 0,
    "mean(1 / ((y_pred - y_true) + 1e-7))": 1,
    "mean(1 / ((exp(y_pred) + abs(y_true)) + 1e-7))": 0,
    "mean(square((y_pred - y_true) + 1e-7))": 0,
}
ROUNDED = {
    "softmax(3 * y_pred)": 1,
    "logsumexp(y_pred / 3)": 1,
    "log_softmax(flip(y_pred * y_true))": 1,
    "softmax(-(0.3 * y_pred))": 1,
    "softmax(square(y_pred))": 1,
    "softmax(y_pred)": 0,
    "softmax(-y_pred)": 0,
    "softmax(y_pred + 3 * y_true)": 0,
    "logsumexp(maximum(2 * y_pred, y_true))": 0,
    "softmax(tanh(y_pred))": 0,
    "sum(3 * y_pred)": 0,
}


def counted(text: str) -> Counter[str]:
    return Counter(node.op for node in reachable(analyse(text, measure=True).display().form.roots[:1]))


@pytest.mark.parametrize("text", KEPT)
def test_what_is_kept_apart(text: str) -> None:
    assert counted(text)["kept_apart"] == KEPT[text]


@pytest.mark.parametrize("text", ROUNDED)
def test_what_is_rounded_before_the_largest_is_taken_off(text: str) -> None:
    assert counted(f"mean({text} + 0 * y_true)")["rounded"] == ROUNDED[text]
