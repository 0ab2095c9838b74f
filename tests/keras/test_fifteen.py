"""What a custom loss usually gets wrong, one test for each, with the number it must give."""

from __future__ import annotations

import copy
import json
import pickle
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossdsl

MAE = "mean(abs(y_true - y_pred))"
MODES = {
    "eager": {"run_eagerly": True},
    "graph": {"run_eagerly": False, "jit_compile": False},
    "xla": {"jit_compile": True},
}


def zeros(*shape):
    return np.zeros(shape, "float32")


def dense(units, **settings):
    """A linear model of three inputs with fixed weights."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, **settings)])
    model.set_weights([np.linspace(-1, 1, 3 * units).reshape(3, units), np.zeros(units)])
    return model


def embedded():
    """Two sequences of 2 and 1 real steps; the output is known and its mask comes from the Embedding."""
    inputs = keras.Input((3,), dtype="int32")
    embed = keras.layers.Embedding(3, 2, mask_zero=True)
    out = keras.layers.Dense(2, use_bias=False)
    model = keras.Model(inputs, out(embed(inputs)))
    embed.set_weights([np.array([[0, 0], [1, 2], [3, 4]], "float32")])
    out.set_weights([np.eye(2, dtype="float32")])
    return model, np.array([[1, 2, 0], [2, 0, 0]]), zeros(2, 3, 2)


def test_a_weight_belongs_to_its_sample():
    loss = lossdsl.compile(MAE)
    y_true, y_pred, weights = np.array([[1.0], [10.0]]), zeros(2, 1), [1.0, 0.0]
    assert float(loss(y_true, y_pred, weights)) == pytest.approx(0.5)
    for jit in (False, True):
        traced = tf.function(loss.__call__, jit_compile=jit)
        assert float(traced(tf.constant(y_true), tf.constant(y_pred), tf.constant(weights))) == pytest.approx(0.5)


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_does_what_it_does_in_keras_own(mode):
    evaluated, stepped = [], []
    for loss in (lossdsl.compile(MAE), keras.losses.MeanAbsoluteError()):
        model, x, y = embedded()
        model.compile(keras.optimizers.SGD(0.1), loss=loss, **MODES[mode])
        evaluated.append(model.evaluate(x, y, verbose=0))
        model.fit(x, y, verbose=0)
        stepped.append(model.get_weights())
    assert float(evaluated[0]) == pytest.approx(8.5 / 3)  # unmasked it would be 8.5 / 6
    assert float(evaluated[1]) == pytest.approx(8.5 / 3)
    for ours, theirs in zip(*stepped, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("labels", ["(B,)", "(B,1)", "(B,C)"])
def test_class_weights_are_those_of_the_built_in_loss(labels):
    x = np.arange(18, dtype="float32").reshape(6, 3) / 10
    y = np.array([0, 1, 1, 0, 1, 0])
    y, units = {"(B,)": (y, 1), "(B,1)": (y[:, None], 1), "(B,C)": (np.eye(2)[y], 2)}[labels]
    found = []
    for loss in (lossdsl.compile("mean((y_true - y_pred)**2)"), keras.losses.MeanSquaredError()):
        model = dense(units)
        model.compile(keras.optimizers.SGD(0.1), loss=loss)
        history = model.fit(x, y, class_weight={0: 0.25, 1: 4.0}, batch_size=6, shuffle=False, verbose=0)
        found.append([history.history["loss"], *model.get_weights()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_labels_without_the_last_axis_meet_their_own_predictions():
    y = np.linspace(-2, 2, 9, dtype="float32")
    assert lossdsl.compile("mean((y_true - y_pred)**2)")(y, y[:, None]) == 0.0


def test_five_columns_never_meet_one():
    with pytest.raises(lossdsl.LossError) as caught:
        lossdsl.compile(MAE)(zeros(4, 5), zeros(4, 1))
    text = str(caught.value)
    assert "5" in text.splitlines()[0]
    assert "1" in text.splitlines()[0]
    assert "mean(abs(y_true - y_pred))" in text
    assert "^" in text


def test_weights_per_sample_where_the_batch_is_as_long_as_time():
    y_pred = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    assert float(lossdsl.compile(MAE)(zeros(2, 2, 1), y_pred, [1.0, 0.0])) == pytest.approx(0.75)  # along time: 1.0


class TestWeightsAndMaskInsideSamples:
    y_true = zeros(3, 2)
    y_pred = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
    weights = np.array([[1.0, 2.0], [0.5, 1.0], [1.0, 1.0]], "float32")
    mask = np.array([[True, True], [True, False], [False, False]])

    def value(self, formula):
        return lossdsl.compile(formula).function(self.y_true, self.y_pred, self.weights, self.mask)

    def test_root_mean(self):
        assert float(self.value(MAE)) == pytest.approx((1 + 4 + 1.5) / 3)

    def test_root_sum(self):
        assert float(self.value("sum(abs(y_true - y_pred))")) == pytest.approx((1 + 4 + 1.5) / 2)

    def test_a_sum_of_both(self):
        found = self.value(f"2 * {MAE} + sum(abs(y_true - y_pred)) / 10")
        assert float(found) == pytest.approx(2 * 6.5 / 3 + 6.5 / 2 / 10)

    def test_dice_says_what_to_do(self):
        dice = "1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))"
        with pytest.raises(lossdsl.LossError, match=r"(?s)one weight per sample.*mean\(..., axis=-1\)"):
            self.value(dice)


def test_a_metric_counts_a_short_last_batch_by_its_samples():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.ones((1, 1))])
    loss = lossdsl.compile(MAE)
    model.compile("sgd", loss="mae", metrics=[loss.as_metric("ours")])
    x = np.array([[0.0], [0], [0], [0], [10]])
    assert float(model.evaluate(x, zeros(5, 1), batch_size=4, verbose=0, return_dict=True)["ours"]) == pytest.approx(2)


def settings(loss):
    return loss.formula, dict(loss.params), loss.reduction, loss.name, loss.dtype, loss.get_config()


def test_copies_keep_every_setting():
    loss = lossdsl.compile(
        "w * mean(abs(y_true - y_pred))",
        w=2.5,
        reduction="sum",
        name="a/b",
        dtype="mixed_float16",
        jit_compile=True,
    )
    model = dense(1)
    model.compile("sgd", loss=loss)
    copies = [
        copy.copy(loss),
        copy.deepcopy(loss),
        pickle.loads(pickle.dumps(loss)),
        lossdsl.Loss.from_config(json.loads(json.dumps(loss.get_config()))),
        keras.losses.get(keras.losses.serialize(loss)),
        keras.models.clone_model(model).loss,
    ]
    for found in copies:
        assert found == loss
        assert hash(found) == hash(loss)
        assert settings(found) == settings(loss)


@pytest.fixture
def saved(tmp_path):
    """A saved model, and a way to change the text of its loss inside the file."""

    def save(change=lambda config: None):
        model = dense(1)
        model.compile("sgd", loss=lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.5))
        path = tmp_path / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(files["config.json"])
        change(config["compile_config"]["loss"]["config"])
        files["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path

    return save


def test_a_saved_model_keeps_its_loss(saved):
    model = keras.models.load_model(saved(), safe_mode=True)
    assert model.loss == lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.5)
    assert float(model.loss(np.ones((2, 1)), zeros(2, 1))) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"formula": "mean(abs(y_true - y_pred"}, "never closed|closed"),
        ({"formula": "__import__('os')"}, "'"),
        ({"formula": 3}, "formula"),
        ({"language": 99}, "version"),
        ({"colour": "red"}, "colour"),
        ({"params": {"w": "lots"}}, "w"),
        ({"params": {}}, "w"),
        ({"uses": [1]}, "uses"),
        ({"reduction": "avg"}, "avg"),
        ({"dtype": "int32"}, "int32"),
        ({"jit_compile": "yes"}, "yes"),
        ({"epsilon": True}, "epsilon"),
    ],
    ids=str,
)
def test_a_file_that_was_tampered_with_is_refused_by_name(saved, change, says):
    path = saved(lambda config: config.update(change))
    with pytest.raises(lossdsl.LossError, match=says):
        keras.models.load_model(path)
    assert keras.models.load_model(path, compile=False)(zeros(1, 3)).shape == (1, 1)


def test_thirty_batch_sizes_take_two_traces():
    loss = lossdsl.compile(MAE + " + 0")
    for size in range(1, 31):
        loss(zeros(size, 5), zeros(size, 5))
    assert loss.function.experimental_get_tracing_count() <= 2
    for size in range(1, 31):
        loss(zeros(size, 5), zeros(size, 5), zeros(size))
    assert loss.function.experimental_get_tracing_count() <= 4
    for size in range(1, 31):
        assert float(loss(zeros(size, 3, 5), np.ones((size, 3, 5), "float32"))) == pytest.approx(1)
    assert loss.function.experimental_get_tracing_count() <= 6


@pytest.mark.parametrize("dtype", ["mixed_float16", "float16", "bfloat16", "mixed_bfloat16"])
def test_half_types_store_but_do_not_compute(dtype):
    loss = lossdsl.compile(MAE, dtype=dtype)
    y_pred = np.ones((100_000, 1), "float32")
    for traced in (loss, tf.function(loss.__call__), tf.function(loss.__call__, jit_compile=True)):
        found = traced(tf.zeros((100_000, 1)), tf.constant(y_pred))
        assert found.dtype == tf.float32
        assert float(found) == pytest.approx(1.0)
    assert float(lossdsl.compile("sum((y_true - y_pred)**2)", dtype=dtype)([[0.0]], [[300.0]])) == pytest.approx(90_000)
    rounded = {"float16": 0.0999755859375, "bfloat16": 0.10009765625}[dtype.removeprefix("mixed_")]
    assert float(loss([[0.0]], [[0.1]])) == pytest.approx(rounded, abs=1e-9)


def test_labels_are_not_cast_through_a_half_type():
    pick = lossdsl.compile("-log(take_along_axis(y_pred, y_true))", dtype="bfloat16")
    y_pred = np.full((1, 300), 1e-3, "float32")
    y_pred[0, 257] = 1.0
    for label in (
        np.array([257]),
        np.array([[257]]),
        np.array([257.0], "float32"),
        np.array([257], "uint16"),
    ):
        assert float(pick(label, y_pred)) == pytest.approx(0.0, abs=1e-6)
    assert float(lossdsl.compile(MAE, dtype="bfloat16")(np.array([257]), np.array([[256.0]]))) == pytest.approx(1.0)


def test_a_constant_that_a_half_type_loses_is_named():
    with pytest.warns(UserWarning, match=r"1e-9 is 0 in float16"):
        lossdsl.compile("-mean(log(y_pred + 1e-9))", dtype="float16")
    with pytest.warns(UserWarning, match=r"70000 is infinite in float16"):
        lossdsl.compile("mean(abs(y_pred)) * 70000", dtype="float16")


@pytest.mark.parametrize("how", ["weight", "mask", "weight inside", "mask inside"])
@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_a_dead_sample_reaches_neither_value_nor_gradient(how, bad, mode):
    loss = lossdsl.compile("-mean(log(y_pred))")
    dead = np.array([[1.0, 1.0], [0.0, 0.0]], "float32")
    dead = dead if how.endswith("inside") else dead[:, 0]
    weights, mask = (dead, None) if how.startswith("weight") else (None, dead.astype(bool))

    def run(y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss.function(tf.zeros_like(y_pred), y_pred, weights, mask)
        return value, tape.gradient(value, y_pred)

    call = {"eager": run, "graph": tf.function(run), "xla": tf.function(run, jit_compile=True)}[mode]
    value, gradient = call(tf.constant([[0.5, 0.5], [bad, bad]]))
    count = 4 if weights is not None else 2
    assert float(value) == pytest.approx(2 * np.log(2) / count)
    np.testing.assert_allclose(gradient, [[-2 / count] * 2, [0, 0]], rtol=1e-6)


def test_as_metric_is_exact_over_batches_of_four_and_one():
    metric = lossdsl.compile(MAE).as_metric()
    metric.update_state(zeros(4, 1), zeros(4, 1))
    metric.update_state(zeros(1, 1), zeros(1, 1) + 10)
    assert float(metric.result()) == pytest.approx(2.0)
