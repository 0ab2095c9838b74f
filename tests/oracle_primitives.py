"""The oracle's own definition of every primitive of the operation table, over object arrays of mpmath's
floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp
from oracle_arrays import INF, NAN, along, each, raw, reduced, stacked, zeros
from oracle_signal import aligned, ctc, ctc_gradient, spectrum, spectrum_back, unwindows, windows

# -- value by value ----------------------------------------------------------------------------------------


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        return NAN if a == 0 else INF if a > 0 else -INF
    return a / b


def _power(a: Any, b: Any) -> Any:
    if b == 0:
        return mp.one
    if a == 0:
        return mp.zero if b > 0 else INF
    if a < 0 and b != mp.floor(b):
        return NAN
    return mp.power(a, int(b) if a < 0 else b)


def _log(x: Any) -> Any:
    return -INF if x == 0 else NAN if x < 0 else mp.log(x)


def _round(x: Any) -> Any:
    low = mp.floor(x)
    rest = x - low
    up = rest > mp.mpf(1) / 2 or (rest == mp.mpf(1) / 2 and low % 2 == 1)
    return low + 1 if up else low


def _log_gamma(x: Any) -> Any:
    if x <= 0 and x == mp.floor(x):
        return INF
    return mp.re(mp.loggamma(x)) if x > 0 else mp.log(abs(mp.pi / mp.sin(mp.pi * x))) - mp.re(mp.loggamma(1 - x))


def _arctan2(a: Any, b: Any) -> Any:
    return mp.zero if a == 0 and b == 0 else mp.atan2(a, b)


def _erfinv(x: Any) -> Any:
    return x * INF if abs(x) == 1 else NAN if abs(x) > 1 else mp.erfinv(x)


# -- along axes --------------------------------------------------------------------------------------------


def _running(line: list[Any]) -> list[Any]:
    return [mp.fsum(line[: i + 1]) for i in range(len(line))]


def _ranked(line: list[Any]) -> list[int]:
    return sorted(range(len(line)), key=lambda i: line[i])


def _best(line: list[Any], k: int) -> list[int]:
    return sorted(range(len(line)), key=lambda i: -line[i])[:k]


def _others(x: Any, axis: Any) -> Any:
    result = np.empty(x.shape, dtype=object)
    axes = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    for at in np.ndindex(x.shape):
        same = (i for i in np.ndindex(x.shape) if i != at and all(i[k] == at[k] or k in axes for k in range(x.ndim)))
        result[at] = mp.fprod(x[i] for i in same)
    return result


def _laid(values: list[Any], rank: int, axis: int) -> np.ndarray:
    shape = [1] * rank
    shape[axis] = -1
    return stacked([values]).reshape(shape)


def _one_hot(x: Any, num_classes: int, axis: int) -> Any:
    classes = _laid([mp.mpf(i) for i in range(num_classes)], x.ndim, axis)
    return raw(lambda a, b: mp.mpf(1) if a == b else mp.mpf(0))(x, classes)


def _take(x: Any, indices: Any, axis: int = 0) -> Any:
    table = x.reshape(-1)
    return raw(lambda i: table[int(i)] if 0 <= i < len(table) else NAN)(indices)


def _pick(x: Any, indices: Any, axis: int) -> Any:
    shape = np.broadcast_shapes(tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)), indices.shape)
    wide = np.broadcast_to(x, tuple(x.shape[i] if i == axis % x.ndim else n for i, n in enumerate(shape)))
    places = np.broadcast_to(indices, shape)
    result = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        from_there = list(at)
        from_there[axis] = int(places[at])
        inside = 0 <= from_there[axis] < x.shape[axis]
        result[at] = wide[tuple(from_there)] if inside else NAN
    return result


def _scattered(x: Any, like: Any, indices: Any, axis: int) -> Any:
    result = zeros(like.shape)
    places = np.broadcast_to(indices, x.shape)
    for at in np.ndindex(x.shape):
        there = list(at)
        there[axis] = int(places[at])
        result[tuple(there)] += x[at]
    return result


def _added(x: Any, like: Any, indices: Any, axis: int = 0) -> Any:
    result = zeros((like.size,))
    for value, place in zip(*(a.reshape(-1) for a in np.broadcast_arrays(x, indices)), strict=True):
        result[int(place)] += value
    return result.reshape(like.shape)


def _part(rank: int, axis: int, indices: Any) -> tuple[Any, ...]:
    return tuple(indices if i == axis % rank else slice(None) for i in range(rank))


def sliced(x: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    return x[_part(x.ndim, axis, list(range(x.shape[axis]))[start:stop])]


def _padded(x: Any, like: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    result = zeros(like.shape)
    result[_part(x.ndim, axis, list(range(like.shape[axis]))[start:stop])] = x
    return result


def selected(x: Any, index: int, axis: int) -> Any:
    return x[_part(x.ndim, axis, [index])]


def _pad_selected(x: Any, like: Any, index: int, axis: int) -> Any:
    result = zeros(like.shape)
    result[_part(x.ndim, axis, [index])] = x
    return result


def _times(x1: Any, x2: Any, axis: int = -1) -> Any:
    """An axis through a matrix, entry by entry."""
    line = along(lambda v: [mp.fsum(v[i] * x2[i, j] for i in range(len(v))) for j in range(x2.shape[1])])
    return line(x1, axis=axis)


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": each(lambda a, b: a + b),
    "subtract": each(lambda a, b: a - b),
    "multiply": each(lambda a, b: a * b),
    "divide": each(_divide),
    "power": each(_power),
    "negative": each(lambda a: -a),
    "less": raw(lambda a, b: bool(a < b)),
    "less_equal": raw(lambda a, b: bool(a <= b)),
    "greater": raw(lambda a, b: bool(a > b)),
    "greater_equal": raw(lambda a, b: bool(a >= b)),
    "equal": raw(lambda a, b: bool(a == b)),
    "not_equal": raw(lambda a, b: bool(a != b)),
    "logical_and": raw(lambda a, b: bool(a and b)),
    "logical_or": raw(lambda a, b: bool(a or b)),
    "logical_not": raw(lambda a: not a),
    "where": raw(lambda c, a, b: a if c else b),
    "sqrt": each(lambda a: NAN if a < 0 else mp.sqrt(a)),
    "exp": each(mp.exp),
    "log": each(_log),
    "floor": each(mp.floor),
    "round": each(_round),
    "isnan": raw(lambda a: bool(mp.isnan(a))),
    "isfinite": raw(lambda a: bool(mp.isfinite(a))),
    "stop_gradient": lambda x: x,
    "sin": each(mp.sin),
    "cos": each(mp.cos),
    "arctan": each(mp.atan),
    "arcsin": each(mp.asin),
    "arccos": each(mp.acos),
    "arctan2": each(_arctan2),
    "erf": each(mp.erf),
    "erfinv": each(_erfinv),
    "lgamma": each(_log_gamma),
    "digamma": each(mp.digamma),
    "trigamma": each(lambda a: mp.psi(1, a)),
    "sum": reduced(mp.fsum),
    "prod": reduced(mp.fprod),
    "max": reduced(max),
    "min": reduced(min),
    "any": reduced(any),
    "others_prod": _others,
    "cumsum": along(_running),
    "flip": along(lambda line: line[::-1]),
    "sort": along(sorted),
    "argsort": along(_ranked),
    "argmax": along(lambda line: [line.index(max(line))]),
    "top_k": along(lambda line, k: [line[i] for i in _best(line, k)]),
    "top_k_indices": along(_best),
    "one_hot": _one_hot,
    "take": _take,
    "take_along_axis": _pick,
    "gather_along_axis": _pick,
    "scatter_along_axis": _scattered,
    "scatter_add": _added,
    "expand_dims": lambda x, axis: x,
    "size": lambda x, axis: math.prod(x.shape[a] for a in axis),
    "index": lambda x, axis: _laid([mp.mpf(i) for i in range(x.shape[axis])], x.ndim, axis),
    "pairs": lambda x, axis, to: np.swapaxes(x, axis, to),
    "unpairs": lambda x, axis, to: np.swapaxes(x, axis, to),
    "matmul": _times,
    "matmul_transposed": lambda x1, x2, axis=-1: _times(x1, x2.T, axis),
    "select": selected,
    "slice": sliced,
    "pad_select": _pad_selected,
    "pad_slice": _padded,
    "windows": windows,
    "unwindows": unwindows,
    "rfft_real": spectrum(mp.cospi),
    "rfft_imag": spectrum(lambda angle: -mp.sinpi(angle)),
    "rfft_real_transposed": spectrum_back(mp.cospi),
    "rfft_imag_transposed": spectrum_back(lambda angle: -mp.sinpi(angle)),
    "ctc_loss": aligned(ctc, keeps=False),
    "ctc_gradient": aligned(ctc_gradient, keeps=True),
    "spread": lambda x, like: np.broadcast_to(x, like.shape),
}
