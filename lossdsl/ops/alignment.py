"""Rows: labels aligned with the times of a sequence, over all the ways there are (Graves et al. 2006)."""

from __future__ import annotations

import math

import numpy as np

from lossdsl.interval import Interval
from lossdsl.ops.along import log_softmax
from lossdsl.ops.op import (
    BACKEND,
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    PRIMITIVE,
    ZERO,
    Array,
    Curvature,
    Family,
    Inner,
    Monotone,
    Op,
)


def _forward(logs: Array, states: Array, skips: Array) -> Array:
    """The log of the probability of all ways to be in a state at a time, from the start."""
    found = np.full((len(logs), len(states)), -math.inf)
    found[0, :2] = logs[0, states[:2]]
    for t in range(1, len(logs)):
        before = found[t - 1]
        once = np.concatenate([[-math.inf], before[:-1]])
        twice = np.where(skips, np.concatenate([[-math.inf, -math.inf], before])[: len(states)], -math.inf)
        found[t] = np.logaddexp(np.logaddexp(before, once), twice) + logs[t, states]
    return found


def _paths(scores: Array, labels: Array, blank: int) -> tuple[Array, Array, Array, Array]:
    """For one sequence: log probabilities, states, and the log probability of all ways up to, and from, each."""
    logs = log_softmax(scores, axis=-1)
    real = labels[labels != blank].astype(int)
    states = np.full(2 * len(real) + 1, blank)
    states[1::2] = real
    skips = np.concatenate([[False, False], (states[2:] != blank) & (states[2:] != states[:-2])])[: len(states)]
    ahead = _forward(logs, states, skips)
    turned = np.concatenate([[False, False], skips[2:][::-1]])[: len(states)]
    back = _forward(logs[::-1], states[::-1], turned)[::-1, ::-1] - logs[:, states]
    return logs, states, ahead, back


def _sequences(logits: Array, labels: Array, axes: tuple[int, int, int]) -> tuple[Array, Array]:
    """Times and classes last, and labels last; axes of size 1 that stand for the other's gone."""
    time, axis, to = axes
    scores = np.moveaxis(logits, (to, time, axis), (-3, -2, -1))[..., 0, :, :]
    return scores, np.moveaxis(labels, (time, axis, to), (-3, -2, -1))[..., 0, 0, :]


def _loss(logits: Array, labels: Array, blank: int, time: int, axis: int, to: int) -> Array:
    scores, places = _sequences(logits, labels, (time, axis, to))
    found = np.empty(scores.shape[:-2])
    for at in np.ndindex(found.shape):
        ahead = _paths(scores[at], places[at], blank)[2]
        found[at] = -np.logaddexp.reduce(ahead[-1, -2:])
    return np.moveaxis(found[..., None, None, None], (-3, -2, -1), (to, time, axis))


def _gradient(logits: Array, labels: Array, blank: int, time: int, axis: int, to: int) -> Array:
    scores, places = _sequences(logits, labels, (time, axis, to))
    found = np.zeros(scores.shape)
    for at in np.ndindex(scores.shape[:-2]):
        logs, states, ahead, back = _paths(scores[at], places[at], blank)
        whole = np.logaddexp.reduce(ahead[-1, -2:])
        if whole == -math.inf:
            continue
        found[at] = np.exp(logs)
        for state, label in enumerate(states):
            found[at][:, label] -= np.exp(ahead + back - whole)[:, state]
    return np.moveaxis(found[..., None, :, :], (-3, -2, -1), (to, time, axis))


def _stand_in(logits: Interval, labels: Interval, n: Interval) -> Interval:
    """-1e30 stands for no way at all; so much is added to it at every step."""
    return logits * Interval(0.0, 1e18)


ROWS = (
    Op(
        sig="ctc_loss(logits: float[*s], labels: int[*s], blank: const = 0) -> float[*s aligned]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "-log of the probability that a sequence of scores (times and classes, its last two axes) reads as the"
            " labels (their last axis), over all alignments. Labels equal to `blank` are padding. Infinite where the"
            " times are too few for the labels; the gradient is 0 there."
        ),
        example="ctc_loss([[0, 0], [0, 0]], [1]) -> 0.2876820724517809",
        latex=r"\operatorname{{ctc}}_{{{blank}}}({logits}, {labels})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.UNORDERED),
        range=lambda logits, labels, n: Interval(0.0, math.inf),
        inner=Inner(_stand_in, shifted=True),
        curvature=Curvature.NEITHER,
        grad=("g * ctc_gradient(logits, labels, blank=blank)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_loss,
        keras="shims.ctc_loss({logits}, {labels}, {blank}, {time}, {axis}, {to})",
    ),
)

INTERNAL_ROWS = (
    Op(
        sig="ctc_gradient(logits: float[*s], labels: int[*s], blank: const = 0) -> float[as scores]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="Probabilities less the share of the alignments that each has: the gradient of `ctc_loss`.",
        example="ctc_gradient([[0, 0]], [1]) -> [[0.5, -0.5]]",
        latex=r"\nabla \operatorname{{ctc}}_{{{blank}}}({logits}, {labels})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda logits, labels, n: Interval(-1.0, 1.0).widened(),
        inner=Inner(_stand_in, shifted=True),
        curvature=Curvature.NEITHER,
        grad=(BACKEND, ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_gradient,
        keras="shims.ctc_gradient({logits}, {labels}, {blank}, {time}, {axis}, {to})",
    ),
)
