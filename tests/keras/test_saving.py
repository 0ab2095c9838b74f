"""What is saved is what is loaded, and a library that has changed since does not change the loss."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import keras
import numpy as np
import pytest
import yaml

import lossdsl
from lossdsl.checked import analyse

FORMULA = "0.5 * mean_squared_error(y_true, y_pred) + dice(y_true, y_pred)"
Y_TRUE = np.array([[0.0, 1.0], [1.0, 1.0]])
Y_PRED = np.array([[0.5, 0.5], [0.25, 0.75]])


def plain(config):
    return json.loads(json.dumps(config, allow_nan=False))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"reduction": None},
        {"reduction": "none"},
        {"reduction": "mean_with_sample_weight", "name": "a.b-c/d"},
        {"dtype": "float64", "jit_compile": True},
        {"dtype": keras.DTypePolicy("mixed_bfloat16"), "jit_compile": False},
    ],
    ids=str,
)
def test_every_setting_comes_back(settings):
    loss = lossdsl.compile("mean(w * abs(y_true - y_pred)) * c", {"w": [1.0, 2.0]}, c=np.float32(0.5), **settings)
    config = plain(keras.losses.serialize(loss))
    assert config["registered_name"] == "lossdsl>Loss"
    assert config["module"] == "lossdsl"
    found = keras.losses.deserialize(config)
    assert found == loss
    for name in ("formula", "params", "reduction", "name", "dtype"):
        assert getattr(found, name) == getattr(loss, name)
    assert plain(found.get_config()) == config["config"]
    np.testing.assert_array_equal(found(Y_TRUE, Y_PRED), loss(Y_TRUE, Y_PRED))


def test_dtype_is_written_only_where_it_was_given():
    assert "dtype" not in lossdsl.compile(FORMULA).get_config()
    keras.config.set_floatx("float64")
    try:
        loss = lossdsl.compile(FORMULA)
        assert loss.dtype == "float64"
        assert "dtype" not in loss.get_config()
    finally:
        keras.config.set_floatx("float32")


def test_parameters_of_config_systems_become_plain_numbers():
    class Mapped(dict):
        """A mapping of a config library, which Keras could not write."""

    loss = lossdsl.compile("w * mean(abs(y_true - y_pred)) + v", Mapped(w="1e-3"), v=np.int64(2))
    assert plain(loss.get_config())["params"] == {"w": 0.001, "v": 2}
    assert type(loss.params["w"]) is float


def test_the_definitions_of_the_library_losses_are_saved():
    uses = lossdsl.compile(FORMULA).get_config()["uses"]
    assert sorted(uses) == ["dice", "mean_squared_error"]
    assert "uses" not in lossdsl.compile("mean(abs(y_true - y_pred))").get_config()


def older_config():
    """A loss saved when `dice` was twice what it is."""
    config = lossdsl.compile(FORMULA).get_config()
    text = config["uses"]["dice"]
    head, last = text.rstrip().rsplit("\n", 1)
    config["uses"]["dice"] = f"{head}\n2 * ({last})\n"
    return config


def test_a_loss_keeps_its_meaning_when_the_library_changes():
    config = older_config()
    with pytest.warns(UserWarning, match=r"`dice` means something else") as caught:
        loss = lossdsl.Loss.from_config(config)
    assert len(caught) == 1
    assert "2 * (" in str(caught[0].message)
    mse = ((Y_TRUE - Y_PRED) ** 2).mean(1)
    dice = 1 - 2 * (Y_TRUE * Y_PRED).sum(1) / (Y_TRUE.sum(1) + Y_PRED.sum(1))
    np.testing.assert_allclose(loss.call(Y_TRUE, Y_PRED), 0.5 * mse + 2 * dice, rtol=1e-5)
    np.testing.assert_allclose(lossdsl.compile(FORMULA).call(Y_TRUE, Y_PRED), 0.5 * mse + dice, rtol=1e-5)
    assert loss != lossdsl.compile(FORMULA)
    assert loss.get_config()["uses"] == config["uses"]


def test_a_comment_in_the_library_is_no_change():
    config = lossdsl.compile(FORMULA).get_config()
    config["uses"]["dice"] = "# another comment\n" + config["uses"]["dice"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lossdsl.Loss.from_config(config) == lossdsl.compile(FORMULA)


def test_a_saved_definition_that_does_not_check_is_refused():
    config = older_config()
    config["uses"]["dice"] = "mean(abs(y_true"
    with pytest.raises(lossdsl.LossError):
        lossdsl.Loss.from_config(config)


def test_a_config_written_by_hand_needs_only_the_formula():
    text = """
