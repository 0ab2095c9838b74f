"""What is an alarm in a half type fails there when the compiled loss runs on the witness; what is proved does not."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from modes import MODES

import lossdsl
from lossdsl.checked import analyse
from lossdsl.proof import ALARM, PROVED, prove

SHARE = "y_true: float[batch, k] in [0, 1]\ny_pred: float[batch, k] in (0, 1]\n"
CASES = [
    ("float16", "y_pred: float[batch, k] in [-60000, 60000]\ny_true: float[batch, k] in [-60000, 60000]\n"
     "mean(square(y_true - y_pred))", PROVED, ALARM),
    ("float16", SHARE + "-mean(y_true * log(y_pred))", ALARM, ALARM),
    ("float16", SHARE + "-mean(log(y_pred + 1e-9))", PROVED, ALARM),
    ("bfloat16", SHARE + "-mean(log(y_pred + 1e-9))", PROVED, PROVED),
    ("bfloat16", "y_pred: float[batch, k] in [0, 0.999]\n-mean(log(1 - y_pred))", ALARM, ALARM),
    ("float16", "y_pred: float[batch, k] in [0, 70000]\ny_true: float[batch, k] in [0, 1]\nmean(y_pred * y_true)",
     ALARM, PROVED),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("dtype", "text", "value", "gradient"), CASES)
def test_an_alarm_in_a_half_type_is_true(
    dtype: str, text: str, value: str, gradient: str, own: bool, mode: str
) -> None:
    """`own`: the data have that type; else the loss rounds them to it."""
    loss = lossdsl.compile(text, dtype=dtype, reduction=None, logits=False)

    def run(true: tf.Tensor, pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(pred)
            found = loss(true, pred)
        return found, tape.gradient(found, pred)

    called = MODES[mode](run)
    for i, (part, verdict) in enumerate(zip(prove(analyse(text), dtype=dtype).parts, (value, gradient), strict=True)):
        assert part.verdict == verdict
        if part.witness is not None:
            pred = np.asarray(part.witness.y_pred, np.float32)[None]
            true = pred if part.witness.y_true is None else np.asarray(part.witness.y_true, np.float32)[None]
            data = [tf.cast(x, dtype if own else "float32") for x in (true, pred)]
            assert not np.all(np.isfinite(np.asarray(called(*data)[i], np.float32)))
