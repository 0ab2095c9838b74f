"""Logits behind probabilities, in everything else that a model does: weights, masks, metrics, saving, many outputs."""

from __future__ import annotations

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from logits_cases import GUARDED, LABELS, LOGITS, LOST, MODES, NAIVE, binary, by_class, passing

import lossdsl
from lossdsl.backends import live_call

STEPS = np.array([[[90.0, 0.0], [1.0, 2.0]], [[0.5, 3.0], [-60.0, 5.0]], [[0.0, 1.0], [2.0, 2.0]]], "float32")
TARGETS = np.array([[[0, 1], [1, 0]], [[1, 0], [1, 0]], [[0, 1], [1, 0]]], "float32")


def in_steps(activation):
    inputs = keras.Input((2, 2))
    model = keras.Model(inputs, keras.layers.Dense(2, activation=activation)(inputs))
    model.set_weights([np.eye(2), np.zeros(2)])
    return model


def evaluated(model, loss, x, y, mode, weights=None, metrics=None):
    model.compile("sgd", loss=loss, weighted_metrics=metrics, **MODES[mode])
    return model.evaluate(x, y, sample_weight=weights, batch_size=len(x), verbose=0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2)], ids=str)
def test_weights(shape, mode):
    w = np.random.default_rng(1).random(shape).astype("float32")
    w.flat[1] = 0
    k = np.broadcast_to(w.reshape(*shape, *[1] * (2 - w.ndim)), (3, 2))
    classes, sigmoids = "-mean(sum(y_true * log(y_pred), axis=-1))", lossdsl.compile(NAIVE)
    for model, loss, each in (
        (in_steps("softmax"), lossdsl.compile(classes), by_class(STEPS, TARGETS)[0]),
        (in_steps("sigmoid"), sigmoids, binary(STEPS, TARGETS)[0]),
    ):
        found = evaluated(model, loss, STEPS, TARGETS, mode, w)
        assert found == pytest.approx((each * k).mean(), rel=1e-5)


def test_weights_where_parts_of_a_graph_are_compiled():
    w = np.array([2.0, 0.0, 1.0], "float32")
    loss = lossdsl.compile(NAIVE, jit_compile=True)
    found = evaluated(in_steps("sigmoid"), loss, STEPS, TARGETS, "graph", w)
    assert found == pytest.approx((binary(STEPS, TARGETS)[0].mean(-1) * w).mean(), rel=1e-5)


def test_weights_that_reach_the_classes_of_a_softmax():
    """They would weigh what softmax couples, so the probabilities are used."""
    w = np.random.default_rng(1).random((3, 2)).astype("float32")
    z = tf.constant([[1.0, 2.0], [0.5, 3.0], [-6.0, 5.0]])
    p = keras.ops.softmax(z)
    value = lossdsl.compile(NAIVE)(LABELS, p, w)
    q = p.numpy().astype(float)
    each = -(LABELS * np.log(q) + (1 - LABELS) * np.log(1 - q))
    assert float(value) == pytest.approx((w * each).mean(), rel=1e-4)
    with pytest.raises(lossdsl.LossError, match="weights"):
        lossdsl.compile(NAIVE)(LABELS, p, np.ones((3, 3), "float32"))


@pytest.mark.parametrize("mode", MODES)
def test_a_mask(mode):
    inputs = keras.Input((2, 2))
    dense = keras.layers.Dense(2, activation="sigmoid")
    model = keras.Model(inputs, dense(keras.layers.Masking()(inputs)))
    dense.set_weights([np.eye(2), np.zeros(2)])
    x = STEPS.copy()
    x[2, 1] = 0
    mask = np.array([[1, 1], [1, 1], [1, 0]])
    each = binary(x, TARGETS)[0]
    assert evaluated(model, lossdsl.compile(GUARDED), x, TARGETS, mode) == pytest.approx((each * mask).sum() / 5)


