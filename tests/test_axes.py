"""Axes: a reduction keeps its place, numbers count the value's own axes, and a lost axis is an error to name."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, data, probs, refusal, signature, value, warned

T, P = data(4, 3, 2, seed=1), data(4, 3, 2, seed=2)


# -- rule 2: a reduction keeps its place --------------------------------------------------------------------------


def test_a_mean_lines_up_with_what_it_came_from() -> None:
    centred = P - P.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(value("mean((y_pred - mean(y_pred))**2)", T, P), (centred**2).mean((1, 2)))
    inner = P - P.mean(1, keepdims=True)
    np.testing.assert_allclose(value("sum((y_pred - mean(y_pred, axis=1))**2)", T, P), (inner**2).sum((1, 2)))


def test_softmax_by_hand() -> None:
    expected = np.exp(P) / np.exp(P).sum(-1, keepdims=True)
    np.testing.assert_allclose(value("exp(y_pred) / sum(exp(y_pred), axis=-1)", T, P), expected)


def test_the_statistics_of_the_batch_line_up() -> None:
    expected = (P - P.mean(0)) / P.std(0)
    formula = "(y_pred - mean(y_pred, axis=batch)) / std(y_pred, axis=batch)"
    np.testing.assert_allclose(value(formula, T, P), expected)


def test_axis_numbers_count_reduced_axes() -> None:
    np.testing.assert_allclose(value("mean(sum(y_pred, axis=-1), axis=-2)", T, P), P.sum(-1).mean(-1))
    np.testing.assert_allclose(value("mean(sum(y_pred, axis=1), axis=2)", T, P), P.sum(1).mean(-1))
    np.testing.assert_allclose(value("mean(sum(y_pred, axis=1), axis=-1)", T, P), P.sum(1).mean(-1))


@pytest.mark.parametrize(
    ("formula", "left"),
    [
        ("mean(sum(y_pred, axis=-1), axis=-1)", "-2 is time, -3 is batch"),
        ("mean(sum(y_pred, axis=1), axis=1)", "-1 is classes, -3 is batch"),
        ("mean(sum(y_pred, axis=1), axis=-2)", "-1 is classes, -3 is batch"),
        ("mean(sum(y_pred, axis=classes), axis=classes)", "-2 is time, -3 is batch"),
        ("mean(sum(y_pred), axis=-1)", "-3 is batch"),
        ("softmax(sum(y_pred, axis=-1))", "-2 is time, -3 is batch"),
    ],
)
def test_naming_a_reduced_axis_says_what_is_left(formula: str, left: str) -> None:
    error = refusal(f"y_pred: float[batch, time, classes]\n{formula}")
    assert [d.code for d in error.diagnostics] == ["axis-already-reduced"]
    for piece in left.split(", "):
        assert piece in error.diagnostics[0].help


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("mean(y_pred, axis=2)", "axis-out-of-range"),
        ("mean(y_pred, axis=-3)", "axis-out-of-range"),
        ("mean(y_pred, axis=(1, -1))", "axis-twice"),
        ("mean(y_pred, axis=(f, -1))", "axis-twice"),
        ("mean(y_pred, axis=1.5)", "axis-not-understood"),
        ("mean(y_pred, axis=1.0)", "axis-not-understood"),
        ("mean(y_pred, axis=True)", "axis-not-understood"),
        ("mean(y_pred, axis=f + 1)", "axis-not-understood"),
        ("mean(y_pred, axis=y_true)", "unknown-axis"),
        ("mean(y_pred, axis=classes)", "unknown-axis"),
        ("mean(y_pred, axis=pairs)", "axis-absent"),
        ("mean(y_pred, axis=-2)", "axis-is-batch"),
        ("softmax(y_pred, axis=(0, 1))", "one-axis-only"),
        ("sort(y_pred, axis=all)", "one-axis-only"),
        ("y_pred - cumsum(0.7, axis=all)", "one-axis-only"),
        ("y_pred - cumsum(0.7)", "axis-out-of-range"),
    ],
)
def test_axis_arguments_that_mean_nothing(formula: str, code: str) -> None:
    assert codes(f"y_pred: float[batch, f]\n{formula}") == [code]


def test_a_likely_axis_is_suggested() -> None:
    error = refusal("y_pred: float[batch, classes]\nmean(y_pred, axis=clases)")
    assert error.diagnostics[0].help == "did you mean `classes`?"


# -- each value counts its own axes (research A1) -----------------------------------------------------------------


def test_the_last_axis_of_labels_is_their_own() -> None:
    """Labels (B, T) and logits (B, T, C): `axis=-1` of the labels is time, that of the logits classes."""
    formula = (
        "y_true: float[batch, *]\ny_pred: float[batch, *, classes]\n"
        "ce = logsumexp(y_pred, axis=-1)\nsum(y_true * ce, axis=1) / sum(y_true, axis=-1)"
    )
    m = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0], [1, 0, 0]])
    ce = np.log(np.exp(P).sum(-1))
    np.testing.assert_allclose(value(formula, m, P), (m * ce).sum(1) / m.sum(-1))


def test_undeclared_labels_with_an_axis_less_are_not_padded() -> None:
    """The last axis of (4, 3) is not the 1 that it would take to fit (4, 3, 2)."""
    formula = "ce = logsumexp(y_pred, axis=-1)\nsum(y_true * ce, axis=1) / sum(y_true, axis=-1)"
    assert codes(formula, (4, 3), (4, 3, 2)) == ["rank-differs"]
    assert codes("mean(y_true - y_pred)", (4, 3), (4, 3, 2)) == ["rank-differs"]
    # a last axis of one entry is Keras' own way to write such predictions
    np.testing.assert_allclose(value("mean(y_true - y_pred)", T[..., 0], P[..., :1]), (T - P)[..., 0].mean(1))


def test_labels_with_axes_of_their_own_meet_at_no_place() -> None:
    """Labels (B, L) and logits (B, T, C): a label's place is no time step."""
    formula = "y_true: float[batch, length]\ny_pred: float[batch, time, classes]\nmean(y_true * y_pred)"
    t = data(4, 5, seed=3)
    expected = (t[:, :, None, None] * P[:, None]).mean((1, 2, 3))
    np.testing.assert_allclose(value(formula, t, P), expected)


