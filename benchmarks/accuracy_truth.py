"""What a loss and its gradient really are: an oracle in mpmath, differences of it at many digits, and its condition.

Nothing that rewrites or derives is used here: an oracle takes arrays of mpmath numbers and gives one value for each
sample, or one for the batch. A derivative is a difference quotient with a step so small, at so many digits, that its
own error is far below what float32 can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from benchmarks.accuracy_grids import Grid
from benchmarks.accuracy_written import Written, written

DIGITS = 190
STEP = mp.mpf(10) ** -80
ROUNDING = mp.mpf(2) ** -24
"""Half a unit in the last place of float32, relative: what an input is known to."""

SAME = mp.mpf("1e-9")
"""Relative to the larger: what two truths are apart at most where they are the same; float32 has seven digits."""

Oracle = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Truth:
    """Of each row the values and slopes, NaN where there is none, as mpmath numbers.

    `kink` marks rows with two derivatives. `moved` and `moved_slopes` say how far the largest of them moves where
    every input moves by a rounding: the computed condition of the row. Rows are judged by the formula's own words
    where its `epsilon` decides, and where it says `otherwise` something else than the oracle.
    """

    values: Any
    slopes: Any
    kink: Any
    moved: Any
    moved_slopes: Any
    epsilon: Any
    otherwise: Any


def exact(array: Any) -> Any:
    """Floats as mpmath numbers, exactly; class numbers stay whole numbers."""
    if array is None or np.asarray(array).dtype.kind in "iu":
        return array
    return np.frompyfunc(mp.mpf, 1, 1)(array)


def truth(oracle: Oracle, grid: Grid, text: str = "") -> Truth:
    """The truth for every row of a grid; of samples that depend on each other, a batch is a row.

    It is the oracle's, but where the formula means to be another, and says so.
    """
    with mp.workdps(DIGITS):
        said = written(text, grid) if text else None
        rows = [_settled(oracle, said, part, _numbers if grid.batches == 1 else _whole) for part in grid.each()]
        return Truth(*(np.concatenate([getattr(row, name) for row in rows]) for name in Truth.__dataclass_fields__))


def _settled(oracle: Oracle, said: Written | None, grid: Grid, shape: Callable[..., Any]) -> Truth:
    def of(values: Oracle, moved: bool = True) -> Truth:
        return _of_samples(lambda t, p: shape(values, t, p), grid, moved)

    found = of(oracle)
    if said is None:
        return found
    literal = of(said.exact, moved=False)
    with mp.workdps(2 * DIGITS):
        again = shape(said.moved, exact(grid.y_true), exact(grid.y_pred))
    rows = ~_differ(literal.values, again) & ~_lacks(literal.values) & _apart(literal, found)
    if rows.any():
        found = _chosen(rows, of(said.exact), found, "otherwise")
    if said.epsilon is None:
        return found
    rows = _apart(*(of(values, moved=False) for values in said.epsilon))
    return _chosen(rows, of(said.epsilon[0]), found, "epsilon") if rows.any() else found


def _chosen(rows: Any, one: Truth, other: Truth, why: str) -> Truth:
    """One truth in some rows, the other in the rest; in those that `why` names which they are."""
    numbers = ("values", "slopes", "kink", "moved", "moved_slopes")
    picked = {name: getattr(other, name) for name in Truth.__dataclass_fields__} | {why: rows}
    for name in numbers:
        a, b = getattr(one, name), getattr(other, name)
        picked[name] = np.where(rows[:, np.newaxis] if a.ndim > 1 else rows, a, b)
    if why == "epsilon":
        picked["otherwise"] = picked["otherwise"] & ~rows
    return Truth(**picked)


def _apart(one: Truth, other: Truth) -> Any:
    """The rows whose values or, where there is one derivative, slopes are not the same."""
    return _differ(one.values, other.values) | (_differ(one.slopes, other.slopes) & ~one.kink & ~other.kink)


def _differ(one: Any, other: Any) -> Any:
    """The rows whose numbers are not the same, relative to the largest of the row, or no numbers."""
    gap, size = np.max(abs(one - other), axis=1), np.max(np.maximum(abs(one), abs(other)), axis=1)
    return np.array([not g <= SAME * s for g, s in zip(gap, size, strict=True)])


def _lacks(values: Any) -> Any:
    return np.array([any(mp.isnan(x) for x in row) for row in values])


def _numbers(oracle: Oracle, true: Any, pred: Any) -> Any:
    """One number per sample; where the oracle has none for some, NaN for those."""
    try:
        found = np.reshape(oracle(true, pred), (-1,))
    except (ArithmeticError, ValueError, TypeError, LookupError):
        found = [_number(oracle, None if true is None else true[i : i + 1], pred[i : i + 1]) for i in range(len(pred))]
    return np.array([[_real(x)] for x in found], dtype=object)


def _number(oracle: Oracle, true: Any, pred: Any) -> Any:
    try:
        return np.reshape(oracle(true, pred), (-1,))[0]
    except (ArithmeticError, ValueError, TypeError, LookupError):
        return mp.nan


def _whole(oracle: Oracle, true: Any, pred: Any) -> Any:
    """The values of a batch as one row."""
    try:
        found = np.reshape(oracle(true, pred), (-1,))
    except (ArithmeticError, ValueError, TypeError, LookupError):
        found = [mp.nan]
    return np.array([[_real(x) for x in found]], dtype=object)


def _real(x: Any) -> Any:
    x = mp.mpmathify(x)
    return mp.nan if isinstance(x, mp.mpc) or not mp.isfinite(x) else x


def _of_samples(values: Callable[[Any, Any], Any], grid: Grid, moves: bool) -> Truth:
    """The truth by one function; without `moves` its condition is not looked at."""
    true, pred = exact(grid.y_true), exact(grid.y_pred)
    # inwards from the end of a range: there is no function on the other side
    sides = np.where(grid.y_pred >= grid.top, -1, 1)
    here = values(true, pred)
    slopes = _slopes(values, true, pred, sides, here)
    kink = _kinks(values, true, pred, sides, here, slopes)
    moved, moved_slopes = _zeros(len(here)), _zeros(len(here))
    for pattern in range(2 if moves else 0):
        near_true = _nudged(true, grid.true_moves, 1 + pattern, None)
        near_pred = _nudged(pred, True, 2 + pattern, grid.top)
        there = values(near_true, near_pred)
        moved = np.maximum(moved, _far(there, here))
        moved_slopes = np.maximum(moved_slopes, _far(_slopes(values, near_true, near_pred, sides, there), slopes))
    no = np.zeros(len(here), dtype=bool)
    return Truth(here, slopes, kink, moved, moved_slopes, no, no)


def _zeros(count: int) -> Any:
    return np.array([mp.mpf(0)] * count, dtype=object)


def _places(pred: Any, rows: int) -> Any:
    """The predictions of each row in a line; a batch that is one row has them all."""
    return np.reshape(pred, (rows, -1))


def _slopes(values: Any, true: Any, pred: Any, sides: Any, here: Any) -> Any:
    lines, ways = _places(pred, len(here)), _places(sides, len(here))
    found = np.empty(lines.shape, dtype=object)
    for k in range(lines.shape[1]):
        moved = lines.copy()
        moved[:, k] += STEP * ways[:, k]
        found[:, k] = np.sum(values(true, np.reshape(moved, pred.shape)) - here, axis=1) / (STEP * ways[:, k])
    return found


def _kinks(values: Any, true: Any, pred: Any, sides: Any, here: Any, slopes: Any) -> Any:
    """Where a step to the other side, along all entries at once, is not what the slopes say."""
    lines, ways = _places(pred, len(here)), _places(sides, len(here))
    weights = np.array([mp.mpf(1) / (k + 2) for k in range(lines.shape[1])], dtype=object) * ways
    other = np.sum(values(true, np.reshape(lines - STEP * weights, pred.shape)) - here, axis=1)
    gap = other / STEP + np.sum(slopes * weights, axis=1)
    scale = np.max(abs(slopes), axis=1)
    return np.array([not abs(g) <= mp.mpf("1e-6") * s + mp.mpf("1e-30") for g, s in zip(gap, scale, strict=True)])


def _nudged(array: Any, moves: bool, pattern: int, top: float | None) -> Any:
    """Every number, times one more or less than 1 by a rounding; which way changes along an array with the pattern."""
    if array is None or array.dtype != object or not moves:
        return array
    signs = np.where((np.arange(array.size) // pattern) % 2 == 0, 1, -1).reshape(array.shape)
    if top is not None:
        signs = np.where(array >= top, -1, signs)
    return array * (1 + ROUNDING * signs)


def _far(there: Any, here: Any) -> Any:
    """The largest distance of each row; infinite where there is no telling."""
    gap = np.max(abs(there - here), axis=1)
    return np.array([mp.inf if mp.isnan(x) else x for x in gap], dtype=object)
