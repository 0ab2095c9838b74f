"""Shims of softmax and its kin: `lossdsl.ops.shares` says what they are, and why in this way."""

from __future__ import annotations

from typing import Any

from lossdsl.backends import live_ops as ops
from lossdsl.backends.shims_gamma import (
    digamma_gap,
    exp_below,
    far_edge,
    lgamma1p,
    lgamma2p,
    lgamma_exp,
    lgamma_positive,
    stirling,
)
from lossdsl.backends.shims_near import exp_rest
from lossdsl.backends.shims_squares import may_look, usually


def powers(x: Any, axis: Any) -> tuple[Any, ...]:
    """The largest x, the others less that, exponentials of those, and what their sum is more than 1.

    That is summed without the 1 of the largest where no other one is as large.
    """
    largest = ops.maximum(ops.max(x, axis=axis, keepdims=True), -3.4028234663852886e38)
    below = x - largest
    exponentials = ops.exp(below)
    total = ops.sum(exponentials, axis=axis, keepdims=True)
    others = ops.sum(exponentials - ops.floor(exponentials), axis=axis, keepdims=True)
    return largest, below, exponentials, ops.where(total < 2.0, others, total - 1.0)


def log_softmax(x: Any, axis: Any) -> Any:
    """x less `logsumexp`, with the digits of the largest where all others are far below it."""
    _, below, _, rest = powers(x, axis)
    return below - ops.log1p(rest)


def log_softmax_pull(x: Any, g: Any, axis: Any) -> Any:
    """g - softmax(x) * sum(g); what is left of an entry that has nearly all, and all of g, is of the others."""
    _, _, exponentials, rest = powers(x, axis)
    return (g * rest + (g - exponentials * ops.sum(g, axis=axis, keepdims=True))) / (1.0 + rest)


def softmax_others(x: Any, axis: Any) -> Any:
    """1 - softmax(x); of an entry with more than half, from the others alone."""
    share, most, whole, second, exponentials = others(x, axis)
    left = ops.exp(second - whole) * ops.sum(exponentials, axis=axis, keepdims=True)
    return ops.where(most, left, 1.0 - share)


def log_softmax_others(x: Any, axis: Any) -> Any:
    """log(1 - softmax(x)); of an entry with more than half, from the others alone."""
    share, most, whole, second, exponentials = others(x, axis)
    gap = second + ops.log(ops.sum(exponentials, axis=axis, keepdims=True)) - whole
    return ops.where(most, gap, ops.log1p(-ops.minimum(share, 0.5)))


def log_softmax_others_pull(x: Any, g: Any, axis: Any) -> Any:
    """The gradient of `log_softmax_others`: one with more than half moves the others by their shares of the rest."""
    share, most, _, _, exponentials = others(x, axis)
    total = ops.sum(exponentials, axis=axis, keepdims=True)
    given = ops.sum(ops.where(most, g * share, 0.0), axis=axis, keepdims=True)
    odds = ops.where(most, 0.0, g * share / (1.0 - ops.minimum(share, 0.5)))
    moved = share * (ops.sum(odds, axis=axis, keepdims=True) - odds - g)
    return moved + exponentials * (given / ops.maximum(total, 1.0))


def others(x: Any, axis: Any) -> tuple[Any, ...]:
    """softmax(x), where it is more than half, the logarithm of its sum less the largest x, and of all but the former
    the largest less that x, and exponentials by it.
    """
    _, below, exponentials, rest = powers(x, axis)
    share = exponentials / (1.0 + rest)
    most = share > 0.5
    left = ops.where(most, -float("inf"), below)
    second = ops.maximum(ops.max(left, axis=axis, keepdims=True), -3.4028234663852886e38)
    return share, most, ops.log1p(rest), second, ops.exp(left - second)


def sum_log_softmax(x: Any, t: Any, axis: Any, keepdims: bool = False) -> Any:
    """The sum of t * log_softmax(x)."""
    _, below, _, rest = powers(x, axis)
    whole = ops.sum(t, axis=axis, keepdims=keepdims)
    rest = rest if keepdims else ops.squeeze(rest, axis=axis)
    return ops.sum(t * below, axis=axis, keepdims=keepdims) - whole * ops.log1p(rest)


def sum_log_softmax_pull(x: Any, t: Any, g: Any, axis: Any) -> Any:
    """g * (t - softmax(x) * sum(t)), as `log_softmax_pull`; g has no axis of its own."""
    _, _, exponentials, rest = powers(x, axis)
    left = t - exponentials * ops.sum(t, axis=axis, keepdims=True)
    share = g / (1.0 + rest)
    return left * share + t * (rest * share)


def softmax(x: Any, axis: Any) -> Any:
    """Shares of the sum of exponentials; Keras' own reshapes where there are several axes, and asks for sizes."""
    if not isinstance(axis, tuple):
        return ops.softmax(x, axis=axis)
    _, _, exponentials, rest = powers(x, axis)
    return exponentials / (1.0 + rest)


def softmax_pull(x: Any, g: Any, axis: Any) -> Any:
    """out * (g - sum(g * out)) for out = softmax(x): g is counted from that of the entry with more than half."""
    out = softmax(x, axis)
    apart = g - ops.sum(ops.round(out) * g, axis=axis, keepdims=True)
    return out * (apart - ops.sum(out * apart, axis=axis, keepdims=True))


