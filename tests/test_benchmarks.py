"""The benchmarks run, refuse what can't be compared, and count right; how fast anything is, no test says."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from benchmarks import goals, memory, report, tables, timing  # noqa: E402  they stand beside the package, not in it


def row(**changes):
    """One row of the speed section: by hand 2 ms, ours 1 ms, under XLA 4 times a copy."""
    figure = {"median": 2e-3, "low": 1e-3, "high": 4e-3}
    return {
        "loss": "huber",
        "mode": "xla",
        "size": "4096x1000",
        "gradient": True,
        "transcendental": False,
        "rounds": 5,
        "seconds": {"floor": figure, "hand": figure, "ours": figure},
        "to_hand": {"floor": 0.1, "hand": 1.0, "ours": 0.5},
        "to_floor": {"floor": 1.0, "hand": 8.0, "ours": 4.0},
        "to_keras": {},
    } | changes


def found(results):
    return {goal.what.split(":")[0]: (goal.measured, goal.met) for goal in goals.goals(results)}


def test_goals_are_met_or_not():
    rows = [row(), row(loss="hinge", to_hand={"ours": 0.98}), row(loss="poisson", transcendental=True)]
    rows[2]["to_hand"], rows[2]["to_floor"] = {"ours": 1.1}, {"ours": 50.0}
    figures = found({"speed": rows})
    assert figures["XLA"] == (pytest.approx((0.5 * 0.98 * 1.1) ** (1 / 3)), True)
    assert figures["any single loss and mode"] == (1.1, False)
    assert figures["XLA, no transcendental function"] == (4.0, False)
    assert "eager call" not in figures


def test_goals_look_at_one_size_and_at_the_gradient():
    others = [row(size="32x10", to_hand={"ours": 9.0}), row(gradient=False, to_hand={"ours": 9.0})]
    assert found({"speed": [row(), *others]})["any single loss and mode"] == (0.5, True)


def test_goals_of_the_compiler_and_of_memory():
    compiler = {
        "check": {"a": 0.0004, "b": 0.0004},
        "compile": {"a": 0.004, "b": 0.040},
        "sums": [{"terms": 10, "check": 1e-4, "compile": 1e-4}, {"terms": 100, "check": 1e-4, "compile": 2e-4}],
    }
    figures = found({"compiler": compiler, "memory": [{"bytes": {"hand": 30.0, "ours": 10.0, "ours_jit": 20.0}}]})
    assert figures["formulas checked per second"] == (pytest.approx(2500), True)
    assert figures["compile, without tracing, median (ms)"] == (pytest.approx(22), False)
    assert figures["check, time per term, 10 to 100 terms"] == (1.0, True)
    assert figures["compile, time per term, 10 to 100 terms"] == (2.0, False)
    assert figures["peak memory in a graph, as it comes"] == (pytest.approx(1 / 3), True)
    assert figures["peak memory in a graph, jit_compile=True"] == (pytest.approx(2 / 3), False)


def test_ratios_are_taken_round_by_round():
    """The machine slows down tenfold for one round: each side's own median would not tell."""
    samples = {"ours": [1.0, 10.0, 1.0], "theirs": [2.0, 20.0, 3.0]}
    assert timing.ratio(samples, "ours", "theirs") == 0.5


def test_rivals_take_turns_and_the_order_changes():
    turns = []
    calls = {name: lambda name=name: turns.append(name) for name in "ab"}
    samples = timing.interleaved(calls, timing.Pace(0, least=3, most=3))
    assert {name: len(each) for name, each in samples.items()} == {"a": 3, "b": 3}
    blocks = "".join(name for name, before in zip(turns, ["", *turns], strict=False) if name != before)
    assert blocks == "ab" + "abab"  # once to see how long each takes; then a b, b a, a b, where like neighbours are one


def test_tables_are_aligned():
    assert tables.table(["loss", "ms"], [["huber", "1.5"], ["x", "10"]]).splitlines() == [
        "| loss  |  ms |",
        "| ----- | --: |",
        "| huber | 1.5 |",
        "| x     |  10 |",
    ]
    assert [report.number(x) for x in (0.01234, 1.234, 12.34, 1234.5)] == ["0.012", "1.23", "12.3", "1234"]


def test_the_readme_and_the_tables_show_the_results_that_are_kept():
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))
    assert not results.get("failures")
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme == report.in_readme(readme, results)
    assert (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8") == report.render(results)


@pytest.mark.skipif(not memory.available(), reason="this system does not tell the peak of a process")
def test_the_peak_is_what_a_call_holds_at_its_worst():
    def run():
        np.ones(40 * 2**20, "uint8")
        return np.ones(8 * 2**20, "uint8")

    assert abs(memory.peak(run) / 2**20 - 40) < 8


@pytest.mark.keras
def test_every_loss_of_keras_is_there():
    import keras

    from benchmarks.cases import CASES

    known = {name for name, each in vars(keras.losses).items() if inspect.isclass(each)} - {"Loss", "CTC", "Circle"}
    there = {type(case.builtin(2)).__name__ for case in CASES.values() if case.builtin}
    assert known <= there
    assert len(CASES) >= 30


@pytest.mark.keras
def test_rivals_that_disagree_are_not_compared():
    from benchmarks import handwritten, speed
    from benchmarks.cases import CASES

    wrong = dataclasses.replace(CASES["mean_squared_error"], hand=handwritten.mean_absolute_error)
    settings = [speed.Setting("eager", "32x10", True)]
    with pytest.raises(speed.DisagreementError, match="mean_squared_error, eager, 32x10: the value of keras differs"):
        list(speed.measure(wrong, settings, lambda setting: timing.Pace(0, least=1)))


@pytest.mark.keras
def test_everything_runs(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--write", "--output", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert text == done.stdout.removesuffix("\n")
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert {"machine", "compiler", "training", "speed", "rivals"} <= set(results)
    # Value and gradient, and the value alone; in three modes.
    assert len(results["speed"]) == 2 * 3
    for each in results["speed"]:
        assert {"floor", "hand", "keras", "ours"} <= set(each["seconds"])
        assert each["to_hand"]["hand"] == 1
    assert ("memory" in results) == memory.available()
    for heading in ("# Benchmarks", "## Goals", "## All ratios at (32, 10)", "## `fit`", "## The compiler"):
        assert heading in text
