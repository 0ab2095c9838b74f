"""`fit` on a model with a large output: a step of segmentation, with each rival as its loss."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cases import CASES
from benchmarks.speed import rivals
from benchmarks.timing import Figure, Samples, ratio

CLASSES = 21
STEPS = (("scce_from_logits", False), ("scce_from_logits", True), ("categorical_focal_crossentropy", False))
"""One of Keras' shortest losses and one of its longest, and whether XLA compiles the whole step."""


def measure(
    asked: Sequence[tuple[str, bool]] = STEPS, side: int = 128, steps: int = 4, rounds: int = 3
) -> list[dict[str, Any]]:
    """A row for each loss and kind of step; a round is one `fit` of a few steps."""
    return [_row(name, jit, side, steps, rounds) for name, jit in asked]


def _row(name: str, jit: bool, side: int, steps: int, rounds: int) -> dict[str, Any]:
    data = _data(name, side, steps)
    models = {
        rival: _model(name, side, loss, jit)
        for rival, loss in rivals(CASES[name], 4).items()
        # A step under XLA compiles the loss with everything else, whatever it asks for itself.
        if not (jit and rival == "ours_jit")
    }
    ends = {rival: model.fit(data, verbose=0, shuffle=False).history["loss"][0] for rival, model in models.items()}
    for rival, end in ends.items():
        if not np.isclose(end, ends["keras"], rtol=1e-3):
            raise RuntimeError(f"{name}: a step with {rival} has the loss {end}, with Keras' own {ends['keras']}")
    samples: Samples = {rival: [] for rival in models}
    for _ in range(rounds):
        for rival, model in models.items():
            samples[rival].append(_step(model, data))
    return {
        "loss": name,
        "jit": jit,
        "seconds": {rival: asdict(Figure.of(found)) for rival, found in samples.items()},
        "to_keras": {rival: ratio(samples, rival, "keras") for rival in samples},
        "to_hand": {rival: ratio(samples, rival, "hand") for rival in samples},
    }


class _Clock(keras.callbacks.Callback):
    """The time at the end of every step."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """The step's results are there: on a CPU, a function returns when it is done."""
        self.times.append(time.perf_counter())


def _step(model: keras.Model, data: tf.data.Dataset) -> float:
    """The median step of one `fit`; the first, which starts the data, is not among them."""
    clock = _Clock()
    model.fit(data, verbose=0, shuffle=False, callbacks=[clock])
    return float(np.median(np.diff(clock.times)))


def _data(name: str, side: int, steps: int) -> tf.data.Dataset:
    """`steps` times the same batch of eight images with a class for every pixel."""
    random = np.random.default_rng(7)
    images = random.standard_normal((8, side, side, 3), dtype="float32")
    classes = random.integers(0, CLASSES, size=(8, side, side)).astype("int32")
    labels = classes if name.startswith("scce") else np.eye(CLASSES, dtype="float32")[classes]
    return tf.data.Dataset.from_tensors((images, labels)).cache().repeat(steps)


def _model(name: str, side: int, loss: Any, jit: bool) -> keras.Model:
    """Small, so that the loss counts; the same weights for every rival."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((side, side, 3)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(CLASSES, 1, activation=None if name.endswith("from_logits") else "softmax"),
        ]
    )
    model.compile(optimizer="sgd", loss=loss, jit_compile=jit)
    return model
