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
from library_cases import ONE_EACH, slopes, values

pytestmark = pytest.mark.backends
HERE = Path(__file__).parent
BACKENDS = ["tensorflow", "jax", "torch"]


def run(script, backend):
    """What a script of ours finds on a backend."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folders = [str(folder) for folder in (HERE, HERE.parent, HERE.parent / "library")]
    settings = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run(
        [sys.executable, str(HERE / script)], capture_output=True, text=True, env=settings, timeout=900, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stderr[-3000:]
    return json.loads(lines[0].removeprefix("FOUND "))


@pytest.fixture(scope="module", params=BACKENDS)
def found(request):
    return run("backends_script.py", request.param) | {"backend": request.param}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_library_is_the_oracles(backend):
    for case, seen in zip(ONE_EACH, run("library_script.py", backend), strict=True):
        wanted, slope = np.mean(values(case)), slopes(case)
        known = np.isfinite(slope)
        assert seen["name"] == str(case)
        assert seen["value"] == pytest.approx(wanted, rel=1e-4, abs=1e-5), case
        scale = 1 + np.max(np.abs(slope[known]))
        np.testing.assert_allclose(
            np.asarray(seen["slope"])[known], slope[known], rtol=1e-3, atol=2e-5 * scale, err_msg=str(case)
        )


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


def test_logits_behind_a_sigmoid(found):
    lost = [pytest.approx(-np.log(1e-7), rel=0.02)] * 2 + [0.0]
    # JAX has them in eager calls alone, so that the same loss would be another in `fit`
    had = lost if found["backend"] == "jax" else [pytest.approx(60.0)] * 3
    assert found["logits"] == [had, lost]
    if found["backend"] == "torch":
        assert found["logits, mapped"] == pytest.approx([np.log1p(np.e), np.log1p(np.exp(-3))], rel=1e-5)


def test_a_trainer_that_would_sum_is_mentioned(found):
    assert found["told"] is (found["backend"] != "torch")  # torch traces nothing
