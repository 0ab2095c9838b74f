"""Parameters: vectors and the axis they lie on, matrices, constants where structure is needed, names and values."""

from __future__ import annotations

import numpy as np
import pytest
from asking import codes, data, probs, refusal, signature, value, warned

from lossdsl.checked import analyse
from lossdsl.errors import LossError

T, P = data(4, 3, 2, seed=1), data(4, 3, 2, seed=2)
E = (T - P) ** 2
SHAPES = "y_pred: float[batch, time, features]\n"


# -- vectors ------------------------------------------------------------------------------------------------------


def test_a_vector_lies_on_the_last_axis_of_what_it_first_meets() -> None:
    expected = (np.array([0.5, 2]) * E).mean((1, 2))
    np.testing.assert_allclose(value("mean([0.5, 2] * (y_true - y_pred)**2)", T, P), expected)
    np.testing.assert_allclose(value("w = [0.5, 2]\nmean(w * (y_true - y_pred)**2)", T, P), expected)
    np.testing.assert_allclose(value("w: float = [0.5, 2]\nmean((y_true - y_pred)**2 * w)", T, P), expected)
    np.testing.assert_allclose(value("mean(w * (y_true - y_pred)**2)", T, P, w=[0.5, 2]), expected)
    np.testing.assert_allclose(value("mean(w * (y_true - y_pred)**2)", T, P, w=(0.5, 2)), expected)


def test_a_named_vector_lies_on_that_axis() -> None:
    """A weight per time step, which is not the last axis."""
    expected = (np.array([1, 2, 4])[:, None] * E).mean((1, 2))
    formula = SHAPES + "w: float[time] = [1, 2, 4]\nmean(w * (y_true - y_pred)**2)"
    np.testing.assert_allclose(value(formula, T, P), expected)
    given = SHAPES + "w: float[time]\nmean(w * (y_true - y_pred)**2)"
    np.testing.assert_allclose(value(given, T, P, w=[1, 2, 4]), expected)
    # on a value that lacks the features as well
    reduced = SHAPES + "w: float[time]\nsum(w * mean((y_true - y_pred)**2, axis=features))"
    np.testing.assert_allclose(value(reduced, T, P, w=[1, 2, 4]), (np.array([1, 2, 4]) * E.mean(2)).sum(1))


def test_alpha_per_class_with_classes_at_axis_one() -> None:
    p = probs(4, 5, 3, seed=3).swapaxes(1, 2)
    hot = np.eye(3)[np.random.default_rng(0).integers(0, 3, (4, 5))].swapaxes(1, 2)
    formula = "y_pred: prob[batch, classes, time]\nalpha: float[classes]\n-sum(alpha * y_true * log(y_pred))"
    expected = -(np.array([1, 2, 3])[:, None] * hot * np.log(p)).sum((1, 2))
    np.testing.assert_allclose(value(formula, hot, p, alpha=[1, 2, 3]), expected)
    assert codes(formula, (4, 3, 5), alpha=[1, 2, 3, 4, 5]) == ["shapes-differ"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w / sum(w) * y_pred", np.array([1, 3]) / 4 * P),
        ("(w + v) * y_pred", np.array([3, 4]) * P),
        ("w * mean(y_pred, axis=-1)", np.array([1, 3]) * P.mean(-1, keepdims=True)),
        ("w * mean(y_pred)", np.array([1, 3]) * P.mean((1, 2))[:, None, None].mean(1)),
        ("y_pred * max(w)", 3 * P),
        ("y_pred**w", P ** np.array([1, 3])),
        ("where(w > 2, y_pred, 0)", np.where(np.array([1, 3]) > 2, P, 0)),
        ("y_pred * mean(w, where=w > 1)", 3 * P),
        ("y_pred * sum(w * v)", 5 * P),
        ("y_pred - w", P - np.array([1, 3])),
        ("w - y_pred", np.array([1, 3]) - P),
        ("y_pred[..., 1:] * sum(w) + w[..., 0]", P[..., 1:] * 4 + 1),
    ],
)
def test_vectors_before_they_meet_the_data(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(f"w = [1, 3]\nv = [2, 1]\n{text}", T, P), expected)


def test_a_vector_between_two_values_lies_on_the_last_axis_of_both() -> None:
    """The last of all axes that meet, whichever value has it."""
    shapes = "y_true: float[batch, time]\ny_pred: float[batch, time, features]\n"
    t = data(4, 3, seed=3)
    expected = np.where(t[..., None] > 0, np.array([1.0, 3.0]), P)
    np.testing.assert_allclose(value(shapes + "where(y_true > 0, [1, 3], y_pred)", t, P), expected)


def test_one_vector_in_two_places() -> None:
    formula = "w = [1, 3]\nmean(w * y_pred) + mean(y_true * w)"
    expected = (np.array([1, 3]) * P).mean((1, 2)) + (np.array([1, 3]) * T).mean((1, 2))
    np.testing.assert_allclose(value(formula, T, P), expected)


