"""Shims for products and quotients that are 0 where their first factor is."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


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