def test_common_axes_in_another_order_are_refused() -> None:
    assert codes("y_true: float[batch, a, b]\ny_pred: float[batch, b, a]\nmean(y_true - y_pred)") == [
        "axes-in-another-order"
    ]


def test_channels_first() -> None:
    shapes = "y_true: label[batch, time]\ny_pred: logits[batch, classes, time]\n"
    p, t = data(4, 3, 5, seed=5), np.random.default_rng(0).integers(0, 3, (4, 5))
    logs = p - np.log(np.exp(p).sum(1, keepdims=True))
    picked = np.take_along_axis(logs, t[:, None], 1)[:, 0]
    formula = "-mean(take_along_axis(log_softmax(y_pred, axis=classes), y_true, axis=classes))"
    np.testing.assert_allclose(value(shapes + formula, t, p), -picked.mean(1))
    hot = "-sum(one_hot(y_true, 3) * log_softmax(y_pred, axis=classes)) / time"
    np.testing.assert_allclose(value(shapes + hot, t, p), -picked.mean(1))
    assert codes(shapes + "mean(take_along_axis(y_pred, y_true))") == ["index-has-axis"]


# -- nothing left to reduce (research B1, B2) ---------------------------------------------------------------------


def test_a_default_reduction_takes_what_is_there() -> None:
    e = np.abs(T - P)
    np.testing.assert_allclose(value("mean(sum(abs(y_true - y_pred), axis=-1))", T, P), e.sum(-1).mean(-1))
    two = np.abs(T - P)[:, 0]
    np.testing.assert_allclose(value("mean(sum(abs(y_true - y_pred), axis=-1))", T[:, 0], P[:, 0]), two.sum(-1))
    np.testing.assert_allclose(value("sum(sum(sum(y_pred)))", T, P), P.sum((1, 2)))


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("axis", ["", ", axis=-1", ", axis=1", ", axis=(1,)"])
def test_a_rank_of_one_has_an_axis_to_reduce(shape: tuple[int, ...], axis: str) -> None:
    t, p = np.arange(4.0), np.array([1.0, 3.0, 2.0, 7.0])
    found = value(f"mean((y_true - y_pred)**2{axis})", t, p.reshape(shape))
    assert found.tolist() == [1.0, 4.0, 0.0, 16.0]


def test_all_takes_the_axes_that_are_there() -> None:
    t, p = np.arange(4.0), np.array([1.0, 3.0, 2.0, 7.0])
    assert value("mean((y_true - y_pred)**2, axis=all)", t, p).tolist() == [5.25]
    assert value("max(sum(y_pred, axis=-1), axis=all)", t, p).tolist() == [7.0]
    assert value("mean(y_pred) + max(sum(y_pred, axis=all), axis=all)", t, p).tolist() == [14.0, 16.0, 15.0, 20.0]
    assert value("mean(y_pred) * sum(2, axis=all)", t, p).tolist() == [2.0, 6.0, 4.0, 14.0]