def test_a_vector_in_a_function_is_another_at_each_call() -> None:
    formula = SHAPES + "def f(x) = sum([1, 3] * x)\nf(y_pred) + f(mean(y_true, axis=time))"
    w = np.array([1, 3])
    np.testing.assert_allclose(value(formula, T, P), (w * P).sum((1, 2)) + (w * T.mean(1)).sum(-1))


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("mean([1, 2, 3] * (y_true - y_pred))", (4, 2)),
        ("mean((y_true - y_pred) * [1, 2])", (4, 3)),
        ("w: float[time] = [1, 2]\ny_pred: float[batch, time, f]\nmean(w * y_pred)", (4, 3, 2)),
        ("mean([1, 2] * (y_true - y_pred))", (4, 1)),
        ("mean([1] * (y_true - y_pred))", (4, 3)),
    ],
)
def test_the_size_of_a_vector_is_checked_against_its_axis(text: str, true: tuple[int, ...]) -> None:
    assert codes(text, true) == ["shapes-differ"]


@pytest.mark.parametrize(
    "text", ["[1, 2]", "mean(y_pred) * 0 + [1, 2] * 1 - [1]", "[y_pred[..., 0], 1]", "[1, [2, 3]]"]
)
def test_vectors_that_are_none(text: str) -> None:
    expected = {
        "[1, 2]": ["vector-without-axis", "y_pred-unused"],
        "[y_pred[..., 0], 1]": ["vector-of-constants"],
        "[1, [2, 3]]": ["ragged-matrix"],
    }.get(text, ["shapes-differ"])
    assert codes(text)[0] in expected


def test_a_vector_that_meets_no_axis() -> None:
    sample = "y_true: float[batch]\ny_pred: float[batch]\n"
    assert codes(sample + "mean([1, 2] * (y_true - y_pred))") == ["vector-without-axis"]
    assert codes("y_pred: float[batch, f]\nmean(y_pred[..., 0] * [1, 2])") == ["vector-without-axis"]


def test_declared_sizes_of_parameters() -> None:
    assert codes("w: float[3] = [1, 2]\nmean(w * y_pred)") == ["parameter-kind"]
    assert codes("w: float[2]\nmean(w * y_pred)", w=[1, 2, 3]) == ["parameter-kind"]
    assert codes("m: float[2, 2]\nmean(matmul(y_pred, m))", m=[[1, 2, 3], [4, 5, 6]]) == ["parameter-kind"]
    assert codes("w: float[time] = [1, 2]\nmean(w * y_pred)") == ["parameter-axis-unknown"]
    expected = (np.array([1, 3]) * P).mean((1, 2))
    np.testing.assert_allclose(value("w: float[2] = [1, 3]\nmean(w * y_pred)", T, P), expected)


# -- matrices (research B10) --------------------------------------------------------------------------------------


def test_matmul_takes_a_parameter_matrix() -> None:
    m = np.array([[1.0, 2, 3], [-1, 0.5, 0]])
    np.testing.assert_allclose(value("matmul(y_pred, m)", T, P, m=m.tolist()), P @ m)
    np.testing.assert_allclose(value("matmul(y_pred, [[1, 2, 3], [-1, 0.5, 0]])", T, P), P @ m)
    np.testing.assert_allclose(
        value("sum(matmul(y_true - y_pred, m)**2)", T, P, m=m.tolist()), (((T - P) @ m) ** 2).sum((1, 2))
    )
    declared = "y_pred: float[batch, time, f]\nm: float[2, 3]\nmean(matmul(y_pred, m), axis=f)"
    np.testing.assert_allclose(value(declared, T, P, m=m.tolist()), (P @ m).mean(-1))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mean(matmul(y_pred, y_true))", "matmul-needs-matrix"),
        ("mean(matmul(y_pred, [1, 2]))", "matmul-needs-matrix"),
        ("mean(y_pred * [[1, 2], [3, 4]])", "matrix-only-matmul"),
        ("mean(matmul(y_pred, [[1, 2], [3]]))", "ragged-matrix"),
        ("mean(matmul(mean(y_pred), [[1, 2], [3, 4]]))", "matmul-needs-axis"),
        ("mean(matmul(y_pred, [[1, 2], [3, 4]]) - y_pred[..., 1:])", None),
    ],
)
def test_matrices_that_do_not_fit(text: str, code: str | None) -> None:
    if code is not None:
        assert codes(text) == [code]
    else:
        assert codes(text, (4, 3, 2)) == ["shapes-differ"]


def test_the_rows_of_a_matrix_are_the_last_axis() -> None:
    assert codes("mean(matmul(y_pred, [[1, 2], [3, 4]]))", (4, 3)) in (["declared-size"], ["shapes-differ"])


