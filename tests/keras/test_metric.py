"""A formula as a metric: the weighted mean over the data set, whatever the batches."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

import lossdsl

MAE = "mean(abs(y_true - y_pred))"
RNG = np.random.default_rng(4)
Y_TRUE, Y_PRED = RNG.normal(size=(2, 7, 3, 2)).astype("float32")
E = np.abs(Y_TRUE - Y_PRED)
W = RNG.random(7).astype("float32")
WT = RNG.random((7, 3)).astype("float32")


def over_batches(metric, size, weights=None, y_true=Y_TRUE, y_pred=Y_PRED):
    metric.reset_state()
    for start in range(0, len(y_true), size):
        rows = slice(start, start + size)
        metric.update_state(y_true[rows], y_pred[rows], None if weights is None else weights[rows])
    return float(metric.result())


@pytest.mark.parametrize("size", [7, 4, 3, 1])
class TestAnyBatches:
    def test_mean(self, size):
        metric = lossdsl.metric(MAE)
        assert over_batches(metric, size) == pytest.approx(E.mean(), rel=1e-5)
        expected = (E.mean((1, 2)) * W).sum() / W.sum()
        assert over_batches(metric, size, W) == pytest.approx(expected, rel=1e-5)
        expected = (E.mean(2) * WT).sum() / WT.sum()
        assert over_batches(metric, size, WT) == pytest.approx(expected, rel=1e-5)

    def test_sum(self, size):
        metric = lossdsl.metric("sum(abs(y_true - y_pred))")
        assert over_batches(metric, size) == pytest.approx(E.sum((1, 2)).mean(), rel=1e-5)
        expected = (E.sum((1, 2)) * W).sum() / W.sum()
        assert over_batches(metric, size, W) == pytest.approx(expected, rel=1e-5)

    def test_a_sum_of_terms_divides_each_by_its_own(self, size):
        metric = lossdsl.metric(f"2 * {MAE} + sum(square(y_true - y_pred)) / 10 - sqrt(mean(abs(y_pred)))")
        each = 2 * E.mean((1, 2)) + (E**2).sum((1, 2)) / 10 - np.sqrt(np.abs(Y_PRED).mean((1, 2)))
        assert over_batches(metric, size, W) == pytest.approx((each * W).sum() / W.sum(), rel=1e-4)

    def test_positions_left_standing(self, size):
        metric = lossdsl.metric("mean(abs(y_true - y_pred), axis=-1)")
        assert over_batches(metric, size, WT) == pytest.approx((E.mean(2) * WT).sum() / WT.sum(), rel=1e-5)
        # both terms stand along time, so that there they are one
        metric = lossdsl.metric("mean(abs(y_true - y_pred), axis=-1) + mean(y_pred)")
        each = E.mean((1, 2)) + Y_PRED.mean((1, 2))
        assert over_batches(metric, size, W) == pytest.approx((each * W).sum() / W.sum(), rel=1e-5)


@pytest.mark.parametrize("settings", [{"run_eagerly": True}, {}, {"jit_compile": True}], ids=str)
def test_in_evaluate_weighted_and_not(settings):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Activation("linear")])
    loss = lossdsl.compile(MAE)
    model.compile(
        "sgd",
        loss=loss,
        metrics=[loss.as_metric("plain")],
        weighted_metrics=[loss.as_metric("weighed")],
        **settings,
    )
    found = model.evaluate(Y_PRED, Y_TRUE, sample_weight=W, batch_size=4, verbose=0, return_dict=True)
    assert found["plain"] == pytest.approx(E.mean(), rel=1e-5)
    assert found["weighed"] == pytest.approx((E.mean((1, 2)) * W).sum() / W.sum(), rel=1e-5)


def test_a_mask_counts_in_the_metric_as_in_the_loss():
    inputs = keras.Input((3, 2))
    out = keras.layers.Dense(2)(keras.layers.Masking()(inputs))
    model = keras.Model(inputs, out)
    x = np.abs(Y_PRED)
    x[:3, 1:] = 0
    x[5] = 0
    mask = x.any(-1)
    loss = lossdsl.compile("sum(abs(y_true - y_pred))")
    model.compile("sgd", loss=loss, metrics=[loss.as_metric("metric"), lossdsl.metric(MAE, name="mae")])
    e = np.abs(model.predict(x, verbose=0) - Y_TRUE)
    found = model.evaluate(x, Y_TRUE, batch_size=4, verbose=0, return_dict=True)
    assert found["metric"] == pytest.approx((e * mask[..., None]).sum() / 6, rel=1e-5)
    assert found["mae"] == pytest.approx((e * mask[..., None]).sum() / mask.sum() / 2, rel=1e-5)


def test_a_dead_sample_with_nan_counts_nothing():
    metric = lossdsl.metric("-mean(log(y_pred)) + 0 * mean(y_true)")
    metric.update_state(np.zeros((2, 1)), np.array([[0.5], [np.nan]]), np.array([1.0, 0.0]))
    assert float(metric.result()) == pytest.approx(np.log(2))


def test_nothing_yet_is_zero_and_reset_forgets():
    metric = lossdsl.metric(MAE)
    assert float(metric.result()) == 0.0
    metric.update_state(np.zeros((2, 1)), np.ones((2, 1)))
    assert float(metric.result()) == 1.0
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_a_name_that_keras_hides_is_refused():
    for make in (lambda: lossdsl.metric(MAE, name="loss"), lambda: lossdsl.compile(MAE).as_metric("loss")):
        with pytest.raises(lossdsl.LossError, match="can't be named `loss`"):
            make()
    assert lossdsl.compile(MAE, name="mine").as_metric().name == "mine"


def test_a_coupled_formula_is_an_average_over_batches_and_says_so():
    formula = "a = y_pred - mean(y_pred, axis=batch); mean(a * a, axis=all) + 0 * mean(y_true, axis=all)"
    with pytest.warns(UserWarning, match="not exact"):
        metric = lossdsl.metric(formula)
    y_pred = np.array([[1.0], [3.0], [5.0], [5.0]])
    assert over_batches(metric, 2, None, np.zeros((4, 1)), y_pred) == pytest.approx(0.5)  # of 1 and 0


def test_a_measure_needs_no_gradient():
    metric = lossdsl.metric("mean(round(y_pred) == y_true)", name="accuracy")
    metric.update_state(np.array([[0.0], [1.0], [1.0]]), np.array([[0.2], [0.8], [0.1]]))
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_saved_and_loaded(tmp_path):
    metric = lossdsl.metric("w * mean(abs(y_true - y_pred))", w=2.0, name="ours", dtype="float64")
    found = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(found) is type(metric)
    assert found.get_config() == metric.get_config()
    assert over_batches(found, 4) == pytest.approx(2 * E.mean(), rel=1e-5)
    with pytest.raises(lossdsl.LossError, match="colour"):
        type(metric).from_config(metric.get_config() | {"colour": 1})


def test_half_types_are_counted_in_float32():
    metric = lossdsl.metric(MAE, dtype="float16")
    for _ in range(3):
        metric.update_state(np.zeros((40_000, 1)), np.ones((40_000, 1)))
    assert float(metric.result()) == 1.0
    assert float(metric.count[0]) == 120_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lossdsl.metric(MAE, dtype="bfloat16")
