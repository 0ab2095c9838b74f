"""What the tests of the library on TensorFlow share: data as tensors, which losses are tried, and how near is near."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from library_cases import ONE_EACH, Case, data_of


def tensors(case: Case, dtype: str = "float32") -> tuple[tf.Tensor, tf.Tensor]:
    y_true, y_pred = data_of(case)
    true = tf.constant(y_true, dtype if y_true.dtype.kind == "f" else "int64")
    return true, tf.constant(y_pred, dtype)


def agree(found: np.ndarray, wanted: np.ndarray) -> None:
    known = np.isfinite(wanted)
    scale = 1 + np.max(np.abs(wanted[known]))
    np.testing.assert_allclose(found[known], wanted[known], rtol=1e-3, atol=2e-5 * scale)


MOST_SLOW = [
    pytest.param(case, marks=[] if i % 10 == 0 else pytest.mark.slow, id=str(case)) for i, case in enumerate(ONE_EACH)
]
"""Every tenth loss in the ordinary tests, all of them in the slow ones."""