@pytest.mark.parametrize("jit", [False, True])
def test_a_dead_sample_that_is_not_a_number(jit):
    def run(z):
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = lossdsl.compile(GUARDED)(tf.zeros((3, 1)), keras.ops.sigmoid(z), tf.constant([1.0, 0.0, 1.0]))
        return value, tape.gradient(value, z)

    for call in (run, tf.function(run, jit_compile=jit)):
        value, slope = call(tf.constant([[60.0], [np.nan], [-2.0]]))
        assert float(value) == pytest.approx((60 + np.log1p(np.exp(-2))) / 3, rel=1e-6)
        assert np.asarray(slope)[0, 0] == pytest.approx(1 / 3)
        assert np.asarray(slope)[2, 0] == pytest.approx(0.1192029 / 3, rel=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_the_metric_goes_the_same_way(mode):
    for logits, wanted in (("auto", binary(LOGITS, LABELS)[0].mean()), (False, None)):
        loss = lossdsl.compile(GUARDED, logits=logits)
        metrics = [loss.as_metric("again"), lossdsl.metric(GUARDED, name="by_default")]
        shown, again, by_default = evaluated(passing("sigmoid"), loss, LOGITS, LABELS, mode, metrics=metrics)
        assert again == pytest.approx(shown, rel=1e-6)
        assert wanted is None or shown == pytest.approx(wanted, rel=1e-5)
        assert by_default == pytest.approx(binary(LOGITS, LABELS)[0].mean(), rel=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_many_outputs_and_models_within_models(mode):
    inputs = keras.Input((2,))
    one, other = passing("sigmoid"), passing("softmax")
    model = keras.Model(inputs, {"a": one(inputs), "b": other(inputs)})
    losses = {"a": lossdsl.compile(GUARDED), "b": lossdsl.compile("categorical_crossentropy")}
    found = evaluated(model, losses, LOGITS, {"a": LABELS, "b": LABELS}, mode)
    each = binary(LOGITS, LABELS)[0] + by_class(LOGITS, LABELS)[0]
    assert found[0] == pytest.approx(each.mean(), rel=1e-5)


class Penalised(keras.layers.Layer):
    """Adds a loss of its own output, as layers do."""

    def __init__(self):
        super().__init__()
        self.loss = lossdsl.compile(GUARDED)

    def call(self, inputs):
        p = keras.ops.sigmoid(inputs)
        self.add_loss(self.loss(keras.ops.zeros_like(p), p))
        return p


@pytest.mark.parametrize("mode", MODES)
def test_a_loss_that_a_layer_adds(mode):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, Penalised()(inputs))
    found = evaluated(model, None, LOGITS, None, mode)
    assert np.ravel(found)[0] == pytest.approx(binary(LOGITS, np.zeros((3, 2)))[0].mean(), rel=1e-5)


def test_saved_and_loaded(tmp_path):
    for logits, wanted in (("auto", 60.0), (False, LOST)):
        loss = lossdsl.compile(GUARDED, logits=logits)
        assert loss.get_config().get("logits", "auto") == logits
        assert ("logits" in loss.get_config()) is (logits is False)
        model = passing("sigmoid")
        model.compile("sgd", loss=loss)
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        assert again.loss == loss
        found = again.evaluate(LOGITS[:1] * [1, 0], np.array([[0.0, 0.5]]), verbose=0)
        assert found == pytest.approx((wanted + np.log(2)) / 2, rel=0.02)


def test_the_setting():
    plain, off = lossdsl.compile(GUARDED), lossdsl.compile(GUARDED, logits=False)
    assert plain != off
    assert lossdsl.compile(GUARDED, logits=True) == plain
    assert off.with_params(label_smoothing=0.1).get_config()["logits"] is False
    assert off.spec == lossdsl.LossSpec(GUARDED, logits=False)
    assert off.spec.compile() == off
    assert plain.spec.to_dict() == {"formula": GUARDED}
    metric = off.as_metric()
    assert type(metric).from_config(metric.get_config()).get_config()["logits"] is False
    for wrong in ("never", None, 0, 1):
        with pytest.raises(lossdsl.LossError, match="logits can't be"):
            lossdsl.compile(GUARDED, logits=wrong)
        with pytest.raises(lossdsl.LossError, match="logits can't be"):
            lossdsl.LossSpec(GUARDED, logits=wrong)
    with pytest.raises(lossdsl.LossError, match="`logits` of a saved loss"):
        lossdsl.Loss.from_config({"formula": GUARDED, "logits": 3})


def test_one_more_function_and_no_more():
    loss = lossdsl.compile(f"1.0625 * {GUARDED}(y_true, y_pred)")  # of no other test's: equal losses share functions
    for _ in range(3):
        loss(LABELS, keras.ops.sigmoid(tf.constant(LOGITS)))
        loss(LABELS, np.full((3, 2), 0.5, "float32"))
    assert loss.function.experimental_get_tracing_count() == 2


def test_functions_and_logits_go_with_the_loss():
    z = tf.constant(LOGITS)
    p = keras.ops.sigmoid(z)
    loss = lossdsl.compile(GUARDED + "(y_true, y_pred) * 1.25")
    loss(LABELS, p)
    held, data = [weakref.ref(x) for x in loss.function._held.values()], weakref.ref(p)
    assert len(held) == 1
    keys = [key for key in live_call._COMPILED if key in loss.function._held]
    assert len(keys) == 1
    del loss, p, z
    gc.collect()
    assert [x() for x in held] == [None]
    assert data() is None


RESTED = "q = where(y_true == 1, y_pred, 1 - y_pred)\nb = -log(clip(q, 1e-6, 1 - 1e-6))\n"
BOUNDED = [
    RESTED + "sqrt(mean(b))",
    RESTED + "mean(sqrt(b))",
    RESTED + "mean((1 - exp(-b)) ** 0.5 * b)",
    RESTED + "log(mean(b))",
    RESTED + "mean(exp(b / 2) * b)",
    "mean(y_true - 1 / log(clip(y_pred, 1e-6, 1 - 1e-6)))",
    "mean(y_true * exp(log(y_pred + 1e-6) - log(1 - y_pred + 1e-6)))",
    "alpha_divergence(y_true, y_pred)",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("body", BOUNDED)
def test_a_guard_that_more_depends_on_stays(body, mode):
    """Samples that are right beyond doubt, where the logarithm is 0 without its guard, or wrong, where it is large."""
    loss = lossdsl.compile("y_true: float[batch, *] in [0, 1]\ny_pred: prob[batch, *]\n" + body, strict=True)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "sigmoid", use_bias=False)])
    model.set_weights([np.eye(2)])
    model.compile("sgd", loss=loss, **MODES[mode])
    for x in ([120.0, -120.0], [-200.0, 200.0]):
        found = model.fit(np.array([x, x], "float32"), np.array([[1, 0], [1, 0]]), epochs=2, verbose=0)
        assert np.all(np.isfinite(found.history["loss"]))
        assert np.all(np.isfinite(model.get_weights()[0]))


