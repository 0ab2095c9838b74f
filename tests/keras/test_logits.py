"""Probabilities from a sigmoid or softmax: the loss that the logits behind them give, wherever they can be had."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from logits_cases import (
    CLASSES,
    FOCAL,
    GUARDED,
    LABELS,
    LOGITS,
    LOST,
    MODES,
    NAIVE,
    binary,
    by_class,
    passing,
    sigmoid,
    softmax,
    trained,
)

import lossdsl


@pytest.mark.parametrize("inside", ["auto", True])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", [NAIVE, GUARDED])
def test_a_formula_on_probabilities_trains_as_one_on_logits(formula, mode, dtype, inside):
    z = np.array([[60.0, -60.0], [0.5, 3.0]], "float32")
    t = LABELS[:2]
    loss = lossdsl.compile(formula, jit_compile=inside)
    shown, slope = trained(passing("sigmoid", dtype), loss, z, t, mode)
    values, slopes = binary(z, t)
    assert shown == pytest.approx(values.mean(), rel=1e-5)
    np.testing.assert_allclose(slope, slopes.mean(0), rtol=2e-3 if dtype == "mixed_float16" else 1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", [CLASSES, "categorical_crossentropy", "-log(take_along_axis(y_pred, y_true))"])
def test_softmax(formula, mode):
    z = np.array([[90.0, -60.0, 0.0], [0.5, 3.0, 1.0], [-1.0, 70.0, 2.0]], "float32")
    classes = np.array([1, 0, 1])
    labels = classes if "take" in formula else np.eye(3, dtype="float32")[classes]
    shown, slope = trained(passing("softmax", classes=3), lossdsl.compile(formula), z, labels, mode)
    values, slopes = by_class(z, np.eye(3)[classes])
    assert shown == pytest.approx(values.mean(), rel=1e-5)
    np.testing.assert_allclose(slope, slopes.mean(0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("formula", ["-sum(y_true * log(1 - y_pred), axis=-1)", "complementary_crossentropy"])
def test_what_a_class_leaves(formula, mode):
    """However little that is: in float32 the probability of the first class of the first sample is 1."""
    z = np.array([[90.0, -60.0, 0.0], [0.5, 3.0, 1.0], [-1.0, 70.0, 2.0]], "float32")
    classes, hot = np.array([0, 2, 1]), np.eye(3)[[0, 2, 1]]
    labels = hot.astype("float32") if "sum" in formula else classes
    shown, slope = trained(passing("softmax", classes=3), lossdsl.compile(formula), z, labels, mode)
    p, others = softmax(z), np.exp(z.astype(float)) * (1 - hot)
    left = others.sum(-1, keepdims=True)
    values = z.max(-1) + np.log(np.exp(z - z.max(-1, keepdims=True).astype(float)).sum(-1)) - np.log(left[:, 0])
    assert shown == pytest.approx(values.mean(), rel=1e-5)
    np.testing.assert_allclose(slope, (p - others / left).mean(0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("share", ["y_pred[..., 0]", "clip(y_pred[..., 0], epsilon, 1 - epsilon)"])
def test_what_an_indexed_class_leaves(share, mode):
    """At 120 float32 has nothing of it in the logarithm of the probability either."""
    z = np.array([[120.0, 0.0, -10.0], [20.0, 0.0, -10.0]], "float32")
    loss = lossdsl.compile(f"-log(1 - {share}) + 0 * sum(y_true)")
    shown, slope = trained(passing("softmax", classes=3), loss, z, np.ones((2, 3), "float32"), mode)
    other = 1 / (1 + np.exp(-10))
    assert shown == pytest.approx(70 + np.log(other), rel=1e-6)
    np.testing.assert_allclose(slope, [1, -other, other - 1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
def test_focal_loss(mode):
    sign = np.where(LABELS == 1, 1, -1)
    z = sign * LOGITS.astype(float)
    missed, each = sigmoid(-z), np.logaddexp(0, -z)
    shown, slope = trained(passing("sigmoid"), lossdsl.compile(FOCAL), mode=mode)
    assert shown == pytest.approx((0.25 * missed**2 * each).sum(-1).mean(), rel=1e-5)
    slopes = -0.25 * sign * missed**2 * (2 * (1 - missed) * each + missed)
    np.testing.assert_allclose(slope, slopes.mean(0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
def test_without_logits_it_is_as_it_was(mode):
    shown, slope = trained(passing("sigmoid"), lossdsl.compile(GUARDED, logits=False), LOGITS[:1], LABELS[:1], mode)
    assert shown == pytest.approx(LOST, rel=0.02)
    np.testing.assert_array_equal(slope, [0.0, 0.0])
    shown, _ = trained(passing("sigmoid"), lossdsl.compile(NAIVE, logits=False), LOGITS[:1], LABELS[:1], mode)
    assert shown > 1e30


class TestWhichActivation:
    """Keras leaves logits behind a sigmoid and a softmax alike; the wrong one is another loss."""

    z = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    t = np.eye(3, dtype="float32")[[0, 1, 2, 0]]

    @pytest.mark.parametrize("mode", MODES)
    def test_labels_apart_on_a_softmax(self, mode):
        p = softmax(self.z)
        wanted = -(self.t * np.log(p) + (1 - self.t) * np.log(1 - p)).mean()
        for formula in (NAIVE, GUARDED):
            shown, _ = trained(passing("softmax", classes=3), lossdsl.compile(formula), self.z, self.t, mode)
            assert shown == pytest.approx(wanted, rel=1e-5)
        model = passing("softmax", classes=3)
        shown, _ = trained(model, keras.losses.BinaryCrossentropy(), self.z, self.t, mode)
        assert abs(shown - wanted) > 0.01 * wanted, "Keras no longer takes one for the other: say so in the docs"

    @pytest.mark.parametrize("mode", MODES)
    def test_one_class_of_many_on_a_sigmoid(self, mode):
        p = sigmoid(self.z)
        shown, _ = trained(
            passing("sigmoid", classes=3), lossdsl.compile("categorical_crossentropy"), self.z, self.t, mode
        )
        assert shown == pytest.approx(-(self.t * np.log(p / p.sum(-1, keepdims=True))).sum(-1).mean(), rel=1e-5)

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize(
        "activation",
        [lambda z: keras.activations.softmax(z, axis=0), lambda z: 1 / (1 + keras.ops.exp(-z)), "hard_sigmoid"],
        ids=["softmax over samples", "by hand", "hard"],
    )
    def test_anything_else_is_used_as_it_is(self, activation, mode):
        z = np.concatenate([self.z[:3], [[30.0, -2.0, 30.0]]]).astype("float32")
        model = passing(activation, classes=3)
        p = model.predict(z, verbose=0).clip(1e-7, 1 - 1e-7).astype(float)
        shown, _ = trained(model, lossdsl.compile(GUARDED), z, self.t, mode)
        assert shown == pytest.approx(-(self.t * np.log(p) + (1 - self.t) * np.log(1 - p)).mean(), rel=1e-3)

    def test_where_both_fit_the_probabilities_are_used(self):
        """At logits of 0 two classes are (0.5, 0.5) either way, and only the gradients differ."""
        z = tf.zeros((3, 2))
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = lossdsl.compile(CLASSES)(LABELS, keras.ops.softmax(z))
        np.testing.assert_allclose(tape.gradient(value, z), by_class(np.zeros((3, 2)), LABELS)[1] / 3, atol=1e-7)

    def test_attributes_that_belong_to_other_numbers(self):
        """Somebody's own attribute, of another shape or of other numbers, is not believed."""
        p = tf.constant([[0.25, 0.75]])
        for z in (tf.constant([[1.0, 2.0]]), tf.constant([1.0]), tf.constant([[1.0, 2.0]], tf.float64)):
            p._keras_logits = z
            assert float(lossdsl.compile(NAIVE)(tf.zeros((1, 2)), p)) == pytest.approx(-np.log([0.75, 0.25]).mean())

    def test_an_attribute_that_belongs_to_another_operation(self):
        @tf.function
        def run(z, other):
            p = tf.sigmoid(z)
            p._keras_logits = other
            return lossdsl.compile(NAIVE)(tf.zeros((1, 2)), p)

        assert float(run(tf.zeros((1, 2)), tf.fill((1, 2), 9.0))) == pytest.approx(np.log(2))

    def test_a_graph_that_captures_an_eager_tensor(self):
        p = keras.ops.sigmoid(tf.constant([[60.0]]))
        traced = tf.function(lambda: lossdsl.compile(GUARDED)(tf.zeros((1, 1)), p))
        assert float(traced()) == pytest.approx(LOST, rel=0.02)


