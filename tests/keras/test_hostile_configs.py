"""What a stranger's saved model or data set may hold where a loss was: rows 35 to 39 and 42 to 44 of the hostile table."""

from __future__ import annotations

import gc
import json
import threading
import time
import weakref
import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossdsl
from lossdsl.backends import live_call

FORMULA = "w * mean(abs(y_true - y_pred))"
NESTED: list = []
for _ in range(5_000):
    NESTED = [NESTED]


def refused(config: dict) -> str:
    """The code of the error that a config gives, within a second."""
    started = time.process_time()
    with pytest.raises(lossdsl.LossError) as caught:
        lossdsl.Loss.from_config(config)
    assert time.process_time() - started < 1.5
    assert len(str(caught.value)) < 3_000
    return caught.value.diagnostics[0].code


# -- 35: what stands for the formula


@pytest.mark.parametrize(
    "formula",
    [
        {"class_name": "Dense", "config": {"units": 1}},
        {"module": "builtins", "class_name": "eval", "config": "1"},
        ["mean(y_pred)"],
        b"mean(y_pred)",
        3,
        None,
        True,
        keras.layers.Dense(1),
        lambda y_true, y_pred: y_pred,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_formula_is_text(formula):
    assert refused({"formula": formula}) == "saved-value"


# -- 36: entries


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"colour": "red"}, "saved-key"),
        ({"{0.__class__}": 1}, "saved-key"),
        ({"__class__": "os.system"}, "saved-key"),
        ({"k" * 10**6: 1}, "saved-key"),
        ({f"k{i}": 1 for i in range(10**5)}, "saved-key"),
        ({"language": 999}, "spec-version"),
        ({"language": 10**400}, "spec-version"),
        ({"language": "1"}, "saved-value"),
        ({"language": True}, "saved-value"),
        ({"language": 1.0}, "saved-value"),
        ({"reduction": "os.system"}, "spec-setting"),
        ({"reduction": ["sum"]}, "saved-value"),
        ({"name": "../../etc/passwd\n"}, "spec-setting"),
        ({"name": {"class_name": "str"}}, "saved-value"),
        ({"dtype": "object"}, "spec-setting"),
        ({"dtype": {"class_name": "DTypePolicy"}}, "saved-value"),
        ({"jit_compile": "sometimes"}, "spec-setting"),
        ({"strict": -1.0}, "spec-setting"),
        ({"strict": [1]}, "saved-value"),
        ({"epsilon": [1]}, "saved-value"),
        ({"uses": {"mse": {"class_name": "x"}}}, "saved-value"),
        ({"uses": ["mse"]}, "saved-value"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_entries_are_known_and_of_their_kind(change, code):
    assert refused({"formula": FORMULA, "params": {"w": 1.0}, **change}) == code


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"formula": FORMULA, "rewrite": "x"}, "rewrite can't be 'x'"),
        ({"formula": FORMULA, "rewrite": 1}, "rewrite can't be 1"),
        ({"formula": FORMULA, "rewrite": None}, "rewrite can't be None"),
        ({"formula": 3}, "a formula is text, and this is of type int"),
        ({"formula": "huber", "params": 0.5}, "parameters have names, and this is of type float"),
    ],
)
def test_arguments_are_of_their_kind(given, shown):
    with pytest.raises(lossdsl.LossError) as caught:
        lossdsl.compile(**{"w": 1.0, **given})
    assert caught.value.diagnostics[0].message == shown


def test_a_config_without_a_version_is_of_this_one():
    """Nobody wrote a loss before versions were written, and what a person writes by hand has none."""
    assert lossdsl.Loss.from_config({"formula": "mean(y_pred - y_true)"}).get_config()["language"] == 1


@pytest.mark.parametrize(
    "epsilon", [float("nan"), float("inf"), -1.0, 10**400], ids=["nan", "inf", "negative", "giant"]
)
def test_epsilon_is_a_small_positive_number(epsilon):
    assert refused({"formula": "mean(log(y_pred + epsilon))", "epsilon": epsilon}) == "spec-setting"


# -- 37: parameters


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({f"p{i}": 1.0 for i in range(10**5)}, "too-many-parameters"),
        ({"w": 1.0, "__class__": 1.0}, "parameter-unused"),
        ({"w": {"class_name": "__tensor__", "config": {"value": [1.0], "dtype": "float32"}}}, "spec-value"),
        ({"w": "x" * 10**7}, "spec-value"),
        ({"w": "9" * 10**6}, "parameter-type"),
        ({"w": float("nan")}, "parameter-type"),
        ({"w": "inf"}, "parameter-type"),
        ({"w": None}, "spec-value"),
        ({"w": NESTED}, "spec-value"),
        ({"w": [1.0] * 10**5}, "parameter-type"),
        ({"w": 10**400}, "parameter-type"),
        ({"w": lambda: 1}, "spec-value"),
        ({"W": 1.0}, "parameter-unused"),
        ([1.0], "saved-value"),
    ],
    ids=lambda value: str(type(value))[:30] if isinstance(value, (dict, list)) else value,
)
def test_parameters_are_few_finite_plain_numbers(params, code):
    assert refused({"formula": FORMULA, "params": params}) == code


# -- 38 and 39: the file around it


@pytest.fixture
def saved(tmp_path):
    """Saves a model and rewrites the text of its config."""

    def save(change):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", loss=lossdsl.compile("mean(abs(y_true - y_pred)) * 2"))
        path = tmp_path / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        text = change(files["config.json"].decode())
        assert text != files["config.json"].decode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in {**files, "config.json": text.encode()}.items():
                archive.writestr(name, data)
        return path

    return save


