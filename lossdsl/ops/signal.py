"""Rows: windows that slide along an axis, and the Fourier transform of an axis."""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import Interval
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    ZERO,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)
from lossdsl.ops.reduction import SUM_ULPS


def _places(entries: int, size: int, step: int, reflect: int) -> Array:
    """Which entry stands where in which window; mirrored ones beyond the ends."""
    count = (entries + 2 * reflect - size) // step + 1
    places = np.abs(step * np.arange(count)[:, None] + np.arange(size) - reflect)
    return (entries - 1) - np.abs((entries - 1) - places)


def _windows(x: Array, size: int, step: int, reflect: int, axis: int, to: int) -> Array:
    apart = np.take(x, _places(np.shape(x)[axis], size, step, reflect), axis=axis % np.ndim(x))
    inside = np.moveaxis(apart, axis % np.ndim(x) + 1, -1)
    return np.squeeze(np.swapaxes(inside, to % np.ndim(x), -1), -1)


def _unwindows(x: Array, like: Array, size: int, step: int, reflect: int, axis: int, to: int) -> Array:
    values = np.moveaxis(x, (axis, to), (-2, -1))
    places = _places(np.shape(like)[axis], size, step, reflect)
    found = np.zeros((*values.shape[:-2], np.shape(like)[axis], 1))
    for window, entry in np.ndindex(places.shape):
        found[..., places[window, entry], 0] += values[..., window, entry]
    return np.moveaxis(found, (-2, -1), (axis, to))


def _transposed(x: Array, like: Array, axis: int, turn: complex) -> Array:
    """What the real (or, by a quarter turn, the imaginary) parts of frequencies say of the entries."""
    entries = np.shape(like)[axis]
    halves = np.full(entries // 2 + 1, 0.5)
    halves[0] = 1.0
    if entries % 2 == 0:
        halves[-1] = 1.0
    parts = np.moveaxis(x, axis, -1) * halves * turn
    return np.moveaxis(np.fft.irfft(parts, n=entries, axis=-1), -1, axis) * entries


def _spectrum_range(x: Interval, n: Interval) -> Interval:
    """As far as a sum of the entries, each turned, can reach."""
    most = (Interval(0.0, x.magnitude) * Interval(1.0, n.hi)).widened(SUM_ULPS).hi
    return Interval(-most, most)


def _sum_range(x: Interval, like: Interval, n: Interval) -> Interval:
    return Interval(-math.inf, math.inf)


ROWS = (
    Op(
        sig=("windows(x: T[*s], size: const, step: const = 1, reflect: const = 0, axis: axis = -1) -> T[*s, windows]"),
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "Every window of `size` entries along an axis, `step` apart: its entries lie on an axis more, the last,"
            " `window`. `reflect` entries are mirrored beyond each end first."
        ),
        example="windows([1, 2, 3], size=2, axis=0) -> [[1, 2], [2, 3]]",
        latex=r"\operatorname{{windows}}_{{{axis},{size},{step},{reflect}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("unwindows(g, x, size=size, step=step, reflect=reflect, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_windows,
        keras="shims.windows({x}, {size}, {step}, {reflect}, {axis}, {to})",
    ),
    Op(
        sig="rfft_real(x: float[*s], axis: axis = -1) -> float[*s in frequencies]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc=(
            "Real parts of the Fourier transform along an axis: `sum(x * cos(2 * pi * k * n / size))`, for frequencies"
            " `k` from 0 to half of the entries."
        ),
        example="rfft_real([1, 2, 3, 5]) -> [11, -2, -3]",
        latex=r"\Re \mathcal{{F}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_spectrum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("rfft_real_transposed(g, x, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.fft.rfft(x, axis=axis).real,
        keras="shims.rfft_real({x}, {axis})",
    ),
    Op(
        sig="rfft_imag(x: float[*s], axis: axis = -1) -> float[*s in frequencies]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc=(
            "Imaginary parts of the Fourier transform along an axis: `-sum(x * sin(2 * pi * k * n / size))`, for"
            " frequencies `k` from 0 to half of the entries."
        ),
        example="rfft_imag([1, 2, 3, 5]) -> [0, 3, 0]",
        latex=r"\Im \mathcal{{F}}_{{{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD,),
        range=_spectrum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("rfft_imag_transposed(g, x, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, axis: np.fft.rfft(x, axis=axis).imag,
        keras="shims.rfft_imag({x}, {axis})",
    ),
)

INTERNAL_ROWS = (
    Op(
        sig=(
            "unwindows(x: T[*s], like: T[*s], size: const, step: const = 1, reflect: const = 0, axis: axis = -1)"
            " -> T[*s from windows]"
        ),
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="For each entry the sum of what stands for it in all windows: the gradient of `windows`.",
        example="unwindows([[1, 2], [3, 4]], [5, 6, 7], size=2, axis=0) -> [1, 5, 4]",
        latex=r"\operatorname{{windows}}^\top_{{{axis},{size},{step},{reflect}}}({x}, {like})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=_sum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("windows(g, size=size, step=step, reflect=reflect, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_unwindows,
        keras="shims.unwindows({x}, {like}, {size}, {step}, {reflect}, {axis}, {to})",
    ),
    Op(
        sig="rfft_real_transposed(x: float[*s], like: float[*s], axis: axis = -1) -> float[as second]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc="`sum(x * cos(2 * pi * k * n / size))` over frequencies `k`: the gradient of `rfft_real`.",
        example="rfft_real_transposed([1, 2, 3], [0, 0, 0, 0]) -> [6, -2, 2, -2]",
        latex=r"\Re \mathcal{{F}}^\top_{{{axis}}} ({x}, {like})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.UNORDERED),
        range=_sum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("rfft_real(g, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, like, axis: _transposed(x, like, axis, 1.0),
        keras="shims.rfft_transposed({x}, {like}, {axis}, False)",
    ),
    Op(
        sig="rfft_imag_transposed(x: float[*s], like: float[*s], axis: axis = -1) -> float[as second]",
        family=Family.ALONG,
        means=PRIMITIVE,
        doc="`-sum(x * sin(2 * pi * k * n / size))` over frequencies `k`: the gradient of `rfft_imag`.",
        example="rfft_imag_transposed([1, 2, 3], [0, 0, 0, 0]) -> [0, -2, 0, 2]",
        latex=r"\Im \mathcal{{F}}^\top_{{{axis}}} ({x}, {like})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.UNORDERED),
        range=_sum_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("rfft_imag(g, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, like, axis: _transposed(x, like, axis, 1j),
        keras="shims.rfft_transposed({x}, {like}, {axis}, True)",
    ),
)
