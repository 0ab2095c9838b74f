"""What `keras.ops` lacks, in terms of it, or by the backend's own function.

An ejected file carries the text of the functions that it uses, so each stands alone: it names `keras` and
`ops` and nothing else of this file, and a backend is imported where it is needed.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lossdsl.backends.shims_ctc import ctc_gradient as ctc_gradient
from lossdsl.backends.shims_ctc import ctc_loss as ctc_loss
from lossdsl.backends.shims_gamma import digamma as digamma
from lossdsl.backends.shims_gamma import digamma_gap as digamma_gap
from lossdsl.backends.shims_gamma import digamma_rise as digamma_rise
from lossdsl.backends.shims_gamma import exp_digamma as exp_digamma
from lossdsl.backends.shims_gamma import exp_digamma_gap as exp_digamma_gap
from lossdsl.backends.shims_gamma import gamma_entropy as gamma_entropy
from lossdsl.backends.shims_gamma import gamma_entropy_slope as gamma_entropy_slope
from lossdsl.backends.shims_gamma import lgamma as lgamma
from lossdsl.backends.shims_gamma import lgamma_exp as lgamma_exp
from lossdsl.backends.shims_gamma import lgamma_rise as lgamma_rise
from lossdsl.backends.shims_gamma import lgamma_rise_slope as lgamma_rise_slope
from lossdsl.backends.shims_gamma import log_beta_exp as log_beta_exp
from lossdsl.backends.shims_gamma import trigamma as trigamma
from lossdsl.backends.shims_gamma import trigamma_gap as trigamma_gap
from lossdsl.backends.shims_near import curve as curve
from lossdsl.backends.shims_near import deviance as deviance
from lossdsl.backends.shims_near import deviance1p as deviance1p
from lossdsl.backends.shims_near import exp_rest as exp_rest
from lossdsl.backends.shims_near import less_power as less_power
from lossdsl.backends.shims_near import log1m_exp as log1m_exp
from lossdsl.backends.shims_near import log1p_difference as log1p_difference
from lossdsl.backends.shims_near import log1p_rest as log1p_rest
from lossdsl.backends.shims_near import log_difference as log_difference
from lossdsl.backends.shims_near import log_quotient as log_quotient
from lossdsl.backends.shims_near import log_ratio as log_ratio
from lossdsl.backends.shims_near import part as part
from lossdsl.backends.shims_near import ratio_rest as ratio_rest
from lossdsl.backends.shims_near import xexp_rest as xexp_rest
from lossdsl.backends.shims_near import xlog_ratio as xlog_ratio
from lossdsl.backends.shims_products import alike as alike
from lossdsl.backends.shims_products import xdivy as xdivy
from lossdsl.backends.shims_products import xlog1py as xlog1py
from lossdsl.backends.shims_products import xlogy as xlogy
from lossdsl.backends.shims_shares import log_dirichlet as log_dirichlet
from lossdsl.backends.shims_shares import log_dirichlet_slope as log_dirichlet_slope
from lossdsl.backends.shims_shares import log_softmax as log_softmax
from lossdsl.backends.shims_shares import log_softmax_others as log_softmax_others
from lossdsl.backends.shims_shares import log_softmax_others_pull as log_softmax_others_pull
from lossdsl.backends.shims_shares import log_softmax_pull as log_softmax_pull
from lossdsl.backends.shims_shares import logsumexp as logsumexp
from lossdsl.backends.shims_shares import others_sum as others_sum
from lossdsl.backends.shims_shares import softmax as softmax
from lossdsl.backends.shims_shares import softmax_divergence as softmax_divergence
from lossdsl.backends.shims_shares import softmax_gap as softmax_gap
from lossdsl.backends.shims_shares import softmax_others as softmax_others
from lossdsl.backends.shims_shares import softmax_pull as softmax_pull
from lossdsl.backends.shims_shares import sum_log_softmax as sum_log_softmax
from lossdsl.backends.shims_shares import sum_log_softmax_pull as sum_log_softmax_pull
from lossdsl.backends.shims_squares import centered as centered
from lossdsl.backends.shims_squares import cosine_distance as cosine_distance
from lossdsl.backends.shims_squares import damped as damped
from lossdsl.backends.shims_squares import hypot as hypot
from lossdsl.backends.shims_squares import hypotm1 as hypotm1
from lossdsl.backends.shims_squares import log1p_square as log1p_square
from lossdsl.backends.shims_squares import nonzero as nonzero
from lossdsl.backends.shims_squares import norm as norm
from lossdsl.backends.shims_squares import normalize as normalize
from lossdsl.backends.shims_squares import over_hypot as over_hypot
from lossdsl.backends.shims_squares import serpentine as serpentine
from lossdsl.backends.shims_squares import square_share as square_share
from lossdsl.backends.shims_squares import std as std
from lossdsl.backends.shims_tails import erf as erf
from lossdsl.backends.shims_tails import erfinv as erfinv
from lossdsl.backends.shims_tails import exp_softplus as exp_softplus
from lossdsl.backends.shims_tails import exp_softplus_slope as exp_softplus_slope
from lossdsl.backends.shims_tails import log_normal_cdf as log_normal_cdf
from lossdsl.backends.shims_tails import logaddexp_gap as logaddexp_gap
from lossdsl.backends.shims_tails import normal_ratio as normal_ratio
from lossdsl.backends.shims_tails import sigmoid_gap as sigmoid_gap


def elu(x: Any, alpha: float) -> Any:
    """x above 0, alpha * (exp(x) - 1) below; TensorFlow's own has no digits near 0."""
    return ops.where(x > 0, x, alpha * ops.expm1(ops.minimum(x, 0.0)))