KEY = '"formula": "mean(abs(y_true - y_pred)) * 2"'


def test_of_two_formulas_the_one_that_keras_reads_is_checked(saved):
    """Keras' own JSON reader keeps the last of two equal keys; what it keeps goes through every check."""
    path = saved(lambda text: text.replace(KEY, KEY + ', "formula": "mean(y_pred.__class__)"'))
    with pytest.raises(lossdsl.LossError, match="attribute"):
        keras.models.load_model(path)
    path = saved(lambda text: text.replace(KEY, '"formula": "mean(y_pred.__class__)", ' + KEY))
    assert keras.models.load_model(path).loss.formula == "mean(abs(y_true - y_pred)) * 2"


def test_our_own_json_reader_refuses_a_key_that_stands_twice():
    with pytest.raises(lossdsl.LossError, match="twice"):
        lossdsl.LossSpec.from_json('{"formula": "mean(y_pred)", "formula": "mean(y_pred - y_true)"}')


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"lossdsl>Loss"', '"lossdsl>Metric"'),
        lambda text: text.replace('"lossdsl>Loss"', '"builtins>eval"'),
        lambda text: (
            text.replace('"class_name": "Loss"', '"class_name": "Popen"')
            .replace('"lossdsl>Loss"', "null")
            .replace('"module": "lossdsl', '"module": "subprocess')
        ),
    ],
)
def test_a_class_that_was_swapped_is_no_loss(saved, change):
    path = saved(change)
    with pytest.raises((lossdsl.LossError, TypeError, ValueError)):
        keras.models.load_model(path, safe_mode=True)


def test_an_untrusted_formula_runs_nothing_when_it_is_loaded(saved, tmp_path):
    path = saved(lambda text: text.replace(KEY, f"\"formula\": \"open('{tmp_path}/gone', 'w')\""))
    with pytest.raises(lossdsl.LossError):
        keras.models.load_model(path)
    assert not (tmp_path / "gone").exists()


# -- 42: data


DATA = {
    "text": (tf.constant([["a"], ["b"]]), "data-not-numbers"),
    "list of text": ([["a"], ["b"]], "data-not-numbers"),
    "complex": (tf.zeros((2, 1), "complex64"), "data-not-numbers"),
    "ragged": (tf.ragged.constant([[1.0], [2.0, 3.0]]), "data-not-dense"),
    "sparse": (tf.sparse.from_dense([[0.0], [1.0]]), "data-not-dense"),
    "ragged lists": ([[1.0], [2.0, 3.0]], "data-not-numbers"),
    "a mapping": ({"a": tf.zeros((2, 1))}, "data-not-one"),
    "rank 9": (tf.zeros((2,) + (1,) * 8), "too-many-axes"),
    "a number": (tf.constant(1.0), "no-batch-axis"),
    "objects": ([object()], "data-not-numbers"),
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_is_none(name):
    given, code = DATA[name]
    loss = lossdsl.compile("mean(abs(y_true - y_pred))")
    with pytest.raises(lossdsl.LossError) as caught:
        loss(tf.zeros((2, 1)), given)
    assert caught.value.diagnostics[0].code == code


def test_pairs_of_a_large_batch_are_refused_before_they_are_made():
    loss = lossdsl.compile("mean(mean(abs(y_pred - pairs(y_pred)), axis=pairs))")
    wide = tf.zeros((100_000, 1))
    with pytest.raises(lossdsl.LossError) as caught:
        loss(wide, wide)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "tensor-too-large"
    assert diagnostic.span.text == "y_pred - pairs(y_pred)"


# -- 43 and 44: many of them


def test_losses_leave_nothing_behind():
    """Compiled functions go with the last loss that needs them."""
    kept = weakref.ref(lossdsl.compile("mean(y_pred - y_true) * 77"))
    before = len(live_call._COMPILED)
    for i in range(20):
        loss = lossdsl.compile(f"mean(abs(y_true - y_pred)) * {i}.5")
        loss(np.ones((2, 1)), np.zeros((2, 1)))
    held = len(live_call._COMPILED)
    del loss
    gc.collect()
    assert kept() is None
    assert held >= before
    assert len(live_call._COMPILED) <= before + 1


def test_sixteen_threads_share_one_compilation():
    losses = [lossdsl.compile("mean(abs(y_true - y_pred)) * 3.25") for _ in range(16)]
    start = threading.Barrier(16)

    def one(loss):
        start.wait()
        return float(loss(np.ones((4, 2), "float32"), np.zeros((4, 2), "float32")))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, losses)) == {3.25}
    functions = {id(held.function) for loss in losses for held in loss.function._held.values()}
    assert len(functions) == 1
    assert losses[0].function.experimental_get_tracing_count() == 1


def test_a_long_formula_is_a_loss_that_can_be_copied():
    import copy
    import pickle

    loss = lossdsl.compile("mean(" + "+".join(f"abs(y_true - y_pred * {i})" for i in range(300)) + ")")
    config = json.loads(json.dumps(loss.get_config()))
    for again in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), lossdsl.Loss.from_config(config)):
        assert again == loss
    value = float(loss(np.ones((1, 1), "float32"), np.ones((1, 1), "float32")))
    assert value == pytest.approx(sum(abs(1 - i) for i in range(300)))
