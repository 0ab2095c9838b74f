"""The oracle's own definition of windows, frequencies and alignments, entry by entry."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp
from oracle_arrays import INF, along, zeros


def _mirrored(place: int, entries: int) -> int:
    """Where a mirror at each end sends a place beyond it."""
    return -place if place < 0 else 2 * (entries - 1) - place if place >= entries else place


def _slid(entries: int, size: int, step: int, reflect: int) -> list[list[int]]:
    starts = range(-reflect, entries + reflect - size + 1, step)
    return [[_mirrored(start + i, entries) for i in range(size)] for start in starts]


def windows(x: Any, size: int, axis: int, to: int, step: int = 1, reflect: int = 0) -> Any:
    slid = _slid(x.shape[axis], size, step, reflect)
    result = np.empty(tuple(_resized(x.shape, {axis: len(slid), to: size})), dtype=object)
    for at in np.ndindex(result.shape):
        place = slid[at[axis]][at[to]]
        result[at] = x[tuple(_resized(at, {axis: place, to: 0}))]
    return result


def _resized(shape: tuple[int, ...], new: dict[int, int]) -> list[int]:
    return [new.get(i, new.get(i - len(shape), n)) for i, n in enumerate(shape)]


def unwindows(x: Any, like: Any, size: int, axis: int, to: int, step: int = 1, reflect: int = 0) -> Any:
    slid = _slid(like.shape[axis], size, step, reflect)
    result = zeros(like.shape)
    for at in np.ndindex(x.shape):
        result[tuple(_resized(at, {axis: slid[at[axis]][at[to]], to: 0}))] += x[at]
    return result


def spectrum(part: Callable[[Any], Any]) -> Callable[..., Any]:
    """The sum over entries n of `x * part(angle)`, angles in units of pi, for frequencies k up to half of their number."""

    def of_line(line: list[Any]) -> list[Any]:
        size = len(line)
        angles = [[mp.mpf(2 * k * n) / size for n in range(size)] for k in range(size // 2 + 1)]
        return [mp.fsum(x * part(a) for x, a in zip(line, row, strict=True)) for row in angles]

    return along(of_line)


def spectrum_back(part: Callable[[Any], Any]) -> Callable[..., Any]:
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
    whole, through = mp.zero, zeros(scores.shape)
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        if _collapsed(path, blank) == wanted:
            chance = mp.exp(mp.fsum(logs[t][c] for t, c in enumerate(path)))
            whole += chance
            for t, c in enumerate(path):
                through[t, c] += chance
    return whole, through


def aligned(each: Callable[[Any, list[int], int], Any], keeps: bool) -> Callable[..., Any]:
    def apply(logits: Any, labels: Any, time: int, axis: int, to: int, blank: int = 0) -> Any:
        scores = np.moveaxis(logits, (to, time, axis), (-3, -2, -1))[..., 0, :, :]
        places = np.moveaxis(labels, (time, axis, to), (-3, -2, -1))[..., 0, 0, :]
        result = np.empty(scores.shape if keeps else (*scores.shape[:-2], 1, 1), dtype=object)
        for at in np.ndindex(scores.shape[:-2]):
            result[at] = each(scores[at], [int(c) for c in places[at] if c != blank], blank)
        return np.moveaxis(result[..., None, :, :], (-3, -2, -1), (to, time, axis))

    return apply


def ctc(scores: Any, wanted: list[int], blank: int) -> Any:
    chance = _read(scores, wanted, blank)[0]
    return -mp.log(chance) if chance else INF


def ctc_gradient(scores: Any, wanted: list[int], blank: int) -> Any:
    chance, through = _read(scores, wanted, blank)
    powers = np.frompyfunc(mp.exp, 1, 1)(scores)
    return powers / np.sum(powers, axis=-1, keepdims=True) - through / chance if chance else zeros(scores.shape)