def log_cosh(x: Any) -> Any:
    """log(cosh(x)) without terms that cancel near 0, or overflow far from it."""
    size = ops.abs(x)
    near = -0.5 * ops.log1p(-ops.square(ops.tanh(ops.minimum(size, 1.0))))
    return ops.where(size < 1.0, near, size + ops.softplus(-2.0 * size) - 0.6931471805599453)


def log_bernoulli(x: Any, z: Any) -> Any:
    """x * log_sigmoid(z) + (1 - x) * log_sigmoid(-z), with one logarithm, and no terms that cancel.

    Where z is 0 both choices are those of one side, so that a framework's derivative is right there too.
    """
    positive = ops.cast(z > 0, z.dtype)
    return z * (x - positive) - ops.log1p(ops.exp(z * (1.0 - 2.0 * positive)))


def less_sigmoid(x: Any, z: Any) -> Any:
    """x - sigmoid(z), by the smaller of the two probabilities, and the label's distance from the nearer end."""
    positive = ops.cast(z > 0, z.dtype)
    sign = 1.0 - 2.0 * positive
    return (x - positive) - sign * ops.sigmoid(z * sign)


def times_exp(x: Any, y: Any) -> Any:
    """x * exp(y), the exponential in two halves: neither is infinite where x is small, nor 0 where x is large."""
    furthest = 1417.0 if keras.backend.standardize_dtype(y.dtype) == "float64" else 177.0
    half = ops.exp(0.5 * ops.minimum(y, furthest))
    # what is no bound keeps TensorFlow from squaring the half where it finds x to be constant
    return ops.minimum(x * half, float("inf")) * half


def exp_difference(x: Any, y: Any) -> Any:
    """exp(x) - exp(y), by the larger one and the distance."""
    size = ops.exp(ops.maximum(x, y)) * ops.expm1(-ops.abs(x - y))
    return ops.where(x < y, size, -size)