def centred(x: Any, y: Any, axis: Any) -> tuple[Any, Any, Any]:
    """softmax(x), the distances from x to y less their mean by it, and the largest of those.

    They are counted from that of the entry with more than half, of which the mean would leave nothing.
    """
    share = softmax(x, axis)
    apart = ops.clip(y - x, -8e37, 8e37)  # sums of four of those are finite
    apart = apart - ops.sum(ops.round(share) * apart, axis=axis, keepdims=True)
    apart = apart - ops.sum(share * apart, axis=axis, keepdims=True)
    return share, apart, ops.max(apart, axis=axis, keepdims=True)


def if_close(most: Any, near: Any, far: Any) -> Any:
    """`near()` where `most` is 30 at most, `far()` elsewhere; computed where there is any such row alone."""

    def chosen() -> Any:
        return ops.where(most <= 30.0, near(), far())

    return usually(40.0 - most, 10.0, near, chosen) if may_look(most) else chosen()


def softmax_divergence(x: Any, y: Any, axis: Any) -> Any:
    """The divergence of softmax(y) from softmax(x), without the terms of first order, which cancel."""
    y = ops.minimum(y, 3.4028234663852886e38)  # or else XLA computes it anew where the largest is taken off
    share, apart, most = centred(x, y, axis)

    def near() -> Any:
        return ops.log1p(ops.sum(share * exp_rest(ops.minimum(apart, 30.0)), axis=axis, keepdims=True))

    def far() -> Any:
        whole = ops.sum(share * (log_softmax(x, axis) - log_softmax(y, axis)), axis=axis, keepdims=True)
        return ops.maximum(whole, 0)  # terms of first order cancel here as well, though something is far away

    return if_close(most, near, far)


def softmax_gap(x: Any, y: Any, axis: Any) -> Any:
    """softmax(y) - softmax(x), by the ratio of the two where x and y are near."""
    y = ops.minimum(y, 3.4028234663852886e38)  # or else XLA computes it anew where the largest is taken off
    share, apart, most = centred(x, y, axis)

    def near() -> Any:
        close = ops.minimum(apart, 30.0)
        whole = ops.sum(share * exp_rest(close), axis=axis, keepdims=True)
        return share * ((ops.expm1(close) - whole) / (1.0 + whole))

    def far() -> Any:
        other = softmax(y, axis)
        gap = other - share
        # all gaps add up to 0: what is left of an entry that has nearly all in both is that of the others
        return gap - ops.round(share) * ops.round(other) * ops.sum(gap, axis=axis, keepdims=True)

    return if_close(most, near, far)


def logsumexp(x: Any, axis: Any, keepdims: bool = False) -> Any:
    """log of the sum of exponentials, with all digits where it is nearly 0."""
    largest, _, _, rest = powers(x, axis)
    result = largest + ops.log1p(rest)
    return result if keepdims else ops.squeeze(result, axis=axis)


def others_sum(x: Any, axis: Any) -> Any:
    """For each value the sum of all others along the axes, also beside one that is far larger than they are."""
    size = ops.abs(x)
    most = size > 0.5 * ops.sum(size, axis=axis, keepdims=True)
    rest = ops.sum(ops.where(most, 0.0, x), axis=axis, keepdims=True)
    return ops.where(most, rest, ops.sum(x, axis=axis, keepdims=True) - x)


def log_dirichlet(x: Any, axis: Any) -> Any:
    """Sum of log gamma(exp(x)), less log gamma of the sum of exp(x).

    By Stirling's series where that sum is large: there exp(x) times the logarithm of its share is all that is large.
    """
    (least, edge), constant = far_edge(x), 0.9189385332046727
    power, whole = exp_below(x), logsumexp(x, axis, keepdims=True)
    total = exp_below(whole)
    large = power * log_softmax(x, axis) - 0.5 * x + (constant + stirling(ops.maximum(power, least)))
    small = lgamma_exp(ops.minimum(x, edge))
    far = ops.sum(ops.where(x < edge, small + power * (1.0 - whole), large), axis=axis, keepdims=True)
    far = far + 0.5 * whole - (constant + stirling(ops.maximum(total, least)))
    near = ops.sum(small, axis=axis, keepdims=True) - lgamma_of_sum(x, whole, axis)
    return ops.where(whole < edge, near, far)


def lgamma_of_sum(x: Any, whole: Any, axis: Any) -> Any:
    """log gamma of the sum of exp(x), while that is small; `whole` is its logarithm. Two that are nearly 1 make 0."""
    edge = far_edge(x)[1]
    total = ops.exp(ops.minimum(whole, edge))
    beside_two = ops.sum(ops.expm1(ops.minimum(x, edge)), axis=axis, keepdims=True)
    beside_two = beside_two + (ops.sum(ops.ones_like(x), axis=axis, keepdims=True) - 2.0)
    tiny = total < 0.6
    found = lgamma_positive(ops.where(tiny, 1.0 + total, total))
    found = ops.where(tiny, lgamma1p(ops.minimum(total, 0.6)) - whole, found)
    return ops.where(ops.abs(beside_two) < 0.5, lgamma2p(ops.clip(beside_two, -0.5, 0.5)), found)


def log_dirichlet_slope(x: Any, axis: Any) -> Any:
    """exp(x) * (digamma(exp(x)) - digamma of the sum of exp(x)), the derivative of `log_dirichlet`."""
    power, (_, _, exponentials, rest) = exp_below(x), powers(x, axis)
    others, total = others_sum(power, axis), ops.sum(power, axis=axis, keepdims=True)
    tiny = total < 1e-30
    share = ops.where(tiny, others_sum(exponentials, axis), others) / ops.where(tiny, 1.0 + rest, total)
    return -(share + power * digamma_gap(1.0 + power, others))
