"""The oracle's own definition of every primitive of the operation table, over object arrays of mpmath's
floats."""

from __future__ import annotations

import itertools
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


# -- value by value ----------------------------------------------------------------------------------------


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


def along(function: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    """A function of lists, on every line along an axis."""

    def apply(x: Any, axis: int, **more: Any) -> Any:
        moved = np.moveaxis(x, axis, -1)
        lines = [function(list(line), **more) for line in moved.reshape(-1, moved.shape[-1])]
        return np.moveaxis(_array(lines).reshape(*moved.shape[:-1], -1), -1, axis)

    return apply


def _array(nested: list[Any]) -> np.ndarray:
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
        return _array([lines]).reshape(shape)

    return apply


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
    return _array([values]).reshape(shape)


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
    result = _zeros(like.shape)
    places = np.broadcast_to(indices, x.shape)
    for at in np.ndindex(x.shape):
        there = list(at)
        there[axis] = int(places[at])
        result[tuple(there)] += x[at]
    return result


def _added(x: Any, like: Any, indices: Any, axis: int = 0) -> Any:
    result = _zeros((like.size,))
    for value, place in zip(*(a.reshape(-1) for a in np.broadcast_arrays(x, indices)), strict=True):
        result[int(place)] += value
    return result.reshape(like.shape)


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    return exactly(np.zeros(shape))


def _part(rank: int, axis: int, indices: Any) -> tuple[Any, ...]:
    return tuple(indices if i == axis % rank else slice(None) for i in range(rank))


def sliced(x: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    return x[_part(x.ndim, axis, list(range(x.shape[axis]))[start:stop])]


def _padded(x: Any, like: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    result = _zeros(like.shape)
    result[_part(x.ndim, axis, list(range(like.shape[axis]))[start:stop])] = x
    return result


def selected(x: Any, index: int, axis: int) -> Any:
    return x[_part(x.ndim, axis, [index])]


def _pad_selected(x: Any, like: Any, index: int, axis: int) -> Any:
    result = _zeros(like.shape)
    result[_part(x.ndim, axis, [index])] = x
    return result


def _times(x1: Any, x2: Any, axis: int = -1) -> Any:
    """An axis through a matrix, entry by entry."""
    line = along(lambda v: [mp.fsum(v[i] * x2[i, j] for i in range(len(v))) for j in range(x2.shape[1])])
    return line(x1, axis=axis)


# -- windows, frequencies, alignments ----------------------------------------------------------------------


def _mirrored(place: int, entries: int) -> int:
    """Where a mirror at each end sends a place beyond it."""
    return -place if place < 0 else 2 * (entries - 1) - place if place >= entries else place


def _slid(entries: int, size: int, step: int, reflect: int) -> list[list[int]]:
    starts = range(-reflect, entries + reflect - size + 1, step)
    return [[_mirrored(start + i, entries) for i in range(size)] for start in starts]


def _windows(x: Any, size: int, axis: int, to: int, step: int = 1, reflect: int = 0) -> Any:
    slid = _slid(x.shape[axis], size, step, reflect)
    result = np.empty(tuple(_resized(x.shape, {axis: len(slid), to: size})), dtype=object)
    for at in np.ndindex(result.shape):
        place = slid[at[axis]][at[to]]
        result[at] = x[tuple(_resized(at, {axis: place, to: 0}))]
    return result


def _resized(shape: tuple[int, ...], new: dict[int, int]) -> list[int]:
    return [new.get(i, new.get(i - len(shape), n)) for i, n in enumerate(shape)]


def _unwindows(x: Any, like: Any, size: int, axis: int, to: int, step: int = 1, reflect: int = 0) -> Any:
    slid = _slid(like.shape[axis], size, step, reflect)
    result = _zeros(like.shape)
    for at in np.ndindex(x.shape):
        result[tuple(_resized(at, {axis: slid[at[axis]][at[to]], to: 0}))] += x[at]
    return result


def _spectrum(part: Callable[[Any], Any]) -> Callable[..., Any]:
    """The sum over entries n of `x * part(angle)`, angles in units of pi, for frequencies k up to half of their number."""

    def of_line(line: list[Any]) -> list[Any]:
        size = len(line)
        angles = [[mp.mpf(2 * k * n) / size for n in range(size)] for k in range(size // 2 + 1)]
        return [mp.fsum(x * part(a) for x, a in zip(line, row, strict=True)) for row in angles]

    return along(of_line)


def _spectrum_back(part: Callable[[Any], Any]) -> Callable[..., Any]:
    def apply(x: Any, like: Any, axis: int = -1) -> Any:
        size = like.shape[axis]

        def of_line(line: list[Any]) -> list[Any]:
            return [mp.fsum(v * part(mp.mpf(2 * k * n) / size) for k, v in enumerate(line)) for n in range(size)]

        return along(of_line)(x, axis=axis)

    return apply


def _collapsed(path: tuple[int, ...], blank: int) -> list[int]:
    """What a path of labels reads as: repeats once, then no blanks."""
    return [c for i, c in enumerate(path) if c != blank and (i == 0 or path[i - 1] != c)]


def _read(scores: Any, wanted: list[int], blank: int) -> tuple[Any, Any]:
    """The probability of all paths that read as wanted, and how much of it goes through each place."""
    logs = [[v - mp.log(mp.fsum(map(mp.exp, row))) for v in row] for row in scores]
    whole, through = mp.zero, _zeros(scores.shape)
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        if _collapsed(path, blank) == wanted:
            chance = mp.exp(mp.fsum(logs[t][c] for t, c in enumerate(path)))
            whole += chance
            for t, c in enumerate(path):
                through[t, c] += chance
    return whole, through


def _aligned(each: Callable[[Any, list[int], int], Any], keeps: bool) -> Callable[..., Any]:
    def apply(logits: Any, labels: Any, time: int, axis: int, to: int, blank: int = 0) -> Any:
        scores = np.moveaxis(logits, (to, time, axis), (-3, -2, -1))[..., 0, :, :]
        places = np.moveaxis(labels, (time, axis, to), (-3, -2, -1))[..., 0, 0, :]
        result = np.empty(scores.shape if keeps else (*scores.shape[:-2], 1, 1), dtype=object)
        for at in np.ndindex(scores.shape[:-2]):
            result[at] = each(scores[at], [int(c) for c in places[at] if c != blank], blank)
        return np.moveaxis(result[..., None, :, :], (-3, -2, -1), (to, time, axis))

    return apply


def _ctc(scores: Any, wanted: list[int], blank: int) -> Any:
    chance = _read(scores, wanted, blank)[0]
    return -mp.log(chance) if chance else INF


def _ctc_gradient(scores: Any, wanted: list[int], blank: int) -> Any:
    chance, through = _read(scores, wanted, blank)
    powers = np.frompyfunc(mp.exp, 1, 1)(scores)
    return powers / np.sum(powers, axis=-1, keepdims=True) - through / chance if chance else _zeros(scores.shape)


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
    "windows": _windows,
    "unwindows": _unwindows,
    "rfft_real": _spectrum(mp.cospi),
    "rfft_imag": _spectrum(lambda angle: -mp.sinpi(angle)),
    "rfft_real_transposed": _spectrum_back(mp.cospi),
    "rfft_imag_transposed": _spectrum_back(lambda angle: -mp.sinpi(angle)),
    "ctc_loss": _aligned(_ctc, keeps=False),
    "ctc_gradient": _aligned(_ctc_gradient, keeps=True),
    "spread": lambda x, like: np.broadcast_to(x, like.shape),
}
