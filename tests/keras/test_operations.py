"""Operations that look at more than one entry at a time, at their limits, in eager calls, graphs and XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from mpmath import mp
from oracle_arrays import exactly
from oracle_primitives import PRIMITIVES

import lossdsl

MODES: dict[str, Callable[[Any], Any]] = {
    "eager": lambda step: step,
    "graph": tf.function,
    "xla": lambda step: tf.function(step, jit_compile=True),
}


def value_and_gradient(loss: Any, mode: str, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    def step(true: Any, pred: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pred)
            values = loss(true, pred)
            total = tf.reduce_sum(tf.where(tf.math.is_finite(values), values, 0.0))
        return values, tape.gradient(total, pred)

    found = MODES[mode](step)(tf.constant(y_true), tf.constant(y_pred, "float32"))
    return found[0].numpy(), found[1].numpy()


@pytest.fixture(scope="module")
def ctc() -> Any:
    return lossdsl.compile("ctc", reduction=None)


@pytest.mark.filterwarnings("ignore:.*reduction-none")
@pytest.mark.parametrize("mode", MODES)
def test_ctc_of_scores_far_apart(ctc: Any, mode: str) -> None:
    """Repeated labels at scores of a thousand: Keras' own is off by more than a half there."""
    labels = np.array([[1, 1], [2, 1], [1, 0]])
    scores = (1000 * np.random.default_rng(3).normal(size=(3, 4, 3))).astype("float32")
    with mp.workdps(900):
        axes = {"time": 1, "axis": 2, "to": 3}
        given = exactly(scores.astype(float))[..., None], exactly(labels)[:, None, None]
        wanted = np.ravel(PRIMITIVES["ctc_loss"](*given, **axes)).astype(float)
        slopes = np.squeeze(PRIMITIVES["ctc_gradient"](*given, **axes), -1).astype(float)
    found, gradient = value_and_gradient(ctc, mode, labels, scores)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(gradient, slopes, atol=1e-3)


@pytest.mark.filterwarnings("ignore:.*reduction-none")
@pytest.mark.parametrize("mode", MODES)
def test_ctc_without_an_alignment(ctc: Any, mode: str) -> None:
    found, gradient = value_and_gradient(ctc, mode, np.array([[1, 1, 1], [1, 2, 0]]), np.zeros((2, 4, 3)))
    assert np.isinf(found[0])
    np.testing.assert_allclose(found[1], np.log(81 / 15), rtol=1e-6)
    assert not gradient[0].any()
    assert gradient[1].any()


@pytest.mark.filterwarnings("ignore:.*reduction-none")
@pytest.mark.parametrize("mode", MODES)
def test_ssim_is_tensorflows(mode: str) -> None:
    random = np.random.default_rng(4)
    images = random.uniform(size=(2, 14, 13, 2)).astype("float32")
    others = np.clip(images + 0.2 * random.normal(size=images.shape), 0, 1).astype("float32")
    loss = lossdsl.compile("ssim", reduction=None)
    found = value_and_gradient(loss, mode, images, others)
    wanted = value_and_gradient(lambda true, pred: 1 - tf.image.ssim(true, pred, 1.0), mode, images, others)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-4)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*reduction-none")
@pytest.mark.parametrize("mode", MODES)
def test_spectra_are_tensorflows(mode: str) -> None:
    """`tf.signal.stft` has no mirrored ends: the sound is mirrored by hand."""
    random = np.random.default_rng(5)
    true, pred = random.normal(size=(2, 3, 50)).astype("float32")

    def magnitudes(sound: Any) -> Any:
        mirrored = tf.pad(sound, ((0, 0), (8, 8)), mode="REFLECT")
        wave = tf.signal.stft(mirrored, 16, 5, window_fn=tf.signal.hann_window)
        return tf.sqrt(tf.maximum(tf.math.real(wave) ** 2 + tf.math.imag(wave) ** 2, 1e-7))

    def by_hand(true: Any, pred: Any) -> Any:
        a, b = magnitudes(true), magnitudes(pred)
        far = tf.norm(a - b, axis=(1, 2)) / tf.norm(a, axis=(1, 2))
        return far + tf.reduce_mean(abs(tf.math.log(a) - tf.math.log(b)), axis=(1, 2))

    lengths = {"fft_length": 16, "hop_length": 5, "window_length": 16}
    found = value_and_gradient(lossdsl.compile("stft", reduction=None, **lengths), mode, true, pred)
    wanted = value_and_gradient(by_hand, mode, true, pred)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-4)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("jit", [False, True])
def test_sizes_that_are_not_known_yet(jit: bool) -> None:
    loss = lossdsl.compile("mean(square(mean(windows(y_true - y_pred, 4, step=3, reflect=1), axis=window)))")
    shapes = [tf.TensorSpec((None, None), tf.float32)] * 2
    traced = tf.function(loss, input_signature=shapes, jit_compile=jit)
    for size in (3, 7, 11):
        x = np.arange(2.0 * size).reshape(2, size).astype("float32")
        mirrored = np.pad(x, ((0, 0), (1, 1)), mode="reflect")
        means = np.stack([mirrored[:, i : i + 4].mean(1) for i in range(0, size - 1, 3)], axis=1)
        assert float(traced(x, np.zeros_like(x))) == pytest.approx(np.mean(means**2), rel=1e-6)
