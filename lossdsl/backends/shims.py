"""What `keras.ops` lacks, in terms of it, or by the backend's own function.

An ejected file carries the text of the functions that it uses, so each stands alone: it names `keras` and
`ops` and nothing else of this file, and a backend is imported where it is needed.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def lgamma(x: Any) -> Any:
    """log |gamma(x)|."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.lgamma(x)
    if keras.backend.backend() == "jax":
        import jax

        return jax.scipy.special.gammaln(x)
    import torch

    return torch.lgamma(x)


def digamma(x: Any) -> Any:
    """Derivative of `lgamma`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.math.digamma(x)
    if keras.backend.backend() == "jax":
        import jax

        return jax.scipy.special.digamma(x)
    import torch

    return torch.digamma(x)


def trigamma(x: Any) -> Any:
    """Derivative of `digamma`; the backends have it for positive numbers, reflection does the others."""
    positive = ops.where(x > 0, x, 1.0 - x)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        value = tf.math.polygamma(tf.ones_like(positive), positive)
    elif keras.backend.backend() == "jax":
        import jax

        value = jax.scipy.special.polygamma(1, positive)
    else:
        import torch

        value = torch.polygamma(1, positive)
    pi = 3.141592653589793
    rest = ops.where(x > 0, 0.5, x - ops.round(x))
    return ops.where(x > 0, value, ops.square(pi / ops.sin(pi * rest)) - value)


def alike(x: Any, y: Any) -> tuple[Any, Any]:
    """Both as tensors of one type of floats; one of them may be a number, or whole numbers."""
    kinds = [keras.backend.standardize_dtype(v.dtype) for v in (x, y) if hasattr(v, "dtype")]
    dtype = next((kind for kind in kinds if "float" in kind), None)
    return ops.convert_to_tensor(x, dtype=dtype), ops.convert_to_tensor(y, dtype=dtype)


def xlogy(x: Any, y: Any) -> Any:
    """x * log(y), but 0 where x is 0; the logarithm never sees the y that is not used."""
    if keras.backend.backend() == "tensorflow" and not isinstance(y, keras.KerasTensor):
        import tensorflow as tf

        return tf.math.xlogy(*alike(x, y))
    unused = ops.equal(x, 0)
    return ops.where(unused, 0.0, x * ops.log(ops.where(unused, 1.0, y)))


def xdivy(x: Any, y: Any) -> Any:
    """x / y, but 0 where x is 0; the quotient never sees the y that is not used."""
    if keras.backend.backend() == "tensorflow" and not isinstance(x, keras.KerasTensor):
        import tensorflow as tf

        return tf.math.xdivy(*alike(x, y))
    unused = ops.equal(x, 0)
    return ops.where(unused, 0.0, x / ops.where(unused, 1.0, y))


def xlog1py(x: Any, y: Any) -> Any:
    """x * log1p(y), but 0 where x is 0; the logarithm never sees the y that is not used."""
    if keras.backend.backend() == "tensorflow" and not isinstance(y, keras.KerasTensor):
        import tensorflow as tf

        return tf.math.xlog1py(*alike(x, y))
    unused = ops.equal(x, 0)
    return ops.where(unused, 0.0, x * ops.log1p(ops.where(unused, 0.0, y)))


def log_cosh(x: Any) -> Any:
    """log(cosh(x)) without terms that cancel near 0, or overflow far from it."""
    size = ops.abs(x)
    near = -0.5 * ops.log1p(-ops.square(ops.tanh(ops.minimum(size, 1.0))))
    return ops.where(size < 1.0, near, size + ops.softplus(-2.0 * size) - 0.6931471805599453)


def log_bernoulli(x: Any, z: Any) -> Any:
    """x * log_sigmoid(z) + (1 - x) * log_sigmoid(-z), with one logarithm, and no terms that cancel.

    Where z is 0 both choices are those of one side, so that a framework's derivative is right there too.
    """
    positive = z > 0
    return z * (x - ops.cast(positive, z.dtype)) - ops.softplus(ops.where(positive, -z, z))


def times_exp(x: Any, y: Any) -> Any:
    """x * exp(y), the exponential in two halves: neither is infinite where x is small, nor 0 where x is large."""
    furthest = 1417.0 if keras.backend.standardize_dtype(y.dtype) == "float64" else 177.0
    half = ops.exp(0.5 * ops.minimum(y, furthest))
    return x * half * half


def softmax(x: Any, axis: tuple[int, ...]) -> Any:
    """Shares of the sum of exponentials over several axes; under XLA a difference from the largest can exceed 0."""
    powers = ops.exp(ops.minimum(x - ops.max(x, axis=axis, keepdims=True), 0.0))
    return powers / ops.sum(powers, axis=axis, keepdims=True)


def normalize(x: Any, axis: int) -> Any:
    """x divided by its length along an axis, but 0 where the length is 0; the root never sees that 0."""
    total = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.where(ops.equal(total, 0), 1.0, total))


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
    values = values * ops.where(once, 1.0, 0.5)
    parts = (ops.zeros_like(values), values) if imaginary else (values, ops.zeros_like(values))
    found = ops.irfft(parts, fft_length=entries) * ops.cast(entries, values.dtype)
    return ops.moveaxis(found, -1, axis)


def ctc_sequences(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> tuple[Any, ...]:
    """Log probabilities (sequences, times, classes); states, and which are skipped to, first and last ones."""
    scores = ops.squeeze(ops.moveaxis(logits, (to, time, axis), (-3, -2, -1)), -3)
    places = ops.squeeze(ops.moveaxis(labels, (time, axis, to), (-3, -2, -1)), (-3, -2))
    logs = ops.log_softmax(ops.reshape(scores, (-1, *ops.shape(scores)[-2:])), axis=-1)
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
    return logs, states, ops.pad(skips, ((0, 0), (2, 0))), first, last


def ctc_ways(emitted: Any, first: Any, skips: Any) -> Any:
    """Logs of the probabilities of all ways from the start (times, sequences, states), each state's own left in."""
    nothing = -1e30

    def shifted(values: Any, by: int) -> Any:
        return ops.pad(values[:, :-by], ((0, 0), (by, 0)), constant_values=nothing)

    def step(before: Any, here: Any) -> Any:
        twice = ops.where(skips, shifted(before, 2), nothing)
        after = ops.logaddexp(ops.logaddexp(before, shifted(before, 1)), twice) + here
        after = ops.maximum(after, nothing)
        return after, after

    start = ops.where(first, emitted[0], nothing)
    rest = ops.scan(step, start, emitted[1:])[1]
    return ops.concatenate([ops.expand_dims(start, 0), rest], axis=0)


