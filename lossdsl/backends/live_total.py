"""The sum or mean of a formula's values on TensorFlow, with a gradient that is computed in the same pass.

The gradient of a single number is a tensor times a number, so it can be computed before that number is known. In a
graph what nobody asks for is pruned, and what value and gradient share is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops

from lossdsl.backends import live_ops
from lossdsl.backends.runtime import unweighted
from lossdsl.backends.runtime_gradient import with_gradient
from lossdsl.program import Joint


class Total:
    """`total(y_true, y_pred, reduction)`; `xla` compiles what it can inside a plain graph.

    `apart` is whether value and gradient run as functions apart, as in an eager call.
    """

    def __init__(self, value: Callable[..., Any], joint: Joint, xla: bool = False, apart: bool = False) -> None:
        self.value, self.joint, self.xla, self.apart = value, joint, xla, apart
        self._functions: dict[object, Any] = {}

    def set_apart(self) -> Total:
        """The same for an eager call."""
        return Total(self.value, self.joint, self.xla, apart=True)

    def __call__(self, y_true: Any, y_pred: Any, reduction: str) -> Any:
        """The reduced loss of prepared data, without weights."""
        if not _in_graph(y_pred):
            return unweighted(self.value(y_true, y_pred), reduction, None)
        import tensorflow as tf

        def forward(p: Any) -> Any:
            return self._with_slope(y_true, p, reduction)

        result = tf.custom_gradient(forward)(y_pred)
        if self.joint.pull_true is None:
            return result
        pull = self._pull_true(self.joint.pull_true, reduction)
        return result + with_gradient(lambda t, p: tf.zeros_like(result), pull)(y_true, y_pred)

    def _with_slope(self, y_true: Any, y_pred: Any, reduction: str) -> tuple[Any, Callable[[Any], Any]]:
        """The result, and what makes the gradient of an upstream one: from a tensor held, or computed then.

        An XLA function hands over everything that it is asked for, so it is asked for a gradient only where that costs
        less than to begin again.
        """
        if not self.xla or live_ops.in_xla():
            result, slope = self._both(y_true, y_pred, reduction)
            return result, lambda upstream: self._times(upstream, slope)
        if self.joint.slope_from_sums:
            result, slope = self._compiled("both", self._both)(y_true, y_pred, reduction)
            return result, lambda upstream: self._times(upstream, slope)
        result = self._compiled("first", lambda *data: self._both(*data)[0])(y_true, y_pred, reduction)
        return result, lambda upstream: self._compiled("slope", self._slope)(y_true, y_pred, reduction, upstream)

    def _times(self, upstream: Any, slope: Any) -> Any:
        """The product. Nearly always the first is 1; a graph sees that, an eager call has to look."""
        if not self.apart or live_ops.in_xla():
            return upstream * slope
        import tensorflow as tf

        return tf.cond(tf.equal(upstream, 1), lambda: slope, lambda: upstream * slope)

    def _both(self, y_true: Any, y_pred: Any, reduction: str) -> tuple[Any, Any]:
        values, slope = self.joint.function(y_true, y_pred, self._scale(y_true, y_pred, reduction))
        return unweighted(values, reduction, None), slope

    def _slope(self, y_true: Any, y_pred: Any, reduction: str, upstream: Any) -> Any:
        return self.joint.function(y_true, y_pred, upstream * self._scale(y_true, y_pred, reduction))[1]

    def _scale(self, y_true: Any, y_pred: Any, reduction: str) -> Any:
        """What one value counts in the result."""
        number = ops.cast(self.joint.count(y_true, y_pred), y_pred.dtype)  # of a batch it is a plain 1
        return number / number if reduction == "sum" else 1 / number

    def _pull_true(self, pull: Callable[..., Any], reduction: str) -> Callable[..., Any]:
        def pulled(t: Any, p: Any, upstream: Any) -> Any:
            import tensorflow as tf

            share = upstream * self._scale(t, p, reduction)
            return pull(t, p, share * tf.ones_like(self.value(t, p)))

        return pulled

    def _compiled(self, name: str, function: Callable[..., Any]) -> Any:
        import tensorflow as tf

        if name not in self._functions:
            self._functions[name] = tf.function(function, autograph=False, jit_compile=True, reduce_retracing=True)
        return self._functions[name]


def silent(run: Callable[..., Any], like: Any, y_true: Any, y_pred: Any) -> Any:
    """0, with the gradient that `run(y_true, y_pred)` has by y_true."""
    import tensorflow as tf

    def forward(t: Any, p: Any) -> Any:
        def backward(upstream: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(t)
                result = run(t, p)
            return upstream * tape.gradient(result, t), None

        return tf.zeros_like(like), backward

    return tf.custom_gradient(forward)(y_true, y_pred)


def may_need_gradient(y_true: Any) -> bool:
    """Whether anybody may ask for the gradient of the labels: a compiled function would compute it every time."""
    if keras.config.backend() != "tensorflow":
        return True
    import tensorflow as tf

    if isinstance(y_true, KerasTensor) or not tf.executing_eagerly():
        return True
    from tensorflow.python.ops import gradients_util

    return bool(gradients_util.PossibleTapeGradientTypes([y_true]))


def _in_graph(x: Any) -> bool:
    if isinstance(x, KerasTensor) or keras.config.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return not tf.executing_eagerly()