# -- parameters ---------------------------------------------------------------------------------------------------


def test_a_default_and_a_value() -> None:
    formula = "k: float = 2.0 in [0, inf)\nmean(y_pred) * k"
    np.testing.assert_allclose(value(formula, T, P), 2 * P.mean((1, 2)))
    np.testing.assert_allclose(value(formula, T, P, k=5), 5 * P.mean((1, 2)))
    np.testing.assert_allclose(value(formula, T, P, {"k": 7}), 7 * P.mean((1, 2)))


@pytest.mark.parametrize(
    ("text", "given", "code"),
    [
        ("mean(y_pred) * gamma", {}, "unknown-name"),
        ("gamma: float\nmean(y_pred) * gamma", {}, "parameter-missing"),
        ("mean(y_pred)", {"gamma": 2}, "parameter-unused"),
        ("gamma: float = 1.0\nmean(y_pred) * gamma", {"gama": 2}, "parameter-unused"),
        ("gamma: float = 2.0 in [0, inf)\nmean(y_pred) * gamma", {"gamma": -1}, "parameter-range"),
        ("gamma: float = 2.0 in (0, 1)\nmean(y_pred) * gamma", {}, "parameter-range"),
        ("gamma: float = 0 in (0, 1]\nmean(y_pred) * gamma", {}, "parameter-range"),
        ("k: int = 3 in {1, 2}\nmean(y_pred) * k", {}, "parameter-range"),
        ("w: float = [1, -1] in [0, 1]\nmean(y_pred * w)", {}, "parameter-range"),
        ("k: int = 0.5\nmean(y_pred) * k", {}, "parameter-kind"),
        ("k: int = True\nmean(y_pred) * k", {}, "parameter-kind"),
        ("k: float = True\nmean(y_pred) * k", {}, "parameter-kind"),
        ("k: bool = 1\nmean(y_pred) * k", {}, "parameter-kind"),
        ("k: double = 1\nmean(y_pred) * k", {}, "unknown-kind"),
        ("k: label = 1\nmean(y_pred) * k", {}, "unknown-kind"),
        ("k: float = 1\nk: float = 2\nmean(y_pred) * k", {}, "name-bound-twice"),
        ("k: float = 1\nk = 2\nmean(y_pred) * k", {}, "name-bound-twice"),
        ("mean(y_pred) * k", {"k": "2"}, "parameter-type"),
        ("mean(y_pred) * k", {"k": None}, "parameter-type"),
        ("mean(y_pred) * k", {"k": float("nan")}, "parameter-type"),
        ("mean(y_pred) * k", {"k": float("inf")}, "parameter-type"),
        ("mean(y_pred) * k", {"k": []}, "parameter-type"),
        ("mean(y_pred) * k", {"k": [1, [2, 3]]}, "parameter-type"),
        ("mean(y_pred) * y_true", {"y_true": 1}, "reserved-name"),
    ],
)
def test_parameters_that_do_not_fit(text: str, given: dict[str, object], code: str) -> None:
    assert codes(text, **given) == [code]


@pytest.mark.parametrize(
    "name",
    [
        "g",
        "out",
        "name",
        "reduction",
        "dtype",
        "params",
        "formula",
        "jit_compile",
        "rewrite",
        "gradient",
        "logits",
        "uses",
        "epoch",
        "step",
        "epochs",
        "batch",
        "all",
        "pairs",
        "inf",
    ],
)
def test_reserved_names(name: str) -> None:
    """Words of the language, and arguments that `compile` has or will have (research A5)."""
    assert "reserved-name" in codes(f"{name}: float = 1.0\nmean(y_pred) * 2")
    with pytest.raises(LossError, match="reserved"):
        analyse("mean(y_pred)", {name: 1.0})


@pytest.mark.parametrize("name", ["lambda", "None", "class", "import", "self", "ops", "keras", "np", "print", "dtype_"])
def test_names_of_python_are_plain_names(name: str) -> None:
    np.testing.assert_allclose(value(f"{name}: float = 0.5\nmean(y_pred) * {name}", T, P), 0.5 * P.mean((1, 2)))
    np.testing.assert_allclose(value(f"{name} = y_pred\nmean({name})", T, P), P.mean((1, 2)))