def ctc_whole(ways: Any, last: Any) -> Any:
    """The log of the probability of all ways to the end of each sequence."""
    return ops.logsumexp(ops.where(last, ways[-1], -1e30), axis=-1)


def ctc_emitted(logs: Any, states: Any) -> Any:
    """The log probability of each state's label (times, sequences, states)."""
    times = ops.shape(logs)[1]
    wide = ops.broadcast_to(ops.expand_dims(states, 1), (ops.shape(states)[0], times, ops.shape(states)[1]))
    return ops.swapaxes(ops.take_along_axis(logs, wide, axis=-1), 0, 1)


def ctc_loss(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> Any:
    """-log of the probability that sequences of scores read as the labels."""
    logs, states, skips, first, last = ctc_sequences(logits, labels, blank, time, axis, to)
    whole = ctc_whole(ctc_ways(ctc_emitted(logs, states), first, skips), last)
    loss = ops.where(whole > -1e29, -whole, float("inf"))
    shape = list(ops.shape(logits))
    for position in (time, axis):
        shape[position] = 1
    return ops.reshape(loss, shape)


def ctc_gradient(logits: Any, labels: Any, blank: int, time: int, axis: int, to: int) -> Any:
    """Probabilities less the share of the alignments that each has; 0 where there is no alignment."""
    logs, states, skips, first, last = ctc_sequences(logits, labels, blank, time, axis, to)
    emitted = ctc_emitted(logs, states)
    ahead = ctc_ways(emitted, first, skips)
    turned = ops.pad(ops.flip(skips[:, 2:], axis=1), ((0, 0), (2, 0)))
    back = ops.flip(ctc_ways(ops.flip(emitted, axis=(0, 2)), ops.flip(last, axis=1), turned), axis=(0, 2))
    whole = ctc_whole(ahead, last)
    shares = ops.exp(ops.minimum(ahead + back - emitted - ops.reshape(whole, (1, -1, 1)), 0.0))
    classes = ops.one_hot(states, ops.shape(logs)[-1], dtype=logs.dtype)
    found = ops.exp(logs) - ops.einsum("tns,nsc->ntc", shares, classes)
    found = ops.where(ops.reshape(whole > -1e29, (-1, 1, 1)), found, 0.0)
    scores = ops.shape(ops.moveaxis(logits, (to, time, axis), (-3, -2, -1)))
    return ops.moveaxis(ops.reshape(found, scores), (-3, -2, -1), (to, time, axis))
