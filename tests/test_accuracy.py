"""The measure of accuracy: it finds errors that are planted, and blames no loss for what nobody can compute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp

import lossdsl
from lossdsl import library

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from benchmarks import accuracy_cases, accuracy_grids, accuracy_report, accuracy_scores  # noqa: E402  beside the package
from benchmarks.accuracy_naive import NAIVE  # noqa: E402
from benchmarks.accuracy_truth import exact, truth  # noqa: E402
from benchmarks.oracles import plain  # noqa: E402


def grid(pred, true=None, batches=1):
    pred = np.array(pred, float)
    return accuracy_grids.Grid(
        np.zeros(len(pred)) if true is None else np.array(true, float), pred, batches, np.inf, True
    )


def test_truth_knows_values_slopes_and_kinks():
    found = truth(lambda t, p: np.sum(abs(p) * p**2, axis=1), grid([[3.0, -1e-20], [1e30, 2.0]]))
    assert [float(x) for x in found.slopes[0]] == pytest.approx([27, -3e-40])
    assert [float(x) for x in found.slopes[1]] == pytest.approx([3e60, 12])
    assert not found.kink.any()
    kinks = truth(lambda t, p: np.sum(abs(p), axis=1), grid([[0.0, 1.0], [2.0, -1.0]])).kink
    assert kinks.tolist() == [True, False]


def test_where_epsilon_decides_the_truth_is_what_is_written():
    def oracle(t, p):
        return np.array([-mp.log(x) for (x,) in p])

    data = grid([[0.25], [1e-9], [0.0], [1.0]])
    found = truth(oracle, data, "-mean(log(clip(y_pred, epsilon, 1 - epsilon)))")
    assert found.epsilon.tolist() == [False, True, True, True]
    values = [float(x) for x in found.values[:, 0]]
    low, high = (float(np.float32(x)) for x in (1e-7, 1 - 1e-7))
    assert values == pytest.approx([np.log(4), -np.log(low), -np.log(low), -np.log(high)], rel=1e-9)
    assert [float(x) for x in found.slopes[:, 0]] == [-4, 0, 0, 0]
    plain = truth(oracle, data, "-mean(log(y_pred))")
    assert not plain.epsilon.any()
    assert not plain.otherwise.any()
    capped = truth(oracle, data, "-mean(log(maximum(y_pred, 0.5)))")
    assert capped.otherwise.tolist() == [True, True, True, False]
    assert float(capped.values[0, 0]) == pytest.approx(np.log(2))


def test_what_a_formula_stops_has_no_slope_where_epsilon_decides():
    def oracle(t, p):
        return np.array([x * plain.held(x) for (x,) in p])

    found = truth(oracle, grid([[0.25], [1e-9], [1e-20]]), "mean(stop_gradient(maximum(y_pred, epsilon)) * y_pred)")
    assert found.epsilon.tolist() == [False, True, True]
    least = float(np.float32(1e-7))
    assert [float(x) for x in found.slopes[:, 0]] == pytest.approx([0.25, least, least], rel=1e-12)
    assert float(found.values[2, 0]) == pytest.approx(1e-20 * least, rel=1e-12)


def test_truth_outside_a_domain_is_none():
    oracle = accuracy_cases.Case(
        "", lambda t, p: np.array([mp.log(x) / t[i] for i, (x,) in enumerate(p)]), None, {}
    ).oracle
    found = truth(oracle, grid([[1.0], [-1.0], [2.0]], [1.0, 1.0, 0.0]))
    assert [bool(mp.isnan(x)) for x in found.values[:, 0]] == [False, True, True]


def test_condition_is_told_by_what_a_rounding_moves():
    def oracle(t, p):
        return np.array([mp.exp(x) for (x,) in p])

    found = truth(oracle, grid([[80.0], [0.5]]))
    moves = [float(m / accuracy_scores.unit(v)) for m, (v,) in zip(found.moved, found.values, strict=True)]
    assert 20 < moves[0] < 160
    assert moves[1] < 1
    assert float(found.moved_slopes[0] / found.slopes[0][0]) == pytest.approx(80 * 2.0**-24, rel=1e-3)


def test_samples_that_depend_on_each_other_are_one_row():
    found = truth(lambda t, p: [np.sum(p) ** 2], grid([[1.0], [2.0], [4.0], [-4.0]], batches=2))
    assert [float(x) for x in found.values[:, 0]] == [9, 0]
    assert [[round(float(x), 12) for x in row] for row in found.slopes] == [[6, 6], [0, 0]]


def scored(found, wanted, moved=0, gradient=False):
    rows = np.array([[mp.mpf(x) for x in row] for row in wanted], dtype=object)
    moves = np.array([mp.mpf(moved)] * len(rows), dtype=object)
    return accuracy_scores.score(np.array(found, float), rows, moves, np.full(len(rows), True), gradient)


def test_planted_errors_are_found():
    ulp = 2.0**-23
    assert scored([[1 + 3 * ulp]], [[1]])["max"] == 3
    assert scored([[2 + 3 * ulp]], [[2]])["max"] == 1.5
    assert scored([[1 + 3 * ulp]], [[1]])["bits"] == 2
    assert scored([[np.nan], [np.inf], [1]], [[1]] * 3)["nan"] == 2
    assert scored([[1.002], [1.0005]], [[1]] * 2)["gross"] == 1
    assert scored([[0, 0], [1, 0]], [[1, 0]] * 2, gradient=True)["dead"] == 1
    # what is lost below the smallest normal number is no error, and what float32 can't hold is no row
    assert scored([[0], [np.inf]], [["1e-39"], ["1e39"]])["rows"] == 1
    assert scored([[0]], [["1e-39"]])["max"] < 1


def test_an_ill_conditioned_row_is_apart_and_has_a_bound():
    within, beyond = scored([[1.0001]], [[1]], "1e-4"), scored([[1.001]], [[1]], "1e-4")
    assert (within["apart"], within["over"], within["max"]) == (1, 0, 0)
    assert (beyond["apart"], beyond["over"]) == (1, 1)
    assert beyond["worst_apart"] == pytest.approx(1.25)
    assert scored([[1.002]], [[1]], 0)["gross"] == 1


@pytest.mark.parametrize("formula", NAIVE, ids=lambda each: str(each.number))
def test_naive_formulas_mean_what_is_said(formula):
    y_true, y_pred = formula.data
    rows = min(len(y_true), len(y_pred))
    y_true, y_pred = y_true[:rows], y_pred[:rows]
    if formula.number == 33:
        y_pred = y_true + abs(y_pred)
    keep = slice(0, 1) if formula.number == 13 else slice(None)
    found = np.ravel(lossdsl.evaluate(formula.text, y_true, y_pred))
    wanted = [float(x) for x in formula.oracle(exact(y_true), exact(y_pred))]
    np.testing.assert_allclose(found[keep], wanted[keep], rtol=1e-9, atol=1e-15)


def test_everything_is_judged():
    names = [each.name for each in accuracy_cases.subjects()]
    assert len(NAIVE) == 36
    assert set(library.names()) <= set(names)
    assert len(names) == len(set(names)) == len(library.names()) + 36


def test_grids_are_hard_and_of_the_kind_asked_for():
    numbers = accuracy_grids.make(np.array([[1.5], [-0.5]]), np.array([[-0.3]]), 240)
    assert np.any(numbers.y_pred == 0) and np.max(np.abs(numbers.y_pred)) > 1e15
    assert np.any(numbers.y_pred == numbers.y_true)
    assert 120 <= np.sum(numbers.held_by("bfloat16")) < 240
    assert np.all(numbers.y_pred == numbers.y_pred.astype("float32"))
    shares = accuracy_grids.make(np.eye(3), np.array([[0.2, 0.3, 0.5]]), 50)
    assert set(np.unique(shares.y_true)) == {0, 1}
    np.testing.assert_allclose(shares.y_pred.sum(-1), 1, atol=2e-2)
    assert shares.top == 1


def test_the_tables_show_the_results_that_are_kept():
    found = json.loads((ROOT / "benchmarks" / "accuracy.json").read_text("utf-8"))
    missing = {each.split(":")[0] for each in found["failures"]}  # the table says so
    assert {row["name"] for row in found["rows"]} == {each.name for each in accuracy_cases.subjects()} - missing
    assert len(missing) <= 3
    assert (ROOT / "benchmarks" / "ACCURACY.md").read_text("utf-8") == accuracy_report.render(found)


@pytest.mark.keras
def test_a_few_are_measured(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.accuracy",
        "--smoke",
        "--workers",
        "1",
        "--write",
        "--output",
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ACCURACY.md").read_text("utf-8") == done.stdout.removesuffix("\n")
    rows = json.loads((tmp_path / "accuracy.json").read_text("utf-8"))["rows"]
    # ours of both, Keras' own of one; three modes in float32, two in each half type
    assert len(rows) == 3 * (3 + 2 + 2)
    ours = [row for row in rows if row["rival"] == "ours"]
    assert all(row["value"]["nan"] == row["gradient"]["nan"] == row["gradient"]["dead"] == 0 for row in ours)
    whole = [row for row in ours if row["dtype"] == "float32"]
    assert all(row["value"]["p99"] <= 4 and row["gradient"]["p99"] <= 8 for row in whole)
