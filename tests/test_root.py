"""The root of a formula: one number per sample, whatever its form; its terms, and what weights each takes."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, couples, data, terms, value

T, P = data(4, 3, 2, seed=1), data(4, 3, 2, seed=2)
E = np.abs(T - P)


# -- rule 1: the batch is never reduced unless it is asked for ----------------------------------------------------


def test_errors_of_one_and_ten_are_a_value_each() -> None:
    assert value("mean(abs(y_true - y_pred))", [0, 0], [1, 10]).tolist() == [1.0, 10.0]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("mean(abs(y_true - y_pred))", E.mean((1, 2))),
        ("sum(abs(y_true - y_pred))", E.sum((1, 2))),
        ("max(abs(y_true - y_pred))", E.max((1, 2))),
        ("mean(abs(y_true - y_pred), axis=-1)", E.mean(2)),
        ("mean(abs(y_true - y_pred), axis=1)", E.mean(1)),
        ("mean(abs(y_true - y_pred), axis=(1, 2))", E.mean((1, 2))),
        ("mean(abs(y_true - y_pred), axis=[1, -1])", E.mean((1, 2))),
        ("abs(y_true - y_pred)", E),
        ("mean(mean(abs(y_true - y_pred), axis=batch))", [E.mean()]),
        ("mean(mean(abs(y_true - y_pred), axis=0))", [E.mean()]),
        ("mean(abs(y_true - y_pred), axis=all)", [E.mean()]),
        ("max(abs(y_true - y_pred), axis=(batch, 1, 2))", [E.max()]),
        ("mean(max(abs(y_true - y_pred), axis=batch), axis=all)", [E.max(0).mean()]),
    ],
)
def test_what_a_reduction_leaves(formula: str, expected: np.ndarray) -> None:
    found = value(formula, T, P)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected)


def test_a_declared_name_is_an_axis() -> None:
    formula = "y_pred: float[batch, time, classes]\nmean(abs(y_true - y_pred), axis={})"
    np.testing.assert_allclose(value(formula.format("classes"), T, P), E.mean(2))
    np.testing.assert_allclose(value(formula.format("time"), T, P), E.mean(1))
    np.testing.assert_allclose(value(formula.format("(time, classes)"), T, P), E.mean((1, 2)))


def test_the_value_does_not_depend_on_the_form_of_the_root() -> None:
    mean = E.mean((1, 2))
    for formula, expected in {
        "1 * mean(e)": mean,
        "-mean(e)": -mean,
        "0.5 * mean(e)": 0.5 * mean,
        "mean(e) / 4": mean / 4,
        "mean(e) + mean(e**2)": mean + (E**2).mean((1, 2)),
        "mean(e) + 1": mean + 1,
        "mean(e)**2": mean**2,
    }.items():
        found = value(f"e = abs(y_true - y_pred)\n{formula}", T, P)
        assert found.shape == (4,)
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("formula", ["mean(y_pred, axis=batch)", "mean(y_pred, axis=0)", "sum(y_pred, axis=batch)"])
def test_one_number_for_the_batch_leaves_no_positions(formula: str) -> None:
    assert codes(formula) == ["batch-reduced-positions"]


# -- the terms ----------------------------------------------------------------------------------------------------

TERMS = [
    # mean and sum with their default axes take weights up to the rank of what is inside
    ("mean(e)", [("mean", 3)]),
    ("sum(e)", [("sum", 3)]),
    ("-mean(e)", [("mean", 3)]),
    ("0.5 * mean(e)", [("mean", 3)]),
    ("mean(e) / 4", [("mean", 3)]),
    ("gamma * mean(e) * 2", [("mean", 3)]),
    ("mean(e) / size(e)", [("mean", 3)]),
    ("mean(e) + sum(e)", [("mean", 3), ("sum", 3)]),
    ("0.7 * mean(e) - (2 * sum(e) - mean(e**2)) / 3", [("mean", 3), ("sum", 3), ("mean", 3)]),
    ("mean(mean(e))", [("mean", 3)]),
    ("mean(mean(e, axis=-1))", [("mean", 2)]),
    ("mean(sum(e, axis=-1))", [("mean", 2)]),
    ("mean(sum(e, axis=1))", [("mean", 1)]),
    # positions left standing
    ("e", [("plain", 3)]),
    ("y_pred - y_true", [("plain", 3), ("plain", 3)]),
    ("mean(e, axis=-1)", [("plain", 2)]),
    ("-sum(e, axis=-1)", [("plain", 2)]),
    ("mean(e, axis=1)", [("plain", 1)]),
    # not linear in what is inside: whole samples only
    ("mean(e, axis=(1, 2))", [("sample", 1)]),
    ("sqrt(mean(e))", [("sample", 1)]),
    ("mean(e)**2", [("sample", 1)]),
    ("mean(e) * mean(e)", [("sample", 1)]),
    ("mean(e) / mean(y_true**2)", [("sample", 1)]),
    ("1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))", [("sample", 1)]),
    ("maximum(mean(e), 1)", [("sample", 1)]),
    ("1 + mean(e)", [("sample", 1)]),
    # what is inside couples positions
    ("mean(abs(y_pred - mean(y_pred)))", [("mean", 1)]),
    ("mean(abs(y_pred - mean(y_pred, axis=-1)))", [("mean", 2)]),
    ("mean(softmax(y_pred) * y_true)", [("mean", 2)]),
    ("mean(cumsum(y_pred, axis=1) - y_true)", [("mean", 1)]),
    ("mean(sort(y_pred, axis=1) * y_true)", [("mean", 1)]),
    ("mean(y_pred[:, 1:] - y_pred[:, :-1])", [("mean", 1)]),
    ("mean(y_pred[..., 1:] - y_pred[..., :-1])", [("mean", 2)]),
    ("mean(y_pred[..., 0]**2)", [("mean", 2)]),
    ("-sum(log_softmax(y_pred) * y_true, axis=-1)", [("plain", 2)]),
    # coupled samples
    ("mean(y_pred, axis=all)", [("batch", 0)]),
    ("1 - mean(y_true * y_pred, axis=all) / 2", [("batch", 0)]),
    ("mean(abs(y_pred - pairs(y_pred)))", [("mean", 3)]),
]  # fmt: skip


@pytest.mark.parametrize(("root", "expected"), TERMS)
def test_the_terms_of_a_root(root: str, expected: list[tuple[str, int]]) -> None:
    params = {"gamma": 2.0} if "gamma" in root else {}
    assert terms(f"e = abs(y_true - y_pred)\n{root}", (4, 3, 2), **params) == expected


def test_the_terms_where_there_are_no_positions() -> None:
    sample = "y_true: float[batch]\ny_pred: float[batch]\n"
    assert terms(sample + "mean(abs(y_true - y_pred))", (4,)) == [("plain", 1)]
    assert terms(sample + "sqrt(abs(y_true - y_pred))", (4,)) == [("plain", 1)]
    assert terms("mean(abs(y_true - y_pred))", (4,)) == [("mean", 2)]
    assert terms("mean(sum(abs(y_true - y_pred), axis=-1))", (4, 3)) == [("sample", 1)]


def test_terms_by_name() -> None:
    from lossdsl.checked import analyse

    text = "e = y_true - y_pred\nterm fit = 0.5 * mean(e**2)\nterm size = 0.1 * mean(abs(y_pred))"
    found = analyse(text).program((4, 3), (4, 3)).terms
    assert [(t.name, t.kind, t.rank) for t in found] == [("fit", "mean", 2), ("size", "mean", 2)]
    t, p = T[..., 0], P[..., 0]
    np.testing.assert_allclose(value(text, t, p), 0.5 * ((t - p) ** 2).mean(1) + 0.1 * np.abs(p).mean(1))
    # with a last expression that one is the loss, and the terms are what it is made of
    np.testing.assert_allclose(
        value(text + "\nfit - 2 * size", t, p), 0.5 * ((t - p) ** 2).mean(1) - 0.2 * np.abs(p).mean(1)
    )


def test_no_expression_and_no_term_is_no_loss() -> None:
    assert codes("a = y_pred") == ["no-loss"]


# -- coupling -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("mean(abs(y_true - y_pred))", "none"),
        ("mean(y_pred - pairs(y_pred, axis=-1))", "none"),
        ("mean(abs(y_pred - pairs(y_pred)))", "rows"),
        ("mean(y_pred - mean(y_pred, axis=batch))", "rows"),
        ("mean(softmax(y_pred, axis=0))", "rows"),
        ("mean(y_pred, axis=all)", "batch"),
        ("1 - mean(mean(y_true * y_pred, axis=batch))", "batch"),
        ("mean(abs(y_true - y_pred)) + mean(y_pred, axis=all)", "rows"),
        ("mean(y_pred * index(y_pred, axis=batch))", "none"),
    ],
)
def test_what_couples_samples(formula: str, expected: str) -> None:
    assert couples(formula) == expected


def test_a_number_for_the_batch_has_shape_one() -> None:
    found = value("1 - mean(y_true * y_pred, axis=all)", T, P)
    assert found.shape == (1,)
    np.testing.assert_allclose(found, [1 - (T * P).mean()])


def test_a_row_and_a_number_for_the_batch_add() -> None:
    np.testing.assert_allclose(
        value("mean(abs(y_true - y_pred)) + mean(y_pred, axis=all)", T, P), E.mean((1, 2)) + P.mean()
    )
