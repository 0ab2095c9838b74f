"""A formula's own gradient, attached to its value on every backend.

`lossdsl eject` copies this file after `runtime.py`. The backward pass computes from the inputs, not from what the
forward pass left: that is what makes it differentiable again, and nothing is held in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import KerasTensor, ops


def attach(value: Callable[..., Any], pull: Callable[..., Any], pull_true: Callable[..., Any] | None) -> Any:
    """`value(y_true, y_pred, *more)` whose gradient is `pull(y_true, y_pred, *more, upstream)`.

    The gradient of the labels hangs on a second, silent output, so that it costs nothing where nobody asks for it;
    None where labels are whole numbers.
    """

    def attached(y_true: Any, y_pred: Any, *more: Any) -> Any:
        if isinstance(y_pred, KerasTensor):
            return value(y_true, y_pred, *more)
        result = with_gradient(lambda p, t, *m: value(t, p, *m), lambda p, t, *m: pull(t, p, *m))(y_pred, y_true, *more)
        if pull_true is None:
            return result
        silent = with_gradient(lambda t, p, *m: ops.zeros_like(result), pull_true)
        return result + silent(y_true, y_pred, *more)

    return attached


def with_gradient(function: Callable[..., Any], pull: Callable[..., Any]) -> Any:
    """A function whose gradient by its first argument is `pull(*arguments, upstream)`, and none by the others.

    Everything that the backward pass uses is an argument: JAX lets nothing else in, and torch asks for it back.
    """

    def forward(*arguments: Any) -> Any:
        def backward(*saved: Any, upstream: Any = None) -> Any:
            if upstream is None:  # TensorFlow and JAX hand over the upstream gradient alone
                return (pull(*arguments, saved[0]), *[None] * (len(arguments) - 1))
            return (pull(*saved, upstream), *[None] * (len(arguments) - 1))

        return function(*arguments), backward

    return ops.custom_gradient(forward)
