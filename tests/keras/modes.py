"""Losses run in eager calls, graphs and XLA, and what mpmath has to say of value and gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from mpmath import mp

import lossdsl

MODES: dict[str, Callable[[Any], Any]] = {
    "eager": lambda step: step,
    "graph": lambda step: tf.function(step, autograph=False),
    "xla": lambda step: tf.function(step, autograph=False, jit_compile=True),
}
DIGITS, STEP = 120, "1e-40"
SMALLEST = 2.0**-126
Oracle = Callable[[list[Any], list[Any]], Any]
"""The value of one sample, of lists of mpf: the labels' entries, and the predictions'."""
Data = tuple[np.ndarray, np.ndarray]


class Tried:
    """Formulas over the same data, run together: one compilation is quicker than many."""

    def __init__(self, formulas: Sequence[str], sets: Mapping[str, Data]) -> None:
        self.formulas, self.sets = list(formulas), sets
        self.results: dict[tuple[str, str], list[Data]] = {}
        self.truths: dict[tuple[str, str], Data] = {}

    @cached_property
    def functions(self) -> list[Any]:
        return [lossdsl.compile(formula, reduction=None).function for formula in self.formulas]

    def found(self, formula: str, mode: str, name: str) -> Data:
        """One value for each sample, and the gradient of their sum by the predictions."""
        if (mode, name) not in self.results:
            step = MODES[mode](self._step)
            for each, data in self.sets.items():
                true, pred = (tf.constant(x, "float32") for x in data)
                pairs = step(true, pred)
                self.results[mode, each] = [(np.ravel(v).astype(float), s.numpy().astype(float)) for v, s in pairs]
        return self.results[mode, name][self.formulas.index(formula)]

    def _step(self, true: Any, pred: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pred)
            values = [function(true, pred) for function in self.functions]
        return [(value, tape.gradient(value, pred)) for value in values]

    def judge(
        self, formula: str, mode: str, name: str, oracle: Oracle, value: float, gradient: float, rows: bool = False
    ) -> None:
        """Value and gradient are within so many units in the last place: of each slope, or of the `rows`' largest."""
        true, pred = self.sets[name]
        if (formula, name) not in self.truths:
            self.truths[formula, name] = truth(oracle, true, pred)
        both = zip(self.found(formula, mode, name), self.truths[formula, name], (value, gradient), strict=True)
        for part, (found, wanted, most) in zip(("value", "gradient"), both, strict=True):
            off = ulps(
                found, wanted, np.max(np.abs(wanted), axis=1, keepdims=True) if rows and wanted.ndim > 1 else wanted
            )
            worst = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
            assert off[worst] <= most, (
                f"{part} {found[worst]:.9g} instead of {wanted[worst]:.9g}, {off[worst]:.3g} ulp,"
                f" at {true[worst[0]]}, {pred[worst[0]]}"
            )


def truth(oracle: Oracle, true: np.ndarray, pred: np.ndarray) -> Data:
    """The same by an oracle: its values at the numbers that float32 has, and slopes by differences of many digits."""
    with mp.workdps(DIGITS):
        rows = list(zip(_numbers(true), _numbers(pred), strict=True))
        values = [float(oracle(t, p)) for t, p in rows]
        slopes = [[float(_slope(oracle, t, p, i)) for i in range(len(p))] for t, p in rows]
    return np.array(values), np.array(slopes)


def _numbers(rows: np.ndarray) -> list[list[Any]]:
    return [[mp.mpf(float(x)) for x in row] for row in rows.astype(np.float32)]


def _slope(oracle: Oracle, true: list[Any], pred: list[Any], at: int) -> Any:
    step = mp.mpf(STEP) * (abs(pred[at]) or 1)
    sides = [[x + way if i == at else x for i, x in enumerate(pred)] for way in (step, -step)]
    return (oracle(true, sides[0]) - oracle(true, sides[1])) / (2 * step)


def ulps(found: np.ndarray, wanted: np.ndarray, size: np.ndarray) -> np.ndarray:
    """How many units in the last place of numbers of that size are off; below the normal ones nothing is owed."""
    unit = np.spacing(np.maximum(np.abs(size), SMALLEST).astype(np.float32)).astype(float)
    return np.where(np.maximum(np.abs(found), np.abs(wanted)) <= SMALLEST, 0.0, np.abs(found - wanted) / unit)
