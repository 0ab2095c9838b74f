"""Runs ejected files where there is no lossdsl, and keeps what came of it; run by `test_ejected.py`.

The folder that is named holds files and a NumPy archive of data for each.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

sys.modules["lossdsl"] = None  # type: ignore[assignment]  # what makes its import fail

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402


def loaded(file: Path) -> ModuleType:
    """The file as a module that a user would import."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def both(loss: keras.losses.Loss, true: tf.Tensor, pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Value and gradient."""
    with tf.GradientTape() as tape:
        tape.watch(pred)
        value = loss(true, pred)
    return value, tape.gradient(value, pred)


def main(folder: Path) -> None:
    """All in eager calls, and all in one function that XLA compiles; one in a model."""
    files = sorted(folder.glob("*.py"))
    losses, data = [loaded(file).Mine() for file in files], []
    for file in files:
        with np.load(file.with_suffix(".npz")) as arrays:
            data.append((tf.constant(arrays["y_true"]), tf.constant(arrays["y_pred"])))

    def step(data: list[tuple[tf.Tensor, tf.Tensor]]) -> list[tuple[tf.Tensor, tf.Tensor]]:
        return [both(loss, *pair) for loss, pair in zip(losses, data, strict=True)]

    eager, xla = step(data), tf.function(step, autograph=False, jit_compile=True)(data)
    for file, found, other in zip(files, eager, xla, strict=True):
        names = ("eager value", "eager gradient", "xla value", "xla gradient")
        np.savez(file.with_suffix(".found.npz"), **dict(zip(names, (*found, *other), strict=True)))
    model = keras.Sequential([keras.layers.Input(data[0][1].shape[1:]), keras.layers.Dense(data[0][1].shape[1])])
    model.compile(loss=losses[0])
    model.fit(data[0][1], data[0][0], verbose=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
