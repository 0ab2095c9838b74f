"""float64: what is made of numbers alone, or of their own size, has that type too, and the digits."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from modes import MODES
from mpmath import mp

import lossdsl
from lossdsl.backends import reference, shims
from lossdsl.backends.keras_text import function
from lossdsl.backends.load import load
from lossdsl.backends.positions import Positions
from lossdsl.checked import analyse
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import Scope
from lossdsl.ir.node import INPUT, reachable
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import Family
from lossdsl.syntax.parse import parse_expression

CASES = [
    ("mean(std(y_pred, axis=-1) + 0 * y_pred)", [[2.0, 2.0], [0.0, 0.0], [1e-200, 3e-200]]),
    ("mean(norm(y_pred, axis=-1) + 0 * y_pred)", [[0.0, 0.0], [3e-200, 4e-200], [3e200, 4e200]]),
    ("mean(norm(xlogy(0, 1 + square(y_pred)), axis=-1) + 0 * y_pred)", [[88.0, 88.0]]),  # in XLA it was NaN
    ("mean(normalize(y_pred))", [[0.0, 0.0], [3e-200, 4e-200], [3e200, 4e200]]),
    ("mean(sort(square(y_pred)) * [1, 2])", [[3.0, 1.0], [0.5, 0.5]]),
    ("mean(where(y_pred > 0, 0.9, 0.1) * y_pred)", [[3.0, -1.0]]),
    ("square(mean(y_pred, axis=(batch, -1)))", [[3.0, 1.0], [0.5, 0.5]]),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("text", "numbers"), CASES)
def test_value_and_gradient(text: str, numbers: list[list[float]], mode: str) -> None:
    loss = lossdsl.compile(text, dtype="float64", reduction="sum")
    data = np.asarray(numbers)

    def run(pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(pred)
            value = loss(pred, pred)
        return value, tape.gradient(value, pred)

    called = MODES[mode](run)
    value, slope = called(tf.constant(data))
    assert value.dtype == slope.dtype == tf.float64
    assert np.all(np.isfinite(slope))
    assert float(value) == pytest.approx(np.sum(lossdsl.evaluate(text, data, data)), rel=1e-14)


@pytest.mark.parametrize("mode", MODES)
def test_what_is_made_of_class_numbers(mode: str) -> None:
    """Keras makes `one_hot` in float32 where it isn't told otherwise."""
    loss = lossdsl.compile(
        "y_true: label[batch]\ny_pred: float[batch, k]\nmean(where(y_pred > 0.2, one_hot(y_true, k), 0.1) * y_pred)",
        dtype="float64",
    )
    data = np.array([[0.1, 0.3, 0.5], [0.7, 0.2, 0.4]])
    expected = (0.1 * 0.1 + 0.5 + 0.7 + 0.1 * 0.2) / 6
    assert float(MODES[mode](loss)(tf.constant([2, 0]), tf.constant(data))) == pytest.approx(expected, rel=1e-14)


def test_the_error_function_has_ends() -> None:
    assert shims.erf(tf.constant([np.inf, -np.inf, 0.0], "float64")).numpy().tolist() == [1.0, -1.0, 0.0]


@pytest.mark.parametrize("mode", MODES)
def test_the_error_function_keeps_to_its_ends(mode: str) -> None:
    """XLA's is 1.0000001 at one number in 5,000."""
    numbers = np.linspace(-4.2, 4.2, 20001).astype("float32")
    assert np.abs(MODES[mode](shims.erf)(tf.constant(numbers))).max() == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", MODES)
def test_the_inverse_of_the_error_function_near_0(mode: str, dtype: str) -> None:
    """TensorFlow's is 0 up to 1e-8, and has no digits to speak of up to 1e-5."""
    numbers = np.array([1e-30, 1e-12, 1e-8, 1e-6, -1e-4, 9e-4, 2e-3, 0.5], dtype)
    found = MODES[mode](shims.erfinv)(tf.constant(numbers))
    with mp.workdps(30):
        wanted = [float(mp.erfinv(mp.mpf(float(x)))) for x in numbers]
    np.testing.assert_allclose(found, wanted, rtol=3e-5)
    np.testing.assert_allclose(found[:6], wanted[:6], rtol=1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_a_divergence_is_not_negative(mode: str) -> None:
    """Two entries nearly the same, and one far away, by which the terms of first order are not left out."""
    one = tf.constant([[0.0, -13.455101013183594, -100.0], [0.0, -0.6747231483459473, -100.0]])
    other = tf.constant(
        [[0.0, -13.455333709716797, -67.91787719726562], [0.0, -0.6748983263969421, -57.78618621826172]]
    )
    assert np.min(MODES[mode](lambda x, y: shims.softmax_divergence(x, y, -1))(one, other)) >= 0.0


NUMBERS = {
    name: op
    for name, op in {**OPS, **INTERNAL}.items()
    if op.family is Family.ELEMENTWISE
    and len(op.signature.values) > 1
    and {a.kind for a in op.signature.values} <= {"float", "T"}
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_beside_data_has_all_its_digits(name: str) -> None:
    """0.35 in any place of any operation of several values, in the code that is printed: as it is in NumPy."""
    checked = analyse("mean(y_true + y_pred)")
    builder, layout = checked.elaborated.builder, checked.elaborated.builder.layout.ids
    data = {"y_true": np.array([[0.2, 0.3]]), "y_pred": np.array([[0.4, 0.7]])}
    places = range(len(NUMBERS[name].signature.values))
    for place in places:
        operands = [("0.35", "y_pred", "y_true")[0 if i == place else 1 + i % 2] for i in places]
        elaborator = Elaborator(builder, uses={}, epsilon=0.0)
        inputs = {x.attr("name"): x for x in reachable([checked.elaborated.root]) if x.op == INPUT}
        scope = Scope(values=inputs, internal=True)
        root = elaborator.expression(parse_expression(f"{name}({', '.join(operands)})"), scope)
        source = function("value", ["y_true", "y_pred"], Positions(layout), {}, root)
        code = load(source, "<numbers>", ops=ops, shims=shims)
        found = code.value(*(ops.convert_to_tensor(array) for array in data.values()))
        np.testing.assert_allclose(found, reference.evaluate(root, layout, data), rtol=1e-13, err_msg=source)