CHOSEN = [
    "p = clip(y_pred, epsilon, 1 - epsilon)\npt = where(y_true == 1, p, 1 - p)\nmean(-(1 - pt) ** 2 * log(pt))",
    "pt = where(y_true == 1, y_pred, 1 - y_pred)\nmean(-log(pt + 1e-7))",
    "mean(-log(maximum(where(y_true > 0.5, y_pred, 1 - y_pred), epsilon)))",
]


@pytest.mark.parametrize(("activation", "distance"), [("sigmoid", 90.0), ("softmax", 180.0)])
@pytest.mark.parametrize("body", CHOSEN)
def test_the_probability_of_what_was_true_is_chosen(body, activation, distance):
    """Guarded before or after the choice: beyond doubt and wrong, the loss is that of the logits, and trains."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation, use_bias=False)])
    model.set_weights([np.eye(2)])
    model.compile("sgd", loss=lossdsl.compile("y_true: float[batch, *] in [0, 1]\ny_pred: prob[batch, *]\n" + body))
    found = model.fit(np.array([[90.0, -90.0]], "float32"), np.array([[0.0, 1.0]]), verbose=0)
    assert found.history["loss"] == pytest.approx([distance])
    assert np.abs(model.get_weights()[0] - np.eye(2)).max() > 0.1


@pytest.mark.parametrize("mode", MODES)
def test_a_softmax_of_one_class_is_left_alone(mode):
    """It is 1 whatever the model says: the logarithm of what it leaves is that of nothing."""
    body = "y_pred: prob[batch, k]\nmean(-y_true * log(y_pred + 1e-7) - (1 - y_true) * log(1 - y_pred + 1e-7))"
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "softmax")])
    model.compile("sgd", loss=lossdsl.compile(body), **MODES[mode])
    found = model.fit(np.ones((2, 1), "float32"), np.array([[0.0], [1.0]]), verbose=0)
    assert found.history["loss"] == pytest.approx([8.0], rel=0.02)
    assert np.all(np.isfinite(model.get_weights()[0]))
