"""What the pieces of a formula mean: operators, conditions, choices, functions, labels, `where=`, library losses."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, data, probs, refusal, value

T, P = data(4, 3, 2, seed=1), data(4, 3, 2, seed=2)
LABELS = np.array([0, 2, 1, 2])


# -- operators ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-y_pred**2", -(P**2)),
        ("(-y_pred)**2", P**2),
        ("2**-y_pred", 2**-P),
        ("2**y_pred**2", 2 ** (P**2)),
        ("y_pred^2", P**2),
        ("-y_pred^2 * 3", -(P**2) * 3),
        ("y_pred - y_true - 1", P - T - 1),
        ("y_pred - (y_true - 1)", P - (T - 1)),
        ("y_pred / 2 * 3", P / 2 * 3),
        ("y_pred / (2 * 3)", P / 6),
        ("y_pred + 7 / 2", P + 3.5),
        ("y_pred + 2**-1", P + 0.5),
        ("+y_pred - -y_true", P + T),
        ("y_pred * 1e2 + .5 + 3.", P * 100 + 3.5),
        ("0.5 * y_pred; ", 0.5 * P),
    ],
)
def test_arithmetic(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(text, T, P), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y_pred > 0", P > 0),
        ("y_pred <= y_true", P <= T),
        ("0 < y_pred < 1", (P > 0) & (P < 1)),
        ("-1 < y_true < y_pred <= 1.5", (T > -1) & (T < P) & (P <= 1.5)),
        ("y_pred == y_pred != y_true", P != T),
        ("y_pred > 0 and y_true > 0", (P > 0) & (T > 0)),
        ("y_pred > 0 or y_true > 0 and y_true > 1", (P > 0) | ((T > 0) & (T > 1))),
        ("not y_pred > 0", ~(P > 0)),
        ("not (y_pred > 0 or y_true > 0)", ~((P > 0) | (T > 0))),
        ("isfinite(y_pred) and not isnan(y_true)", np.ones_like(P, bool)),
    ],
)
def test_conditions(text: str, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(value(f"y_pred * 0 + ({text})", T, P), expected.astype(float))


def test_a_condition_counts_as_0_or_1() -> None:
    np.testing.assert_allclose(value("sum((y_pred > 0) * y_pred)", T, P), np.maximum(P, 0).sum((1, 2)))
    np.testing.assert_allclose(value("mean(y_pred > 0) + 0 * mean(y_pred)", T, P), (P > 0).mean((1, 2)))
    np.testing.assert_allclose(value("sum(y_pred > 0) + 0 * mean(y_pred)", T, P), (P > 0).sum((1, 2)))
    np.testing.assert_allclose(value("(y_pred > 0) + (y_true > 0) + 0 * y_pred", T, P), (P > 0).astype(int) + (T > 0))
    np.testing.assert_allclose(value("(y_pred > 0) / 2 + 0 * y_pred", T, P), (P > 0) / 2)
    np.testing.assert_allclose(value("-(y_pred > 0) + 0 * y_pred", T, P), -(P > 0).astype(float))


def test_a_choice() -> None:
    expected = np.where(T > 0.5, P, 1 - P)
    np.testing.assert_allclose(value("y_pred if y_true > 0.5 else 1 - y_pred", T, P), expected)
    np.testing.assert_allclose(value("where(y_true > 0.5, y_pred, 1 - y_pred)", T, P), expected)
    nested = np.where(T > 1, 2, np.where(T > 0, P, -1))
    np.testing.assert_allclose(value("2 if y_true > 1 else y_pred if y_true > 0 else -1", T, P), nested)
    np.testing.assert_allclose(value("y_pred * (1 if y_true > 0 else 2)", T, P), P * np.where(T > 0, 1, 2))


@pytest.mark.parametrize(
    "text",
    [
        "mean(where(y_true, y_pred, 0))",
        "mean(y_pred if y_true else 0)",
        "mean(y_pred, where=y_true)",
        "not y_pred",
        "y_pred and y_true > 0",
    ],
)
def test_a_number_is_no_condition(text: str) -> None:
    assert codes(text) == ["needs-condition"]


def test_statements_on_one_line_and_on_many() -> None:
    expected = np.abs(T - P).mean((1, 2))
    np.testing.assert_allclose(value("e = y_true - y_pred; mean(abs(e))", T, P), expected)
    np.testing.assert_allclose(
        value("\n# a comment\ne = (y_true\n  - y_pred)\n\nmean(\n abs(e)\n) # done\n", T, P), expected
    )
    np.testing.assert_allclose(value("e = y_true -\n y_pred\nmean(abs(e))", T, P), expected)


# -- functions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x) = x**2\nf(y_pred)", P**2),
        ("def f(x, k=2) = x * k\nf(y_pred)", P * 2),
        ("def f(x, k=2) = x * k\nf(y_pred, 3)", P * 3),
        ("def f(x, k=2) = x * k\nf(k=4, x=y_pred)", P * 4),
        ("def f(x) = x * k\nk = 3\nf(y_pred)", P * 3),
        ("def f(x) = x * gamma\ngamma: float = 5.0\nf(y_pred)", P * 5),
        ("def f(x) = x + 1\ndef g(x) = f(f(x))\ng(y_pred)", P + 2),
        ("def g(x) = f(x) * 2\ndef f(x) = x + 1\ng(y_pred)", (P + 1) * 2),
        ("def f(y_pred) = y_pred * 2\nf(y_true) + y_pred", T * 2 + P),
        ("def f(a, b=y_true) = a - b\nf(y_pred)", P - T),
        ("def f() = y_pred\nf()", P),
        ("def f(x) = x - mean(x)\nf(y_pred)", P - P.mean((1, 2), keepdims=True)),
        ("k = 2\ndef f(k) = k * 3\nf(y_pred) * k", P * 6),
        ("def huber(e, d=1.0) = where(abs(e) <= d, e**2 / 2, d * (abs(e) - d / 2))\nhuber(y_pred, d=0.5)",
         np.where(np.abs(P) <= 0.5, P**2 / 2, 0.5 * (np.abs(P) - 0.25))),
    ],
)  # fmt: skip
def test_definitions(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(text, T, P), expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f(x) = f(x)\nf(y_pred)", "recursive-definition"),
        ("def f(x) = g(x)\ndef g(x) = f(x)\nf(y_pred)", "recursive-definition"),
        ("def f(x) = x\ndef f(x) = x\nf(y_pred)", "name-bound-twice"),
        ("def f(x, x) = x\nf(y_pred, 1)", "repeated-parameter"),
        ("def f(x) = x\nf(y_pred, 2)", "too-many-arguments"),
        ("def f(x, y) = x * y\nf(y_pred)", "missing-argument"),
        ("def f(x) = x\nf(y=y_pred)", "unknown-argument"),
        ("def f(x) = x\nf(y_pred, x=1)", "argument-twice"),
        ("def f(x) = x * hidden\nf(y_pred)", "unknown-name"),
        ("def f(x) = x\ndef g(z) = f(x)\ng(y_pred)", "unknown-name"),
        ("mean(y_pred, 1, 2, 3)", "too-many-arguments"),
        ("mean(maximum(y_pred))", "missing-argument"),
        ("mean(y_pred, axes=1)", "unknown-argument"),
        ("mean(softmax(y_pred, -1, axis=-1))", "argument-twice"),
        ("mean(max(y_true, y_pred))", "two-values"),
        ("mean(min(y_pred, y_true * 2))", "two-values"),
        ("mean(max(y_pred, 0.5))", "two-values"),
        ("mean(clip((y_pred, y_true), 0, 1))", "tuple-only-axis"),
    ],
)
def test_calls_that_do_not_fit(text: str, code: str) -> None:
    assert code in codes(text)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("reduce_mean", "mean"), ("ln", "log"), ("pow", "power"), ("clamp", "clip"), ("gammaln", "lgamma"), ("swish", "silu"), ("sofplus", "softplus"), ("mean_absolut_error", "mean_absolute_error")],
)  # fmt: skip
def test_foreign_functions_are_told_ours(name: str, ours: str) -> None:
    (found,) = refusal(f"mean({name}(y_pred))").diagnostics
    assert (found.code, f"`{ours}`" in found.help) == ("unknown-function", True)


def test_every_error_is_shown_before_it_stops() -> None:
    assert codes("a = y_ture\nb = foo(y_pred)\nmean(a + b + y_pred[0] + c)") == [
        "unknown-name", "unknown-function", "batch-indexed", "unknown-name",
    ]  # fmt: skip


# -- labels (research B5) -----------------------------------------------------------------------------------------


def test_take_is_a_table_of_weights_by_label() -> None:
    p = probs(4, 3)
    own = p[np.arange(4), LABELS]
    weights = np.array([1.0, 2, 5])
    text = "sum(take(w, y_true) * -log(take_along_axis(y_pred, y_true)))"
    np.testing.assert_allclose(value(text, LABELS, p, w=[1, 2, 5]), weights[LABELS] * -np.log(own))
    literal = "mean(take([1, 2, 5], y_true) * y_pred[..., 0])"
    np.testing.assert_allclose(value(literal, LABELS, p), weights[LABELS] * p[:, 0])
    sequence = np.random.default_rng(0).integers(0, 3, (4, 6))
    q = probs(4, 6, 3)
    picked = np.take_along_axis(q, sequence[..., None], -1)[..., 0]
    np.testing.assert_allclose(value(text, sequence, q, w=[1, 2, 5]), (weights[sequence] * -np.log(picked)).sum(1))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y_true: label[batch]\nmean(take(y_pred, y_true))", "take-needs-table"),
        ("mean(y_pred) * take(2, y_true)", "take-needs-table"),
        ("mean(take([1, 2], y_pred) * y_pred)", "needs-index"),
        ("mean(one_hot(y_pred, 3) * y_pred)", "needs-index"),
        ("y_true: float[batch]\nmean(one_hot(y_true, 3) * y_pred)", "needs-index"),
        ("mean(one_hot(y_true, 0) * y_pred)", "one-hot-size"),
        ("mean(one_hot(y_true, 2147483647) * y_pred)", "one-hot-size"),
        ("mean(take_along_axis(y_pred, one_hot(y_true, 2)))", "needs-index"),
        ("y_pred: float[batch, f]\nmean(take_along_axis(y_pred, index(y_pred)))", "index-has-axis"),
    ],
)
def test_labels_that_pick_nothing(text: str, code: str) -> None:
    assert code in codes(text)


def test_one_hot_puts_the_classes_where_the_labels_lack_an_axis() -> None:
    p = probs(4, 3)
    hot = np.eye(3)[LABELS]
    np.testing.assert_allclose(value("one_hot(y_true, 3) * y_pred", LABELS, p), hot * p)
    np.testing.assert_allclose(value("[1, 2, 5] * one_hot(y_true, 3) * y_pred", LABELS, p), [1, 2, 5] * hot * p)
    smooth = value("-sum((one_hot(y_true, 3) * 0.9 + 0.1 / 3) * log(y_pred))", LABELS, p)
    np.testing.assert_allclose(smooth, -((hot * 0.9 + 0.1 / 3) * np.log(p)).sum(1))
    assert codes("sum(one_hot(y_true, 4) * y_pred)", (4,), (4, 3)) == ["shapes-differ"]


def test_a_label_outside_the_classes_is_an_error_in_evaluate() -> None:
    p = probs(4, 3)
    for wrong in (-1, 3):
        with pytest.raises((ValueError, IndexError)):
            value("-log(take_along_axis(y_pred, y_true))", np.array([0, 1, 2, wrong]), p)
    guarded = "m = y_true >= 0\nwhere(m, -log(take_along_axis(y_pred, where(m, y_true, 0))), 0)"
    expected = [-np.log(p[0, 0]), -np.log(p[1, 1]), 0, -np.log(p[3, 2])]
    np.testing.assert_allclose(value(guarded, np.array([0, 1, -1, 2]), p), expected)


def test_labels_are_whole_numbers() -> None:
    text = "y_true: label[batch, *]\ny_pred: float[batch, *]\nmean((y_true == 1) * y_pred - y_true / 2)"
    t = np.array([[0, 1, 2]])
    np.testing.assert_allclose(value(text, t, P[:1, :, 0]), ((t == 1) * P[:1, :, 0] - t / 2).mean(1))
    np.testing.assert_allclose(value(text, t.astype(float), P[:1, :, 0]), ((t == 1) * P[:1, :, 0] - t / 2).mean(1))


# -- `where=` (research B8) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reduction", "by_hand"),
    [
        ("sum", lambda x, c: x[c].sum()),
        ("mean", lambda x, c: x[c].mean()),
        ("prod", lambda x, c: x[c].prod()),
        ("max", lambda x, c: x[c].max()),
        ("min", lambda x, c: x[c].min()),
        ("var", lambda x, c: x[c].var()),
        ("std", lambda x, c: x[c].std()),
        ("norm", lambda x, c: np.sqrt((x[c] ** 2).sum())),
        ("logsumexp", lambda x, c: np.log(np.exp(x[c]).sum())),
    ],
)
def test_where_takes_the_entries_that_count(reduction: str, by_hand: object) -> None:
    mask = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 0], [0, 0, 1]], bool)
    x = P[..., 0]
    expected = [by_hand(row, c) for row, c in zip(x, mask, strict=True)]  # type: ignore[operator]
    np.testing.assert_allclose(value(f"{reduction}(y_pred, where=y_true > 0.5)", mask, x), expected)
    whole = [by_hand(row, np.repeat(c[:, None], 2, 1)) for row, c in zip(P, mask, strict=True)]  # type: ignore[operator]
    declared = "y_true: float[batch, time]\ny_pred: float[batch, time, f]\n"
    np.testing.assert_allclose(value(f"{declared}{reduction}(y_pred, where=y_true > 0.5)", mask, P), whole)
    along = [[by_hand(row[:, k], c) for k in range(2)] for row, c in zip(P, mask, strict=True)]  # type: ignore[operator]
    np.testing.assert_allclose(value(f"{declared}{reduction}(y_pred, axis=1, where=y_true > 0.5)", mask, P), along)


@pytest.mark.parametrize(
    ("reduction", "of_none"), [("sum", 0), ("mean", 0), ("prod", 1), ("var", 0), ("std", 0), ("norm", 0), ("max", -3.4028235e38), ("min", 3.4028235e38), ("logsumexp", -3.4028235e38)]
)  # fmt: skip
def test_where_nothing_counts(reduction: str, of_none: float) -> None:
    found = value(f"{reduction}(y_pred, where=y_true > 9)", T, P)
    np.testing.assert_allclose(found, [of_none] * 4, rtol=1e-7)


def test_softmax_of_the_entries_that_count() -> None:
    mask = T > -1
    powers = np.exp(P) * mask
    np.testing.assert_allclose(
        value("softmax(y_pred, where=y_true > -1)", T, P), powers / powers.sum(-1, keepdims=True)
    )


def test_what_does_not_count_may_be_anything() -> None:
    x = P[..., 0].copy()
    x[:, 1] = np.nan
    t = np.array([[1.0, 0, 1]] * 4)
    for reduction, by_hand in {"sum": np.sum, "mean": np.mean, "max": np.max, "std": np.std, "var": np.var}.items():
        np.testing.assert_allclose(value(f"{reduction}(y_pred, where=y_true > 0)", t, x), by_hand(x[:, ::2], axis=1))


# -- library losses -----------------------------------------------------------------------------------------------


def test_a_library_loss_is_a_function() -> None:
    t, p = probs(4, 3, seed=1), probs(4, 3, seed=2)
    mse = ((t - p) ** 2).mean(1)
    dice = 1 - 2 * (t * p).sum(1) / (t.sum(1) + p.sum(1))
    np.testing.assert_allclose(
        value("0.7 * mse(y_true, y_pred) + 0.3 * dice(y_true, y_pred)", t, p), 0.7 * mse + 0.3 * dice
    )
    np.testing.assert_allclose(value("mean_squared_error(y_true, y_pred)", t, p), mse)
    np.testing.assert_allclose(
        value("dice(y_true=y_true, y_pred=y_pred, smooth=1)", t, p),
        1 - (2 * (t * p).sum(1) + 1) / (t.sum(1) + p.sum(1) + 1),
    )
    np.testing.assert_allclose(value("mse(y_true**2, 2 * y_pred)", t, p), ((t**2 - 2 * p) ** 2).mean(1))
    np.testing.assert_allclose(
        value("huber(y_true, y_pred, delta=0.1)", t, p),
        np.where(np.abs(t - p) <= 0.1, (t - p) ** 2 / 2, 0.1 * (np.abs(t - p) - 0.05)).mean(1),
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mse(y_pred)", "missing-argument"),
        ("mse(y_true, y_pred, 3)", "too-many-arguments"),
        ("huber(y_true, y_pred, detla=3)", "unknown-argument"),
        ("huber(y_true, y_pred, delta=-1)", "parameter-range"),
        ("triplet(mean(y_pred))", "argument-axes"),
        ("y_true: float[batch]\nsupcon(y_true, y_pred)", "needs-index"),
        ("mean(mse)", "function-as-value"),
    ],
)
def test_library_losses_that_are_called_wrongly(text: str, code: str) -> None:
    assert code in codes(text)


def test_the_signed_mean() -> None:
    assert value("mean(y_pred - y_true)", [1.0, 2.0], [3.0, 1.0]).tolist() == [2.0, -1.0]


def test_the_penalised_error() -> None:
    e = np.abs(T - P)
    np.testing.assert_allclose(
        value("mean(abs(y_true-y_pred)*0.5*(1+abs(y_true-y_pred)))", T, P), (e * 0.5 * (1 + e)).mean((1, 2))
    )
