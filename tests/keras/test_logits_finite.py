"""What is proved of a formula on probabilities holds on their logits: random formulas, logits of every size, no NaN."""

from __future__ import annotations

import math
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossdsl
from lossdsl.backends import live_call
from lossdsl.checked import analyse
from lossdsl.proof import prove
from lossdsl.proof.on_logits import stays_finite

HEAD = "y_true: float[batch, k] in {0, 1}\ny_pred: prob[batch, k]\n"
GUARDED = ("clip({0}, {e}, 1 - {e})", "maximum({0}, {e})", "({0} + {e})", "{0}")
PARTS = (
    "y_pred",
    "1 - y_pred",
    "where(y_true == 1, y_pred, 1 - y_pred)",
    "y_true * y_pred + (1 - y_true) * (1 - y_pred)",
)
OUTER = (
    "{0}", "sqrt({0})", "square({0})", "log({0} + 1)", "log({0})", "1 / {0}", "1 / ({0} + 0.1)", "exp(-{0})", "{0} ** 0.5",
    "(1 - exp(-{0})) ** 0.5 * {0}", "(1 - exp(-{0})) ** 2 * {0}", "tanh({0})", "exp({0} / 2)", "{0} * y_pred", "{0} / y_pred",
    "log1p(square({0}))", "abs({0} - 2)", "minimum({0}, 3)", "where({0} > 1, {0}, 0)", "softmax({0})", "log_softmax({0})",
)  # fmt: skip
REDUCED = (
    "mean({0})",
    "sum({0})",
    "sqrt(mean({0}))",
    "mean({0}) / (1 + mean({0}))",
    "log(mean({0}) + 1)",
    "norm({0})",
    "std({0})",
)
SIZES = np.array([0.0, 1e-6, 0.3, 5.0, 17.0, 20.0, 89.0, 104.0, 200.0, 1000.0, 1e5], np.float32)


def formulas(count: int, seed: int = 7) -> list[str]:
    """So many formulas that are proved."""
    pick, found = random.Random(seed).choice, []
    while len(found) < count:
        part = pick(GUARDED).format(f"({pick(PARTS)})", e=pick(("1e-6", "1e-7", "epsilon")))
        text = HEAD + pick(REDUCED).format(pick(OUTER).format(f"(-log({part}))"))
        proved = all(part.reach == math.inf for part in prove(analyse(text), search=False).parts)
        found += [text] if proved and text not in found else []
    return found


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # that a loss per sample is no loss for `fit`
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_no_nan(activation: str, jit: bool) -> None:
    texts = formulas(24)
    assert sum(stays_finite(analyse(text), activation) for text in texts) >= 10
    losses = [lossdsl.compile(text, reduction=None) for text in texts]
    every = np.concatenate([SIZES, -SIZES])
    logits = tf.constant(np.stack(np.meshgrid(every, every), -1).reshape(-1, 2))
    make = getattr(keras.ops, activation)

    @tf.function(jit_compile=jit, autograph=False)
    def run(true: tf.Tensor, z: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            values = [loss(true, make(z)) for loss in losses]
        return [(value, tape.gradient(value, z)) for value in values]

    for true in ([0.0, 1.0], [1.0, 1.0], [0.0, 0.0]):
        found = run(tf.constant(np.tile(np.float32(true), (len(logits), 1))), logits)
        for text, parts in zip(texts, found, strict=True):
            for name, part in zip(("value", "gradient"), parts, strict=True):
                bad = ~np.isfinite(np.asarray(part).reshape(len(logits), -1)).all(1)
                assert not bad.any(), (text, name, true, logits[np.argmax(bad)])


def on_logits(loss: lossdsl.Loss, true: float, logit: float, dtype: str = "float32") -> tuple[tf.Tensor, tf.Tensor]:
    """Value and gradient by the logit of one sample, in a graph."""

    @tf.function
    def run(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(tf.constant([[true]]), keras.ops.sigmoid(z))
        return value, tape.gradient(value, z)

    return run(tf.constant([[logit]], dtype))


def test_gradients_that_half_types_do_not_hold() -> None:
    text = "y_pred: prob[batch, *]\nmean((-log(y_pred + 1e-5))**3 * 1e-3)"
    loss = lossdsl.compile(text, strict=True, dtype="float16")
    assert np.isfinite(on_logits(loss, 0.0, -6e4, "float16")[1])
    assert lossdsl.check(text).logits == ("sigmoid", "softmax")
    assert lossdsl.check(text, dtype="float16").logits == ()


def test_labels_as_large_as_strict_lets_them_be() -> None:
    loss = lossdsl.compile(
        "y_pred: prob[batch, 1]\nmean(square(y_true * log(clip(y_pred, 1e-5, 1))), axis=-1)", strict=1e15
    )
    assert np.isfinite(on_logits(loss, 1e15, -9e5)[0])


def test_a_loss_asks_once_for_all_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(live_call, "stays_finite", lambda *given: asked.append(given) or stays_finite(*given))
    loss = lossdsl.compile("-mean(y_true * log(y_pred))")
    for samples in (1, 2, 3):
        z = tf.random.stateless_normal((samples, 2), (1, 2))
        loss(np.ones((samples, 2), "float32"), keras.ops.sigmoid(z))
    assert len(asked) == 2  # for a sigmoid and a softmax
