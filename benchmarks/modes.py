"""The generated code of a formula, and functions as they run in a framework's modes: what proofs are tried with."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lossdsl.checked import Checked


@lru_cache(maxsize=64)  # one formula is run in several modes
def code(checked: Checked) -> Any:
    """`value(y_true, y_pred)` and, where there is a gradient of ours, `pull_value(y_true, y_pred, upstream)`."""
    from keras import ops

    from lossdsl.backends import shims
    from lossdsl.backends.load import load

    program = checked.display()
    return load(program.source + "\n\n" + (program.gradient_source() or ""), "<tried>", ops=ops, shims=shims)


def compiled(run: Callable[..., Any], mode: str) -> Callable[..., Any]:
    """A function as it runs in a mode: `eager` anywhere, `graph` and `xla` on TensorFlow, `jit` on JAX."""
    if mode == "eager":
        return run
    if mode == "jit":
        import jax

        return jax.jit(run)
    import tensorflow as tf

    return tf.function(run, jit_compile=mode == "xla", autograph=False)
