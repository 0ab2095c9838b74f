"""TensorFlow, JAX and torch give the same numbers, jitted `fit` included; each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.backends
SCRIPT = Path(__file__).parent / "backends_script.py"


@pytest.fixture(scope="module", params=["tensorflow", "jax", "torch"])
def found(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    settings = {**os.environ, "KERAS_BACKEND": request.param}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, env=settings, timeout=500, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FOUND ")) | {"backend": request.param}


def test_a_masked_fit_is_that_of_keras_own_loss(found):
    np.testing.assert_allclose(found["ours"], found["keras"], rtol=2e-5)


def test_weights_and_reductions(found):
    e = np.array([[0.5, 0.0], [0.0, 3.0], [2.0, 1.0]])
    w = np.array([2.0, 1.0, 0.0])
    each = e.mean(1) + e.sum(1) / 4
    assert found["sum"] == pytest.approx((w * each).sum(), rel=1e-6)
    assert found["sum_over_batch_size"] == pytest.approx((w * each).sum() / 3, rel=1e-6)
    assert found["mean_with_sample_weight"] == pytest.approx((w * each).sum() / 3, rel=1e-6)
    inside = np.array([[1.0, 2.0], [0.5, 1.0], [0.0, 1.0]])
    assert found["inside"] == pytest.approx((e * inside).mean(), rel=1e-6)


def test_labels(found):
    assert found["labels"] == pytest.approx(-np.log([0.5, 0.7, 0.8, 0.4]).mean(), rel=1e-6)


def test_coupled_samples(found):
    t, p = np.array([1.0, 3.0]), np.array([1.5, 3.0])
    each = np.log1p(np.exp(-(t[:, None] - t) * (p[:, None] - p))).mean(1)
    assert found["coupled"] == pytest.approx(each.sum() / 3, rel=1e-5)


def test_half_types(found):
    assert found["half"] == pytest.approx(0.10009765625, abs=1e-9)


def test_symbolic_tensors(found):
    assert found["shape"] == []


def test_a_dead_sample_leaves_the_gradient_finite(found):
    np.testing.assert_allclose(found["slope"], [[-1.0], [0.0]], rtol=1e-6)


def test_a_trainer_that_would_sum_is_mentioned(found):
    assert found["told"] is (found["backend"] != "torch")  # torch traces nothing
