"""What types make of numbers, and what is proved, or an alarm, in each of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import lossdsl
from lossdsl import check
from lossdsl.checked import analyse
from lossdsl.errors import LossError
from lossdsl.precision import PRECISIONS, precision
from lossdsl.proof import ALARM, OPEN, PROVED, demand, lost_constants, prove

TYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
CORNERS = [0.0, -0.0, 1.0, 1 - 1e-8, 257.0, 65504.0, 65519.9, 65520.0, 65536.0, 6e-8, 2.98e-8, 2.9802322387695312e-08,
           6.1e-5, 3.3895e38, 3.3961e38, 3.4028234e38, 1.2e-38, 9.2e-41, 4.6e-41, np.inf, -np.inf]  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_numbers_are_rounded_as_the_type_rounds_them(name: str) -> None:
    random = np.random.default_rng(3)
    wide = random.choice([-1.0, 1.0], 4000) * 10.0 ** random.uniform(-45, 39, 4000)
    halfway = np.ldexp(random.integers(1, 2**12, 1000) + 0.5, random.integers(-30, 10, 1000))
    with np.errstate(over="ignore"):
        numbers = np.concatenate([wide, halfway, CORNERS]).astype(np.float32)
        expected = numbers.astype(TYPES[name]).astype(np.float64)
    np.testing.assert_array_equal(PRECISIONS[name].rounded(numbers).astype(np.float64), expected)
    assert np.isnan(PRECISIONS[name].of(np.nan))


def test_a_policy_names_the_type_that_it_computes_in() -> None:
    assert precision("mixed_bfloat16").name == "bfloat16"
    assert precision(np.dtype("float16")).name == "float16"
    with pytest.raises(LossError, match="spec-setting"):
        precision(None)
    with pytest.raises(LossError, match="spec-setting"):
        precision("int8")
    with pytest.raises(LossError, match="spec-setting"):
        check("mean(y_pred - y_true)", dtype="float8")


NINE = "y_true: float[batch, k] in [-9, 9]\ny_pred: float[batch, k] in [-9, 9]\n"
SHARE = "y_pred: float[batch, k] in (0, 1]\n"
BELOW = "y_pred: float[batch, k] in [0, 0.9999]\n"


@pytest.mark.parametrize(
    ("text", "dtype", "value", "gradient"),
    [
        (NINE + "mean(square(y_true - y_pred))", "float16", PROVED, PROVED),
        (NINE + "70000 * mean(square(y_true - y_pred))", "float32", PROVED, PROVED),
        (NINE + "70000 * mean(square(y_true - y_pred))", "bfloat16", PROVED, PROVED),
        (NINE + "70000 * mean(square(y_true - y_pred))", "float16", PROVED, ALARM),
        ("y_pred: float[batch, k] in [0, 70000]\nmean(y_pred)", "bfloat16", PROVED, PROVED),
        ("y_pred: float[batch, k] in [0, 70000]\nmean(y_pred)", "float16", ALARM, PROVED),
        (SHARE + "mean(sqrt(y_pred))", "float32", PROVED, PROVED),
        (SHARE + "-mean(log(y_pred))", "bfloat16", PROVED, PROVED),
        (SHARE + "-mean(log(y_pred))", "float16", ALARM, ALARM),
        (BELOW + "mean(log(1 - y_pred))", "float32", PROVED, PROVED),
        (BELOW + "mean(log(1 - y_pred))", "float16", ALARM, ALARM),
        (BELOW + "mean(log(1 - y_pred))", "bfloat16", ALARM, ALARM),
        ("y_pred: prob[batch, k]\n-mean(log(y_pred + 1e-9))", "float16", PROVED, ALARM),
        (BELOW + "mean(log(1 - y_pred))", "float64", PROVED, PROVED),
        ("mean(where(y_pred > 0, log(y_pred), 0))", "bfloat16", PROVED, PROVED),
        ("mean(where(y_pred > 0, log(y_pred), 0))", "float16", PROVED, ALARM),  # of the smallest number
        ("y_pred: prob[batch, k]\nmean(log(1 - clip(y_pred, 0, 1 - 1e-8)))", "float32", ALARM, ALARM),
        ("y_pred: prob[batch, k]\nmean(log(1 - clip(y_pred, 0, 1 - 1e-8)))", "float64", OPEN, OPEN),
        ("y_pred: float[batch, k] in [0, 1e30]\nmean(square(y_pred))", "float32", ALARM, PROVED),
        ("y_pred: float[batch, k] in [0, 1e30]\nmean(square(y_pred))", "float64", OPEN, PROVED),
    ],
)
def test_verdicts(text: str, dtype: str, value: str, gradient: str) -> None:
    found = {part.name: part.verdict for part in prove(analyse(text), dtype=dtype).parts}
    assert found == {"value": value, "gradient": gradient}


def test_how_far_a_proof_goes_in_a_half_type() -> None:
    value, gradient = prove(analyse("mean(square(y_true - y_pred))"), dtype="float16").parts
    assert (value.reach, gradient.reach) == (float("inf"), 1e4)
    (text,) = [line for line in gradient.render() if "run" in line]
    assert text == "  run: y_true = 65504, y_pred = -65504: the gradient is -inf"


def test_a_witness_says_what_its_data_are_rounded_to() -> None:
    value = prove(analyse(BELOW + "mean(log(1 - y_pred))"), dtype="float16").parts[0]
    assert str(value.witness) == "y_pred = 0.999899924 (1 in float16)"


def test_strict_asks_for_the_type_of_the_loss() -> None:
    text = NINE + "70000 * mean(square(y_true - y_pred))"
    demand(analyse(text), True)
    with pytest.raises(LossError, match="the gradient is not proved to be finite in float16 for all that is declared"):
        demand(analyse(text), True, "float16")


LOST = [
    ("y_pred: prob[batch, k]\nmean(clip(y_pred, 1e-8, 1 - 1e-8))", "float32", ["`1 - 1e-8` is 1 in float32: nothing is left of 1e-08"]),
    ("y_pred: prob[batch, k]\nmean(clip(y_pred, 1e-8, 1 - 1e-8))", "float64", []),
    ("y_pred: prob[batch, k]\nmean(clip(y_pred, 1e-7, 1 - 1e-7))", "float32", []),
    ("tiny = 1e-9\nmean(y_pred) * (tiny + 1)", "float32", []),
    ("tiny: float = 1e-9\nmean(y_pred) * (tiny + 1)", "float32", ["`(tiny + 1)` is 1 in float32: nothing is left of 1e-09"]),
    ("mean(y_pred) * (1 + 0)", "float32", []),
    ("mean(y_pred) * (6 - 3)", "float32", []),
    ("mean(y_pred) * (1 - 2)", "float32", []),
    ("mean(y_pred) * (1e-9 - 1)", "float32", ["`(1e-9 - 1)` is -1 in float32: nothing is left of 1e-09"]),
    ("mean(y_pred + 1e-9)", "float32", []),
    ("mean(y_pred + 1e-9)", "float16", ["the number 1e-9 is 0 in float16, the type that predictions are rounded to"]),
    ("mean(y_pred * 1e5)", "float16", ["the number 1e5 is infinite in float16, the type that predictions are rounded to"]),
    ("mean(where(y_true == 257, y_pred, 0))", "bfloat16", ["`y_true` is rounded to bfloat16, where 257 is 256: the two can't be told apart"]),
    ("mean(where(y_true == 257, y_pred, 0))", "float16", []),
    ("mean(where(y_true == 2049, y_pred, 0))", "float16", ["`y_true` is rounded to float16, where 2049 is 2048: the two can't be told apart"]),
    ("mean(where(y_true == 16777217, y_pred, 0))", "float32", ["`y_true` is rounded to float32, where 16777217 is 16777216: the two can't be told apart"]),
    ("y_true: float[batch, k] in {0, 257}\nmean(y_true * y_pred)", "bfloat16", ["`y_true` is rounded to bfloat16, where 257 is 256: the two can't be told apart"]),
    ("y_true: label[batch]\nmean(where(y_true == 257, y_pred, 0))", "bfloat16", []),
    ("y_true: int[batch] in [0, 20000000]\ny_pred: float[batch]\ny_true * y_pred", "float32", ["`y_true` is rounded to float32, where 16777217 is 16777216: the two can't be told apart"]),
    ("y_true: int[batch] in [0, 20000000]\ny_pred: float[batch]\ny_true * y_pred", "float64", []),
    ("y_true: label[batch] in [0, 20000000]\ny_pred: logits[batch, c]\n-take_along_axis(y_pred, y_true)", "float16", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "dtype", "said"), LOST)
def test_numbers_that_are_lost(text: str, dtype: str, said: list[str]) -> None:
    assert [found.message for found in lost_constants(analyse(text), PRECISIONS[dtype])] == said


def test_parameters_that_are_lost() -> None:
    found = lost_constants(analyse("tiny: float = 1\nmean(y_pred) * (1 + tiny)", {"tiny": 1e-8}), PRECISIONS["float16"])
    assert [each.code for each in found] == ["constant-lost", "constant-vanishes"]


def test_a_check_says_so_too() -> None:
    assert [d.code for d in check("mean(y_pred + 1e-9)", dtype="float16").diagnostics] == ["constant-vanishes"]
    found = check("mean(maximum(y_pred, 1e-50) + minimum(y_pred, 1e39))").diagnostics
    assert [(d.code, d.span.text) for d in found] == [("constant-vanishes", "1e-50"), ("constant-vanishes", "1e39")]
    assert "1e39 is infinite in float32, the type that the loss computes in" in found[1].message
    assert not check("mean(maximum(y_pred, 1e-50) + minimum(y_pred, 1e39))", dtype="float64").diagnostics
    for text in ("mean(1e-40 + y_pred)", "mean(y_pred * (1e-50 - 1e-50))", "mean(maximum(y_pred, 1e39 + 1e38))"):
        assert {d.code for d in check(text).diagnostics} == {"constant-vanishes"}
    assert check("mean(y_pred)", dtype=None) == check("mean(y_pred)")
    assert {part["dtype"] for part in check("mean(y_pred)", dtype="mixed_float16").to_dict()["finite"]} == {"float16"}
    assert lossdsl.check("mean(y_pred + 1e-9)").diagnostics == ()
