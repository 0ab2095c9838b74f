"""Functions of mpmath's floats made functions of object arrays: value by value, and along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

NAN, INF = mpmath.mpf("nan"), mpmath.mpf("inf")


def number(x: Any) -> Any:
    return bool(x) if isinstance(x, (bool, np.bool_)) else x if isinstance(x, mpmath.mpf) else mp.mpf(x)


def exactly(array: Any) -> np.ndarray:
    """The same values as mpf and bool."""
    return np.asarray(np.frompyfunc(number, 1, 1)(array), dtype=object)


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Value by value; NaN goes in and comes out, a complex result is no result."""

    def guarded(*values: Any) -> Any:
        numbers = [mp.mpf(v) for v in values]
        if any(mp.isnan(v) for v in numbers):
            return NAN
        try:
            result = function(*numbers)
        except (ValueError, ZeroDivisionError, mpmath.libmp.ComplexResult):
            return NAN
        return NAN if isinstance(result, mpmath.mpc) else result

    return lambda *arrays: np.frompyfunc(guarded, len(arrays), 1)(*arrays)


def raw(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: np.frompyfunc(function, len(arrays), 1)(*arrays)


def along(function: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    """A function of lists, on every line along an axis."""

    def apply(x: Any, axis: int, **more: Any) -> Any:
        moved = np.moveaxis(x, axis, -1)
        lines = [function(list(line), **more) for line in moved.reshape(-1, moved.shape[-1])]
        return np.moveaxis(stacked(lines).reshape(*moved.shape[:-1], -1), -1, axis)

    return apply


def stacked(nested: list[Any]) -> np.ndarray:
    result = np.empty((len(nested), len(nested[0])), dtype=object)
    for i, line in enumerate(nested):
        for j, item in enumerate(line):
            result[i, j] = item
    return result


def reduced(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function of a list to one value, over several axes, which keep size 1."""

    def apply(x: Any, axis: tuple[int, ...]) -> Any:
        if not axis:
            return x
        last = tuple(range(-len(axis), 0))
        moved = np.moveaxis(x, axis, last)
        lines = [function(list(line)) for line in moved.reshape(-1, math.prod(moved.shape[x.ndim - len(axis) :]))]
        shape = [1 if i in {a % x.ndim for a in axis} else n for i, n in enumerate(x.shape)]
        return stacked([lines]).reshape(shape)

    return apply


def zeros(shape: tuple[int, ...]) -> np.ndarray:
    return exactly(np.zeros(shape))
