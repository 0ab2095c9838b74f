"""Rule 3: different sizes never broadcast. Three ways of not having an axis, and which of them spread."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, data, refusal, value

MAE = "mean(abs(y_true - y_pred))"
MU = "mu = y_pred[..., 0]\nmean((y_true - mu)**2)"


# -- sizes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("true", [(4,), (4, 1)])
@pytest.mark.parametrize("pred", [(4,), (4, 1)])
def test_one_label_per_sample_meets_one_prediction_per_sample(true: tuple[int, ...], pred: tuple[int, ...]) -> None:
    """A perfect model scores 0 and not 25.37 on (B,) against (B, 1)."""
    labels = np.array([3.0, -8.0, 30.0, 11.0])
    assert value(MAE, labels.reshape(true), labels.reshape(pred)).tolist() == [0, 0, 0, 0]
    assert value(MAE, labels.reshape(true), 2 * labels.reshape(pred)).tolist() == [3, 8, 30, 11]


@pytest.mark.parametrize(
    ("true", "pred"),
    [
        ((4, 5), (4, 1)),
        ((4, 1), (4, 5)),
        ((4,), (4, 5)),
        ((4, 5), (4,)),
        ((4, 3), (4, 5)),
        ((4, 3, 2), (4, 3, 1)),
        ((4, 1, 2), (4, 3, 2)),
        ((4, 3, 1, 2), (4, 3, 2, 2)),
    ],
)
def test_sizes_that_differ_are_an_error_that_shows_both_shapes(true: tuple[int, ...], pred: tuple[int, ...]) -> None:
    error = refusal(MAE, true, pred)
    (found,) = error.diagnostics
    assert found.code == "shapes-differ"
    assert found.span is not None
    assert found.span.text == "y_true - y_pred"
    assert f"y_true has shape {true}".replace(",)", ",)") in found.help
    assert str(pred) in found.help
    shown = [", ".join(map(str, shape if len(shape) > 1 else (*shape, 1))) for shape in (true, pred)]
    assert all(f"float[{shape}]" in found.message for shape in shown)
    rendered = str(error)
    # the labels are the smaller side: the line to add; else the ways to make sizes equal
    assert ("y_true: float[batch]" in rendered) != ("reduce one side along that axis" in rendered)
    assert "^^^" in rendered


@pytest.mark.parametrize(
    ("true", "pred"), [((4, 3), (4, 3, 5)), ((4, 3, 5), (4, 3)), ((4,), (4, 3, 5)), ((4, 3, 5), (4,))]
)
def test_ranks_that_differ_are_an_error(true: tuple[int, ...], pred: tuple[int, ...]) -> None:
    (found,) = refusal(MAE, true, pred).diagnostics
    assert found.code == "rank-differs"
    assert str(true) in found.message
    assert str(pred) in found.message


def test_another_number_of_samples() -> None:
    (found,) = refusal(MAE, (3, 2), (4, 2)).diagnostics
    assert (found.code, "(3, 2)" in found.message, "(4, 2)" in found.message) == ("batch-differs", True, True)


def test_a_trailing_one_comes_and_goes() -> None:
    t, p = data(4, 3, seed=1), data(4, 3, seed=2)
    expected = np.abs(t - p).mean(1)
    np.testing.assert_allclose(value(MAE, t[..., None], p), expected)
    np.testing.assert_allclose(value(MAE, t, p[..., None]), expected)


def test_a_single_number_has_no_batch() -> None:
    assert codes(MAE, (), (4,)) == ["no-batch-axis"]
    assert codes(MAE, (4,), ()) == ["no-batch-axis"]


@pytest.mark.parametrize("true", [(4,), (4, 1), (4, 7), (4, 2, 2)])
def test_labels_that_are_not_looked_at_may_have_any_shape(true: tuple[int, ...]) -> None:
    p = data(4, 3, seed=2)
    np.testing.assert_allclose(value("mean(y_pred**2)", np.zeros(true), p), (p**2).mean(1))
    assert codes("mean(y_pred**2)", (5, *true[1:]), (4, 3)) == ["batch-differs"]


def test_a_size_is_a_look() -> None:
    p = data(4, 1, seed=2)
    for true in ((4,), (4, 1)):
        np.testing.assert_allclose(value("sum(y_pred) / size(y_true)", np.zeros(true), p), p[:, 0])
    assert codes("sum(y_pred) / size(y_true)", (4, 2, 2), (4, 3)) == ["rank-differs"]


def test_declared_sizes_hold() -> None:
    declared = "y_pred: float[batch, 3]\nmean(abs(y_true - y_pred))"
    t, p = data(4, 3, seed=1), data(4, 3, seed=2)
    np.testing.assert_allclose(value(declared, t, p), np.abs(t - p).mean(1))
    assert codes(declared, (4, 2), (4, 2)) == ["declared-size"]
    assert codes("y_true: float[batch, 3]\ny_pred: float[batch, 4]\nmean(y_true - y_pred)") == ["shapes-differ"]
    named = "y_true: float[batch, n, a]\ny_pred: float[batch, n, b]\nmean(y_true * y_pred)"
    assert codes(named, (4, 2, 5), (4, 3, 6)) in (["declared-size"], ["shapes-differ"])


# -- absent: spreads ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("true", [(4,), (4, 1)])
@pytest.mark.parametrize("pred", [(4, 3), (4, 1), (4,)])
def test_labels_declared_as_one_per_sample_spread(true: tuple[int, ...], pred: tuple[int, ...]) -> None:
    """The line that the error of (B, 1) against (B, 3) says to add: multi-quantile with Dense(1)-style labels."""
    t, p = data(4, seed=1), data(*pred, seed=2)
    e = t[:, None] - p.reshape(4, -1)
    found = value("y_true: float[batch]\ne = y_true - y_pred\nmean(maximum(0.9 * e, -0.1 * e))", t.reshape(true), p)
    np.testing.assert_allclose(found, np.maximum(0.9 * e, -0.1 * e).mean(1))


def test_multi_quantile() -> None:
    formula = "y_true: float[batch]\ne = y_true - y_pred\nmean(maximum(taus * e, (taus - 1) * e))"
    t, p, taus = data(4, 1, seed=1), data(4, 3, seed=2), np.array([0.1, 0.5, 0.9])
    e = t - p
    expected = np.maximum(taus * e, (taus - 1) * e).mean(1)
    np.testing.assert_allclose(value(formula, t, p, taus=[0.1, 0.5, 0.9]), expected)
    np.testing.assert_allclose(value(formula, t[:, 0], p, taus=[0.1, 0.5, 0.9]), expected)
    assert codes(formula, (4, 1), (4, 2), taus=[0.1, 0.5, 0.9]) == ["shapes-differ"]
    assert codes(formula, (4, 2), (4, 3), taus=[0.1, 0.5, 0.9]) == ["rank-differs"]


def test_an_input_declared_with_an_axis_of_one() -> None:
    t, p = np.arange(4.0), np.array([1.0, 3.0, 2.0, 7.0])
    for text in ("y_pred: float[batch, 1]", "y_true: float[batch, 1]", "y_pred: float[batch]"):
        for shapes in [((4,), (4,)), ((4, 1), (4,)), ((4,), (4, 1)), ((4, 1), (4, 1))]:
            found = value(f"{text}\n{MAE}", t.reshape(shapes[0]), p.reshape(shapes[1]))
            assert found.tolist() == [1, 2, 0, 4]


@pytest.mark.parametrize("true", [(4,), (4, 1)])
def test_sparse_labels(true: tuple[int, ...]) -> None:
    t, p = np.array([0, 2, 1, 2]), data(4, 3)
    expected = np.log(np.exp(p).sum(1)) - p[np.arange(4), t]
    for text in (
        "-take_along_axis(log_softmax(y_pred), y_true)",
        "-mean(take_along_axis(log_softmax(y_pred), y_true))",
    ):
        np.testing.assert_allclose(value(text, t.reshape(true), p), expected)
    declared = "y_true: label[batch]\ny_pred: logits[batch, classes]\n-take_along_axis(log_softmax(y_pred), y_true)"
    np.testing.assert_allclose(value(declared, t.reshape(true), p), expected)


@pytest.mark.parametrize("true", [(4, 5), (4, 5, 1)])
def test_sparse_labels_of_a_sequence(true: tuple[int, ...]) -> None:
    t, p = np.random.default_rng(0).integers(0, 3, (4, 5)), data(4, 5, 3)
    logs = p - np.log(np.exp(p).sum(-1, keepdims=True))
    expected = -np.take_along_axis(logs, t[..., None], -1).mean((1, 2))
    formula = "-mean(take_along_axis(log_softmax(y_pred), y_true))"
    np.testing.assert_allclose(value(formula, t.reshape(true), p), expected)


def test_sparse_labels_are_no_one_hot_labels() -> None:
    assert codes("-mean(take_along_axis(log_softmax(y_pred), y_true))", (4, 3), (4, 3)) == ["rank-differs"]


# -- reduced: spreads; selected: does not (research A2) -----------------------------------------------------------


def test_heteroscedastic() -> None:
    formula = "mu = y_pred[..., 0]\ns = y_pred[..., 1]\nmean(0.5 * (exp(-s) * (y_true - mu)**2 + s))"
    t, p = data(4, seed=1), data(4, 2, seed=2)
    expected = 0.5 * (np.exp(-p[:, 1]) * (t - p[:, 0]) ** 2 + p[:, 1])
    np.testing.assert_allclose(value(formula, t, p), expected)
    np.testing.assert_allclose(value(formula, t[:, None], p), expected)
    t, p = data(4, 5, seed=1), data(4, 5, 2, seed=2)
    expected = 0.5 * (np.exp(-p[..., 1]) * (t - p[..., 0]) ** 2 + p[..., 1])
    np.testing.assert_allclose(value(formula, t, p), expected.mean(1))


@pytest.mark.parametrize("true", [(4, 5), (4, 2)])
def test_labels_as_wide_as_the_axis_that_was_indexed_are_refused(true: tuple[int, ...]) -> None:
    """Each of these gave a number without a word where an indexed axis met anything."""
    assert codes(MU, true, (4, 2)) == ["rank-differs"]
    declared = "y_true: float[batch, *, last]\ny_pred: float[batch, *, last]\n"
    assert codes(declared + MU) == ["selected-meets-full"]
    assert codes("y_pred: float[batch, k]\ny_true: float[batch, k]\n" + MU, true, (4, 2)) == ["selected-meets-full"]


def test_a_selected_axis_meets_what_does_not_have_it() -> None:
    p = data(4, 3, 2, seed=2)
    for text, expected in {
        "y_pred[..., 0] - y_pred[..., 1]": p[..., 0] - p[..., 1],
        "y_pred[..., 0] * mean(y_pred, axis=-1)": p[..., 0] * p.mean(-1),
        "y_pred[:, 0] - mean(y_pred, axis=1)": p[:, 0] - p.mean(1),
        "sum(y_pred, axis=-1) - y_pred[..., -1] * 2": p.sum(-1) - p[..., -1] * 2,
        "max(y_pred[:, 0], axis=-1) - y_pred[:, 1, 0]": p[:, 0].max(-1) - p[:, 1, 0],
    }.items():
        np.testing.assert_allclose(value(text, p, p), expected)


@pytest.mark.parametrize(
    "text",
    [
        "mean(y_pred - y_pred[..., 0])",
        "mean(y_pred[:, 0] * y_pred)",
        "mean(y_pred[:, 0] - y_pred[..., 0])",
        "mean(where(y_pred[..., 0] > 0, y_pred, 0))",
        "mean(y_pred, where=y_pred[..., 0] > 0)",
        "mean(maximum(y_pred, y_pred[..., 0]))",
        "mean(y_pred - expand_dims(y_pred[:, 0], -1))",
        "mean([1, 2] * y_pred[..., 0] - y_pred)",
    ],
)
def test_a_selected_axis_meets_no_full_axis(text: str) -> None:
    found = codes("y_pred: float[batch, time, f]\n" + text)
    assert found in (["selected-meets-full"], ["vector-without-axis"])


def test_what_was_selected_spreads_on_purpose() -> None:
    p = data(4, 3, 2, seed=2)
    last = value("y_pred - expand_dims(y_pred[..., 0], -1)", p, p)
    np.testing.assert_allclose(last, p - p[..., :1])
    np.testing.assert_allclose(value("y_pred - expand_dims(y_pred[:, 0], 1)", p, p), p - p[:, :1])
    np.testing.assert_allclose(value("y_pred - expand_dims(y_pred[:, 0], -2)", p, p), p - p[:, :1])


def test_a_selected_axis_meets_an_axis_of_one_entry() -> None:
    p, t = data(4, 3, seed=2), data(4, 1, seed=1)
    text = "y_true: float[batch, 1]\ny_pred: float[batch, 3]\nmean((y_true - y_pred[..., 0])**2)"
    np.testing.assert_allclose(value(text, t, p), (t[:, 0] - p[:, 0]) ** 2)


def test_an_axis_that_was_indexed_away_is_named_in_the_error() -> None:
    declared = "y_pred: float[batch, boxes, 4]\n"
    (found,) = refusal(declared + "mean(sum(y_pred[..., 0], axis=-1))").diagnostics
    assert found.code == "axis-indexed-away"
    assert "-2 is boxes" in found.help
    np.testing.assert_allclose(
        value(declared + "sum(y_pred[..., 0], axis=-2)", data(4, 3, 4), data(4, 3, 4)), data(4, 3, 4)[..., 0].sum(-1)
    )
    assert codes("mean(y_pred[..., 0][..., 0])") == ["axis-indexed-away"]
    assert codes("mean(y_pred)[..., 0]") == ["axis-already-reduced"]


# -- slices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("y_pred[:, 1:]", np.s_[:, 1:]),
        ("y_pred[:, :-1]", np.s_[:, :-1]),
        ("y_pred[:, -2:]", np.s_[:, -2:]),
        ("y_pred[:, 1:-1]", np.s_[:, 1:-1]),
        ("y_pred[:, 1:3]", np.s_[:, 1:3]),
        ("y_pred[:, :2]", np.s_[:, :2]),
        ("y_pred[:, -3:-1]", np.s_[:, -3:-1]),
        ("y_pred[..., 1:]", np.s_[..., 1:]),
        ("y_pred[:, 1:, :-1]", np.s_[:, 1:, :-1]),
        ("y_pred[:, :, 1:]", np.s_[:, :, 1:]),
        ("y_pred[:]", np.s_[:]),
        ("y_pred[...]", np.s_[...]),
        ("y_pred[..., :]", np.s_[..., :]),
        ("y_pred[:, 1]", np.s_[:, 1]),
        ("y_pred[:, -1]", np.s_[:, -1]),
        ("y_pred[:, 0, 1]", np.s_[:, 0, 1]),
        ("y_pred[:, ..., 1]", np.s_[..., 1]),
        ("y_pred[:, 1, ...]", np.s_[:, 1]),
        ("y_pred[:, 1:][:, 1:]", np.s_[:, 2:]),
        ("y_pred[:, 1:][:, 0]", np.s_[:, 1]),
    ],
)
def test_slices_and_indices(text: str, index: object) -> None:
    p = data(4, 5, 3, seed=2)
    np.testing.assert_array_equal(value(text, p, p), p[index])  # type: ignore[index]


def test_slices_meet_where_their_sizes_are_equal_as_expressions() -> None:
    p, t = data(4, 5, seed=2), data(4, 5, seed=3)
    step = p[:, 1:] - p[:, :-1]
    np.testing.assert_allclose(value("mean(abs(y_pred[:, 1:] - y_pred[:, :-1]))", t, p), np.abs(step).mean(1))
    np.testing.assert_allclose(
        value("mean(y_pred[..., 1:3] - y_true[..., -2:])", t, p), (p[:, 1:3] - t[:, -2:]).mean(1)
    )
    second = p[:, 2:] - 2 * p[:, 1:-1] + p[:, :-2]
    np.testing.assert_allclose(
        value("sum((y_pred[:, 2:] - 2 * y_pred[:, 1:-1] + y_pred[:, :-2])**2)", t, p), (second**2).sum(1)
    )
    # what the text can't decide is decided at the first shapes
    np.testing.assert_allclose(value("mean(y_pred[..., 1:] - y_true[..., :4])", t, p), (p[:, 1:] - t[:, :4]).mean(1))
    assert codes("mean(y_pred[..., 1:] - y_true[..., :4])", (4, 6), (4, 6)) == ["shapes-differ"]
    # what it can is decided without any
    assert codes("mean(y_pred[..., 1:] - y_pred)") == ["shapes-differ"]
    assert codes("mean(y_pred[..., 1:] - y_pred[..., :-2])") == ["shapes-differ"]
    assert codes("mean(y_pred[..., :3] - y_pred[..., :2])") == ["shapes-differ"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y_pred[0]", "batch-indexed"),
        ("y_pred[1:]", "batch-indexed"),
        ("y_pred[0, ...]", "batch-indexed"),
        ("y_pred[:, 0, 0]", "too-many-indices"),
        ("y_pred[..., 0, ...]", "two-ellipses"),
        ("y_pred[..., 0.5]", "needs-whole-number"),
        ("y_pred[..., y_true]", "needs-whole-number"),
        ("y_pred[..., f]", "needs-whole-number"),
        ("y_pred[..., True]", "needs-whole-number"),
        ("y_pred[..., 2:1]", "slice-empty"),
        ("y_pred[..., 1:1]", "slice-empty"),
        ("y_pred[..., :0]", "slice-empty"),
        ("y_pred[..., -1:-2]", "slice-empty"),
        ("y_pred[..., -2:3]", "slice-mixed"),
        ("y_pred[..., -2:0]", "slice-mixed"),
        ("y_pred[..., 1:][..., -3:1]", "slice-mixed"),
    ],
)
def test_indices_that_mean_nothing(text: str, code: str) -> None:
    assert codes(f"y_pred: float[batch, f]\nmean({text})") == [code]


@pytest.mark.parametrize(
    "text", ["y_pred[..., 3]", "y_pred[..., -4]", "y_pred[..., :4]", "y_pred[..., 3:]", "y_pred[..., 2:-1]"]
)
def test_an_axis_may_be_too_short(text: str) -> None:
    assert codes(f"mean({text})", (4, 3)) == ["axis-too-short"]
    assert value(f"mean({text})", data(4, 4), data(4, 4)).shape == (4,)
    assert codes(f"y_pred: float[batch, 3]\nmean({text})") in (["axis-too-short"], ["slice-empty"])
