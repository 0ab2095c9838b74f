"""Value and gradient of every loss: eager, in a graph, under XLA; small, wide and as images."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import tensorflow as tf

import lossdsl
from benchmarks.cases import Case
from benchmarks.data import SIZES, Array, arrays, fits
from benchmarks.handwritten import HandWritten
from benchmarks.timing import Figure, Pace, Samples, interleaved, ratio

MODES = ("eager", "graph", "xla")

TOLERANCE = 1e-3
"""Largest relative difference to the loss by hand, in float32; beyond it two rivals compute different things."""

SAMPLED = 50_000
"""Entries of a gradient that are compared, evenly spread."""

Step = Any
"""A function of y_true and y_pred that gives the value, or the value and the gradient."""
Steps = dict[str, Step]


@dataclass(frozen=True)
class Setting:
    """What is measured of a loss: a mode, a size, and whether the gradient is asked for."""

    mode: str
    size: str
    gradient: bool


class DisagreementError(Exception):
    """Two rivals compute different things, so that their times mean nothing."""


def measure(case: Case, settings: Sequence[Setting], pace: Callable[[Setting], Pace]) -> Iterator[dict[str, Any]]:
    """One row of figures for each setting that fits the loss."""
    for size in dict.fromkeys(setting.size for setting in settings):
        if fits(case.data, SIZES[size]):
            data = arrays(case.data, SIZES[size])
            tensors = [tf.constant(x) for x in data]
            losses = rivals(case, data[1].ndim)
            for setting in settings:
                if setting.size == size:
                    steps = _steps(setting, losses)
                    _warm(case, setting, steps, tensors)
                    calls = {name: _forced(run, tensors) for name, run in steps.items()}
                    calls["floor"] = floor(*data, gradient=setting.gradient)
                    value = float(steps["hand"](*tensors)[0])
                    yield _row(case, setting, value, interleaved(calls, pace(setting)))
            del losses, steps, calls
            gc.collect()


def rivals(case: Case, rank: int) -> dict[str, Any]:
    """The losses that compete: the formula by hand, Keras' own, ours as it comes, ours with jit_compile=True."""
    found = {"hand": HandWritten(case.hand)}
    if case.builtin is not None:
        found["keras"] = case.builtin(rank)
    found["ours"] = lossdsl.compile(case.formula)
    found["ours_jit"] = lossdsl.compile(case.formula, jit_compile=True)
    return found


def _warm(case: Case, setting: Setting, steps: Steps, tensors: list[Any]) -> None:
    """Run everything once, which compiles it, and see that rivals agree: DisagreementError where they don't."""
    results = {name: [_sample(x) for x in run(*tensors)] for name, run in steps.items()}
    for name, result in results.items():
        for part, found, wanted in zip(("value", "gradient"), result, results["hand"], strict=False):
            difference = np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-30)
            if not difference < TOLERANCE:
                where = f"{case.name}, {setting.mode}, {setting.size}"
                raise DisagreementError(f"{where}: the {part} of {name} differs by {difference:.1e} (relative)")


def _sample(tensor: Any) -> Array:
    """Enough entries of a result to compare it by; copies of all of them would take longer than the loss."""
    flat = np.asarray(memoryview(tensor)).reshape(-1)
    return flat[:: 1 + flat.size // SAMPLED].copy()


def _row(case: Case, setting: Setting, value: float, samples: Samples) -> dict[str, Any]:
    return {
        "loss": case.name,
        **asdict(setting),
        "transcendental": case.transcendental,
        "rounds": len(samples["floor"]),
        "value": value,
        "seconds": {name: asdict(Figure.of(found)) for name, found in samples.items()},
        "to_hand": {name: ratio(samples, name, "hand") for name in samples},
        "to_floor": {name: ratio(samples, name, "floor") for name in samples},
        "to_keras": {name: ratio(samples, name, "keras") for name in samples if "keras" in samples},
    }


def _steps(setting: Setting, losses: dict[str, Any]) -> Steps:
    """What each rival runs. Inside XLA all is compiled as one, whatever a loss asks for: ours is there once."""
    chosen = {name: loss for name, loss in losses.items() if (setting.mode, name) != ("xla", "ours_jit")}
    return {name: step(loss, setting) for name, loss in chosen.items()}


def step(loss: Callable[[Any, Any], Any], setting: Setting) -> Step:
    """What is measured: the value, or the value and its gradient with respect to the predictions."""

    def value(y_true: Any, y_pred: Any) -> tuple[Any, ...]:
        return (loss(y_true, y_pred),)

    def value_and_gradient(y_true: Any, y_pred: Any) -> tuple[Any, ...]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            result = loss(y_true, y_pred)
        return result, tape.gradient(result, y_pred)

    plain = value_and_gradient if setting.gradient else value
    if setting.mode == "eager":
        return plain
    return tf.function(plain, jit_compile=setting.mode == "xla" or None, autograph=False)


def floor(y_true: Array, y_pred: Array, *, gradient: bool) -> Callable[[], object]:
    """One pass over memory: reads the data, and writes an array like the gradient if that is asked for."""
    alike = y_true.shape == y_pred.shape and y_true.dtype == y_pred.dtype
    if not gradient:
        return (lambda: np.vdot(y_true, y_pred)) if alike else (lambda: (y_true.max(), y_pred.max()))
    out = np.empty_like(y_pred)
    return (lambda: np.add(y_true, y_pred, out=out)) if alike else (lambda: (y_true.max(), np.copyto(out, y_pred)))


def _forced(run: Step, tensors: list[Any]) -> Callable[[], object]:
    """A call that ends when its results are in memory: the view waits for them and copies nothing."""
    return lambda: [memoryview(x) for x in run(*tensors)]
