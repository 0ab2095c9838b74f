"""The same loss and the same step on one replica and on two, in a process with two logical CPUs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def found():
    script = Path(__file__).parent / "replicas_script.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=500, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FOUND "))


CASES = [
    "even",
    "weights",
    "uneven mask",
    "sum under a mask",
    "mean_with_sample_weight",
    "sum",
    "short last batch",
    "none",
    "xla asked for",
    "correlation",
    "correlation, uneven",
    "ranking with weights",
    "ranking, none, uneven",
]


@pytest.mark.parametrize("case", CASES)
def test_the_step_is_the_same(found, case):
    one, two = found[case]
    start = np.concatenate([np.linspace(-1, 1, 6), np.zeros(2)])
    assert np.abs(np.array(one["weights"]) - start).max() > 1e-4  # there was a step
    np.testing.assert_allclose(two["weights"], one["weights"], rtol=2e-5, atol=1e-6)


UNEQUAL = ("short last batch", "none", "correlation, uneven", "ranking, none, uneven")
"""Where replicas hold unequal shares, Keras averages what it prints by rows, which no loss can make exact."""


@pytest.mark.parametrize("case", [case for case in CASES if case not in UNEQUAL])
def test_the_printed_loss_is_the_same_where_replicas_hold_as_much(found, case):
    one, two = found[case]
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-5)


def test_one_replica_is_keras_own_loss(found):
    assert found["even"][0]["loss"] == pytest.approx(found["keras, even"][0]["loss"], rel=1e-5)
    np.testing.assert_allclose(found["even"][0]["weights"], found["keras, even"][0]["weights"], rtol=1e-5)


def test_a_loss_that_is_shared_knows_where_it_is_called(found):
    assert found["values"] == pytest.approx([1.0, 1.0, 0.5, 0.5, 1.0])