@pytest.mark.parametrize(
    ("reduction", "of_one"),
    [
        ("mean", lambda x: x),
        ("sum", lambda x: x),
        ("prod", lambda x: x),
        ("max", lambda x: x),
        ("min", lambda x: x),
        ("logsumexp", lambda x: x),
        ("norm", np.abs),
        ("var", np.zeros_like),
        ("std", np.zeros_like),
    ],
)
def test_a_reduction_of_nothing_is_that_of_one_entry(reduction: str, of_one: object) -> None:
    sample = "y_true: float[batch]\ny_pred: float[batch]\n"
    t, p = np.array([1.0, -1.0, 1.0]), np.array([2.0, -3.0, 0.5])
    np.testing.assert_allclose(value(f"{sample}{reduction}(y_pred)", t, p), of_one(p))  # type: ignore[operator]
    np.testing.assert_allclose(value(f"{reduction}(y_pred)", t, p), of_one(p))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("mean", [2.0, 0.0, 0.5]),
        ("sum", [2.0, 0.0, 0.5]),
        ("prod", [2.0, 1.0, 0.5]),
        ("norm", [2.0, 0.0, 0.5]),
        ("var", [0.0, 0.0, 0.0]),
        ("std", [0.0, 0.0, 0.0]),
        ("max", [2.0, -3.4028235e38, 0.5]),
        ("min", [2.0, 3.4028235e38, 0.5]),
        ("logsumexp", [2.0, -3.4028235e38, 0.5]),
    ],
)
def test_where_counts_also_where_nothing_is_reduced(reduction: str, expected: list[float]) -> None:
    sample = "y_true: float[batch]\ny_pred: float[batch]\n"
    t, p = np.array([1.0, -1.0, 1.0]), np.array([2.0, -3.0, 0.5])
    for text in (sample + f"{reduction}(y_pred, where=y_true > 0)", f"{reduction}(y_pred, where=y_true > 0)"):
        np.testing.assert_allclose(value(text, t, p), expected)


@pytest.mark.parametrize("function", ["softmax(y_pred)", "log_softmax(y_pred)", "sort(y_pred)", "cumsum(y_pred)"])
def test_along_an_axis_of_one_is_a_warning(function: str) -> None:
    assert warned(f"y_pred: float[batch, 1]\nmean({function} * y_pred)") == ["axis-of-one"]
    assert warned(f"y_pred: float[batch, 2]\nmean({function} * y_pred)") == []


# -- defaults (research B6) ---------------------------------------------------------------------------------------


def test_reductions_default_to_all_but_batch_the_rest_to_the_last() -> None:
    log = np.log(np.exp(P).sum((1, 2)))
    np.testing.assert_allclose(value("logsumexp(y_pred)", T, P), log)
    np.testing.assert_allclose(value("norm(y_pred)", T, P), np.sqrt((P**2).sum((1, 2))))
    np.testing.assert_allclose(value("std(y_pred)", T, P), P.std((1, 2)))
    np.testing.assert_allclose(value("var(y_pred)", T, P), P.var((1, 2)))
    np.testing.assert_allclose(value("prod(y_pred)", T, P), P.prod((1, 2)))
    np.testing.assert_allclose(value("softmax(y_pred)", T, P), np.exp(P) / np.exp(P).sum(-1, keepdims=True))
    np.testing.assert_allclose(value("cumsum(y_pred)", T, P), P.cumsum(-1))
    np.testing.assert_allclose(value("flip(y_pred)", T, P), P[..., ::-1])
    np.testing.assert_allclose(value("sort(y_pred)", T, P), np.sort(P, -1))
    np.testing.assert_allclose(value("y_pred * argsort(y_pred)", T, P), P * P.argsort(-1))
    found = value("y_pred * (argmax(y_pred) == index(y_pred))", T, P)
    np.testing.assert_allclose(found, np.where(P.max(-1, keepdims=True) == P, P, 0))
    unit = P / np.sqrt((P**2).sum(-1, keepdims=True))
    np.testing.assert_allclose(value("normalize(y_pred)", T, P), unit)


@pytest.mark.parametrize("function", ["logsumexp", "norm", "max"])
def test_over_all_axes_what_is_usually_meant_along_one_is_a_warning(function: str) -> None:
    wide = "y_pred: float[batch, time, classes]\n"
    assert warned(f"{wide}mean({function}(y_pred) - y_true)") == ["reduces-all"]
    for meant in (f"{function}(y_pred, axis=-1)", f"{function}(y_pred, axis=(1, 2))", f"{function}(y_pred, axis=all)"):
        assert warned(f"{wide}mean({meant} - y_true)") == []
    assert warned(f"y_pred: float[batch, classes]\nmean({function}(y_pred) - y_true)") == []
    assert warned(wide + "mean(abs(y_pred - mean(y_true)))") == []


