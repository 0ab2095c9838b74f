"""Sums that rewriting takes apart into terms: each a number times a product."""

from __future__ import annotations

import numpy as np
import pytest

from lossdsl.backends import reference
from lossdsl.checked import analyse


@pytest.mark.parametrize(
    "text",
    [
        "mean(((y_pred * 0) * xdivy(y_pred, y_pred)) + 0 * y_pred)",
        "y_true: float[batch, 1] in (0, 1]\ny_pred: float[batch, 1] in [-1000, 1000]\n"
        "t = clip(y_pred, 0, 1)\nmean(xlogy(log(t * y_pred + (1 - t) * y_true), 1) + 0 * y_pred)",
    ],
)
def test_a_product_with_0_is_left_to_itself(text: str) -> None:
    """What else is in it may be infinite, so it is no 0; and nothing can be divided by its number."""
    assert analyse(text).display().gradient_source()


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("mean(y_true * square(-y_pred - y_pred * 0) + 0 * y_pred)", 2.0),
        ("mean(0 * y_pred * y_true + 3 * y_pred * y_true)", 6.0),
        ("mean(3 * y_pred * y_true + 0 * y_pred * y_true)", 6.0),
    ],
)
def test_a_product_with_0_beside_the_same_with_another_number(text: str, slope: float) -> None:
    """What it is added up to has that number, and is not 0."""
    program = analyse(text).display()
    root = program.form.gradient(0, "y_pred").roots[0]
    data = {"y_true": np.array([[2.0]]), "y_pred": np.array([[0.5]]), "upstream": np.array([1.0])}
    assert reference.evaluate(root, program.elaborated.builder.layout.ids, data).item() == slope
