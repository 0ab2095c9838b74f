"""Values and gradients where a careless form overflows, vanishes or rounds away what it is about; by hand."""

from __future__ import annotations

import numpy as np
import pytest

FAR = (
    # formula, y_true, y_pred, value, gradient
    ("exp(y_pred) * y_true - y_pred", [0, 1e-30], [100, 100], [-100, 26881171417816.12 - 100], [-1, 26881171417816.12 - 1]),
    ("exp(y_pred) * y_true", [1e30, 0], [-100, 1e4], [3.720076e-14, 0], [3.720076e-14, 0]),
    ("y_true / exp(y_pred)", [0, 1e-30], [-200, -100], [0, 2.6881171e13], [0, -2.6881171e13]),
    ("exponential_nll(y_true, y_pred)", [0, 0], [100, 1000], [-550], [-0.5, -0.5]),
    ("logsumexp(y_pred)", [0, 0], [1e6, 1e6], [1e6], [0.5, 0.5]),
    ("logsumexp(y_pred)", [0, 0, 0], [3e7, 3e7, -5], [3e7], [0.5, 0.5, 0]),
    ("logsumexp(y_pred, axis=(1, 2))", [0], [[1e6, 1e6], [0, 1]], [1e6], [0.5, 0.5, 0, 0]),
    ("exp(y_pred) / sum(exp(y_pred), axis=all)", [0, 0], [1e3, 1e3], [0.5, 0.5], [0, 0]),
    ("log(sum(exp(y_pred)))", [0, 0], [-1e8, -1e8], [-1e8], [0.5, 0.5]),
    ("log(sum(exp(y_pred), where=y_true > 0))", [0, 1, 1], [2000, 1000, 1000], [1000.6931], [0, 0.5, 0.5]),
    ("zero_inflated_poisson_nll(y_true, y_pred)", [0], [[100, 0]], [0.6931472], [0, -0.5]),
    ("snr(y_true, y_pred)", [3e25, 4e25], [3e25, 3.5e25], [-20], [0, -1.7371779e-24]),
    ("sd_sdr(y_true, y_pred)", [1e25, 0], [2e25, 0], [-6.0205999], [4.3429448e-25, 0]),
    ("arctangent(y_true, y_pred)", [0, 0], [1e10, 0], [0.39269908], [5e-31, 0]),
    ("knowledge_distillation(y_true, y_pred, alpha=1, temperature=1)", [1, 0], [[1e-4, 0], [0, 0]], [1.25e-9], [2.5e-5, -2.5e-5, -2.5e-5, 2.5e-5]),
    ("knowledge_distillation(y_true, y_pred, alpha=1, temperature=1)", [1, 0], [[0, 200], [200, 0]], [200], [-1, 0, 1, 0]),
    ("crps_gaussian(y_true, y_pred)", [1, 0], [[0, -1000], [0, -1000]], [0.5], [-0.5, 0, 0, 0]),
)  # fmt: skip


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:.*reduction-none")
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize(("text", "true", "pred", "value", "slope"), FAR)
def test_far_out(text, true, pred, value, slope, mode):
    import tensorflow as tf

    import lossdsl

    loss = lossdsl.compile(text, reduction=None)
    y_true, y_pred = (tf.constant([data], tf.float32) for data in (true, pred))

    def both():
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            values = loss(y_true, y_pred)
        return values, tape.gradient(values, y_pred)

    run = {
        "eager": both,
        "graph": tf.function(both, autograph=False),
        "xla": tf.function(both, autograph=False, jit_compile=True),
    }[mode]
    found, gradient = (np.ravel(x) for x in run())
    np.testing.assert_allclose(found, value, rtol=1e-6)
    np.testing.assert_allclose(gradient, slope, rtol=1e-6)