# -- sizes and axis names as values (research B7) -----------------------------------------------------------------


def test_an_axis_name_is_its_size() -> None:
    shapes = "y_pred: float[batch, time, classes]\n"
    np.testing.assert_allclose(value(shapes + "sum(y_pred) / time / classes", T, P), P.mean((1, 2)))
    np.testing.assert_allclose(value(shapes + "sum(y_pred, axis=all) / batch", T, P), [P.sum() / 4])
    eps = probs(4, 3, 2)
    np.testing.assert_allclose(
        value(shapes + "sum(log(y_pred + 0.1 / classes))", T, eps), np.log(eps + 0.05).sum((1, 2))
    )


def test_size_of_axes() -> None:
    for text, expected in {
        "size(y_pred)": 6,
        "size(y_pred, axis=-1)": 2,
        "size(y_pred, axis=1)": 3,
        "size(y_pred, axis=(1, 2))": 6,
        "size(y_pred, axis=all)": 24,
        "size(y_pred, axis=batch)": 4,
        "size(sum(y_pred, axis=-1))": 3,
        "size(mean(y_pred))": 1,
    }.items():
        np.testing.assert_allclose(value(f"mean(y_pred) * 0 + {text}", T, P), [expected] * 4)


def test_a_size_is_a_number_of_classes() -> None:
    t, p = np.array([0, 2, 1, 2]), probs(4, 3)
    expected = -np.log(p[np.arange(4), t])
    named = "y_pred: prob[batch, *, classes]\n-sum(one_hot(y_true, classes) * log(y_pred))"
    np.testing.assert_allclose(value(named, t, p), expected)
    assert signature(named) == "y_true: label[batch, *]; y_pred: prob[batch, *, classes]"
    np.testing.assert_allclose(value("-sum(one_hot(y_true, size(y_pred, axis=-1)) * log(y_pred))", t, p), expected)


@pytest.mark.parametrize("name", ["classes", "batch", "all", "pairs"])
def test_a_binding_does_not_take_the_name_of_an_axis(name: str) -> None:
    assert codes(f"y_pred: float[batch, classes]\n{name} = 2\nmean(y_pred)") == ["axis-name-bound"]


def test_an_axis_may_be_a_parameter_of_a_function() -> None:
    for text, expected in {
        "def f(x, axis=-1) = sum(x, axis=axis)\nf(y_pred)": P.sum(-1),
        "def f(x, axis=-1) = sum(x, axis=axis)\nf(y_pred, axis=1)": P.sum(1),
        "def f(x, axis=-1) = sum(x, axis=axis)\nf(y_pred, (1, 2))": P.sum((1, 2)),
        "def f(x, k) = sum(x, axis=k)\nf(y_pred, time)": P.sum(1),
        "def f(x, k) = sum(x, k)\nf(y_pred, time)": P.sum(1),
        "def f(x, k=classes) = sum(x, axis=k)\nf(y_pred)": P.sum(-1),
        "def f(x, axis) = sum(x, axis=axis)\ndef g(x, axis) = f(x, axis=axis)\ng(y_pred, time)": P.sum(1),
        "def f(x, axis) = x - mean(x, axis=axis)\nmean(f(y_pred, all)**2)": ((P - P.mean()) ** 2).mean((1, 2)),
    }.items():
        np.testing.assert_allclose(value("y_pred: float[batch, time, classes]\n" + text, T, P), expected)


def test_an_axis_is_no_value() -> None:
    assert codes("def f(x, k) = sum(x, axis=k) * k\nf(y_pred, -1)") == ["axis-as-value"]


@pytest.mark.parametrize("name", ["pairsof", "pairs_left", "free", "last", "one_hot", "all_of", "batches", "star"])
def test_any_word_names_an_axis(name: str) -> None:
    text = f"y_pred: float[batch, {name}]\nmean(y_pred, axis={name}) + sum(y_true**2) * {name}"
    t, p = data(4, 3, seed=1), data(4, 3, seed=2)
    np.testing.assert_allclose(value(text, t, p), p.mean(1) + 3 * (t**2).sum(1))
    np.testing.assert_allclose(value(f"y_pred: float[batch, {name}]\ny_pred - y_true", t, p), p - t)


def test_a_sum_over_an_axis_that_a_value_lacks_is_refused() -> None:
    shapes = "y_true: float[batch]\ny_pred: float[batch, classes]\n"
    assert codes(shapes + "mean(y_pred) + sum(y_true, axis=classes)") == ["axis-absent"]
