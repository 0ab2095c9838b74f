"""Every example runs, and does what its page says; few epochs, the same code."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

pytestmark = pytest.mark.keras


def load(path):
    """An example as a module, without running it."""
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, cwd):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True)


def falls(losses):
    return np.all(np.isfinite(losses)) and losses[-1] < losses[0]


def test_quickstart_from_python_and_from_yaml():
    (slope, losses), (slope_from_text, losses_from_text) = load(EXAMPLES / "quickstart.py").main(epochs=15)
    assert falls(losses)
    assert 1.8 < slope < 2.1
    assert (slope_from_text, losses_from_text) == (slope, losses)


def test_quickstart_as_it_is_printed(tmp_path):
    done = run(str(EXAMPLES / "quickstart.py"), "--epochs", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("formula: mean(abs(y_true - y_pred) * 0.5 * (1 + abs(y_true - y_pred)))\nloss ")


def test_classics_have_the_values_and_gradients_of_keras():
    differences = load(EXAMPLES / "classics.py").main()
    assert len(differences) == 13
    for name, (value, gradient) in differences.items():
        assert value < 1e-4, name
        assert gradient < 1e-5, name


def test_focal(capsys):
    for losses in load(EXAMPLES / "focal.py").main(epochs=3).values():
        assert falls(losses)
    assert "float[2] and float[4, 10]" in capsys.readouterr().out


def test_many_outputs_by_name_and_by_list():
    named, listed = load(EXAMPLES / "many_outputs.py").main(epochs=3)
    assert falls(named["loss"])
    for name in ("loss", "price_loss", "sold_loss"):
        np.testing.assert_allclose(named[name], listed[name], rtol=1e-6)
    np.testing.assert_allclose(named["sold_surprise"], named["sold_loss"], rtol=1e-5)


def test_cifar10_vgg16_where_nothing_can_be_downloaded():
    history = load(EXAMPLES / "cifar10_vgg16.py").main("digits", "none", epochs=1, samples=8)
    np.testing.assert_allclose(history["formula"], history["built-in"], rtol=1e-4)


def test_training_from_a_file():
    history = load(EXAMPLES / "config" / "train.py").train(epochs=5)
    assert falls(history["loss"])
    assert {"alcohol_bias", "alcohol_mae", "grower_accuracy"} <= set(history)
    weighted = np.array(history["grower_loss"]) + 0.5 * np.array(history["alcohol_loss"])
    np.testing.assert_allclose(history["loss"], weighted, rtol=0.02)


def test_training_with_hydra_and_with_keras_own_configs():
    module = load(EXAMPLES / "config" / "train.py")
    hydra, keras = module.train_with_hydra(epochs=2), module.train_with_keras(epochs=2)
    assert hydra == keras
    assert module.train_with_hydra(["loss.gamma=3"], epochs=1)["loss"] != hydra["loss"][:1]
    shorter = module.train_with_hydra(["loss.formula='mean(abs(y_true - y_pred)**gamma)'"], epochs=2)
    assert shorter == hydra


@pytest.mark.slow
def test_the_zoo(tmp_path):
    zoo = load(EXAMPLES / "loss_zoo.py")
    found = zoo.main(epochs=3)
    assert sum(map(len, found.values())) == 20
    assert all(np.isfinite(x) for losses in found.values() for values in losses.values() for x in values.values())
    below = {name: values["truths below"] for name, values in found["numbers"].items()}
    assert below["low"] < below["high"]
    zoo.picture(found, tmp_path / "zoo.png")
    assert (tmp_path / "zoo.png").read_bytes().startswith(b"\x89PNG")


def test_segmentation(tmp_path):
    example = load(EXAMPLES / "segmentation.py")
    found, pictures = example.main(epochs=2)
    assert list(found) == list(pictures)[2:]
    assert all(0 <= x <= 1 for values in found.values() for x in values.values())
    example.draw(pictures, tmp_path / "flower.png")
    assert (tmp_path / "flower.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_agrees_with_itself_and_keeps_quiet(tmp_path):
    done = run("-m", "lossdsl", "demo", "--epochs", "2", "--folder", str(tmp_path), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    pairs = re.findall(r"(?:formula|here) ([\d.]+), (?:hand-written|there) ([\d.]+)", done.stdout)
    assert len(pairs) == 2
    np.testing.assert_allclose(*np.array(pairs, float).T, rtol=1e-6)
    assert "y_pred: prob[batch, classes]" in done.stdout
    assert (tmp_path / "lossdsl-demo.png").read_bytes().startswith(b"\x89PNG")
    assert str((tmp_path / "lossdsl-demo.png").resolve()) in done.stdout