optimizer: {module: keras.optimizers, class_name: SGD, config: {learning_rate: 0.1}}
loss:
  class_name: lossdsl>Loss
  config: {formula: "w * mean(abs(y_true - y_pred))", params: {w: 1e-3}}
metrics:
  - class_name: lossdsl>Metric
    config: {formula: "mean(y_pred)", name: level}
"""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="ones")])
    model.compile_from_config(yaml.safe_load(text))
    found = model.evaluate(np.ones((3, 2)), np.zeros((3, 2)), verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(2e-3)
    assert found["level"] == pytest.approx(2.0)


def test_h5_and_yaml(tmp_path):
    loss = lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.0, reduction="sum")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.h5")
    assert keras.models.load_model(tmp_path / "model.h5").loss == loss
    assert lossdsl.Loss.from_config(yaml.safe_load(yaml.safe_dump(loss.get_config()))) == loss


def test_the_spec_makes_the_loss_again():
    loss = lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.0, reduction=None, dtype="float64", name="mine")
    assert loss.spec == lossdsl.LossSpec(loss.formula, {"w": 2.0}, "none", "mine", "float64")
    assert lossdsl.compile(FORMULA).spec == lossdsl.LossSpec(FORMULA)


BOUNDED = "k: float = 1.0\ny_pred: float[batch, *] in [0, 1]\nmean(log(y_pred + k))"


def test_a_loss_that_was_proved_makes_no_other_that_is_not(tmp_path):
    loss = lossdsl.compile(BOUNDED, strict=True)
    config = plain(loss.get_config())
    assert config["strict"] is True
    assert loss != lossdsl.compile(BOUNDED)
    assert loss.with_params(k=2.0).get_config()["strict"] is True
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), lossdsl.Loss.from_config(config)):
        assert again == loss
        with pytest.raises(lossdsl.LossError, match="not proved to be finite for all that is declared"):
            again.with_params(k=-0.5)
    with pytest.raises(lossdsl.LossError, match="not proved"):
        lossdsl.Loss.from_config({**config, "params": {"k": -0.5}})
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=loss)
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").loss == loss


def test_a_proof_up_to_a_size_is_saved_with_it():
    loss = lossdsl.compile("mean(square(y_true - y_pred))", strict=1e6)
    assert (plain(loss.get_config())["strict"], loss.spec.strict) == (1e6, 1e6)
    assert loss.with_params() == loss
    assert "strict" not in lossdsl.compile("mean(square(y_true - y_pred))").get_config()


def test_a_copy_of_a_formula_that_is_left_as_it_is_is_left_so_too():
    loss = lossdsl.compile("mean(log(exp(y_pred)))", rewrite=False)
    assert copy.deepcopy(loss) == loss
    assert copy.deepcopy(loss.checked).key == pickle.loads(pickle.dumps(loss.checked)).key == loss.checked.key


def test_another_key_for_another_meaning():
    assert analyse("mean(y_pred) * 2").key != analyse("mean(y_pred) * 3").key
    assert lossdsl.compile("mean(y_pred - y_true)", name="a") != lossdsl.compile("mean(y_pred - y_true)", name="b")
    assert lossdsl.compile("mean(y_pred - y_true)") != "mean(y_pred - y_true)"
