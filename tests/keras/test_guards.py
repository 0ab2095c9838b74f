"""Samples that count nothing: out of the value, of the gradient, and of what others are compared with."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import lossdsl
from lossdsl.backends import runtime

RANKING = """
d = y_true - pairs(y_true, axis=batch)
e = y_pred - pairs(y_pred, axis=batch)
mean(softplus(-d * e), axis=pairs)
"""
CORRELATION = """
a = y_true - mean(y_true, axis=batch)
b = y_pred - mean(y_pred, axis=batch)
1 - mean(a * b, axis=all) / sqrt(mean(a * a, axis=all) * mean(b * b, axis=all))
"""


def gradient(loss, y_true, y_pred, *more, mode="eager"):
    def run(y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss.function(y_true, y_pred, *more)
        return value, tape.gradient(value, y_pred)

    call = {"eager": run, "graph": tf.function(run), "xla": tf.function(run, jit_compile=True)}[mode]
    return call(tf.constant(y_pred, "float32"))


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("how", ["weight", "mask"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 100.0])
def test_a_dead_sample_is_no_partner_of_the_others(how, bad, mode):
    loss = lossdsl.compile(RANKING)
    y_true = np.array([[1.0], [2.0], [0.5], [bad]], "float32")
    y_pred = np.array([[0.3], [0.1], [0.7], [bad]], "float32")
    alive = np.array([1.0, 1.0, 1.0, 0.0], "float32")
    given = (alive, None) if how == "weight" else (None, alive.astype(bool))
    value, slope = gradient(loss, y_true, y_pred, *given, mode=mode)
    t, p = y_true[:3, 0], y_pred[:3, 0]
    each = np.log1p(np.exp(-(t[:, None] - t) * (p[:, None] - p))).mean(1)
    assert float(value) == pytest.approx(each.sum() / (4 if how == "weight" else 3), rel=1e-5)
    alone = gradient(loss, y_true[:3], y_pred[:3])[1] * (3 / 4 if how == "weight" else 1)
    np.testing.assert_allclose(slope[:3], alone, rtol=1e-4)
    assert float(slope[3, 0]) == 0.0


def test_weights_of_anchors():
    y_true, y_pred = np.array([[1.0], [2.0], [0.5]], "float32"), np.array([[0.3], [0.1], [0.7]], "float32")
    t, p, w = y_true[:, 0], y_pred[:, 0], np.array([2.0, 1.0, 0.5])
    each = np.log1p(np.exp(-(t[:, None] - t) * (p[:, None] - p))).mean(1)
    assert float(lossdsl.compile(RANKING)(y_true, y_pred, w)) == pytest.approx((w * each).mean(), rel=1e-5)
    with pytest.raises(lossdsl.LossError, match="one weight per sample"):
        lossdsl.compile(RANKING)(np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight", None])
def test_one_number_for_the_batch_is_that_number(reduction):
    loss = lossdsl.compile(CORRELATION, reduction=reduction)
    y_true, y_pred = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [4.0]])
    expected = 1 - np.corrcoef(y_true[:, 0], y_pred[:, 0])[0, 1]
    found = loss(y_true, y_pred)
    assert found.shape == ((1,) if reduction is None else ())
    assert float(found[0] if reduction is None else found) == pytest.approx(expected, rel=1e-5)
    for given in ((np.ones(3), None), (None, np.ones(3, bool))):
        with pytest.raises(lossdsl.LossError, match="one number for the whole batch"):
            loss.function(y_true, y_pred, *given)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_one_number_for_the_batch_has_a_gradient_for_every_sample(mode):
    y_true, y_pred = np.random.default_rng(0).normal(size=(2, 4, 3))
    slope = gradient(lossdsl.compile(CORRELATION), y_true.astype("float32"), y_pred, mode=mode)[1]
    expected = np.zeros_like(y_pred)
    for place in np.ndindex(y_pred.shape):
        for sign in (1, -1):
            moved = y_pred.copy()
            moved[place] += sign * 1e-6
            a, b = y_true - y_true.mean(0), moved - moved.mean(0)
            expected[place] += sign * (1 - (a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean())) / 2e-6
    np.testing.assert_allclose(slope, expected, atol=1e-5)


def test_labels_of_dead_positions_may_be_anything():
    loss = lossdsl.compile("-log(take_along_axis(y_pred, y_true))")
    y_pred = np.full((2, 3, 4), 0.25, "float32")
    labels = np.array([[1, -1, 99], [2, 3, -7]])
    mask = np.array([[True, False, False], [True, True, False]])
    value, slope = gradient(loss, labels, y_pred, None, mask)
    assert float(value) == pytest.approx(np.log(4), rel=1e-6)
    assert np.count_nonzero(slope) == 3
    np.testing.assert_allclose([slope[0, 0, 1], slope[1, 0, 2], slope[1, 1, 3]], -4 / 3, rtol=1e-5)


def test_what_stands_in_lies_inside_the_declared_range():
    loss = lossdsl.compile(
        "y_pred: float[batch, *] in [2, 3]\ny_true: float[batch, *] in {7, 9}\nmean(sqrt(y_pred - 2) + 0 * y_true)"
    )
    plan = loss.function._plan([tf.zeros((2, 1)), tf.zeros((2, 1)), tf.zeros(2), None])
    seen = []

    def terms(y_true, y_pred):
        seen.extend([y_true.numpy().tolist(), y_pred.numpy().tolist()])
        return (y_pred,)

    formula = plan.formula._replace(terms=terms)
    given = np.array([[9.0], [np.nan]]), np.array([[2.25], [-5.0]]), np.array([1.0, 0.0]), None
    runtime.loss_value(formula, *given, ranks=plan.ranks, reduction="sum", dtype="float32")
    assert seen == [[[9.0], [7.0]], [[2.25], [2.5]]]


def test_labels_with_other_axes_than_the_weights_are_whole_or_dead():
    """Class targets for every step alike: a dead step must not touch the class of the same number."""
    loss = lossdsl.compile(
        "y_true: float[batch, classes]\ny_pred: float[batch, time, classes]\nmean(abs(y_true - y_pred))"
    )
    y_true, y_pred = np.array([[1.0, 2.0]]), np.array([[[4.0, 4.0], [np.nan, np.nan]]])
    value, slope = gradient(loss, y_true, y_pred, np.array([[1.0, 0.0]], "float32"))
    assert float(value) == pytest.approx((3 + 2) / 4)
    np.testing.assert_allclose(slope, [[[0.25, 0.25], [0, 0]]])


def test_an_input_that_is_nan_still_ruins_the_weights():
    """No loss can help here: the gradient of the kernel is the input times 0. The documentation says so."""
    kernel = tf.Variable([[1.0]])
    with tf.GradientTape() as tape:
        value = lossdsl.compile("mean(abs(y_true - y_pred))")(
            np.zeros((2, 1)), tf.constant([[1.0], [np.nan]]) @ kernel, np.array([1.0, 0.0])
        )
    assert float(value) == pytest.approx(0.5)
    assert np.isnan(tape.gradient(value, kernel))


def test_pairs_of_a_large_batch_are_refused_before_they_are_made():
    with pytest.raises(lossdsl.LossError, match="GiB"):
        lossdsl.compile(RANKING)(np.zeros((100_000, 1), "float32"), np.zeros((100_000, 1), "float32"))


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_the_frameworks_own_gradient_at_logits_of_zero(mode):
    """There a new model begins; the derivative of |z| alone would leave half of it out."""
    formula = "-mean(y_true * log_sigmoid(y_pred) + (1 - y_true) * log_sigmoid(-y_pred))"
    y_true = np.array([[0.0, 1.0, 0.25]], "float32")
    _, slope = gradient(lossdsl.compile(formula, gradient="backend"), y_true, np.zeros((1, 3)), mode=mode)
    np.testing.assert_allclose(slope, (0.5 - y_true) / 3, rtol=1e-6)


def test_strict_refuses_what_is_not_proved() -> None:
    with pytest.raises(lossdsl.LossError, match="not proved to be finite for all that is declared"):
        lossdsl.compile("mean(log(y_pred))", strict=True)
    with pytest.raises(lossdsl.LossError, match="a size above 0"):
        lossdsl.compile("mean(abs(y_pred))", strict=-1.0)
    assert lossdsl.compile("mean(square(y_true - y_pred))", strict=np.float32(1e6)).formula