def others_prod(x: Any, axis: int | tuple[int, ...]) -> Any:
    """For each value, the product of all others along the axes; no division, so that zeros are no trouble."""

    def products(values: Any, along: int) -> Any:
        # TensorFlow's own derivative of cumprod is wrong at a zero; products of neighbours, doubled, have none
        if values.shape[along] is None:
            return ops.cumprod(values, axis=along)
        every, step = (slice(None),) * along, 1
        while step < values.shape[along]:
            ones = ops.ones_like(values[(*every, slice(0, step))])
            behind = values[(*every, slice(None, -step))]
            values = values * ops.concatenate([ones, behind], axis=along)
            step *= 2
        return values

    axes = [a % len(x.shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    result = ops.ones_like(x)
    for done, current in enumerate(axes):
        # the others on this axis, each with all of the axes that come after it; those are next
        rest = tuple(axes[done + 1 :])
        whole = ops.prod(x, axis=rest, keepdims=True) if rest else x
        every = (slice(None),) * current
        one = ops.ones_like(whole[(*every, slice(0, 1))])
        but_last = whole[(*every, slice(None, -1))]
        but_first = ops.flip(whole[(*every, slice(1, None))], axis=current)
        before = products(ops.concatenate([one, but_last], axis=current), current)
        after = products(ops.concatenate([one, but_first], axis=current), current)
        result = result * before * ops.flip(after, axis=current)
    return result


def size(x: Any, axis: tuple[int, ...]) -> Any:
    """The number of entries along axes."""
    count = 1
    for position in axis:
        count = count * ops.shape(x)[position]
    return count


def index(x: Any, axis: int) -> Any:
    """0, 1, 2, ... along an axis, size 1 along all others."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(ops.arange(ops.shape(x)[axis], dtype="int32"), shape)


def top_k(x: Any, k: int, axis: int) -> Any:
    """The k largest values along an axis, the largest first."""
    return ops.moveaxis(ops.top_k(ops.moveaxis(x, axis, -1), k)[0], -1, axis)


def top_k_indices(x: Any, k: int, axis: int) -> Any:
    """The places of the k largest values along an axis, the largest first."""
    return ops.moveaxis(ops.top_k(ops.moveaxis(x, axis, -1), k)[1], -1, axis)


def select(x: Any, index: int, axis: int) -> Any:
    """One entry of an axis, which keeps size 1."""
    axis = axis % len(x.shape)
    # by its number, not as a slice of one: a traced size that is not known yet stays 1
    return ops.expand_dims(x[(slice(None),) * axis + (index,)], axis)


def slice_along(x: Any, start: int | None, stop: int | None, axis: int) -> Any:
    """Part of an axis."""
    axis = axis % len(x.shape)
    return x[(slice(None),) * axis + (slice(start, stop),)]


def pad_select(x: Any, like: Any, index: int, axis: int) -> Any:
    """Zeros shaped as `like`, with x at one place of an axis."""
    every = (slice(None),) * (axis % len(x.shape))
    parts = [ops.zeros_like(like[(*every, slice(None, index))]), x]
    if index != -1:
        parts.append(ops.zeros_like(like[(*every, slice(index + 1, None))]))
    return ops.concatenate(parts, axis=axis)


def pad_slice(x: Any, like: Any, start: int | None, stop: int | None, axis: int) -> Any:
    """Zeros shaped as `like`, with x at some places of an axis."""
    every = (slice(None),) * (axis % len(x.shape))
    before = ops.zeros_like(like[(*every, slice(0, start if start is not None else 0))])
    parts = [before, x]
    if stop is not None:
        parts.append(ops.zeros_like(like[(*every, slice(stop, None))]))
    return ops.concatenate(parts, axis=axis)


def scatter_add(x: Any, like: Any, indices: Any) -> Any:
    """Zeros shaped as a table, with each value added at the place its index names."""
    places = ops.reshape(ops.broadcast_to(indices, ops.shape(x)), (-1,))
    found = ops.segment_sum(ops.reshape(x, (-1,)), places, num_segments=ops.size(like))
    return ops.reshape(found, ops.shape(like))


def scatter_along_axis(x: Any, like: Any, indices: Any, axis: int) -> Any:
    """Zeros shaped as `like`, with each value added where its index points along the axis."""
    if indices.shape[axis] == 1:  # nothing to add up: one place for each
        shape = [1] * len(like.shape)
        shape[axis] = -1
        places = ops.reshape(ops.arange(ops.shape(like)[axis], dtype=indices.dtype), shape)
        return ops.where(ops.equal(places, indices), x, ops.cast(0, x.dtype))
    values = ops.moveaxis(x, axis, -1)
    places = ops.moveaxis(ops.broadcast_to(indices, ops.shape(x)), axis, -1)
    target = ops.shape(ops.moveaxis(like, axis, -1))
    rows = ops.reshape(places, (-1, ops.shape(places)[-1]))
    count = ops.shape(rows)[0]
    flat = rows + target[-1] * ops.expand_dims(ops.arange(count, dtype=rows.dtype), -1)
    values, flat = ops.reshape(values, (-1,)), ops.reshape(flat, (-1,))
    found = ops.segment_sum(values, flat, num_segments=count * target[-1])
    return ops.moveaxis(ops.reshape(found, target), -1, axis)


def window_places(x: Any, size: int, step: int, reflect: int, axis: int) -> Any:
    """Which entry stands where in which window; mirrored ones beyond the ends."""
    last = ops.shape(x)[axis] - 1
    count = (last + 1 + 2 * reflect - size) // step + 1
    starts = step * ops.arange(count, dtype="int32") - reflect
    places = ops.abs(ops.expand_dims(starts, 1) + ops.arange(size, dtype="int32"))
    return last - ops.abs(last - places)


def windows(x: Any, size: int, step: int, reflect: int, axis: int, to: int) -> Any:
    """The entries of every window along an axis, on an axis that had size 1."""
    axis, to = axis % len(x.shape), to % len(x.shape)
    apart = ops.take(x, window_places(x, size, step, reflect, axis), axis=axis)
    inside = ops.moveaxis(apart, axis + 1, -1)
    return ops.squeeze(ops.swapaxes(inside, to, -1), -1)


def unwindows(x: Any, like: Any, size: int, step: int, reflect: int, axis: int, to: int) -> Any:
    """For each entry the sum of what stands for it in all windows."""
    places = ops.reshape(window_places(like, size, step, reflect, axis), (-1,))
    values = ops.moveaxis(x, (axis, to), (0, 1))
    rest = ops.shape(values)[2:]
    values = ops.reshape(values, (ops.shape(places)[0], -1))
    found = ops.segment_sum(values, places, num_segments=ops.shape(like)[axis])
    return ops.moveaxis(ops.reshape(found, (ops.shape(like)[axis], 1, *rest)), (0, 1), (axis, to))


def rfft_real(x: Any, axis: int) -> Any:
    """Real parts of the Fourier transform along an axis."""
    return ops.moveaxis(ops.rfft(ops.moveaxis(x, axis, -1))[0], -1, axis)


def rfft_imag(x: Any, axis: int) -> Any:
    """Imaginary parts of the Fourier transform along an axis."""
    return ops.moveaxis(ops.rfft(ops.moveaxis(x, axis, -1))[1], -1, axis)


def rfft_transposed(x: Any, like: Any, axis: int, imaginary: bool) -> Any:
    """What the real, or the imaginary, parts of frequencies say of the entries."""
    entries = ops.shape(like)[axis]
    values = ops.moveaxis(x, axis, -1)
    places = ops.arange(ops.shape(values)[-1], dtype="int32")
    once = ops.logical_or(ops.equal(places, 0), ops.equal(2 * places, entries))
    values = ops.where(once, values, 0.5 * values)
    parts = (ops.zeros_like(values), values) if imaginary else (values, ops.zeros_like(values))
    found = ops.irfft(parts, fft_length=entries) * ops.cast(entries, values.dtype)
    return ops.moveaxis(found, -1, axis)