def test_structure_takes_whole_numbers_and_no_floats() -> None:
    """Research B11: an `int` or `bool` parameter may stand where structure is needed, a `float` may not."""
    p = data(4, 5, seed=2)
    top = np.sort(p)[:, ::-1]
    for declared, given in {"k: int = 2": {}, "k: int": {"k": 2}, "k: int = 1": {"k": 2.0}, "": {"k": 2}}.items():
        np.testing.assert_allclose(value(f"{declared}\nmean(top_k(y_pred, k))", p, p, given), top[:, :2].mean(1))
        np.testing.assert_allclose(value(f"{declared}\ny_pred[..., k]", p, p, given), p[:, 2])
        np.testing.assert_allclose(value(f"{declared}\nmean(y_pred[..., k:])", p, p, given), p[:, 2:].mean(1))
    for declared in ("k: float = 2", "k: float = 2.0", "k = 2.0", "k = 5 / 2"):
        assert codes(f"{declared}\nmean(top_k(y_pred, k))") == ["needs-whole-number"]
        assert codes(f"{declared}\nmean(y_pred[..., k])") == ["needs-whole-number"]
        assert codes(f"{declared}\nmean(y_pred, axis=k)") == ["axis-not-understood"]
    np.testing.assert_allclose(value("k: int = -1\nmean(y_pred, axis=k)", p, p), p.mean(1))
    assert codes("y_true: label[batch]\nk: float = 3\nmean(one_hot(y_true, k) * y_pred)") == ["needs-whole-number"]


def test_a_truth_value_chooses_and_what_it_does_not_choose_is_not_looked_at() -> None:
    formula = "b: bool = True\nmean(y_pred if b else y_pred[..., 0][..., 0])"
    np.testing.assert_allclose(value(formula, T, P), P.mean((1, 2)))
    assert codes(formula, b=False) == ["axis-indexed-away"]


# -- names (research A5, B13) -------------------------------------------------------------------------------------


def test_functions_and_values_have_separate_names() -> None:
    """A library loss that comes tomorrow does not break a formula of today that binds its name."""
    np.testing.assert_allclose(value("dice = 1 - y_pred\nmean(dice)", T, P), (1 - P).mean((1, 2)))
    np.testing.assert_allclose(value("abs = y_pred - 1\nmean(abs(abs))", T, P), np.abs(P - 1).mean((1, 2)))
    np.testing.assert_allclose(value("sum: float = 2.0\nsum(y_pred) * sum", T, P), 2 * P.sum((1, 2)))


def test_a_definition_shadows_a_library_loss_but_no_operation() -> None:
    np.testing.assert_allclose(value("def dice(x) = 1 - x\nmean(dice(y_pred))", T, P), (1 - P).mean((1, 2)))
    assert codes("def abs(x) = x\nmean(abs(y_pred))") == ["operation-redefined"]
    # the compiler's own functions come and go: a formula may call its own whatever they are called
    np.testing.assert_allclose(value("def spread(x) = 1 - x\nmean(spread(y_pred))", T, P), (1 - P).mean((1, 2)))
    found = value("def exp_rest(x) = 2 * x\nmean(exp_rest(y_pred) + exp(y_pred) - y_pred - 1)", T, P)
    np.testing.assert_allclose(found, (P + np.expm1(P)).mean((1, 2)))


def test_free_names() -> None:
    (found,) = refusal("mean(y_ture - y_pred)").diagnostics
    assert (found.code, found.help, found.span and found.span.text) == (
        "unknown-name",
        "did you mean `y_true`?",
        "y_ture",
    )
    np.testing.assert_allclose(value("mean(y_pred) * y_ture", T, P, y_ture=2), 2 * P.mean((1, 2)))


def test_constants() -> None:
    np.testing.assert_allclose(value("mean(y_pred) + pi", T, P), P.mean((1, 2)) + 3.141592653589793)
    np.testing.assert_allclose(value("mean(y_pred) + epsilon * 1e7", T, P), P.mean((1, 2)) + 1)
    np.testing.assert_allclose(value("epsilon: float = 0.5\nmean(y_pred) + epsilon", T, P), P.mean((1, 2)) + 0.5)
    np.testing.assert_allclose(value("pi = 2\nmean(y_pred) + pi", T, P), P.mean((1, 2)) + 2)
    np.testing.assert_allclose(value("mean(y_pred) + True + False", T, P), P.mean((1, 2)) + 1)
    for word in ("inf", "nan"):
        assert codes(f"mean({word} * y_pred)") == ["not-a-number"]
    assert codes("mean(sum - y_pred)") == ["function-as-value"]


def test_what_is_bound_and_not_used_is_a_warning() -> None:
    assert warned("a = y_true\nmean(abs(y_pred))") == ["unused-binding"]
    assert warned("gamma: float = 2.0\nmean(abs(y_pred - y_true))") == ["unused-declaration"]
    assert warned("a = y_true\nmean(abs(y_pred - a))") == []


def test_an_input_is_no_parameter() -> None:
    assert codes("y_true = y_pred\nmean(y_true)") == ["input-rebound"]
    assert codes("y_true: float[batch] = 1.0\nmean(y_true - y_pred)") == ["input-with-default"]
    assert signature("y_pred: prob[batch, *]\nmean(y_pred)") == "y_true: float[batch, *]; y_pred: prob[batch, *]"
