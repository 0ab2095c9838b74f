"""Shims of connectionist temporal classification: the alignments of a sequence, forward and back.

Weights of alignments count from the largest at every time, so that no digits are lost in a long sequence, or to scores
that all alignments have in common (Graves et al. 2006, section 4.1, where what scales them is a sum).
"""

from __future__ import annotations

from typing import Any

from keras import ops

from lossdsl.backends.shims_shares import others_sum, powers, softmax


def ctc_sequences(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> tuple[Any, ...]:
    """Scores (sequences, times, classes); states, and which are skipped to, first and last ones."""
    scores = ops.squeeze(ops.moveaxis(logits, (to, time, axis), (-3, -2, -1)), -3)
    places = ops.squeeze(ops.moveaxis(labels, (time, axis, to), (-3, -2, -1)), (-3, -2))
    scores = ops.reshape(scores, (-1, *ops.shape(scores)[-2:]))
    count = ops.shape(places)[-1]
    places = ops.cast(ops.reshape(places, (-1, count)), "int32")
    padding = ops.cast(ops.equal(places, blank), "int32")
    order = ops.sort(ops.arange(count, dtype="int32") + count * padding, axis=-1) % count
    places = ops.take_along_axis(places, order, axis=-1)
    states = ops.reshape(ops.stack([ops.full_like(places, blank), places], axis=-1), (-1, 2 * count))
    states = ops.pad(states, ((0, 0), (0, 1)), constant_values=blank)
    skips = ops.logical_and(ops.not_equal(states[:, 2:], blank), ops.not_equal(states[:, 2:], states[:, :-2]))
    ends = 2 * (count - ops.sum(padding, axis=-1, keepdims=True))
    at = ops.arange(2 * count + 1, dtype="int32")
    first = ops.logical_and(at < 2, at <= ends)
    last = ops.logical_or(ops.equal(at, ends), ops.equal(at, ends - 1))
    return scores, states, ops.pad(skips, ((0, 0), (2, 0))), first, last


def ctc_ways(emitted: Any, first: Any, skips: Any) -> tuple[Any, Any]:
    """Logs of the weights of all ways from the start (times, sequences, states), each state's own left in.

    At every time less the largest, so that they stay near 0 however long the sequence is; then what was taken off.
    """
    nothing = -1e37

    def shifted(values: Any, by: int) -> Any:
        return ops.pad(values[:, :-by], ((0, 0), (by, 0)), constant_values=nothing)

    def scaled(values: Any) -> Any:
        largest = ops.max(values, axis=-1, keepdims=True)
        return ops.concatenate([ops.maximum(values - largest, nothing), largest], axis=-1)

    def step(before: Any, here: Any) -> Any:
        ways = before[:, :-1]
        twice = ops.where(skips, shifted(ways, 2), nothing)
        after = scaled(ops.logaddexp(ops.logaddexp(ways, shifted(ways, 1)), twice) + here)
        return after, after

    start = scaled(ops.where(first, emitted[0], nothing))
    rest = ops.scan(step, start, emitted[1:])[1]
    whole = ops.concatenate([ops.expand_dims(start, 0), rest], axis=0)
    return whole[..., :-1], whole[..., -1:]


def ctc_whole(ways: Any, last: Any) -> Any:
    """The log of the weight of all ways to the end of each sequence, less what was taken off; -1e37 for none."""
    return ops.logsumexp(ops.where(last, ways[-1], -1e37), axis=-1)


def ctc_emitted(scores: Any, states: Any) -> tuple[Any, Any]:
    """The score of each state's label (times, sequences, states), less the largest at that time; and those."""
    times = ops.shape(scores)[1]
    wide = ops.broadcast_to(ops.expand_dims(states, 1), (ops.shape(states)[0], times, ops.shape(states)[1]))
    emitted = ops.swapaxes(ops.take_along_axis(ops.maximum(scores, -1e36), wide, axis=-1), 0, 1)
    largest = ops.max(emitted, axis=-1, keepdims=True)
    return emitted - largest, largest


def ctc_loss(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> Any:
    """-log of the probability that sequences of scores read as the labels."""
    scores, states, skips, first, last = ctc_sequences(logits, labels, blank, time, axis, to)
    emitted, of_labels = ctc_emitted(scores, states)
    ways, taken_off = ctc_ways(emitted, first, skips)
    of_all, _, _, rest = powers(scores, -1)
    others = ops.log1p(rest) + (of_all - ops.swapaxes(of_labels, 0, 1))
    whole = ctc_whole(ways, last)
    loss = ops.sum(others, axis=(1, 2)) - (whole + ops.sum(taken_off, axis=(0, 2)))
    loss = ops.where(whole > -1e36, loss, float("inf"))
    shape = list(ops.shape(logits))
    for position in (time, axis):
        shape[position] = 1
    return ops.reshape(loss, shape)


def ctc_gradient(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> Any:
    """Probabilities less the share of the alignments that each has; 0 where there is no alignment.

    Of a class with more than half, by what all others have.
    """
    scores, states, skips, first, last = ctc_sequences(logits, labels, blank, time, axis, to)
    emitted = ctc_emitted(scores, states)[0]
    ahead = ctc_ways(emitted, first, skips)[0]
    turned = ops.pad(ops.flip(skips[:, 2:], axis=1), ((0, 0), (2, 0)))
    back = ctc_ways(ops.flip(emitted, axis=(0, 2)), ops.flip(last, axis=1), turned)[0]
    of_states = ops.softmax(ahead + ops.flip(back, axis=(0, 2)) - emitted, axis=-1)
    chances = softmax(scores, -1)
    classes = ops.one_hot(states, ops.shape(scores)[-1], dtype=chances.dtype)
    shares = ops.einsum("tns,nsc->ntc", of_states, classes)
    found = ops.where(chances > 0.5, others_sum(shares, -1) - others_sum(chances, -1), chances - shares)
    found = ops.where(ops.reshape(ctc_whole(ahead, last) > -1e36, (-1, 1, 1)), found, 0.0)
    whole = ops.shape(ops.moveaxis(logits, (to, time, axis), (-3, -2, -1)))
    return ops.moveaxis(ops.reshape(found, whole), (-3, -2, -1), (to, time, axis))
