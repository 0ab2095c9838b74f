"""Signatures: what is declared holds, what is not is inferred in a fixed order, and the first that checks wins."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, data, probs, refusal, signature, terms, value, warned

from lossdsl.errors import LossError

T, P = data(4, 3, seed=1), data(4, 3, seed=2)

BOTH = "y_true: float[batch, *, last]; y_pred: float[batch, *, last]"
SPARSE = "y_true: label[batch, *]; y_pred: float[batch, *, classes]"
SHORT = "y_true: float[batch, *]; y_pred: float[batch, *, last]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # nothing declared
        ("mean(abs(y_true - y_pred))", BOTH),
        ("mean(y_pred)", BOTH),
        ("mean(y_true[..., 0] * y_pred[..., 1])", BOTH),
        ("mean(y_true - expand_dims(y_pred[..., 0], -1))", BOTH),
        ("-sum(xlogy(y_true, y_pred), axis=-1)", BOTH),
        # y_true as an index
        ("-log(take_along_axis(y_pred, y_true))", SPARSE),
        ("-sum(one_hot(y_true, 10) * log_softmax(y_pred))", SPARSE),
        ("mean(take([1, 2, 3], y_true) * log_softmax(y_pred)[..., 0])", SPARSE),
        # an indexed prediction meets bare labels
        ("mean((y_true - y_pred[..., 0])**2)", SHORT),
        ("mean(where(y_true > 0, y_pred[..., 0], y_pred[..., 1]))", SHORT),
        # a library loss that gets them as they are says what they are
        ("sparse_categorical_crossentropy(y_true, y_pred)", SPARSE),
        ("supcon(y_true, y_pred)", "y_true: label[batch]; y_pred: float[batch, features]"),
        ("2 * gaussian_nll(y_true, y_pred) + mean(y_pred)", "y_true: float[batch, *]; y_pred: float[batch, *, 2]"),
        ("gaussian_nll(y_true, 2 * y_pred)", SHORT),
        ("def giou(a, b) = mean(abs(a - b))\ngiou(y_true, y_pred)", BOTH),
        ("y_pred: prob\ncategorical_crossentropy(y_true, y_pred)", BOTH.replace("y_pred: float", "y_pred: prob")),
        # one of them declared
        ("y_pred: prob[batch, *]\nmean(y_true * y_pred)", "y_true: float[batch, *]; y_pred: prob[batch, *]"),
        ("y_pred: logits[batch, time, c]\nmean(y_true * y_pred)", "y_true: float[batch, time, c]; y_pred: logits[batch, time, c]"),
        ("y_pred: float[batch, 4]\nmean(y_true * y_pred)", "y_true: float[batch, 4]; y_pred: float[batch, 4]"),
        ("y_pred: float[batch, k]\nmean(y_true - y_pred[..., 0])", "y_true: float[batch]; y_pred: float[batch, k]"),
        ("y_pred: float[batch, k]\nmean(take_along_axis(y_pred, y_true))", "y_true: label[batch]; y_pred: float[batch, k]"),
        ("y_true: label[batch]\nmean(take_along_axis(y_pred, y_true))", "y_true: label[batch]; y_pred: float[batch, classes]"),
        ("y_true: label[batch, *]\nmean(one_hot(y_true, 3) * y_pred)", "y_true: label[batch, *]; y_pred: float[batch, *, classes]"),
        ("y_true: float[batch, time]\nmean(y_true - y_pred)", "y_true: float[batch, time]; y_pred: float[batch, time]"),
        ("y_true: float[batch, *]\nmean(y_true - y_pred[..., 0])", "y_true: float[batch, *]; y_pred: float[batch, *, classes]"),
        ("y_true: float[batch]\nmean(y_true - y_pred[..., 0])", "y_true: float[batch]; y_pred: float[batch, *, last]"),
        # a kind alone
        ("y_pred: prob\nmean(y_true * y_pred)", "y_true: float[batch, *, last]; y_pred: prob[batch, *, last]"),
        ("y_true: label\nmean(take_along_axis(y_pred, y_true))", SPARSE),
        ("y_true: bool\nmean(where(y_true, y_pred, 0))", "y_true: bool[batch, *, last]; y_pred: float[batch, *, last]"),
        ("y_true: int\nmean(y_true * y_pred)", "y_true: int[batch, *, last]; y_pred: float[batch, *, last]"),
    ],
)  # fmt: skip
def test_the_inferred_signature(text: str, expected: str) -> None:
    assert signature(text) == expected


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 3, 2), (4, 2, 3, 2)])
def test_the_star_is_any_further_axes(shape: tuple[int, ...]) -> None:
    t, p = data(*shape, seed=1), data(*shape, seed=2)
    expected = np.abs(t - p).reshape(4, -1).mean(1)
    for declared in ("", "y_pred: float[batch, *]\n", "y_true: float[batch, *]\ny_pred: float[batch, *]\n"):
        np.testing.assert_allclose(value(declared + "mean(abs(y_true - y_pred))", t, p), expected)


def test_the_star_is_the_same_axes_wherever_it_stands() -> None:
    declared = "y_true: float[batch, *]\ny_pred: float[batch, *, k]\nmean(y_true * max(y_pred, axis=k))"
    t, p = data(4, 5, seed=1), data(4, 5, 3, seed=2)
    np.testing.assert_allclose(value(declared, t, p), (t * p.max(-1)).mean(1))
    assert codes(declared, (4, 6), (4, 5, 3)) == ["shapes-differ"]
    assert codes(declared, (4, 5, 2), (4, 5, 3)) == ["rank-differs"]


def test_a_middle_star() -> None:
    declared = "y_pred: float[batch, *, k]\nsoftmax(y_pred, axis=k) * mean(y_pred, axis=1)"
    p = data(4, 5, 3, seed=2)
    soft = np.exp(p) / np.exp(p).sum(-1, keepdims=True)
    np.testing.assert_allclose(value(declared, p, p), soft * p.mean(1, keepdims=True))


def test_a_formula_for_one_rank_says_so_at_the_data() -> None:
    text = "mean(abs(y_true - y_pred), axis=2)"
    assert signature(text) == BOTH
    assert value(text, data(4, 3, 2), data(4, 3, 2)).shape == (4, 3)
    assert codes(text, (4, 3)) == ["axis-out-of-range"]


def test_where_no_signature_holds_the_fewest_errors_are_shown() -> None:
    assert codes("mean(y_ture - y_pred)") == ["unknown-name"]
    assert codes("mean(y_ture - y_perd) + foo(1)") == ["unknown-name", "unknown-name", "unknown-function"]
    assert codes("mean(one_hot(y_pred, 3) * y_pred)") == ["needs-index"]
    assert codes("mean(take_along_axis(y_pred, index(y_pred)))") == ["index-has-axis"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y_pred: float[time, batch]\nmean(y_pred)", "batch-first"),
        ("y_pred: float[3]\nmean(y_pred)", "batch-first"),
        ("y_pred: prob[batch] in [0, 1.5]\ny_pred", "prob-range"),
        ("y_pred: prob[batch] in (-1, 1]\ny_pred", "prob-range"),
        ("y_pred: prob[batch] in [0, inf)\ny_pred", "prob-range"),
        ("y_true: prob[batch] in {0, 2}\ny_true - y_pred", "prob-range"),
        ("y_pred: float[batch, n, n]\nmean(y_pred)", "name-bound-twice"),
        ("y_pred: float[batch, all]\nmean(y_pred)", "axis-not-understood"),
        ("y_pred: float[batch, pairs]\nmean(y_pred)", "axis-not-understood"),
        ("y_pred: float[batch, 0]\nmean(y_pred)", "axis-size"),
        ("y_true: double[batch]\nmean(y_true - y_pred)", "unknown-kind"),
        ("y_pred: float[batch, *]\ny_pred: float[batch, *]\nmean(y_pred)", "name-bound-twice"),
    ],
)
def test_declarations_that_are_refused(text: str, code: str) -> None:
    assert code in codes(text)


def test_a_star_stands_once() -> None:
    assert refusal("y_pred: float[batch, *, *]\nmean(y_pred)")


def test_what_is_not_y_true_or_y_pred_is_a_parameter() -> None:
    text = "y_true: float[batch, *] in {0, 1}\ny_pred: prob[batch, *]\ngamma: float = 2.0 in [0, inf)\nmean(y_pred**gamma * y_true)"
    t, p = np.array([[0, 1, 1], [1, 0, 0]]), probs(2, 3)
    np.testing.assert_allclose(value(text, t, p), (p**2 * t).mean(1))
    np.testing.assert_allclose(value(text, t, p, gamma=3), (p**3 * t).mean(1))


def test_the_focal_loss_of_the_design() -> None:
    text = """
        # Focal loss for dense detection (Lin et al. 2017, arXiv:1708.02002)
        y_true: float[batch, *] in {0, 1}
        y_pred: prob[batch, *]                      # prob is float in [0, 1]; logits is float
        gamma: float = 2.0 in [0, inf)              # anything declared that is not y_true / y_pred is a parameter
        alpha: float = 0.25 in [0, 1]

        p_t     = where(y_true == 1, y_pred, 1 - y_pred)
        alpha_t = where(y_true == 1, alpha, 1 - alpha)
        sum(-alpha_t * (1 - p_t)**gamma * log(p_t))
        """
    t, p = np.array([[0, 1, 1], [1, 0, 0]]), probs(2, 3)
    own, alpha = np.where(t == 1, p, 1 - p), np.where(t == 1, 0.25, 0.75)
    np.testing.assert_allclose(value(text, t, p), -(alpha * (1 - own) ** 2 * np.log(own)).sum(1))
    assert terms(text, (2, 3)) == [("sum", 2)]


# -- roles and ranges ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("y_pred: logits[batch, *]\nmean(log(y_pred) * y_true)", ["log-of-logits"]),
        ("y_pred: prob[batch, *]\nmean(log(y_pred) * y_true)", []),
        ("y_pred: prob[batch, *]\nmean(sigmoid(y_pred) * y_true)", ["activation-of-probabilities"]),
        ("y_pred: prob[batch, *]\nmean(log_softmax(y_pred) * y_true)", ["activation-of-probabilities"]),
        ("y_pred: logits[batch, *]\nmean(log_softmax(y_pred) * y_true)", []),
        ("mean(log(y_pred) * softmax(y_pred) * y_true)", []),
    ],
)
def test_roles_warn(text: str, warning: list[str]) -> None:
    assert warned(text) == warning


@pytest.mark.parametrize(
    ("declared", "true", "pred"),
    [
        ("y_pred: prob[batch, *]", 0.5, 1.5),
        ("y_pred: prob[batch, *]", 0.5, -0.1),
        ("y_true: float[batch, *] in {0, 1}", 0.5, 0.5),
        ("y_true: float[batch, *] in [0, 1)", 1.0, 0.5),
        ("y_true: float[batch, *] in (0, inf)", 0.0, 0.5),
    ],
)
def test_evaluate_holds_data_to_its_declared_range(declared: str, true: float, pred: float) -> None:
    with pytest.raises(LossError, match="outside what is declared") as caught:
        value(f"{declared}\nmean(y_true * y_pred)", np.full((2, 3), true), np.full((2, 3), pred))
    (found,) = caught.value.diagnostics
    assert found.code == "data-range"
    assert found.span is not None
    assert found.span.text == declared


# -- the gradient must reach y_pred -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "blamed"),
    [
        ("mean(round(y_pred) - y_true)", "no-gradient", "round(y_pred)"),
        ("mean(y_pred > y_true)", "no-gradient", "y_pred > y_true"),
        ("mean(argmax(y_pred) == argmax(y_true))", "no-gradient", "argmax(y_pred)"),
        ("mean(stop_gradient(y_pred) - y_true)", "no-gradient", "stop_gradient(y_pred)"),
        ("mean(sign(y_pred) * y_true)", "no-gradient", "sign(y_pred)"),
        ("mean(abs(y_true))", "y_pred-unused", "mean(abs(y_true))"),
        ("mean(y_true * size(y_pred))", "y_pred-unused", "mean(y_true * size(y_pred))"),
    ],
)
def test_a_loss_without_a_gradient_is_refused(text: str, code: str, blamed: str) -> None:
    (found,) = refusal(text).diagnostics
    assert found.code == code
    assert found.span is not None
    assert found.span.text == blamed


def test_a_smooth_path_beside_a_flat_one_will_do() -> None:
    assert signature("mean(where(y_pred > 0, y_pred, 0) + round(y_pred))") == BOTH
