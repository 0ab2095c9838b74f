"""Weights, masks and reductions against the table of what each must give, computed in NumPy."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import lossdsl

RNG = np.random.default_rng(3)
Y_TRUE, Y_PRED = RNG.normal(size=(2, 3, 4, 2)).astype("float32")
E = np.abs(Y_TRUE - Y_PRED)
MASK = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
WEIGHTS = {
    "none": None,
    "(B,)": np.array([2.0, 0.5, 3.0], "float32"),
    "(B,1)": np.array([[2.0], [0.5], [3.0]], "float32"),
    "(B,T)": RNG.random((3, 4)).astype("float32"),
    "(B,T,1)": RNG.random((3, 4, 1)).astype("float32"),
    "(B,T,F)": RNG.random((3, 4, 2)).astype("float32"),
    "(B,1,F)": RNG.random((3, 1, 2)).astype("float32"),
    "zero": np.zeros(3, "float32"),
    "scalar": np.float32(1.5),
    "bool": np.array([True, False, True]),
}
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", None, "none"]


def left(x, rank):
    return np.reshape(x, np.shape(x) + (1,) * (rank - np.ndim(x)))


def factors(shape, weights, mask):
    """Weights and mask over every entry."""
    w = np.ones(shape) if weights is None else np.broadcast_to(left(weights, len(shape)), shape).astype(float)
    m = np.ones(shape) if mask is None else np.broadcast_to(left(mask, len(shape)), shape).astype(float)
    return w, m


def ratio(above, below):
    return above / below if below else 0.0


def table_mean(e, weights, mask, reduction):
    w, m = factors(e.shape, weights, mask)
    if reduction in ("sum_over_batch_size", "mean"):
        return ratio((w * m * e).sum(), m.sum())
    if reduction == "mean_with_sample_weight":
        return ratio((w * m * e).sum(), (w * m).sum())
    each = (w * m * e).reshape(len(e), -1).sum(1) / (e.size / len(e))
    return each.sum() if reduction == "sum" else each


def table_sum(e, weights, mask, reduction):
    w, m = factors(e.shape, weights, mask)
    each = (w * m * e).reshape(len(e), -1).sum(1)
    alive = m.reshape(len(e), -1).any(1)
    if reduction in ("sum_over_batch_size", "mean"):
        return ratio(each.sum(), alive.sum())
    if reduction == "mean_with_sample_weight":
        return ratio(each.sum(), (w.reshape(len(e), -1)[:, 0] * alive).sum())
    return each.sum() if reduction == "sum" else each


def table_plain(v, weights, mask, reduction):
    w, m = factors(v.shape, weights, mask)
    if reduction in (None, "none"):
        return w * m * v
    return (w * m * v).sum() if reduction == "sum" else table_mean(v, weights, mask, reduction)


@functools.cache
def compiled(formula, reduction):
    return lossdsl.compile(formula, reduction=reduction)


def run(formula, reduction, weights, mask, y_true=Y_TRUE, y_pred=Y_PRED):
    return compiled(formula, reduction).function(y_true, y_pred, weights, mask)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
class TestTable:
    def test_mean(self, reduction, weights, mask):
        found = run("mean(abs(y_true - y_pred))", reduction, WEIGHTS[weights], mask)
        np.testing.assert_allclose(found, table_mean(E, WEIGHTS[weights], mask, reduction), rtol=1e-5, atol=1e-7)

    def test_sum(self, reduction, weights, mask):
        given = WEIGHTS[weights]
        if reduction == "mean_with_sample_weight" and np.ndim(given) > 1 and weights != "(B,1)":
            with pytest.raises(lossdsl.LossError, match="no mean over a `sum`"):
                run("sum(abs(y_true - y_pred))", reduction, given, mask)
            return
        found = run("sum(abs(y_true - y_pred))", reduction, given, mask)
        np.testing.assert_allclose(found, table_sum(E, given, mask, reduction), rtol=1e-5, atol=1e-7)

    def test_positions_left_standing(self, reduction, weights, mask):
        given = WEIGHTS[weights]
        if np.ndim(given) == 3 and weights != "(B,T,1)":
            with pytest.raises(lossdsl.LossError, match="more axes than the 2"):
                run("mean(abs(y_true - y_pred), axis=-1)", reduction, given, mask)
            return
        given = given[..., 0] if weights == "(B,T,1)" else given
        found = run("mean(abs(y_true - y_pred), axis=-1)", reduction, given, mask)
        np.testing.assert_allclose(found, table_plain(E.mean(-1), given, mask, reduction), rtol=1e-5, atol=1e-7)

    def test_unreduced(self, reduction, weights, mask):
        found = run("abs(y_true - y_pred)", reduction, WEIGHTS[weights], mask)
        np.testing.assert_allclose(found, table_plain(E, WEIGHTS[weights], mask, reduction), rtol=1e-5, atol=1e-7)

    def test_one_number_per_sample_of_no_linear_form(self, reduction, weights, mask):
        given = WEIGHTS[weights]
        formula = "sqrt(mean(abs(y_true - y_pred)))"
        if np.ndim(given) > 1 and weights != "(B,1)":
            with pytest.raises(lossdsl.LossError, match="one weight per sample"):
                run(formula, reduction, given, None)
            return
        mask = None if mask is None else mask.any(1)
        given = given[:, 0] if weights == "(B,1)" else given
        found = run(formula, reduction, given, mask)
        samples = np.sqrt(E.mean((1, 2)))
        np.testing.assert_allclose(found, table_sum(samples, given, mask, reduction), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_combination_is_reduced_term_by_term(reduction):
    weights = WEIGHTS["(B,)"]
    found = run("0.5 * mean(abs(y_true - y_pred)) - sum(abs(y_true - y_pred)) / 4", reduction, weights, MASK)
    expected = 0.5 * table_mean(E, weights, MASK, reduction) - table_sum(E, weights, MASK, reduction) / 4
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_batch_without_axes_for_features_is_not_reduced_by_mean():
    errors = np.array([1.0, 10.0])
    assert float(lossdsl.compile("mean(abs(y_true - y_pred))")(np.zeros(2), errors, [1.0, 0.0])) == pytest.approx(0.5)
    # the built-in loss takes the batch for features: 2.75
    assert float(keras.losses.MeanAbsoluteError()(np.zeros(2), errors, [1.0, 0.0])) == pytest.approx(2.75)


def test_mean_over_valid_positions_is_not_the_mean_of_samples():
    y_pred, mask = np.array([[1.0, 1.0], [5.0, 0.0]]), np.array([[True, True], [True, False]])
    assert float(run("mean(y_pred - y_true)", "mean", None, mask, np.zeros((2, 2)), y_pred)) == pytest.approx(7 / 3)
    with pytest.raises(lossdsl.LossError, match="one weight per sample"):
        run("mean(y_pred - y_true, axis=(1,))**2", "mean", None, mask, np.zeros((2, 2)), y_pred)


def test_a_mean_whose_inside_couples_positions_takes_no_mask_there():
    with pytest.raises(lossdsl.LossError, match="mask"):
        run("mean(abs(y_pred - mean(y_pred)) + 0 * y_true)", "mean", None, MASK)


def test_the_axis_form_equals_keras_cross_entropy_over_an_image():
    y_true = np.eye(3, dtype="float32")[RNG.integers(0, 3, (2, 4, 4))]
    y_pred = keras.ops.softmax(RNG.normal(size=(2, 4, 4, 3)).astype("float32"))
    expected = keras.losses.CategoricalCrossentropy()(y_true, y_pred)
    found = lossdsl.compile("-sum(xlogy(y_true, y_pred), axis=-1)")(y_true, y_pred)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    whole = lossdsl.compile("-sum(xlogy(y_true, y_pred))")(y_true, y_pred)
    assert float(whole) == pytest.approx(16 * float(expected), rel=1e-5)


def test_a_mask_is_as_though_the_padding_were_absent():
    e = np.arange(24, dtype="float32").reshape(3, 4, 2)
    mask = np.array([[True] * 4, [True] * 4, [False] * 4])
    for formula in ("sum(y_pred - y_true)", "mean(y_pred - y_true)"):
        masked = run(formula, "sum_over_batch_size", None, mask, np.zeros_like(e), e)
        alone = run(formula, "sum_over_batch_size", None, None, np.zeros((2, 4, 2)), e[:2])
        assert float(masked) == pytest.approx(float(alone))
    # sum of all real entries over 3 samples would be 40, over 8 positions 15
    assert float(run("sum(y_pred - y_true)", "mean", None, mask, np.zeros_like(e), e)) == pytest.approx(60.0)


def test_keras_own_number_over_position_weights():
    """`mean_with_sample_weight` with weights (B,1): the built-in loss sums them before they are spread."""
    weights = RNG.random((3, 1)).astype("float32")
    found = run("mean(abs(y_true - y_pred))", "mean_with_sample_weight", weights, None)
    assert float(found) == pytest.approx(float((weights * E.mean((1, 2))[:, None]).sum() / weights.sum()))


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize(
    ("shape", "weights"),
    [
        ((4, 2), (3,)),
        ((4, 2), (1,)),
        ((4, 2), (1, 2)),
        ((4, 2), (4, 3)),
        ((4, 2), (4, 2, 2)),
        ((4, 3, 2), (4, 2)),
    ],
    ids=str,
)
def test_weights_of_another_size_are_refused(mode, shape, weights):
    loss = lossdsl.compile("mean(abs(y_true - y_pred))")
    call = loss if mode == "eager" else tf.function(loss.__call__)
    with pytest.raises(lossdsl.LossError, match="weights of shape"):
        call(tf.zeros(shape), tf.zeros(shape), tf.ones(weights))


def test_sizes_that_come_late_never_broadcast():
    """In a graph with unknown sizes nothing can be said beforehand; the tensors themselves refuse."""
    loss = lossdsl.compile("mean(abs(y_true - y_pred))")
    unknown = [tf.TensorSpec((None, None))] * 3
    call = tf.function(loss.__call__, input_signature=unknown)
    assert float(call(tf.zeros((2, 3)), tf.ones((2, 3)), tf.ones((2, 3)))) == pytest.approx(1.0)
    for bad in ((2, 4), (3, 3)):
        with pytest.raises(tf.errors.InvalidArgumentError):
            call(tf.zeros((2, 3)), tf.ones((2, 3)), tf.ones(bad))


def test_segmentation_weights_of_every_rank():
    y_true, y_pred = RNG.normal(size=(2, 2, 3, 3, 1)).astype("float32")
    e = np.abs(y_true - y_pred)
    for shape in ((2,), (2, 1, 1), (2, 3, 3), (2, 3, 3, 1)):
        weights = RNG.random(shape).astype("float32")
        found = run("mean(abs(y_true - y_pred))", "mean", weights, None, y_true, y_pred)
        assert float(found) == pytest.approx(float((e * left(weights, 4)).mean()), rel=1e-5)


@pytest.mark.parametrize("form", ["list", "dict"])
def test_several_outputs_with_weights_of_their_own(form):
    x, y = RNG.normal(size=(2, 6, 3)).astype("float32")
    weights = RNG.random((2, 6)).astype("float32")
    found = []
    for loss in (lambda: lossdsl.compile("mean((y_true - y_pred)**2)"), keras.losses.MeanSquaredError):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((3,))
        model = keras.Model(inputs, {n: keras.layers.Dense(1, name=n)(inputs) for n in "ab"})
        given = {"a": loss(), "b": loss()}, {"a": 0.3, "b": 2.0}, {"a": y[:, :1], "b": y[:, 1:2]}
        sample_weight = dict(zip("ab", weights, strict=True))
        if form == "list":
            model = keras.Model(inputs, list(model.output.values()))
            given = tuple(list(part.values()) for part in given)
            sample_weight = list(sample_weight.values())
        model.compile("sgd", loss=given[0], loss_weights=given[1])
        found.append(model.evaluate(x, given[2], sample_weight=sample_weight, verbose=0)[0])
    assert float(found[0]) == pytest.approx(found[1], rel=1e-6)


def test_every_model_loop_agrees():
    """add_loss in a layer, an overridden compute_loss, and a loop of one's own."""
    loss = lossdsl.compile("mean(abs(y_true - y_pred))")

    class WithLoss(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.ops.mean(loss.call(inputs, 2 * inputs)))
            return inputs

    class WithCompute(keras.Model):
        def call(self, inputs):
            return 2 * inputs

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return loss(y, y_pred, sample_weight)

    x = RNG.random((4, 2)).astype("float32")
    model = keras.Sequential([keras.Input((2,)), WithLoss(), keras.layers.Dense(2)])
    model(x)
    assert float(sum(model.losses)) == pytest.approx(x.mean(), rel=1e-6)
    for eagerly in (False, True):
        other = WithCompute()
        other.compile("sgd", run_eagerly=eagerly)
        assert float(other.evaluate(x, x, verbose=0)) == pytest.approx(x.mean(), rel=1e-6)
    each = tf.vectorized_map(lambda pair: loss(pair[0][None], pair[1][None]), (tf.constant(x), 2 * tf.constant(x)))
    np.testing.assert_allclose(each, x.mean(-1), rtol=1e-6)


def test_reduction_none_says_what_a_trainer_does_with_it():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss=lossdsl.compile("mean(abs(y_true - y_pred))", reduction=None))
    with pytest.warns(UserWarning, match="trains on the batch's sum") as caught:
        model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=2, verbose=0)
    assert sum("trains on the batch's sum" in str(w.message) for w in caught) == 1
