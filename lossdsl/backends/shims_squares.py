"""Sums of squares and what is made of them, right over the whole range of floats: part of `shims`.

A square overflows, or vanishes, for numbers that are far from doing so themselves. Every function here has a plain
form, which is right as long as no square does, and a careful one, which always is and costs more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def in_xla() -> bool:
    """Whether TensorFlow builds a graph that XLA compiles."""
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    if tf.executing_eagerly():
        return False
    return bool(control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def only_cpu() -> bool:
    """Whether TensorFlow has no other device than processors."""
    import tensorflow as tf

    return all(device.device_type == "CPU" for device in tf.config.list_logical_devices())


def may_look(x: Any) -> bool:
    """Whether a form may be chosen by numbers: TensorFlow chooses in its graph, elsewhere there may be none yet."""
    return bool(keras.backend.backend() == "tensorflow") and not isinstance(x, keras.KerasTensor)


def usually(known: Any, least: float, plain: Callable[[], Any], careful: Callable[[], Any]) -> Any:
    """`plain()` where all that is `known` is finite and none of it below `least`; else `careful()`."""
    import tensorflow as tf

    usual = tf.reduce_max(known) <= known.dtype.max
    if least > 0:
        usual = tf.logical_and(usual, tf.reduce_min(known) >= least)
    return tf.cond(usual, plain, careful)


def wide(x: Any) -> bool:
    """Whether these are floats of 64 bits."""
    return bool(keras.backend.standardize_dtype(x.dtype) == "float64")


def scales(squares: Any) -> tuple[Any, Any]:
    """What brings the numbers of sums of squares to where squares are exact, and what takes their roots back."""
    bits = 600 if wide(squares) else 80
    small, large = squares < 2.0**-bits, ops.logical_not(squares < float("inf"))

    def power(exponent: int) -> Any:
        up, down, one = (ops.convert_to_tensor(2.0**e, squares.dtype) for e in (exponent, -exponent, 0))
        return ops.where(small, up, ops.where(large, down, one))

    return power(bits), power(-bits)


def moved(x: Any, there: Any) -> Any:
    """x times what brings it there, rounded: of its square XLA would gather the powers of 2, which overflow."""
    return ops.minimum(x * there, 1.7976931348623157e308 if wide(there) else 3.4028234663852886e38)


def root(squares: Any) -> Any:
    """The square root, with the derivative 0 at 0."""
    nothing = ops.equal(squares, 0)
    return ops.where(nothing, 0.0, ops.sqrt(ops.where(nothing, 1.0, squares)))


def norm(x: Any, gather: Callable[..., Any], axis: int | tuple[int, ...], keepdims: bool = False) -> Any:
    """The root of what squares make along axes: the length with `ops.sum`, the root mean square with `ops.mean`.

    `gather` is that of the code around it, which knows best how to sum.
    """

    def squares(numbers: Any) -> Any:
        return gather(ops.square(numbers), axis=axis, keepdims=True)

    def careful() -> Any:
        there, back = scales(total)
        return root(squares(moved(x, there))) * back

    if may_look(x) and not wide(x) and in_xla() and only_cpu():
        found = ops.cast(root(squares(ops.cast(x, "float64"))), x.dtype)  # there it costs next to nothing
    else:
        total = squares(x)
        if may_look(x):
            found = usually(total, 2.0**-80, lambda: ops.sqrt(total), careful)
        else:
            found = careful()
    return found if keepdims else ops.squeeze(found, axis=axis)


def nonzero(x: Any) -> Any:
    """The value, or 1 where that is 0."""
    return ops.where(ops.equal(x, 0), 1.0, x)


def centered(x: Any, mean: Callable[..., Any], axis: int | tuple[int, ...]) -> Any:
    """x less its mean along axes, which rounding may not move out of the numbers that it is of: equal ones give 0."""
    least, most = (ends(x, axis=axis, keepdims=True) for ends in (ops.min, ops.max))
    return x - ops.minimum(ops.maximum(mean(x, axis=axis, keepdims=True), least), most)


def std(x: Any, mean: Callable[..., Any], axis: int | tuple[int, ...], keepdims: bool = False) -> Any:
    """Standard deviation along axes."""
    return norm(centered(x, mean, axis), mean, axis, keepdims)


def normalize(x: Any, gather: Callable[..., Any], axis: int | tuple[int, ...]) -> Any:
    """x divided by its length along axes, but 0 where the length is 0."""
    return x / nonzero(norm(x, gather, axis, keepdims=True))


def cosine_distance(x: Any, y: Any, gather: Callable[..., Any], axis: int | tuple[int, ...]) -> Any:
    """1 less the cosine of the angle, from the difference of the directions, which nearly the same ones keep."""
    lengths = [norm(v, gather, axis, keepdims=True) for v in (x, y)]
    apart = ops.square(x / nonzero(lengths[0]) - y / nonzero(lengths[1]))
    none = ops.logical_or(ops.equal(lengths[0], 0), ops.equal(lengths[1], 0))
    return ops.where(none, 1.0, 0.5 * gather(apart, axis=axis, keepdims=True))


def squared(x: Any) -> Any:
    """The square; a number's in Python's own precision."""
    return x * x if isinstance(x, (int, float)) else ops.square(x)


def is_modest(y: Any) -> bool:
    """Whether this is a number whose square is exact, and that does not show beside 2**60."""
    return isinstance(y, (int, float)) and 2.0**-40 <= abs(y) <= 2.0**30


def by_hypot(x: Any, y: Any, plain: Callable[[Any], Any], careful: Callable[[], Any]) -> Any:
    """What is made of the root of the sum of two squares; under XLA, where passes cost nothing, always careful."""
    if not may_look(x) or in_xla():
        return careful()
    length = ops.sqrt(squared(x) + squared(y))
    return usually(length, 0.0 if is_modest(y) else 2.0**-40, lambda: plain(length), careful)


def hypot(x: Any, y: Any) -> Any:
    """The root of the sum of two squares; the second may be of a number."""

    def careful() -> Any:
        if is_modest(y):
            size = ops.abs(x)
            return ops.maximum(size, ops.sqrt(ops.square(ops.minimum(size, 2.0**60)) + y * y))
        there, back = scales(squared(x) + squared(y))
        return root(ops.square(moved(x, there)) + ops.square(moved(y, there))) * back

    return by_hypot(x, y, lambda length: length, careful)


def over_hypot(x: Any, y: Any) -> Any:
    """x / hypot(x, y), but 0 where both are 0."""

    def careful() -> Any:
        if is_modest(y):
            near = ops.clip(x, -(2.0**60), 2.0**60)
            return near * ops.rsqrt(ops.square(near) + y * y)
        there, _ = scales(squared(x) + squared(y))
        return x * there * ops.rsqrt(nonzero(ops.square(moved(x, there)) + ops.square(moved(y, there))))

    return by_hypot(x, y, lambda length: x / length, careful)


def hypotm1(x: Any) -> Any:
    """hypot(x, 1) - 1, exact for small x."""

    def careful() -> Any:
        return x * (x / (1.0 + hypot(x, 1.0)))

    return by_hypot(x, 1.0, lambda length: ops.square(x) / (1.0 + length), careful)


def is_near_one(c: Any) -> bool:
    """Whether this is a number by which squares can be multiplied that are not near the end of floats."""
    return isinstance(c, (int, float)) and 2.0**-16 <= abs(c) <= 2.0**16


def log1p_square(x: Any, c: Any) -> Any:
    """log(1 + square(c * x)), with no square where it would be too large."""
    x, c = (x, c) if is_near_one(c) else (x * c, 1.0)
    squares = ops.square(x) * (c * c)

    def careful() -> Any:
        far = ops.abs(x) > (2.0**300 if wide(x) else 2.0**42)
        inside = ops.where(far, ops.abs(x * c), squares)
        found = ops.log1p(inside)
        return ops.where(far, 2.0 * found, found)

    if not may_look(x) or in_xla():
        return careful()
    return usually(squares, 0.0, lambda: ops.log1p(squares), careful)


def damped(x: Any, y: Any) -> Any:
    """x / (1 + square(y)); far out by the inverse twice, as the square would be too large."""
    squares = ops.square(y)

    def careful() -> Any:
        far = ops.abs(y) > 2.0**46
        inverse = 1.0 / ops.where(far, y, 1.0)
        return ops.where(far, x * inverse * inverse, x / (1.0 + ops.minimum(squares, 2.0**92)))

    if not may_look(y) or in_xla():
        return careful()
    return usually(squares, 0.0, lambda: x / (1.0 + squares), careful)


def serpentine(x: Any, c: Any) -> Any:
    """x / (1 + square(c * x)), and 1 / (c * c * x) far out."""
    if not is_near_one(c):
        return ops.where(ops.equal(c, 0), x, serpentine(c * x, 1.0) / nonzero(c))
    squares = ops.square(x) * (c * c)

    def careful() -> Any:
        far = ops.abs(x) > 2.0**46
        return ops.where(far, 1.0, x) / ops.where(far, x * (c * c), 1.0 + squares)

    if not may_look(x) or in_xla():
        return careful()
    return usually(squares, 0.0, lambda: x / (1.0 + squares), careful)


def square_share(x: Any) -> Any:
    """square(x) / (1 + square(x)), which is 1 long before the square is too large."""
    squares = ops.minimum(ops.square(x), 2.0**60)
    return squares / (1.0 + squares)
