"""Compiled losses, and Keras' own, on hard rows: eager, in a graph and under XLA, in float32 and the half types."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mpmath import mp

import lossdsl
from benchmarks.accuracy_cases import Subject
from benchmarks.accuracy_grids import Grid
from benchmarks.accuracy_scores import score
from benchmarks.accuracy_truth import Truth, truth

MODES = ("eager", "graph", "xla")
DTYPES = ("float32", "float16", "bfloat16")
Loss = Callable[[Any, Any], Any]


def judge(subject: Subject) -> list[dict[str, Any]]:
    """A row of figures for each rival, type and mode."""
    grid = subject.grid()
    known = truth(subject.oracle, grid, subject.text)
    rows = []
    for rival, make in rivals(subject).items():
        for dtype in DTYPES:
            for mode, call in modes(make(dtype)).items():
                if dtype != "float32" and mode == "eager":
                    continue  # it is float32 after one cast; two modes tell
                values, slopes = computed(call, grid, dtype)
                rows.append(
                    {"name": subject.name, "part": subject.part, "rival": rival, "dtype": dtype, "mode": mode}
                    | {why: int(np.sum(getattr(known, why) & grid.held_by(dtype))) for why in ("epsilon", "otherwise")}
                    | {"value": figures(values, known, grid, dtype, gradient=False)}
                    | {"gradient": figures(slopes, known, grid, dtype, gradient=True)}
                )
    return rows


def rivals(subject: Subject) -> dict[str, Callable[[str], Loss]]:
    """By name, how to make each for a type."""
    found: dict[str, Callable[[str], Loss]] = {
        "ours": lambda dtype: lossdsl.compile(subject.text, reduction=None, dtype=dtype)
    }
    if subject.builtin:
        builtin = getattr(keras.losses, subject.builtin)
        found["keras"] = lambda dtype: (
            lambda t, p: builtin(t if t.dtype.is_integer else tf.cast(t, dtype), p, **subject.params)
        )
    return found


def modes(loss: Loss) -> dict[str, Callable[[Any, Any], tuple[Any, Any]]]:
    """A loss and the gradient of the sum of its values, in every mode."""

    def both(true: Any, pred: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(pred)
            values = loss(true, pred)
        return values, tape.gradient(values, pred)

    return {
        "eager": both,
        "graph": tf.function(both, autograph=False),
        "xla": tf.function(both, autograph=False, jit_compile=True),
    }


def computed(call: Callable[[Any, Any], tuple[Any, Any]], grid: Grid, dtype: str) -> tuple[Any, Any]:
    """Values and slopes by rows, in float64."""
    values, slopes = [], []
    for part in grid.each():
        true = np.zeros(len(part.y_pred)) if part.y_true is None else part.y_true
        true = tf.constant(true, "float32" if true.dtype.kind == "f" else "int32")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a loss per sample is no loss for `fit`
            value, slope = call(true, tf.cast(tf.constant(part.y_pred, "float32"), dtype))
        values.append(np.array(tf.cast(value, "float64")))
        slopes.append(np.array(tf.cast(slope, "float64")))
    rows = grid.batches if grid.batches > 1 else len(grid.y_pred)
    return np.reshape(np.stack(values), (rows, -1)), np.reshape(np.stack(slopes), (rows, -1))


def figures(found: Any, known: Truth, grid: Grid, dtype: str, gradient: bool) -> dict[str, float]:
    """How good values or slopes are, over the rows that have a truth and whose data the type has."""
    keep = grid.held_by(dtype) & _has_truth(known.values)
    wanted, moved = (known.slopes, known.moved_slopes) if gradient else (known.values, known.moved)
    if gradient:
        keep &= ~known.kink
    return score(found, wanted, moved, keep, gradient, dtype)


def _has_truth(values: Any) -> Any:
    return np.array([all(not mp.isnan(x) and abs(x) < 2.0**128 for x in row) for row in values])