class TestGradients:
    def run(self, loss):
        z = tf.constant(LOGITS)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(z)
            p = keras.ops.sigmoid(z)
            tape.watch(p)
            value = loss(LABELS, p)
        return value, tape.gradient(value, p), tape.gradient(value, z)

    @pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
    def test_the_gradient_passes_the_probabilities_by(self, mode):
        wrap = {"eager": lambda f: f, "graph": tf.function, "xla": lambda f: tf.function(f, jit_compile=True)}[mode]
        values, slopes = binary(LOGITS, LABELS)
        value, by_pred, by_logits = wrap(lambda: self.run(lossdsl.compile(GUARDED)))()
        assert float(value) == pytest.approx(values.mean(), rel=1e-6)
        assert by_pred is None
        np.testing.assert_allclose(by_logits, slopes / 3, rtol=1e-5, atol=1e-30)
        _, by_pred, _ = wrap(lambda: self.run(lossdsl.compile(GUARDED, logits=False)))()
        assert by_pred is not None

    @pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
    def test_of_labels_and_of_second_order(self, mode):
        def run(z, t):
            loss = lossdsl.compile(GUARDED)
            with tf.GradientTape() as outer:
                outer.watch(z)
                with tf.GradientTape() as inner:
                    inner.watch([z, t])
                    value = loss(t, keras.ops.sigmoid(z))
                by_logits, by_true = inner.gradient(value, [z, t])
            return by_true, outer.gradient(by_logits, z)

        wrap = {"eager": lambda f: f, "graph": tf.function, "xla": lambda f: tf.function(f, jit_compile=True)}[mode]
        by_true, second = wrap(run)(tf.constant(LOGITS), tf.constant(LABELS))
        np.testing.assert_allclose(by_true, -LOGITS / 6, rtol=1e-5)
        np.testing.assert_allclose(second, sigmoid(LOGITS) * sigmoid(-LOGITS) / 6, rtol=1e-5, atol=1e-12)

    def test_a_formula_that_gains_nothing_keeps_it(self):
        _, by_pred, _ = self.run(lossdsl.compile("mean(square(y_true - y_pred))"))
        np.testing.assert_allclose(by_pred, (sigmoid(LOGITS) - LABELS) / 3, rtol=1e-5, atol=1e-8)

    def test_declared_logits_are_never_looked_behind(self):
        loss = lossdsl.compile("y_pred: logits[batch, *]\nmean(softplus(y_pred) - y_true * log(y_pred + 2))")
        assert self.run(loss)[1] is not None

    def test_left_to_the_framework(self):
        value, _, by_logits = self.run(lossdsl.compile(NAIVE, gradient="backend"))
        values, slopes = binary(LOGITS, LABELS)
        assert float(value) == pytest.approx(values.mean(), rel=1e-6)
        np.testing.assert_allclose(by_logits, slopes / 3, rtol=1e-5, atol=1e-9)

    def test_call_never_uses_logits(self):
        loss = lossdsl.compile(GUARDED)
        p = keras.ops.sigmoid(tf.constant([[60.0]]))
        assert float(loss.call(np.zeros((1, 1)), p)[0]) == pytest.approx(LOST, rel=0.02)
        assert float(loss(np.zeros((1, 1)), p)) == pytest.approx(60.0)

    def test_logits_are_not_rounded_to_the_losses_type(self):
        p = keras.ops.sigmoid(tf.constant([[60.01]]))
        value = lossdsl.compile(GUARDED, dtype="float16")(np.zeros((1, 1)), p)
        assert float(value) == pytest.approx(60.01, rel=1e-6)
