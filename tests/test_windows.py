"""Windows along an axis: types, sizes, names, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from graph_oracle import Driven, slope

from lossdsl import eject, evaluate
from lossdsl.checked import analyse
from lossdsl.errors import LossError
from lossdsl.ir.axes import is_free
from lossdsl.types import Dim

MOVING = "mean(square(mean(windows(y_true, 3), axis=window) - mean(windows(y_pred, 3), axis=-1)))"


def test_a_moving_mean() -> None:
    x = np.random.default_rng(1).normal(size=(2, 6))
    means = np.stack([np.convolve(row, [1 / 3] * 3, mode="valid") for row in x])
    np.testing.assert_allclose(evaluate(MOVING, x, np.zeros_like(x)), np.mean(means**2, axis=1))


def test_what_is_left_of_a_window_takes_part_by_its_place() -> None:
    """The axis of a window's entries is gone when it was reduced: -1 is time again."""
    text = "y_pred: float[batch, time]\nmean(max(mean(windows(y_pred, 2), axis=-1), axis=-1))"
    assert evaluate(text, np.zeros(1), [[1.0, 3.0, 2.0, 9.0]]) == [5.5]


def test_windows_of_windows_have_an_axis_each() -> None:
    text = "mean(sum(windows(windows(y_pred, 2), 2, axis=1), axis=(-1, -2)))"
    np.testing.assert_allclose(evaluate(text, np.zeros((1, 4)), [[1.0, 2.0, 3.0, 4.0]]), [np.mean([8.0, 12.0])])


def test_a_vector_lies_on_the_window() -> None:
    text = "mean(sum(windows(y_pred, 3) * [1, 0, -1], axis=-1))"
    assert evaluate(text, np.zeros((1, 4)), [[1.0, 5.0, 2.0, 9.0]]) == [-2.5]


def test_an_axis_of_ones_own_may_be_called_window() -> None:
    text = "y_pred: float[batch, window]\ny_true: float[batch, window]\nmean(mean(y_pred - y_true, axis=window))"
    assert evaluate(text, np.zeros((1, 2)), [[1.0, 3.0]]) == [2.0]


@pytest.mark.parametrize("entries", range(5, 20))
@pytest.mark.parametrize(("size", "step", "reflect"), [(3, 1, 0), (2, 3, 0), (5, 2, 2), (4, 4, 1)])
def test_the_number_of_windows(entries: int, size: int, step: int, reflect: int) -> None:
    """As many as are counted, twice over: the size of windows of windows is right as well."""
    known, symbol, count = Dim(None, entries), Dim("y_pred.1", 0), entries
    for _ in range(2):
        known, symbol = (d.shift(2 * reflect - size).divided(step).shift(1) for d in (known, symbol))
        count = len(range(-reflect, count + reflect - size + 1, step))
        assert known.offset == symbol.value({"y_pred.1": entries}) == count
        if count + 2 * reflect < size:
            return


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mean(windows(y_pred, 0))", "window-size"),
        ("mean(windows(y_pred, 2, step=0))", "window-size"),
        ("mean(windows(y_pred, 2, reflect=-1))", "window-size"),
        ("mean(windows(y_pred, 2.5))", "needs-whole-number"),
        ("mean(windows(y_pred, 2, axis=batch))", "windows-of-batch"),
        ("mean(windows(pairs(y_pred), 2, axis=pairs))", "windows-of-batch"),
        ("windows(y_pred, 2)", "windows-left-standing"),
        ("y_pred: float[batch, 3]\nmean(windows(y_pred, 4))", "axis-too-short"),
        ("y_pred: float[batch, 3]\nmean(windows(y_pred, 4, reflect=3))", "axis-too-short"),
        ("mean(y_pred, axis=window)", "axis-absent"),
        ("mean(ctc_loss(y_pred, y_true))", "scores-and-labels"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    declared = "y_true: label[batch, places]\ny_pred: logits[batch, places, c]\n" if "ctc" in text else ""
    with pytest.raises(LossError) as caught:
        analyse(declared + text)
    assert [found.code for found in caught.value.diagnostics] == [code]


def test_data_too_short_for_a_window() -> None:
    with pytest.raises(LossError, match="2 entries"):
        evaluate(MOVING, np.zeros((4, 2)), np.zeros((4, 2)))


def test_data_whose_windows_differ_in_number() -> None:
    """Different sizes never meet, even where windows would hide it."""
    text = "mean(windows(y_true, 2, step=2) - windows(y_pred, 2, step=2))"
    with pytest.raises(LossError, match=r"float\[4, 3, 2\] and float\[4, 4, 2\]"):
        evaluate(text, np.zeros((4, 6)), np.zeros((4, 9)))


def test_an_entry_of_a_vector_is_a_number() -> None:
    checked = analyse("lengths: float[2] = [3, 0.5]\nmean(windows(y_pred, lengths[0])) * lengths[1]")
    assert "windows(y_pred, 3," in checked.program((4, 6), (4, 6)).source
    assert not any(map(is_free, checked.elaborated.builder.layout.ids))


def test_an_ejected_file_knows_the_sizes() -> None:
    """The number of windows is part of what it compares."""
    text = "mean(mean(windows(y_pred, 3, step=2), axis=-1) - y_true)"
    assert "('y_pred', 1, -3, 2, 1)" in eject(text)


@pytest.mark.parametrize(
    "text",
    [
        "mean(where(windows(y_pred, 2) > 0, log(windows(y_pred, 2)), 0))",
        "mean(sqrt(maximum(sum(windows(mean(windows(square(y_pred), 2), axis=-1), 2), axis=-1), 0.3)))",
        "mean(where(y_true > 0, sqrt(sum(square(rfft_real(windows(y_pred, 4))), axis=(-1, -2))), 0))",
    ],
)
def test_a_branch_not_taken_stays_out_of_the_gradient(text: str) -> None:
    pred = np.random.default_rng(2).normal(size=(3, 6))
    true = np.array([1.0, -1.0, 1.0]) if "y_true" in text else np.ones_like(pred)
    declared = "y_true: float[batch]\ny_pred: float[batch, time]\n" if "y_true" in text else ""
    driven = Driven(declared + text, true, pred)
    direction, ones = np.ones_like(pred), np.ones(3)
    wanted = slope(driven.root, driven.layout, driven.data, "y_pred", direction, ones)
    assert float(np.sum(driven.gradient(ones=True))) == pytest.approx(float(wanted), rel=1e-9)
