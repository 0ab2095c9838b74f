"""Sums that rewriting takes apart into terms: each a number times a product."""

from __future__ import annotations

import pytest

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
