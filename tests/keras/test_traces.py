"""Compiled functions: shared by equal losses, freed with them, and never stale."""

from __future__ import annotations

import gc
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossdsl
from lossdsl.backends import live_call

MAE = "mean(abs(y_true - y_pred))"


def zeros(*shape):
    return np.zeros(shape, "float32")


def ones(*shape):
    return np.ones(shape, "float32")


def test_ranks_and_weights_in_any_order():
    loss = lossdsl.compile(MAE)
    for shape, weights in [
        ((4, 5), None),
        ((4, 5), (4,)),
        ((4, 3, 5), None),
        ((4, 3, 5), (4, 3)),
        ((6, 5), (6, 5)),
    ]:
        given = None if weights is None else ones(*weights)
        assert float(loss(zeros(*shape), ones(*shape), given)) == pytest.approx(1.0)
    assert float(loss(zeros(4), ones(4, 1))) == pytest.approx(1.0)


def test_equal_losses_share_and_others_do_not():
    first = lossdsl.compile("mean(abs(y_true - y_pred)) * 3")
    first(zeros(2, 2), ones(2, 2))
    same = lossdsl.compile("mean( abs(y_true - y_pred) )  *  3   # the same")
    assert same == first
    assert hash(same) == hash(first)
    assert same.function.experimental_get_tracing_count() == 0
    same(zeros(2, 2), ones(2, 2))
    assert same.function.experimental_get_tracing_count() == 1
    for other in (
        lossdsl.compile("mean(abs(y_true - y_pred)) * 4"),
        lossdsl.compile("mean(abs(y_true - y_pred)) * 3", reduction="sum"),
        lossdsl.compile("mean(abs(y_true - y_pred)) * 3", dtype="float64"),
        lossdsl.compile("mean(abs(y_true - y_pred)) * 3", jit_compile=True),
    ):
        assert other != first
        other(zeros(2, 2), ones(2, 2))
        held = set(map(id, first.function._held.values()))
        assert not held & set(map(id, other.function._held.values()))


def test_functions_go_with_the_last_loss_that_needs_them():
    loss = lossdsl.compile("mean(abs(y_true - y_pred)) * 7")
    again = lossdsl.compile("mean(abs(y_true - y_pred)) * 7")
    for each in (loss, again):
        each(zeros(2, 2), ones(2, 2))
    (held,) = loss.function._held.values()
    function = weakref.ref(held.function)
    before = len(live_call._COMPILED)
    del loss, each, held
    gc.collect()
    assert function() is not None
    del again
    gc.collect()
    assert function() is None
    assert len(live_call._COMPILED) < before


def test_threads_share_one_function():
    losses = [lossdsl.compile("mean(abs(y_true - y_pred)) * 11") for _ in range(8)]
    threads = [threading.Thread(target=loss, args=(zeros(3, 2), ones(3, 2))) for loss in losses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(held) for loss in losses for held in loss.function._held.values()}) == 1
    assert losses[0].function.experimental_get_tracing_count() == 1


def test_parameters_are_part_of_the_function():
    loss = lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.0)
    assert float(loss(zeros(2, 1), ones(2, 1))) == pytest.approx(2.0)
    assert float(loss.with_params(w=3.0)(zeros(2, 1), ones(2, 1))) == pytest.approx(3.0)
    assert float(loss(zeros(2, 1), ones(2, 1))) == pytest.approx(2.0)
    with pytest.raises(lossdsl.LossError, match=r"can't be changed.*: w"):
        loss.w = 5.0
    with pytest.raises(lossdsl.LossError, match=r"with_params\(w="):
        loss.w = 5.0
    with pytest.raises(TypeError):
        loss.params["w"] = 5.0
    for name in ("reduction", "formula", "name", "_dtype"):
        with pytest.raises(lossdsl.LossError):
            setattr(loss, name, "sum")
    with pytest.raises(lossdsl.LossError):
        del loss.name


def test_epsilon_is_read_when_the_loss_is_made_and_kept():
    formula = "mean(y_pred - y_true) + epsilon"
    loss = lossdsl.compile(formula)
    assert float(loss(zeros(2, 1), zeros(2, 1))) == pytest.approx(1e-7)
    keras.config.set_epsilon(1e-3)
    assert float(loss(zeros(2, 1), zeros(2, 1))) == pytest.approx(1e-7)
    assert float(lossdsl.compile(formula)(zeros(2, 1), zeros(2, 1))) == pytest.approx(1e-3)
    assert float(lossdsl.Loss.from_config(loss.get_config())(zeros(2, 1), zeros(2, 1))) == pytest.approx(1e-7)


def test_a_users_function_gets_the_code_as_it_is():
    """AutoGraph would rewrite the loss and all below it, slowly, on every trace."""
    import sys

    seen = []
    loss = lossdsl.compile(MAE)
    settle = loss.function._settle

    def spy(*args):
        frame = sys._getframe()
        while frame:
            seen.append(frame.f_code.co_name)
            frame = frame.f_back
        return settle(*args)

    loss.function._settle = spy

    @tf.function
    def mine(a, b):
        return loss(a, b) + tf.reduce_mean(loss.call(a[:1], b[:1]))

    mine(tf.zeros((2, 2)), tf.ones((2, 2)))
    assert {name for name in seen if name.startswith("tf__")} == {"tf__mine"}


@pytest.mark.parametrize("jit", ["auto", True, False])
def test_compiled_or_not_the_value_and_the_gradient_are_the_same(jit):
    loss = lossdsl.compile("mean((y_true - y_pred)**2)", jit_compile=jit)
    y_pred = tf.constant([[1.0, 2.0], [3.0, 4.0]])

    def run(y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(tf.zeros((2, 2)), y_pred, tf.constant([1.0, 2.0]))
        return value, tape.gradient(value, y_pred)

    for call in (run, tf.function(run), tf.function(run, jit_compile=True)):
        value, gradient = call(y_pred)
        assert float(value) == pytest.approx((5 + 2 * 25) / 4)
        np.testing.assert_allclose(gradient, [[0.5, 1], [3, 4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("jit", "outer", "inner"), [("auto", None, 0), (False, None, 0), (True, None, 1), (True, True, 0)]
)
def test_an_inner_compiled_function_only_where_it_was_asked_for_and_helps(jit, outer, inner):
    loss = lossdsl.compile(MAE, jit_compile=jit)
    call = tf.function(loss.__call__, jit_compile=outer)
    graph = call.get_concrete_function(tf.zeros((2, 2)), tf.zeros((2, 2))).graph
    calls = [op for op in graph.get_operations() if "PartitionedCall" in op.type]
    assert len(calls) == inner
    for op in calls:
        assert op.get_attr("_XlaMustCompile")


def test_settings_are_checked_when_the_loss_is_made():
    for bad in (
        {"reduction": "avg"},
        {"name": "a b"},
        {"name": MAE},
        {"dtype": "int32"},
        {"jit_compile": "yes"},
    ):
        with pytest.raises(lossdsl.LossError, match=next(iter(bad))):
            lossdsl.compile(MAE, **bad)
